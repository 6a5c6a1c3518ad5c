//! Which thread a row is of.

use std::collections::HashMap;

use super::ask::{self, Lake, Row};
use crate::failure::Failure;

/// Columns of a row that tell its thread: session, conversation, input.
type Owner = (String, Option<String>, String);

/// Threads by what rows have of them.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<Owner, String>);

impl Owners {
    /// Reads the threads of the store.
    pub(super) fn read(lake: &Lake) -> Result<Self, Failure> {
        let rows =
            lake.rows("select thread_id, session_id, conversation_id, input_id from sessions")?;
        let pair = |row: &Row| Some((owner(row), ask::text(row, "thread_id")?));
        Ok(Self(rows.iter().filter_map(pair).collect()))
    }

    /// Returns the thread of a row with these columns.
    ///
    /// A thread that lies in two files is listed with one of them; rows of the other one tell it by its id.
    pub(super) fn of_row(&self, row: &Row) -> String {
        let (session, conversation, input) = owner(row);
        let plain = conversation.clone().unwrap_or_else(|| session.clone());
        self.0.get(&(session, conversation, input)).cloned().unwrap_or(plain)
    }
}

fn owner(row: &Row) -> Owner {
    let text = |name| ask::text(row, name).unwrap_or_default();
    (text("session_id"), ask::text(row, "conversation_id"), text("input_id"))
}
