//! Reads what Codex keeps: the rollouts below `sessions` and `archived_sessions`.
//!
//! Read first: [`Codex`], what is looked for; `scan`, how recordings become a thread; `record`, what each
//! sort of record does; `hold`, what waits until it is known what it is. Layouts are told apart by their
//! shape alone: clients rewrite old recordings and leave the version in them as it was.

mod attributes;
mod bill;
mod call;
mod copied;
mod counters;
mod echo;
mod event;
mod failed;
mod first;
mod goal;
mod header;
mod heard;
mod hold;
mod injected;
mod item;
mod markup;
mod plan;
mod queue;
mod record;
mod scan;
mod spawn;
mod state;
mod told;
mod totals;
mod turn;
mod usage;
mod when;

use hyp_sdk::{Candidate, Description, Entry, Fault, Note, Peek, PlanResult, Provider, Root};

pub use scan::Rollout;

/// The root that lists what was taken over from other clients, and the word for its record.
pub(crate) const IMPORTS: &str = "session_imports";

/// The history of Codex, whichever of its clients wrote it.
#[derive(Debug)]
pub struct Codex;

hyp_sdk::register!(Codex);

impl Provider for Codex {
    type Scan = Rollout;

    fn description() -> Description {
        Description::new("codex", "Codex", env!("CARGO_PKG_VERSION"))
            .summary("Sessions of the Codex CLI, its editor extension and its desktop app")
            .client(
                "Codex",
                "0.8 to 0.169, plain, `.zst`, archived and migrated; the `.json` documents of the TypeScript client",
                Some("recordings of 0.45 to 0.169, sessions of 0.8 to 0.169 against a scripted API"),
            )
            .root(rollouts("sessions"))
            .root(rollouts("archived_sessions"))
            .root(index())
            .root(imports())
            .root(notice("diagnostic_source_detected:history_jsonl", "history.jsonl"))
            .root(notice("diagnostic_source_detected:history_json", "history.json"))
            .root(notice("diagnostic_source_detected:log", "log"))
            .root(application("unsupported_location:chatgpt_desktop_app", "ChatGPT"))
            .root(application("unsupported_location:codex_desktop_app", "Codex"))
    }

    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        _notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        Ok(plan::units(entries, peek))
    }

    fn open(unit_id: &str, entries: &[Entry], _context: &[u8]) -> Result<Rollout, Fault> {
        Ok(Rollout::new(unit_id, entries))
    }

    fn resume(unit_id: &str, entries: &[Entry], _context: &[u8], state: &[u8]) -> Option<Rollout> {
        Rollout::new(unit_id, entries).restored(state)
    }
}

fn rollouts(folder: &str) -> Root {
    Root::new(folder, Candidate::overriding("CODEX_HOME", folder))
        .or(Candidate::Home(format!(".codex/{folder}")))
        .glob("**/*.jsonl")
        .glob("**/rollout-*.json")
        .depth(16)
}

/// The names that threads were given, as a file of its own.
fn index() -> Root {
    Root::new("session_index", Candidate::overriding("CODEX_HOME", "session_index.jsonl"))
        .or(Candidate::Home(".codex/session_index.jsonl".to_owned()))
}

/// What the client took over from the history of other clients, as a file of its own.
fn imports() -> Root {
    let file = "external_agent_session_imports.json";
    Root::new(IMPORTS, Candidate::overriding("CODEX_HOME", file))
        .or(Candidate::Home(format!(".codex/{file}")))
}

/// A file or folder of the client's that repeats what rollouts hold.
fn notice(name: &str, below: &str) -> Root {
    Root::notice(name, Candidate::overriding("CODEX_HOME", below))
        .or(Candidate::Home(format!(".codex/{below}")))
}

/// Where a desktop app keeps what cannot be read.
fn application(name: &str, folder: &str) -> Root {
    Root::notice(name, Candidate::ApplicationSupport(folder.to_owned()))
        .or(Candidate::ConfigHome(folder.to_owned()))
}

#[cfg(test)]
mod tests;
