//! How much of the beginning of a thread can be a copy, as its recording shows: of threads that began at the same moment,
//! the one that can have copied least is the original.

use hyp_model::event::Fact;
use rusqlite::{Connection, params};

use crate::facts::subject;
use crate::threads::Number;

/// How many messages a thread can have begun with that it copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Copied {
    messages: u32,
    /// True where something of the thread's own follows them; otherwise there are no more messages yet.
    is_certain: bool,
}

/// Returns the thread that a fact tells this of.
pub(crate) fn copied(said: &(String, Fact)) -> Option<(&str, Copied)> {
    let (_, fact) = said;
    let messages = fact.value.parse().ok().filter(|_| fact.name == Fact::COPIED_AT_MOST)?;
    Some((subject(said)?, Copied { messages, is_certain: fact.rank > 0 }))
}

/// Reads what is known of threads.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Number, Copied)>> {
    connection
        .prepare("SELECT thread, copied, is_certain FROM beginnings")?
        .query_map([], |row| {
            Ok((row.get(0)?, Copied { messages: row.get(1)?, is_certain: row.get(2)? }))
        })?
        .collect()
}

/// Writes what was learnt of threads, in the order in which it was.
pub(crate) fn put(connection: &Connection, learnt: &[(Number, Copied)]) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("INSERT OR REPLACE INTO beginnings VALUES (?1, ?2, ?3)")?;
    for (thread, copied) in learnt {
        statement.execute(params![thread, copied.messages, copied.is_certain])?;
    }
    Ok(())
}
