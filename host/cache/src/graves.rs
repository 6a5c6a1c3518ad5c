//! What is left of purged parts: hashes, by which they are known when they come again.

use std::collections::HashMap;

use hyp_model::row::Key;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ghosts;
use crate::rows::Part;
use crate::threads::Number;

/// A purged part in a thread that held or saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grave {
    /// Key of the part's id.
    pub(crate) part: Key,
    pub(crate) thread: Number,
    /// True in the one thread that would have the row.
    pub(crate) holds: bool,
    pub(crate) message_index: i32,
    pub(crate) part_index: i32,
    pub(crate) said_key: Key,
    pub(crate) created_at: i64,
    /// Keys of its response and its call.
    pub(crate) keys: Vec<Key>,
}

impl Grave {
    /// Returns the grave of a part that is known by its copies only.
    pub(crate) fn of_unknown(part: Key) -> Self {
        let (thread, message_index, part_index, created_at) = (0, 0, 0, 0);
        let (said_key, keys) = (Key([0; 16]), Vec::new());
        Self { part, thread, holds: true, message_index, part_index, said_key, created_at, keys }
    }

    /// Returns the part as copies are traced by, under a name that no part has.
    pub(crate) fn part(&self) -> Part {
        Part {
            part_id: ghosts::name(self.part),
            message_index: self.message_index,
            part_index: self.part_index,
            said_key: self.said_key,
            created_at: self.created_at,
            is_replay: false,
            replay_of: None,
            keys: self.keys.clone(),
            is_of_call: false,
        }
    }
}

/// Says whether anything was ever purged together with its copies.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM graves LIMIT 1")?.exists([])
}

/// Returns the threads that hold purged parts.
pub(crate) fn holders(
    connection: &Connection,
    parts: &[Key],
) -> rusqlite::Result<HashMap<Key, Number>> {
    let mut holders = HashMap::new();
    let mut statement =
        connection.prepare("SELECT thread FROM graves WHERE part = ?1 AND holds = 1")?;
    for part in parts {
        let thread = statement.query_row([part.0], |row| row.get(0)).optional()?;
        holders.extend(thread.map(|thread| (*part, thread)));
    }
    Ok(holders)
}

/// Returns the purged parts that a thread held or saw.
pub(crate) fn of_thread(connection: &Connection, thread: Number) -> rusqlite::Result<Vec<Grave>> {
    connection
        .prepare(
            "SELECT part, holds, message_index, part_index, said_key, created_at, keys
             FROM graves WHERE thread = ?1",
        )?
        .query_map([thread], |row| {
            Ok(Grave {
                part: Key(row.get(0)?),
                thread,
                holds: row.get(1)?,
                message_index: row.get(2)?,
                part_index: row.get(3)?,
                said_key: Key(row.get(4)?),
                created_at: row.get(5)?,
                keys: unpacked(row.get_ref(6)?.as_blob()?),
            })
        })?
        .collect()
}

/// Says whether a thread lost anything to a purge.
pub(crate) fn has(connection: &Connection, thread: Number) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM graves WHERE thread = ?1 LIMIT 1")?.exists([thread])
}

/// Says whether a message, or the first part of it, is purged.
pub(crate) fn is_purged(connection: &Connection, message_id: &str) -> rusqlite::Result<bool> {
    let part = Key::of(format!("{message_id}#0").as_bytes());
    connection.prepare("SELECT 1 FROM graves WHERE part = ?1 LIMIT 1")?.exists([part.0])
}

/// Writes the graves of rows that were stored; who took such a row over in the same commit holds it.
pub(crate) fn put_stored(connection: &Connection, graves: &[Grave]) -> rusqlite::Result<()> {
    let mut is_held = connection.prepare("SELECT 1 FROM graves WHERE part = ?1 AND holds = 1")?;
    for grave in graves {
        let holds = !is_held.exists([grave.part.0])?;
        put(connection, &[Grave { holds, ..grave.clone() }])?;
    }
    Ok(())
}

/// Writes graves; of a part's threads the last one that is said to hold it does.
pub(crate) fn put(connection: &Connection, graves: &[Grave]) -> rusqlite::Result<()> {
    let mut leave =
        connection.prepare("UPDATE graves SET holds = 0 WHERE part = ?1 AND thread <> ?2")?;
    let mut hold = connection
        .prepare("INSERT OR REPLACE INTO graves VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    let mut see = connection
        .prepare("INSERT OR IGNORE INTO graves VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for grave in graves {
        if grave.holds {
            leave.execute(params![grave.part.0, grave.thread])?;
        }
        let statement = if grave.holds { &mut hold } else { &mut see };
        statement.execute(params![
            grave.part.0,
            grave.thread,
            grave.holds,
            grave.message_index,
            grave.part_index,
            grave.said_key.0,
            grave.created_at,
            packed(&grave.keys)
        ])?;
    }
    Ok(())
}

/// Returns keys as one value of the catalog.
fn packed(keys: &[Key]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.0).collect()
}

fn unpacked(bytes: &[u8]) -> Vec<Key> {
    bytes.as_chunks().0.iter().map(|key| Key(*key)).collect()
}
