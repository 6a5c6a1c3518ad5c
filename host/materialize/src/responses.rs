//! Which row carries the tokens of an API response, and what they are.

use std::collections::VecDeque;

use hyp_model::event::Usage;

use crate::said::{PrintMap, PrintSet};
use crate::saved::{Reader, Writer};

/// Responses whose tokens can still be corrected; of older ones only a number is kept.
///
/// Far more than messages are held back, so that a response is never forgotten before its row is handed out.
const REMEMBERED: usize = 4_096;

/// The responses of a thread. Copies are kept apart from what they are copies of.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    recent: PrintMap<Response>,
    claimed: VecDeque<u64>,
    forgotten: PrintSet,
}

#[derive(Debug, Default)]
struct Response {
    usage: Option<Usage>,
    /// The row that carries the tokens.
    part_id: Option<String>,
    /// Set once that row was handed out.
    is_settled: bool,
}

impl Responses {
    /// Notes the usage that a message of a response tells. Returns a correction where the row that carries
    /// the tokens was handed out with others.
    pub(crate) fn learn(&mut self, response: u64, usage: Usage) -> Option<(String, Usage)> {
        if self.forgotten.contains(&response) {
            return None;
        }
        let response = self.recent.entry(response).or_default();
        let is_news = response.usage != Some(usage);
        response.usage = Some(usage);
        let part_id = response.part_id.as_ref().filter(|_| response.is_settled && is_news)?;
        Some((part_id.clone(), usage))
    }

    /// Says whether a row is the first one of its response, and so carries its tokens.
    pub(crate) fn claim(&mut self, response: u64, part_id: impl FnOnce() -> String) -> bool {
        if self.forgotten.contains(&response) {
            return false;
        }
        let known = self.recent.entry(response).or_default();
        if known.part_id.is_some() {
            return false;
        }
        known.part_id = Some(part_id());
        self.claimed.push_back(response);
        if self.claimed.len() > REMEMBERED
            && let Some(oldest) = self.claimed.pop_front()
        {
            self.recent.remove(&oldest);
            self.forgotten.insert(oldest);
        }
        true
    }

    /// Returns the tokens for the row that carries them, which is about to be handed out.
    pub(crate) fn settle(&mut self, response: u64) -> Option<Usage> {
        let found = self.recent.get_mut(&response)?;
        found.is_settled = true;
        found.usage
    }

    /// Writes what is known, as it is when all rows were handed out.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.claimed.iter(), |out, response| out.print(*response));
        out.list(self.recent.iter(), |out, (print, response)| {
            out.print(*print);
            out.maybe(response.usage.as_ref(), Writer::usage);
            out.maybe_text(response.part_id.as_deref());
        });
        out.list(self.forgotten.iter(), |out, print| out.print(*print));
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let claimed = from.list(Reader::print)?;
        let recent = from.list(|from| {
            let print = from.print()?;
            let usage = from.maybe(Reader::usage)?;
            let part_id = from.maybe_text()?;
            Some((print, Response { usage, is_settled: part_id.is_some(), part_id }))
        })?;
        let forgotten = from.list(Reader::print)?;
        Some(Self { claimed, recent, forgotten })
    }
}
