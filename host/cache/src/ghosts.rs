//! Threads of which everything was purged: what copies are told by, without a name.

use std::collections::BTreeSet;

use hyp_model::row::Key;
use rusqlite::{Connection, params};

use crate::beginnings::Copied;
use crate::recordings;
use crate::threads::{Known, Number};

/// What stands before the key of a ghost where a name is wanted: no thread is called so.
const MARK: char = '\0';

/// Returns what stands for the name of a ghost.
pub(crate) fn name(key: Key) -> String {
    let mut name = String::from(MARK);
    for byte in key.0 {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// Returns the key that a ghost's name holds; none for the name of a thread.
pub(crate) fn key(name: &str) -> Option<Key> {
    let hex = name.strip_prefix(MARK)?;
    let mut key = [0; 16];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(Key(key))
}

/// Reads the ghosts of a store.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Number, Key, Known)>> {
    let mut statement =
        connection.prepare("SELECT thread, key, started_at, origin, input_id FROM ghosts")?;
    let ghosts = statement.query_map([], |row| {
        let key = Key(row.get(1)?);
        let known = Known {
            thread_id: name(key),
            started_at: row.get(2)?,
            input_id: row.get(4)?,
            others: BTreeSet::new(),
            session_id: String::new(),
            conversation_id: None,
            client: String::new(),
            forked_from: None,
            is_origin_told: false,
            origin: row.get::<_, Option<[u8; 16]>>(3)?.map(Key),
            copied: Copied::default(),
            is_ghost: true,
        };
        Ok((row.get(0)?, key, known))
    })?;
    ghosts.collect()
}

/// Writes a ghost, in place of the thread that it was.
pub(crate) fn put(connection: &Connection, number: Number, known: &Known) -> rusqlite::Result<()> {
    connection.prepare("DELETE FROM sessions WHERE number = ?1")?.execute([number])?;
    recordings::remove(connection, number)?;
    connection.prepare("INSERT OR REPLACE INTO ghosts VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
        params![
            number,
            known.key().0,
            known.started_at,
            known.origin.map(|origin| origin.0),
            known.input_id
        ],
    )?;
    Ok(())
}

/// Removes a ghost that is a thread again.
pub(crate) fn remove(connection: &Connection, number: Number) -> rusqlite::Result<()> {
    connection.prepare("DELETE FROM ghosts WHERE thread = ?1")?.execute([number])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_ghost_holds_its_key() {
        let thread = Key::of(b"thread");
        assert_eq!(key(&name(thread)), Some(thread));
        assert_eq!(key("thread"), None);
    }
}
