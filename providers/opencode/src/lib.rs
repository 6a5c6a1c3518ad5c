//! Reads what OpenCode keeps: sessions, messages and parts, in a database since 1.2 and as small documents before.
//!
//! Both hold the same records. [`plan`] makes a unit of every session, and leaves out documents whose session was moved
//! into a database; [`scan`] feeds records to `session`, whose `message` says what a message and its parts become.

mod message;
mod part;
pub mod plan;
pub mod scan;
mod session;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Note, Peek, PlanResult, Provider, Root};

/// Root of the databases, one for each channel of the client.
const DATABASES: &str = "databases";
/// Root of the documents.
const STORAGE: &str = "storage";

/// The provider `opencode`.
#[derive(Debug)]
pub struct OpenCode;

hyp_sdk::register!(OpenCode);

impl Provider for OpenCode {
    type Scan = scan::Records;

    fn description() -> Description {
        let data = |below: &str| Candidate::DataHome(format!("opencode{below}"));
        let databases = Root::new(DATABASES, data(""))
            .glob("opencode.db")
            .glob("opencode-*.db")
            .depth(1)
            .table("session", scan::SESSION)
            .table("project", &["id", "worktree"])
            .table("message", &["id", "session_id", "time_created", "time_updated", "data"])
            .table("part", &["id", "message_id", "session_id", "time_updated", "data"]);
        let storage = Root::new(STORAGE, data("/storage"))
            .glob("session/*/*.json")
            .glob("message/*/*.json")
            .glob("part/*/*.json")
            .depth(3);
        Description::new("opencode", "OpenCode", env!("CARGO_PKG_VERSION"))
            .summary("Sessions of OpenCode, from its database and from the documents before it")
            .client(
                "OpenCode",
                "the database of 1.2 and later, the documents of `storage` before",
                None,
            )
            .root(databases)
            .root(storage)
    }

    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        Ok(plan::plan(entries, peek, notes))
    }

    fn open(unit_id: &str, entries: &[Entry], context: &[u8]) -> Result<scan::Records, Fault> {
        Ok(scan::Records::new(unit_id, entries, context))
    }
}
