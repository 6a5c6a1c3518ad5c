//! Reads what Note Book keeps: a file of lines for each chat, one JSON record a line.
//!
//! This file says where the files are; [`chat`] what a record means.

pub mod chat;
#[cfg(test)]
mod tests;

use hyp_sdk::{Candidate, Description, Entry, Fault, Provider, Root};

use chat::Chat;

/// The provider.
#[derive(Debug)]
pub struct NoteBook;

hyp_sdk::register!(NoteBook);

impl Provider for NoteBook {
    type Scan = Chat;

    /// Says what is read, and from where. The host lends nothing else.
    fn description() -> Description {
        let chats = Root::new("chats", Candidate::Home(".note-book/chats".to_owned()))
            .glob("**/*.jsonl")
            .depth(3);
        Description::new("note-book", "Note Book", env!("CARGO_PKG_VERSION"))
            .summary("Chats of Note Book")
            .client("Note Book", "files of lines", None)
            .root(chats)
    }

    /// Starts to read a chat. A unit is a file unless `plan` says otherwise.
    fn open(_unit: &str, entries: &[Entry], _context: &[u8]) -> Result<Chat, Fault> {
        Ok(Chat::new(entries.first().map_or("", |entry| &entry.path)))
    }

    /// Goes on with a chat that has grown since it was read.
    fn resume(_unit: &str, _: &[Entry], _context: &[u8], state: &[u8]) -> Option<Chat> {
        Chat::restore(state)
    }
}
