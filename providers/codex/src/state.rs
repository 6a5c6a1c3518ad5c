//! A rollout that was read up to some line, as bytes.

use hyp_sdk::state::{Reader, Writer};

use crate::first::First;
use crate::scan::Rollout;
use crate::usage::Tokens;

impl Rollout {
    /// Writes what later lines need of earlier ones. There is no such point while something waits or may be a copy,
    /// nor before the header, nor in one of several recordings: what one of them has, the others must not tell again.
    pub(crate) fn saved(&self) -> Option<Vec<u8>> {
        let is_alone = self.has_begun && self.header.is_told() && self.paths.len() == 1;
        let is_in_doubt = matches!(self.totals.fork, First::Doubted(..));
        if !is_alone || is_in_doubt || !self.hold.is_at_rest() {
            return None;
        }
        let mut out = Writer::new();
        self.copied.save(&mut out)?;
        self.header.save(&mut out);
        self.turn.save(&mut out);
        self.totals.save(&mut out);
        self.spawns.save(&mut out);
        self.failed.save(&mut out);
        self.thought.save(&mut out);
        self.goals.save(&mut out);
        out.maybe(self.latest, Writer::time);
        self.hold.save(&mut out);
        out.maybe(self.imported, Writer::time);
        out.maybe(self.recorded.as_ref(), |out, tokens| tokens.save(out));
        Some(out.finish())
    }

    /// Goes on with a fresh rollout where one was saved.
    pub(crate) fn restored(mut self, state: &[u8]) -> Option<Self> {
        let mut from = Reader::new(state);
        self.copied.restore(&mut from)?;
        self.header.restore(&mut from)?;
        self.turn.restore(&mut from)?;
        self.totals.restore(&mut from)?;
        self.spawns.restore(&mut from)?;
        self.failed.restore(&mut from)?;
        self.thought.restore(&mut from)?;
        self.goals.restore(&mut from)?;
        self.latest = from.maybe(Reader::time)?;
        self.hold.restore(&mut from)?;
        self.imported = from.maybe(Reader::time)?;
        self.recorded = from.maybe(Tokens::restore)?;
        self.has_begun = true;
        from.is_at_end().then_some(self)
    }
}
