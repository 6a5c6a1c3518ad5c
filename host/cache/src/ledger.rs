//! What was read: runs, units, inputs, listings, quarantine.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::catalog::Catalog;
use crate::clock;
use crate::error::StoreError;
use crate::undo::KEPT;

/// What a run does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunKind {
    /// Reads what clients left.
    #[default]
    Import,
    /// Undoes another run.
    Undo,
    /// Takes in what a client says while it works.
    Record,
    /// Works out columns that a component derives.
    Derive,
}

impl RunKind {
    /// Returns the kind as the ledger has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Undo => "undo",
            Self::Record => "record",
            Self::Derive => "derive",
        }
    }
}

/// The beginning of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunStart {
    /// Id of the run.
    pub run_id: String,
    /// When it began, in microseconds.
    pub started_at: i64,
    /// True when nothing but this record is written.
    pub dry_run: bool,
    /// Names of its providers.
    pub providers: Vec<String>,
    /// Earliest message asked for.
    pub since: Option<i64>,
    /// Latest message asked for.
    pub until: Option<i64>,
    /// What it does.
    pub kind: RunKind,
    /// The run that it undoes.
    pub undoes: Option<String>,
    /// What it was asked for, as JSON, if it can be gone on with.
    pub arguments: Option<String>,
}

/// What was asked of a run, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Id of the run.
    pub run_id: String,
    /// `import`, `undo` or `record`.
    pub kind: String,
    /// `running`, `ok`, `failed`, `interrupted` or `crashed`.
    pub status: String,
    /// True when it wrote nothing.
    pub is_dry: bool,
    /// The run that undid it.
    pub undone_by: Option<String>,
    /// What it was asked for, as JSON, if it can be gone on with.
    pub arguments: Option<String>,
}

/// The end of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Id of the run.
    pub run_id: String,
    /// When it ended, in microseconds.
    pub ended_at: i64,
    /// `ok`, `failed` or `interrupted`.
    pub status: String,
    /// Rows that were added.
    pub rows_written: u64,
    /// Rows that were left out.
    pub rows_skipped: u64,
    /// The report, as JSON.
    pub report: String,
}

/// A unit as it was when it was last imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitState {
    /// Name of the provider.
    pub provider: String,
    /// Identity of the unit.
    pub unit_id: String,
    /// Fingerprint of everything that was opened or looked for.
    pub fingerprint: String,
    /// Digest of the component that read it.
    pub component_digest: String,
    /// Earliest message in the unit.
    pub first_at: Option<i64>,
    /// Latest message in the unit.
    pub last_at: Option<i64>,
    /// Start of the interval that was imported.
    pub since: Option<i64>,
    /// End of the interval that was imported.
    pub until: Option<i64>,
}

/// An input as it was when it was last read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputState {
    /// Value of `input_id` on its rows.
    pub input_id: String,
    /// Name of the provider.
    pub provider: String,
    /// Unit that it is of.
    pub unit_id: String,
    /// Where it lies. Absolute, which is why it is nowhere else.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change, in microseconds.
    pub modified: i64,
    /// Bytes that were handed out, after decompression.
    pub bytes_read: u64,
    /// JSON object: bytes by reason.
    pub accounting: String,
    /// JSON object: records that gave no row, by kind.
    pub records: String,
    /// `ok` or what went wrong.
    pub status: String,
    /// File of the unit and offset that the reading began at: what was quarantined before it stays so.
    pub read_from: (u32, u64),
}

/// A total that a client wrote of one of its threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTotal {
    /// Name of the provider.
    pub provider: String,
    /// Unit that tells it.
    pub unit_id: String,
    /// Thread that it is of.
    pub thread_id: String,
    /// What is counted: `input_tokens`, `output_tokens`, …
    pub name: String,
    /// How much the client counted.
    pub value: u64,
}

/// A record that was not understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// Input that it is in.
    pub input_id: String,
    /// Which of the unit's files it is in.
    pub input: u32,
    /// Name of the provider.
    pub provider: String,
    /// Path of that file below its root.
    pub path: String,
    /// Offset of its first byte.
    pub offset: u64,
    /// Number of its bytes.
    pub length: u64,
    /// `malformed`, `unknown`, `too_long` or `id_taken`.
    pub class: String,
    /// What is wrong with it, without content.
    pub reason: String,
    /// Its bytes, or the first of them, compressed with zstd.
    pub bytes: Option<Vec<u8>>,
}

