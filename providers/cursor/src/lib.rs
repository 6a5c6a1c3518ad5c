//! Reads what Cursor keeps of its conversations: keys and values in one database for all of them.
//!
//! [`plan`] makes a unit of every conversation; [`scan`] reads one; `bubble` says what a message becomes. Nothing but the
//! table of conversations is asked for: the one beside it has the person's tokens.

mod bubble;
pub mod plan;
pub mod scan;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Note, Peek, PlanResult, Provider, Root};

/// The provider `cursor`.
#[derive(Debug)]
pub struct Cursor;

hyp_sdk::register!(Cursor);

impl Provider for Cursor {
    type Scan = scan::Conversation;

    fn description() -> Description {
        let storage = Candidate::ApplicationSupport("Cursor/User/globalStorage".to_owned());
        let database = Root::new("database", storage)
            .glob("state.vscdb")
            .depth(1)
            .table("cursorDiskKV", &["key", "value"]);
        Description::new("cursor", "Cursor", env!("CARGO_PKG_VERSION"))
            .summary("Conversations of the Cursor editor")
            .client("Cursor", "conversations in `state.vscdb`, as bubbles or inline", None)
            .root(database)
    }

    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        Ok(plan::plan(entries, peek, notes))
    }

    fn open(unit_id: &str, _: &[Entry], context: &[u8]) -> Result<scan::Conversation, Fault> {
        let id = str::from_utf8(context).ok().filter(|id| !id.is_empty());
        Ok(scan::Conversation::new(id.unwrap_or(unit_id)))
    }
}
