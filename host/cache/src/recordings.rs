//! The recordings that a thread lies in: a folder may be copied, and a session may go on in another one.

use hyp_model::judge::ThreadFacts;
use rusqlite::{Connection, params};

use crate::ledger::number as count;
use crate::threads::Number;

/// What a recording says of the length of its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length {
    first_at: Option<i64>,
    last_at: Option<i64>,
    messages: i64,
    parts: i64,
}

impl Length {
    /// Returns what several recordings come to, given in the order of their beginnings.
    ///
    /// Those that overlap in time are copies of one another, as far as each goes; one that begins after the others ended
    /// goes on with them.
    fn of_all(recordings: &[Self]) -> Option<Self> {
        let (first, rest) = recordings.split_first()?;
        let (mut before, mut now) = ((0, 0), *first);
        for next in rest {
            if next.first_at.is_some() && next.first_at > now.last_at {
                before = (before.0 + now.messages, before.1 + now.parts);
                (now.messages, now.parts) = (0, 0);
            }
            now.first_at = now.first_at.or(next.first_at);
            now.last_at = now.last_at.max(next.last_at);
            now.messages = now.messages.max(next.messages);
            now.parts = now.parts.max(next.parts);
        }
        Some(Self { messages: now.messages + before.0, parts: now.parts + before.1, ..now })
    }
}

/// Notes what the recording that a thread is known by said of its length, where stores of an older hyp did not.
pub(crate) fn put_known(connection: &Connection, thread_id: &str) -> rusqlite::Result<()> {
    let mut keep = connection.prepare(
        "INSERT OR IGNORE INTO recordings
         SELECT number, input_id, first_at, last_at, messages, parts FROM sessions
         WHERE thread_id = ?1",
    )?;
    keep.execute([thread_id])?;
    Ok(())
}

/// Writes what a recording says of a thread, and of the thread what all of them come to.
pub(crate) fn put(
    connection: &Connection,
    thread: Number,
    facts: &ThreadFacts,
) -> rusqlite::Result<()> {
    connection
        .prepare("INSERT OR REPLACE INTO recordings VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            thread,
            facts.input_id,
            facts.first_at,
            facts.last_at,
            count(facts.messages),
            count(facts.parts)
        ])?;
    let mut all = connection.prepare(
        "SELECT first_at, last_at, messages, parts FROM recordings WHERE thread = ?1
         ORDER BY first_at, input_id",
    )?;
    let all = all.query_map([thread], |row| {
        Ok(Length {
            first_at: row.get(0)?,
            last_at: row.get(1)?,
            messages: row.get(2)?,
            parts: row.get(3)?,
        })
    })?;
    let all: Vec<Length> = all.collect::<rusqlite::Result<_>>()?;
    if all.len() > 1
        && let Some(Length { first_at, last_at, messages, parts }) = Length::of_all(&all)
    {
        connection
            .prepare(
                "UPDATE sessions SET first_at = ?2, last_at = ?3, messages = ?4, parts = ?5
                 WHERE number = ?1",
            )?
            .execute(params![thread, first_at, last_at, messages, parts])?;
    }
    Ok(())
}

/// Returns which recordings threads lie in.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Number, String)>> {
    connection
        .prepare("SELECT thread, input_id FROM recordings")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Says whether a thread that is known lies in a recording.
pub(crate) fn has_thread(connection: &Connection, input_id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare(
            "SELECT 1 FROM sessions WHERE input_id = ?1
             UNION ALL SELECT 1 FROM recordings WHERE input_id = ?1",
        )?
        .exists([input_id])
}

/// Forgets in which recordings a thread lay.
pub(crate) fn remove(connection: &Connection, thread: Number) -> rusqlite::Result<()> {
    connection.prepare("DELETE FROM recordings WHERE thread = ?1")?.execute([thread])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(first_at: i64, last_at: i64, messages: i64) -> Length {
        let (first_at, last_at) = (Some(first_at), Some(last_at));
        Length { first_at, last_at, messages, parts: 2 * messages }
    }

    #[test]
    fn copies_count_once_and_what_goes_on_is_added() {
        let copies = [length(1, 9, 5), length(1, 5, 3)];
        assert_eq!(Length::of_all(&copies), Some(length(1, 9, 5)));
        let halves = [length(1, 5, 4), length(1, 4, 3), length(6, 9, 2), length(7, 12, 3)];
        assert_eq!(Length::of_all(&halves), Some(length(1, 12, 7)));
        let unknown = Length { first_at: None, last_at: None, messages: 0, parts: 0 };
        assert_eq!(Length::of_all(&[unknown, length(2, 3, 1)]), Some(length(2, 3, 1)));
        assert_eq!(Length::of_all(&[]), None);
    }
}
