//! Reads what Qwen Code keeps: a file of lines for each session, one record a line.
//!
//! [`chat`] says what a record is; `part` what its content becomes, which has the form of Gemini's.

pub mod chat;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Provider, Root};

/// The provider `qwen`.
#[derive(Debug)]
pub struct Qwen;

hyp_sdk::register!(Qwen);

impl Provider for Qwen {
    type Scan = chat::Chat;

    fn description() -> Description {
        let chats = Root::new("chats", Candidate::overriding("QWEN_RUNTIME_DIR", "projects"))
            .or(Candidate::Home(".qwen/projects".to_owned()))
            .glob("*/chats/*.jsonl")
            .depth(3);
        Description::new("qwen", "Qwen Code", env!("CARGO_PKG_VERSION"))
            .summary("Sessions of Qwen Code")
            .client("Qwen Code", "files of lines", Some("a file of 0.18.1"))
            .root(chats)
    }

    fn open(_: &str, entries: &[Entry], _: &[u8]) -> Result<chat::Chat, Fault> {
        let path = entries.first().map_or("", |entry| &entry.path);
        Ok(chat::Chat::new(path))
    }

    fn resume(_: &str, _: &[Entry], _: &[u8], state: &[u8]) -> Option<chat::Chat> {
        chat::Chat::restore(state)
    }
}
