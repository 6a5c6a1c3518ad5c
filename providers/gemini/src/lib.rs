//! Reads what Gemini CLI keeps: a file for each session, a document at first and lines since 2026.
//!
//! [`plan`] finds sessions and where they were held; [`chat`] reads one; `message` says what a message becomes. A message
//! is written again whenever more of it is known, so that the last time counts.

pub mod chat;
mod message;
pub mod plan;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Note, Peek, PlanResult, Provider, Root};

/// Root of the sessions, in a folder for each project.
const CHATS: &str = "chats";
/// The file that says which project's folder is which.
const PROJECTS: &str = "projects";

/// The provider `gemini`.
#[derive(Debug)]
pub struct Gemini;

hyp_sdk::register!(Gemini);

impl Provider for Gemini {
    type Scan = chat::Chat;

    fn description() -> Description {
        let place = |root: &str, below: &str| {
            Root::new(root, Candidate::overriding("GEMINI_CLI_HOME", format!(".gemini{below}")))
                .or(Candidate::Home(format!(".gemini{below}")))
        };
        let chats = place(CHATS, "/tmp")
            .glob("*/chats/session-*.json")
            .glob("*/chats/session-*.jsonl")
            .glob("*/chats/*/*.jsonl")
            .glob("*/.project_root")
            .depth(4);
        Description::new("gemini", "Gemini CLI", env!("CARGO_PKG_VERSION"))
            .summary("Sessions of Gemini CLI and their sub-agents")
            .client("Gemini CLI", "documents (2025) and lines (2026)", None)
            .root(chats)
            .root(place(PROJECTS, "/projects.json"))
    }

    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        _notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        Ok(plan::plan(entries, peek))
    }

    fn open(_: &str, entries: &[Entry], context: &[u8]) -> Result<chat::Chat, Fault> {
        let path = entries.first().map_or("", |entry| &entry.path);
        Ok(chat::Chat::new(path, str::from_utf8(context).ok()))
    }
}