/// What a provider's whole source looked like when it was last imported whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Hash over names, sizes and times of all files.
    pub hash: String,
    /// Digest of the component that read them.
    pub component_digest: String,
    /// Start of the interval that was imported.
    pub since: Option<i64>,
    /// End of the interval that was imported.
    pub until: Option<i64>,
}

/// Bytes of quarantined records that are kept in all; of later ones only the range is.
const QUARANTINE_BYTES: i64 = 256 << 20;

pub(crate) fn units(
    catalog: &Catalog,
    provider: &str,
) -> Result<HashMap<String, UnitState>, StoreError> {
    let read = |row: &Row<'_>| {
        let state = UnitState {
            provider: provider.to_owned(),
            unit_id: row.get(0)?,
            fingerprint: row.get(1)?,
            component_digest: row.get(2)?,
            first_at: row.get(3)?,
            last_at: row.get(4)?,
            since: row.get(5)?,
            until: row.get(6)?,
        };
        Ok((state.unit_id.clone(), state))
    };
    let query = || -> rusqlite::Result<HashMap<String, UnitState>> {
        let mut statement = catalog.connection.prepare(
            "SELECT unit_id, fingerprint, component_digest, first_at, last_at, since, until
             FROM units WHERE provider = ?1",
        )?;
        statement.query_map([provider], read)?.collect()
    };
    query().map_err(|error| catalog.error(error))
}

pub(crate) fn listing(catalog: &Catalog, provider: &str) -> Result<Option<Listing>, StoreError> {
    catalog
        .connection
        .query_row(
            "SELECT hash, component_digest, since, until FROM listings WHERE provider = ?1",
            [provider],
            |row| {
                Ok(Listing {
                    hash: row.get(0)?,
                    component_digest: row.get(1)?,
                    since: row.get(2)?,
                    until: row.get(3)?,
                })
            },
        )
        .optional()
        .map_err(|error| catalog.error(error))
}

pub(crate) fn begin_run(connection: &Connection, run: &RunStart) -> rusqlite::Result<()> {
    let providers = serde_json::to_string(&run.providers).unwrap_or_default();
    connection.execute(
        "INSERT OR REPLACE INTO runs (run_id, started_at, status, dry_run, providers, since, until,
             kind, undoes, arguments, undo)
         VALUES (?1, ?2, 'running', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            run.run_id,
            run.started_at,
            run.dry_run,
            providers,
            run.since,
            run.until,
            run.kind.as_str(),
            run.undoes,
            run.arguments,
            KEPT
        ],
    )?;
    Ok(())
}

/// Returns all runs, the latest first.
pub(crate) fn asked(connection: &Connection) -> rusqlite::Result<Vec<Asked>> {
    let read = |row: &Row<'_>| {
        Ok(Asked {
            run_id: row.get(0)?,
            kind: row.get(1)?,
            status: row.get(2)?,
            is_dry: row.get(3)?,
            undone_by: row.get(4)?,
            arguments: row.get(5)?,
        })
    };
    connection
        .prepare(
            "SELECT run_id, kind, status, dry_run, undone_by, arguments FROM runs
             ORDER BY started_at DESC, run_id",
        )?
        .query_map([], read)?
        .collect()
}

/// Returns what stands for all that was written, and the run that wrote last.
pub(crate) fn written(connection: &Connection) -> rusqlite::Result<(String, Option<String>)> {
    let counts = connection.query_row(
        "SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM audit),
                (SELECT count(*) FROM journal)",
        [],
        |row| {
            let counts: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("{} {} {}", counts.0, counts.1, counts.2))
        },
    )?;
    let last = connection
        .query_row(
            "SELECT run_id FROM chunks ORDER BY committed_at DESC, number DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok((counts, last))
}

pub(crate) fn end_run(connection: &Connection, run: &RunEnd) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE runs SET ended_at = ?2, status = ?3, rows_written = ?4, rows_skipped = ?5, report = ?6
         WHERE run_id = ?1",
        params![
            run.run_id,
            run.ended_at,
            run.status,
            number(run.rows_written),
            number(run.rows_skipped),
            run.report
        ],
    )?;
    Ok(())
}

