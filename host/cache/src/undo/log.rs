//! The log in the catalog: what each commit of a run replaced, as long as there is room for it.

use std::collections::BTreeSet;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::threads::Number;
use crate::undo::capture::Entry;
use crate::undo::parcel::{self, Images, Packed, Packer};

/// Bytes that are kept of one run at most.
pub(crate) const RUN_BYTES: usize = 32 << 20;

/// Bytes that are kept of all runs; past that, the oldest runs can no longer be undone.
const BYTES: i64 = 256 << 20;

/// Mark of a run whose log is whole.
pub(crate) const KEPT: &str = "kept";
/// Mark of a run that replaced more than is kept of one.
pub(crate) const TOO_LARGE: &str = "too_large";
/// Mark of a run that later ones pushed out.
pub(crate) const AGED: &str = "aged";
/// Mark of a run that a purge came after.
pub(crate) const PURGED: &str = "purged";

/// Which threads a commit touched, and which it joined.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Touched {
    pub(crate) run_id: String,
    pub(crate) threads: BTreeSet<Number>,
    pub(crate) links: BTreeSet<(Number, Number)>,
}

/// What a commit replaced.
pub(crate) struct Replaced {
    pub(crate) touched: Touched,
    /// Rows that it added under another run's id, each with its thread.
    pub(crate) added: Vec<(String, Number)>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) images: Option<Images>,
}

/// What a commit is about to replace: all but the entries, which show while it is written.
pub(crate) struct Upcoming {
    pub(crate) touched: Touched,
    pub(crate) added: Vec<(String, Number)>,
    pub(crate) rows: Packed,
}

impl Upcoming {
    /// Returns what a transaction without rows is about to replace.
    pub(crate) fn of_run(run_id: &str) -> Self {
        let touched = Touched { run_id: run_id.to_owned(), ..Touched::default() };
        Self { touched, added: Vec::new(), rows: Packed::Bytes(None) }
    }
}

/// Adds a commit to the log.
pub(crate) fn put(
    connection: &Connection,
    upcoming: &Upcoming,
    entries: &[Entry],
) -> rusqlite::Result<()> {
    let Upcoming { touched, added, rows } = upcoming;
    let has_rows = !matches!(rows, Packed::Bytes(None)) || !added.is_empty();
    if entries.is_empty() && touched.threads.is_empty() && !has_rows {
        return Ok(());
    }
    let run = &touched.run_id;
    let ledger = parcel::pack_entries(entries).map_err(failed)?;
    let before: i64 = connection.query_row(
        "SELECT coalesce(sum(coalesce(length(ledger), 0) + coalesce(length(rows), 0)), 0)
         FROM undo_log WHERE run_id = ?1",
        [run],
        |row| row.get(0),
    )?;
    let (rows, is_over) = match rows {
        Packed::Bytes(rows) => (rows.as_deref(), false),
        Packed::TooLarge => (None, true),
    };
    let bytes = ledger.len() + rows.map_or(0, <[u8]>::len);
    let is_over = is_over || usize::try_from(before).unwrap_or_default() + bytes > RUN_BYTES;
    let is_kept = !is_over && is_whole(connection, run)?;
    connection.execute(
        "INSERT INTO undo_log (run_id, threads, links, added, ledger, rows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            run,
            text(&touched.threads),
            text(&touched.links),
            text(added),
            is_kept.then_some(&ledger),
            rows.filter(|_| is_kept)
        ],
    )?;
    if is_over {
        drop_run(connection, run, TOO_LARGE)?;
    }
    make_room(connection, run)
}

/// Says whether all that a run replaced so far is kept.
fn is_whole(connection: &Connection, run: &str) -> rusqlite::Result<bool> {
    let dropped = "SELECT EXISTS (SELECT 1 FROM undo_log WHERE run_id = ?1 AND ledger IS NULL)";
    connection.query_row(dropped, [run], |row| row.get(0)).map(|dropped: bool| !dropped)
}

/// Drops what a run replaced; which threads it touched stays, since earlier runs are told by it.
fn drop_run(connection: &Connection, run: &str, why: &str) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE undo_log SET ledger = NULL, rows = NULL WHERE run_id = ?1", [run])?;
    connection.execute("UPDATE runs SET undo = ?2 WHERE run_id = ?1", [run, why])?;
    Ok(())
}

/// Drops the oldest runs as long as there is too much.
fn make_room(connection: &Connection, run: &str) -> rusqlite::Result<()> {
    loop {
        let bytes: i64 = connection.query_row(
            "SELECT coalesce(sum(coalesce(length(ledger), 0) + coalesce(length(rows), 0)), 0)
             FROM undo_log",
            [],
            |row| row.get(0),
        )?;
        let oldest: Option<String> = connection
            .query_row(
                "SELECT run_id FROM undo_log WHERE ledger IS NOT NULL AND run_id <> ?1
                 ORDER BY number LIMIT 1",
                [run],
                |row| row.get(0),
            )
            .optional()?;
        let Some(oldest) = oldest.filter(|_| bytes > BYTES) else { break };
        drop_run(connection, &oldest, AGED)?;
    }
    // What is before everything that can be undone tells nothing any more.
    connection.execute(
        "DELETE FROM undo_log WHERE number <
         (SELECT min(number) FROM undo_log WHERE ledger IS NOT NULL)",
        [],
    )?;
    Ok(())
}

