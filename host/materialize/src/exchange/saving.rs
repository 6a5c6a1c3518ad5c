//! An exchange as bytes, so that a recording which grew can be gone on with.
//!
//! Rows that are held back are not saved: by the time that the bytes are read, the run that wrote them has handed
//! these out. What is learnt of them later comes as a correction.

use super::{Exchange, LIMIT};
use crate::produced::Source;
use crate::said;
use crate::saved::{Reader, Writer};
use crate::thread::State;

/// Changes with the layout of what is saved.
const FORMAT: u64 = 1;

/// Bytes of a state that is worth keeping; units that need more are read whole.
const HEAVIEST: usize = 16 << 20;

/// Small numbers for ids come from a hash that may be another one in another build.
const SAMPLE: &str = "sample";

impl Exchange {
    /// Returns the state after the last event, to go on from in another run; nothing where a later event may
    /// change what is held back in ways other than [`late`](crate::Produced::late), or the state is too large.
    ///
    /// Everything pushed until now has to reach the store before the state is used.
    pub fn save(&self) -> Option<Vec<u8>> {
        let mut out = Writer::default();
        out.number(FORMAT);
        out.print(said::print(SAMPLE));
        out.text(&self.last_thread);
        if let Some(state) = self.open.as_deref() {
            if !state.is_savable(self.held.iter()) {
                return None;
            }
            out.flag(true);
            state.save(self.held.iter(), &mut out);
        } else {
            out.flag(false);
        }
        out.list(self.ended.values(), |out, state| state.save([].iter(), out));
        (out.0.len() <= HEAVIEST).then_some(out.0)
    }

    /// Returns the messages whose rows are held back; whoever goes on from a state that is saved now does not make
    /// them again.
    pub fn held_back(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|draft| draft.message_id.as_str())
    }

    /// Goes on from a saved state; nothing where another build saved it in another form.
    pub fn restore(source: Source, saved: &[u8]) -> Option<Self> {
        let mut from = Reader(saved);
        if from.number()? != FORMAT || from.print()? != said::print(SAMPLE) {
            return None;
        }
        let mut exchange = Self::with_limit(source, LIMIT);
        exchange.last_thread = from.text()?;
        exchange.open = from.maybe(|from| State::restore(from, &exchange.source))?.map(Box::new);
        let ended: Vec<State> = from.list(|from| State::restore(from, &exchange.source))?;
        for mut state in ended {
            state.is_news = false;
            exchange.remembered += state.numbers;
            exchange.ended.insert(state.facts.thread_id.clone(), Box::new(state));
        }
        from.0.is_empty().then_some(exchange)
    }
}
