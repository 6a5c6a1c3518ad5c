//! Which row carries the tokens of an API response, and what they are.

use std::collections::VecDeque;

use hyp_model::event::Usage;

use crate::said::{PrintMap, PrintSet};

/// Responses whose tokens can still be corrected; of older ones only a number is kept.
const REMEMBERED: usize = 4_096;

/// The responses of a thread. Copies are kept apart from what they are copies of.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    recent: PrintMap<Response>,
    settled: VecDeque<u64>,
    forgotten: PrintSet,
}

#[derive(Debug, Default)]
struct Response {
    usage: Option<Usage>,
    has_carrier: bool,
    /// Set once the row that carries the tokens was handed out.
    part_id: Option<String>,
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
        response.part_id.as_ref().filter(|_| is_news).map(|part_id| (part_id.clone(), usage))
    }

    /// Says whether a message is the first one of its response that has rows, and so carries its tokens.
    pub(crate) fn claim(&mut self, response: u64) -> bool {
        if self.forgotten.contains(&response) {
            return false;
        }
        let response = self.recent.entry(response).or_default();
        !std::mem::replace(&mut response.has_carrier, true)
    }

    /// Returns the tokens for the row that carries them, which is about to be handed out.
    pub(crate) fn settle(&mut self, response: u64, part_id: String) -> Option<Usage> {
        let found = self.recent.get_mut(&response)?;
        found.part_id = Some(part_id);
        let usage = found.usage;
        self.settled.push_back(response);
        if self.settled.len() > REMEMBERED
            && let Some(oldest) = self.settled.pop_front()
        {
            self.recent.remove(&oldest);
            self.forgotten.insert(oldest);
        }
        usage
    }
}
