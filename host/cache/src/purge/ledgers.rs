//! What the catalog forgets with the rows that are purged.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use hyp_model::ids::of_part;
use hyp_model::row::Key;
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock;
use crate::error::StoreError;
use crate::graves::{self, Grave};
use crate::purge::select::{Selection, bytes_by_input};
use crate::purge::{Purge, Purged, Selector, erase};
use crate::threads::Number;
use crate::undo;
use crate::writer::Writer;
use crate::{ghosts, recordings};

/// What becomes of rows; those that are written are taken from first.
const OF_ROWS: [&str; 5] =
    ["stored_already", "written", "written_as_replay", "taken_over", "refreshed"];

impl Writer {
    /// Puts graves in the place of rows and sightings, and ghosts in the place of threads.
    pub(super) fn lay_to_rest(
        &mut self,
        selection: &Selection,
        left: &HashSet<Number>,
    ) -> Result<(), StoreError> {
        let failed = |error| self.catalog.error(error);
        if selection.is_all {
            return forget_all(&self.catalog.connection).map_err(failed);
        }
        let connection = &self.catalog.connection;
        let mut graves: Vec<Grave> =
            selection.picked().map(|picked| picked.grave.clone()).collect();
        let known: HashSet<Key> = graves.iter().map(|grave| grave.part).collect();
        let unknown = selection.ids.iter().map(|id| Key::of(id.as_bytes()));
        graves.extend(unknown.filter(|part| !known.contains(part)).map(Grave::of_unknown));
        graves.extend(self.graves_of_sightings(connection, &selection.ids).map_err(failed)?);
        graves::put(connection, &graves).map_err(failed)?;
        self.forget(selection, left)?;
        for thread in selection.threads.iter().filter(|thread| is_whole(selection, left, thread)) {
            self.threads.lay_to_rest(*thread);
            if let Some(known) = self.threads.get(*thread) {
                ghosts::put(&self.catalog.connection, *thread, known)
                    .map_err(|error| self.catalog.error(error))?;
            }
        }
        Ok(())
    }

    /// Removes where parts were seen, and returns what is left of that.
    pub(crate) fn graves_of_sightings(
        &self,
        connection: &Connection,
        ids: &BTreeSet<String>,
    ) -> rusqlite::Result<Vec<Grave>> {
        let mut graves = Vec::new();
        for (thread_id, part_id, said_key, message_index) in take_sightings(connection, ids)? {
            let Some(thread) = self.threads.number_of(&thread_id) else { continue };
            graves.push(Grave {
                part: Key::of(part_id.as_bytes()),
                thread,
                holds: false,
                message_index,
                part_index: of_part(&part_id).1,
                said_key,
                created_at: 0,
                keys: Vec::new(),
            });
        }
        Ok(graves)
    }

    /// Forgets what is said about threads that lost something, and what is known of their recordings.
    pub(super) fn forget(
        &self,
        selection: &Selection,
        left: &HashSet<Number>,
    ) -> Result<(), StoreError> {
        let connection = &self.catalog.connection;
        let mut inputs: BTreeSet<String> =
            selection.picked().map(|picked| picked.input_id.clone()).collect();
        let mut forget = || -> rusqlite::Result<()> {
            for thread in selection.threads.iter().chain(&selection.near) {
                let Some(known) = self.threads.get(*thread) else { continue };
                let is_gone = is_whole(selection, left, thread);
                forget_thread(connection, &known.thread_id, is_gone)?;
                inputs.extend(known.inputs().cloned());
                if is_gone {
                    connection.execute("DELETE FROM sessions WHERE number = ?1", [thread])?;
                    recordings::remove(connection, *thread)?;
                }
            }
            for thread in &selection.near {
                connection.execute("UPDATE sessions SET cwd = NULL WHERE number = ?1", [thread])?;
            }
            forget_parts(connection, &selection.ids)?;
            let bytes = bytes_by_input(selection);
            for input in &inputs {
                forget_input(connection, input, bytes.get(input).copied().unwrap_or_default())?;
            }
            connection.execute("DELETE FROM listings", [])?;
            Ok(())
        };
        forget().map_err(|error| self.catalog.error(error))
    }

    /// Notes that something was purged, without saying what, and takes paths out of the reports of runs.
    pub(super) fn tell(&self, purge: &Purge, purged: &Purged) -> Result<(), StoreError> {
        let kind = match purge.what {
            Selector::All => "all",
            Selector::Before(_) => "before",
            Selector::Provider(_) => "provider",
            Selector::Sessions(_) => "session",
            Selector::Paths(_) => "path",
        };
        let detail = serde_json::json!({
            "by": kind,
            "keeps_copies": purge.keeps_copies,
            "rows": purged.rows,
            "copies": purged.copies,
            "threads": purged.threads,
            "files": purged.files,
        });
        let write = || -> rusqlite::Result<()> {
            let connection = &self.catalog.connection;
            scrub_reports(connection)?;
            undo::forget(connection)?;
            connection.execute(
                "INSERT INTO audit VALUES (?1, ?2, 'purge', ?3)",
                params![clock::now(), self.run_id, detail.to_string()],
            )?;
            erase::ask(connection)
        };
        write().map_err(|error| self.catalog.error(error))
    }
}

/// Says whether nothing is left of a thread.
pub(super) fn is_whole(selection: &Selection, left: &HashSet<Number>, thread: &Number) -> bool {
    !left.contains(thread) && selection.threads.contains(thread)
}