pub(crate) fn put_units(connection: &Connection, units: &[UnitState]) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare("INSERT OR REPLACE INTO units VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for unit in units {
        statement.execute(params![
            unit.provider,
            unit.unit_id,
            unit.fingerprint,
            unit.component_digest,
            unit.first_at,
            unit.last_at,
            unit.since,
            unit.until
        ])?;
    }
    Ok(())
}

/// Replaces what is known of inputs, and forgets what was quarantined when the same bytes were read before.
pub(crate) fn put_inputs(
    connection: &Connection,
    inputs: &[InputState],
    run_id: &str,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "INSERT OR REPLACE INTO inputs (input_id, provider, unit_id, path, size, modified, bytes_read,
             accounting, records, status, run_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let mut forget = connection
        .prepare("DELETE FROM quarantine WHERE input_id = ?1 AND (input, offset) >= (?2, ?3)")?;
    for input in inputs {
        statement.execute(params![
            input.input_id,
            input.provider,
            input.unit_id,
            input.path,
            number(input.size),
            input.modified,
            number(input.bytes_read),
            input.accounting,
            input.records,
            input.status,
            run_id
        ])?;
        let (from, offset) = input.read_from;
        forget.execute(params![input.input_id, from, number(offset)])?;
    }
    Ok(())
}

/// Replaces what units told of their clients' totals.
pub(crate) fn put_totals(
    connection: &Connection,
    units: &[UnitState],
    totals: &[ClientTotal],
    is_whole: impl Fn(&str) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut forget =
        connection.prepare("DELETE FROM counters WHERE provider = ?1 AND unit_id = ?2")?;
    for unit in units {
        forget.execute([&unit.provider, &unit.unit_id])?;
    }
    let mut statement =
        connection.prepare("INSERT OR REPLACE INTO counters VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for total in totals {
        if !is_whole(&total.thread_id)? {
            continue;
        }
        statement.execute(params![
            total.provider,
            total.unit_id,
            total.thread_id,
            total.name,
            number(total.value)
        ])?;
    }
    Ok(())
}

pub(crate) fn put_quarantine(
    connection: &Connection,
    records: &[Quarantined],
    run_id: &str,
) -> rusqlite::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut kept: i64 = connection.query_row(
        "SELECT coalesce(sum(length(bytes)), 0) FROM quarantine",
        [],
        |row| row.get(0),
    )?;
    let mut statement = connection.prepare(
        "INSERT OR REPLACE INTO quarantine (input_id, provider, path, offset, length, class,
             reason, bytes, run_id, input)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for record in records {
        let length = record.bytes.as_ref().map_or(0, |bytes| number(bytes.len() as u64));
        let bytes = record.bytes.as_ref().filter(|_| kept + length <= QUARANTINE_BYTES);
        kept += if bytes.is_some() { length } else { 0 };
        statement.execute(params![
            record.input_id,
            record.provider,
            record.path,
            number(record.offset),
            number(record.length),
            record.class,
            record.reason,
            bytes,
            run_id,
            record.input
        ])?;
    }
    Ok(())
}

pub(crate) fn put_listing(
    connection: &Connection,
    provider: &str,
    listing: &Listing,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO listings VALUES (?1, ?2, ?3, ?4, ?5)",
        params![provider, listing.hash, listing.component_digest, listing.since, listing.until],
    )?;
    Ok(())
}

/// Has inputs read again by the next run, whether or not they change.
pub(crate) fn forget_inputs(
    connection: &Connection,
    inputs: &BTreeSet<String>,
) -> rusqlite::Result<()> {
    for input in inputs {
        connection.execute(
            "UPDATE units SET fingerprint = '' WHERE (provider, unit_id) IN
             (SELECT provider, unit_id FROM inputs WHERE input_id = ?1)",
            [input],
        )?;
        connection.execute(
            "DELETE FROM listings WHERE provider IN
             (SELECT provider FROM inputs WHERE input_id = ?1)",
            [input],
        )?;
    }
    Ok(())
}

/// Notes something that happened to the store.
pub(crate) fn journal(
    connection: &Connection,
    run_id: &str,
    event: &str,
    detail: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO journal VALUES (?1, ?2, ?3, ?4)",
        params![clock::now(), run_id, event, detail],
    )?;
    Ok(())
}

/// Returns a count as SQLite holds it.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