/// Returns what a run replaced, in order, with the number of its last commit.
pub(crate) fn of_run(connection: &Connection, run: &str) -> rusqlite::Result<(i64, Vec<Replaced>)> {
    let mut statement = connection.prepare(
        "SELECT number, threads, links, added, ledger, rows FROM undo_log
         WHERE run_id = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([run])?;
    let (mut last, mut replaced) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let ledger: Option<Vec<u8>> = row.get(4)?;
        let images: Option<Vec<u8>> = row.get(5)?;
        replaced.push(Replaced {
            touched: touched(run.to_owned(), row.get(1)?, row.get(2)?),
            added: list(row.get(3)?),
            entries: ledger.map_or(Ok(Vec::new()), parcel::entries).map_err(failed)?,
            images: images.map(parcel::images).transpose().map_err(failed)?,
        });
    }
    Ok((last, replaced))
}

/// Returns which threads were touched after the last commit of a run, without those of runs that were undone since,
/// of what undid them, and of what undid a part of this one.
pub(crate) fn touched_after(
    connection: &Connection,
    run: &str,
    number: i64,
) -> rusqlite::Result<Vec<Touched>> {
    let mut statement = connection.prepare(
        "WITH later AS (SELECT DISTINCT run_id FROM undo_log WHERE number > ?1),
              void AS (SELECT r.run_id AS undone, r.undone_by AS undoer FROM runs r
                       WHERE r.run_id IN (SELECT run_id FROM later)
                         AND r.undone_by IN (SELECT run_id FROM later))
         SELECT run_id, threads, links FROM undo_log
         WHERE number > ?1 AND run_id NOT IN (SELECT undone FROM void)
           AND run_id NOT IN (SELECT undoer FROM void)
           AND run_id NOT IN (SELECT run_id FROM runs WHERE undoes = ?2)
         ORDER BY number",
    )?;
    let read = |row: &Row<'_>| Ok(touched(row.get(0)?, row.get(1)?, row.get(2)?));
    statement.query_map(params![number, run], read)?.collect()
}

/// Forgets everything: rows were purged, and nothing may bring them back.
pub(crate) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM undo_log", [])?;
    connection.execute("UPDATE runs SET undo = ?2 WHERE undo = ?1", [KEPT, PURGED])?;
    Ok(())
}

/// Forgets rows from before a moment, and what was said about any.
pub(crate) fn expire(connection: &Connection, before: i64) -> rusqlite::Result<()> {
    let numbers: Vec<i64> = connection
        .prepare("SELECT number FROM undo_log WHERE ledger IS NOT NULL")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for number in numbers {
        let (ledger, rows): (Vec<u8>, Option<Vec<u8>>) = connection.query_row(
            "SELECT ledger, rows FROM undo_log WHERE number = ?1",
            [number],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut entries = parcel::entries(ledger).map_err(failed)?;
        let count = entries.len();
        // Titles, and bytes of records, are content.
        entries.retain(|it| !["facts", "open_facts", "quarantine"].contains(&it.table.as_str()));
        if entries.len() < count {
            let ledger = parcel::pack_entries(&entries).map_err(failed)?;
            connection.execute(
                "UPDATE undo_log SET ledger = ?2 WHERE number = ?1",
                params![number, ledger],
            )?;
        }
        let Some(rows) = rows else { continue };
        if let Some(left) = since(parcel::images(rows).map_err(failed)?, before).map_err(failed)? {
            connection.execute(
                "UPDATE undo_log SET rows = ?2 WHERE number = ?1",
                params![number, left],
            )?;
        }
    }
    Ok(())
}

/// Returns rows without those from before a moment, packed; nothing where none is.
fn since(images: Images, before: i64) -> Result<Option<Option<Vec<u8>>>, String> {
    let times = images.rows.column_by_name("message_created_at");
    let times = times.and_then(|it| {
        use arrow::array::AsArray;
        it.as_primitive_opt::<TimestampMicrosecondType>()
    });
    let times = times.ok_or("columns are missing")?;
    let stays: Vec<bool> = times.values().iter().map(|time| *time >= before).collect();
    if stays.iter().all(|stays| *stays) {
        return Ok(None);
    }
    let kept = |at: usize| stays[at];
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let left = Images {
        threads: (0..stays.len()).filter(|at| kept(*at)).map(|at| images.threads[at]).collect(),
        fates: (0..stays.len()).filter(|at| kept(*at)).map(|at| images.fates[at]).collect(),
        rows: filter_record_batch(&images.rows, &BooleanArray::from(stays.clone()))
            .map_err(|error| told(&error))?,
    };
    let mut packer = Packer::new(RUN_BYTES).map_err(|error| told(&error))?;
    packer.add(&left).map_err(|error| told(&error))?;
    match packer.finish().map_err(|error| told(&error))? {
        Packed::Bytes(bytes) => Ok(Some(bytes)),
        Packed::TooLarge => Ok(Some(None)),
    }
}

fn touched(run_id: String, threads: String, links: String) -> Touched {
    Touched { run_id, threads: list(threads), links: list(links) }
}

fn text(list: &impl Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

fn list<T: DeserializeOwned + Default>(text: String) -> T {
    serde_json::from_str(&text).unwrap_or_default()
}

/// Wraps what is wrong with a parcel for those that expect an error of the catalog.
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}