/// Empties everything that imports fill; only what the purge itself writes stays.
fn forget_all(connection: &Connection) -> rusqlite::Result<()> {
    for table in [
        "sessions",
        "recordings",
        "beginnings",
        "claims",
        "kin",
        "sightings",
        "facts",
        "open_facts",
        "own_copies",
        "quarantine",
        "checkpoints",
        "counters",
        "inputs",
        "units",
        "listings",
        "graves",
        "ghosts",
        "journal",
    ] {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}

/// Forgets titles and totals of a thread; of one that is gone, all.
fn forget_thread(connection: &Connection, thread_id: &str, is_gone: bool) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM facts WHERE thread_id = ?1 AND (?2 OR name <> 'forked-from')",
        params![thread_id, is_gone],
    )?;
    connection.execute("DELETE FROM counters WHERE thread_id = ?1", [thread_id])?;
    Ok(())
}

/// Forgets what is said about messages that are gone.
fn forget_parts(connection: &Connection, ids: &BTreeSet<String>) -> rusqlite::Result<()> {
    let mut copies = connection.prepare("DELETE FROM own_copies WHERE part_id = ?1")?;
    let mut open = connection.prepare("DELETE FROM open_facts WHERE message_id = ?1")?;
    let mut told = connection.prepare("DELETE FROM journal WHERE detail = ?1")?;
    for id in ids {
        copies.execute([id])?;
        told.execute([id])?;
        open.execute([of_part(id).0])?;
    }
    Ok(())
}

/// Forgets a recording of which nothing is left; of another one, what may hold content, and that it was read.
fn forget_input(connection: &Connection, input_id: &str, bytes: u64) -> rusqlite::Result<()> {
    let unit: Option<(String, String, String)> = connection
        .prepare("SELECT provider, unit_id, accounting FROM inputs WHERE input_id = ?1")?
        .query_row([input_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let is_left = recordings::has_thread(connection, input_id)?;
    if is_left {
        connection.execute("UPDATE quarantine SET bytes = NULL WHERE input_id = ?1", [input_id])?;
    } else {
        connection.execute("DELETE FROM quarantine WHERE input_id = ?1", [input_id])?;
    }
    let Some((provider, unit_id, accounting)) = unit else { return Ok(()) };
    let unit = [&provider, &unit_id];
    connection.execute("DELETE FROM checkpoints WHERE provider = ?1 AND unit_id = ?2", unit)?;
    if is_left {
        connection.execute(
            "UPDATE inputs SET accounting = ?2 WHERE input_id = ?1",
            params![input_id, as_purged(&accounting, bytes)],
        )?;
        connection.execute(
            "UPDATE units SET fingerprint = '' WHERE provider = ?1 AND unit_id = ?2",
            unit,
        )?;
    } else {
        connection.execute("DELETE FROM inputs WHERE input_id = ?1", [input_id])?;
        connection.execute("DELETE FROM units WHERE provider = ?1 AND unit_id = ?2", unit)?;
        connection.execute("DELETE FROM counters WHERE provider = ?1 AND unit_id = ?2", unit)?;
    }
    Ok(())
}

/// Moves bytes of rows to those that are purged; they add up to the same.
fn as_purged(accounting: &str, mut bytes: u64) -> String {
    let Ok(mut by_reason) = serde_json::from_str::<BTreeMap<String, u64>>(accounting) else {
        return accounting.to_owned();
    };
    let mut purged = 0;
    for reason in OF_ROWS {
        let Some(here) = by_reason.get_mut(reason) else { continue };
        let moved = bytes.min(*here);
        *here -= moved;
        bytes -= moved;
        purged += moved;
    }
    *by_reason.entry("purged".to_owned()).or_default() += purged;
    by_reason.retain(|_, bytes| *bytes > 0);
    serde_json::to_string(&by_reason).unwrap_or_default()
}

/// A sighting that goes: thread, part, key of what was said, message.
type Gone = (String, String, Key, i32);

/// Removes where parts were seen, and returns it.
pub(super) fn take_sightings(
    connection: &Connection,
    ids: &BTreeSet<String>,
) -> rusqlite::Result<Vec<Gone>> {
    let mut found = Vec::new();
    let mut remove = connection.prepare(
        "DELETE FROM sightings WHERE part_id = ?1
         RETURNING thread_id, part_id, said_key, message_index",
    )?;
    for id in ids {
        let gone = remove
            .query_map([id], |row| Ok((row.get(0)?, row.get(1)?, Key(row.get(2)?), row.get(3)?)))?;
        for gone in gone {
            found.push(gone?);
        }
    }
    Ok(found)
}

/// Takes everything out of the reports of earlier runs that may name a file.
fn scrub_reports(connection: &Connection) -> rusqlite::Result<()> {
    let reports: HashMap<String, String> = connection
        .prepare("SELECT run_id, report FROM runs WHERE report IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (run, report) in reports {
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(&report) else { continue };
        for provider in json["providers"].as_array_mut().into_iter().flatten() {
            for lines in ["notes", "warnings", "slowest"] {
                if let Some(lines) = provider.get_mut(lines).and_then(|it| it.as_array_mut()) {
                    lines.clear();
                }
            }
            if provider.get("error").is_some_and(serde_json::Value::is_string) {
                provider["error"] = "(purged)".into();
            }
        }
        let json = json.to_string();
        if json != report {
            connection.execute("UPDATE runs SET report = ?2 WHERE run_id = ?1", [run, json])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purged_bytes_are_taken_from_those_of_rows_and_add_up() {
        let after = as_purged(r#"{"no_row":5,"stored_already":30,"written":40}"#, 50);
        assert_eq!(after, r#"{"no_row":5,"purged":50,"written":20}"#);
    }
}
