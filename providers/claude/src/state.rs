//! A transcript that was read up to some line, as bytes.

use hyp_sdk::state::{Reader, Writer};

use crate::copied::Copied;
use crate::queue::Queue;
use crate::response::Responses;
use crate::scan::{Open, Transcript};
use crate::spill::Spills;
use crate::total::Total;

impl Transcript {
    /// Writes what later lines need of earlier ones; nothing before the thread has begun, when that is almost all.
    pub(crate) fn saved(&self) -> Option<Vec<u8>> {
        let open = self.open.as_ref().filter(|open| open.stub.is_none())?;
        let mut out = Writer::new();
        out.text(&open.id);
        out.text(&open.session);
        out.context(&open.context);
        out.maybe_text(open.origin.as_deref());
        out.flag(open.is_own);
        out.flag(open.has_resumed);
        out.maybe_text(open.last_id.as_deref());
        out.maybe(open.last_time.as_ref(), |out, time| out.number(time.cast_unsigned()));
        out.maybe(open.copied.as_ref(), |out, copied| copied.save(out));
        self.queue.save(&mut out);
        self.responses.save(&mut out);
        self.spills.save(&mut out);
        out.maybe(self.total.as_ref(), |out, total| total.save(out));
        Some(out.finish())
    }

    /// Goes on with a fresh transcript where one was saved.
    pub(crate) fn restored(mut self, state: &[u8]) -> Option<Self> {
        let mut from = Reader::new(state);
        self.open = Some(Open {
            id: from.text()?,
            session: from.text()?,
            context: from.context()?,
            origin: from.maybe_text()?,
            is_own: from.flag()?,
            has_resumed: from.flag()?,
            last_id: from.maybe_text()?,
            last_time: from.maybe(|from| Some(from.number()?.cast_signed()))?,
            copied: from.maybe(Copied::restore)?,
            stub: None,
        });
        // What the plan knew went out with the head.
        self.early.clear();
        self.queue = Queue::restore(&mut from)?;
        self.responses = Responses::restore(&mut from)?;
        self.spills = Spills::restore(&mut from)?;
        self.total = from.maybe(Total::restore)?;
        from.is_at_end().then_some(self)
    }
}
