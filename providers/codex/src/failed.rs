//! Calls of which an event says that they went wrong, before their outputs are told.

use std::collections::VecDeque;

use hyp_sdk::state::{Reader, Writer};

/// Calls that are remembered: outputs follow at once.
const REMEMBERED: usize = 64;

/// Calls that went wrong and whose outputs have not come.
#[derive(Debug, Default)]
pub(crate) struct Failed(VecDeque<String>);

impl Failed {
    /// Notes a call.
    pub(crate) fn call(&mut self, id: String) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(id);
    }

    /// Takes the call that an output is of; says whether it went wrong.
    pub(crate) fn output(&mut self, id: &str) -> bool {
        let at = self.0.iter().position(|call| call == id);
        at.and_then(|at| self.0.remove(at)).is_some()
    }

    /// Writes what is waited for.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.0.iter(), |out, call| out.text(call));
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        let calls: Vec<String> = from.list(Reader::text)?;
        self.0 = calls.into();
        Some(())
    }
}
