//! Reads what Pi keeps: a file of lines for each session, one entry a line, which is a tree by ids and parents.
//!
//! [`session`] says what each sort of entry is, `message` what becomes of one that was said.

mod message;
pub mod session;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Note, Peek, PlanResult, Provider, Root, Unit};

/// The provider `pi`.
#[derive(Debug)]
pub struct Pi;

hyp_sdk::register!(Pi);

impl Provider for Pi {
    type Scan = session::Session;

    fn description() -> Description {
        let sessions =
            Root::new("sessions", Candidate::overriding("PI_CODING_AGENT_DIR", "sessions"))
                .or(Candidate::Home(".pi/agent/sessions".to_owned()))
                .glob("**/*.jsonl")
                .depth(6);
        Description::new("pi", "Pi", env!("CARGO_PKG_VERSION"))
            .summary("Sessions of the Pi coding agent")
            .client(
                "Pi",
                "session files of versions 1, 2 and 3",
                Some("recordings of November 2025 to May 2026"),
            )
            .root(sessions)
    }

    fn plan(
        entries: &[Entry],
        _peek: &mut dyn Peek,
        _notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        let mut taken = std::collections::BTreeSet::new();
        let units = (0..).zip(entries).map(|(index, entry)| {
            // A second file of the same session is a unit of its own, and the same thread.
            let id = session::id_of(&entry.path).filter(|id| taken.insert((*id).to_owned()));
            Unit::new(id.unwrap_or(&entry.path), vec![index])
        });
        Ok(PlanResult { units: units.collect(), ignored: Vec::new() })
    }

    fn open(_: &str, entries: &[Entry], _: &[u8]) -> Result<session::Session, Fault> {
        let path = entries.first().map_or("", |entry| &entry.path);
        Ok(session::Session::new(path))
    }

    fn resume(_: &str, _: &[Entry], _: &[u8], state: &[u8]) -> Option<session::Session> {
        session::Session::restore(state)
    }
}
