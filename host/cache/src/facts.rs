//! What is said about threads beside their messages: titles, names, links.

use std::collections::HashSet;

use hyp_model::event::{Fact, Subject};
use hyp_model::row::Key;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::undo::Upcoming;
use crate::writer::Writer;
use crate::{graves, undo};

/// Returns the thread that a fact is about, where the fact names one.
pub(crate) fn subject((open, fact): &(String, Fact)) -> Option<&str> {
    match &fact.about {
        Subject::ThisThread => Some(open),
        Subject::Thread(thread) => Some(thread),
        _ => None,
    }
}

/// Returns the thread that a fact gives an origin, and the origin.
pub(crate) fn origin(said: &(String, Fact)) -> Option<(&str, &str)> {
    let (_, fact) = said;
    (fact.name == Fact::FORKED_FROM).then_some((subject(said)?, &fact.value))
}

/// Returns the origin of a thread as an earlier fact told it.
pub(crate) fn origin_of(
    connection: &Connection,
    thread_id: &str,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare("SELECT value FROM facts WHERE thread_id = ?1 AND name = ?2")?
        .query_row([thread_id, Fact::FORKED_FROM], |row| row.get(0))
        .optional()
}

/// What was said about a thread or a message's holder.
struct Told<'a> {
    /// Thread that was open, if one was.
    thread: &'a str,
    fact: &'a Fact,
    /// When the thread began that said it.
    at: Option<i64>,
}

/// Writes facts; of two with one name, the higher rank stands, of the same rank what the later thread said, and of one
/// thread the later.
///
/// `is_kept` is asked about each thread, and whether the fact is its origin. Nothing is kept about the
/// holder of a message that is purged: a title says what was said.
pub(crate) fn put(
    connection: &Connection,
    facts: &[(String, Fact)],
    is_kept: impl Fn(&str, bool) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut begun = connection.prepare("SELECT started_at FROM sessions WHERE thread_id = ?1")?;
    // How much of a thread may be copied is kept by the number of the thread.
    for (thread, fact) in facts.iter().filter(|(_, fact)| fact.name != Fact::COPIED_AT_MOST) {
        // Where a thread comes from it says itself.
        let at = match fact.is_lineage() {
            true => None,
            false => begun.query_row([thread], |row| row.get(0)).optional()?.flatten(),
        };
        put_told(connection, &Told { thread, fact, at }, &is_kept)?;
    }
    for (thread, origin) in facts.iter().filter_map(origin) {
        connection.prepare(WITH_ORIGIN)?.execute([thread, origin])?;
    }
    Ok(())
}

fn put_told(
    connection: &Connection,
    Told { thread, fact, at }: &Told<'_>,
    is_kept: impl Fn(&str, bool) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (table, subject) = match &fact.about {
        Subject::ThisThread if thread.is_empty() => return Ok(()),
        Subject::ThisThread => (ABOUT_THREAD, *thread),
        Subject::Thread(thread) => (ABOUT_THREAD, thread.as_str()),
        Subject::HolderOf(message) => (ABOUT_HOLDER, message.as_str()),
        _ => return Ok(()),
    };
    let is_wanted = match &fact.about {
        Subject::HolderOf(message) => !graves::is_purged(connection, message)?,
        _ => is_kept(subject, fact.name == Fact::FORKED_FROM)?,
    };
    if is_wanted {
        let cells = params![subject, fact.name, fact.value, fact.rank, at];
        connection.prepare(table)?.execute(cells)?;
    }
    Ok(())
}

const WITH_ORIGIN: &str = "UPDATE sessions SET forked_from = ?2 WHERE thread_id = ?1";

const ABOUT_THREAD: &str = "INSERT INTO facts VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
    SET value = excluded.value, rank = excluded.rank, told_at = excluded.told_at
    WHERE (excluded.rank, ifnull(excluded.told_at, 0)) >= (rank, ifnull(told_at, 0))";
const ABOUT_HOLDER: &str =
    "INSERT INTO open_facts VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
    SET value = excluded.value, rank = excluded.rank, told_at = excluded.told_at
    WHERE (excluded.rank, ifnull(excluded.told_at, 0)) >= (rank, ifnull(told_at, 0))";

/// A fact about whoever holds a message: message, name, value, rank, and when the thread began that said it.
type Open = (String, String, String, u32, Option<i64>);

/// Gives facts about the holders of messages to the threads that hold them.
///
/// The facts stay open as well: an earlier thread may yet take the message over.
pub(crate) fn settle(writer: &mut Writer) -> Result<(), StoreError> {
    let open = |connection: &Connection| -> rusqlite::Result<Vec<Open>> {
        connection
            .prepare("SELECT message_id, name, value, rank, told_at FROM open_facts")?
            .query_map([], |row| row.try_into())?
            .collect()
    };
    let open = open(&writer.catalog.connection).map_err(|error| writer.catalog.error(error))?;
    if open.is_empty() {
        return Ok(());
    }
    writer.load_lineage()?;
    let ids: Vec<String> = open.iter().map(|(message, ..)| format!("{message}#0")).collect();
    let wanted: Vec<(Key, &str)> =
        ids.iter().map(|id| (Key::of(id.as_bytes()), id.as_str())).collect();
    let hits = writer.index.find(&writer.table.data, &HashSet::new(), &wanted)?;
    let mut facts = Vec::new();
    for ((key, _), (_, name, value, rank, at)) in wanted.iter().zip(open) {
        let thread = hits.get(key).and_then(|hit| writer.holder(hit));
        if let Some(known) = thread.and_then(|thread| writer.threads.get(thread)) {
            let fact = Fact { about: Subject::ThisThread, name, value, rank };
            facts.push((known.thread_id.clone(), fact, at));
        }
    }
    writer.watch_ledgers(writer.first_new)?;
    let put = || {
        let transaction = writer.catalog.connection.unchecked_transaction()?;
        undo::clear(&transaction)?;
        for (thread, fact, at) in &facts {
            put_told(&transaction, &Told { thread, fact, at: *at }, |thread, is_origin| {
                writer.keeps_fact(&transaction, thread, is_origin)
            })?;
        }
        writer.log(Upcoming::of_run(&writer.run_id))?;
        transaction.commit()
    };
    put().map_err(|error| writer.catalog.error(error))
}
