//! What runs did to datasets: the journal, from which they are undone; the audit, which people read; runs themselves.

use hyp_model::item::Datum;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use serde_json::Value;

use super::{OpenDataset, datum_to_json, row_to_json};
use crate::clock;
use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Writer;

/// What was done to a row, or to a cell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalOperation {
    /// A row was added.
    Insert,
    /// A cell was changed.
    Update,
    /// A row was removed.
    Remove,
}

impl JournalOperation {
    /// Returns the word that the journal has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }
}

/// One thing that a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Name of the dataset.
    pub dataset: String,
    /// JSON array of the values of the row's key.
    pub row_key: String,
    /// The cell; none for a whole row.
    pub column: Option<String>,
    /// What was done.
    pub operation: JournalOperation,
    /// JSON of what was there before.
    pub old: Option<String>,
    /// JSON of what is there since.
    pub new: Option<String>,
}

/// A value that evidence set, or met with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Name of the dataset.
    pub dataset: String,
    /// JSON array of the values of the row's key.
    pub row_key: String,
    /// What the row is about.
    pub subject: Option<String>,
    /// The column.
    pub column: String,
    /// What was there.
    pub old: Option<String>,
    /// What the evidence says.
    pub new: String,
    /// `promote`, `flip` or `disagree`.
    pub event: &'static str,
    /// Who had the evidence: `backfill_script`, `crawler_promote` or `member_write`.
    pub source: String,
    /// What there is to say of it.
    pub notes: Option<String>,
}

/// A run that wrote to datasets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetRun {
    /// Id of the run.
    pub run_id: String,
    /// Name of its provider.
    pub provider: String,
    /// The run that it undid.
    pub undoes: Option<String>,
    /// Where it left off, as others were writing from then on.
    pub cutover: Option<i64>,
    /// What its source looked like.
    pub source: Option<String>,
}

impl JournalEntry {
    /// Returns the entry of a row that is removed.
    pub fn removal(dataset: &OpenDataset, row: &[Datum]) -> Self {
        let key: Vec<Value> = dataset.key_values(row).iter().map(datum_to_json).collect();
        Self {
            dataset: dataset.declared().name.clone(),
            row_key: Value::from(key).to_string(),
            column: None,
            operation: JournalOperation::Remove,
            old: Some(row_to_json(dataset.columns(), row).to_string()),
            new: None,
        }
    }
}

/// The journal of a chunk of a run, while it is written.
pub(super) struct Journal<'a> {
    statement: Statement<'a>,
    run_id: &'a str,
    chunk: i64,
}

impl<'a> Journal<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        run_id: &'a str,
        chunk: i64,
    ) -> rusqlite::Result<Self> {
        let statement = connection.prepare(
            "INSERT INTO dataset_journal
                 (run_id, chunk, dataset, row_key, column_name, operation, old_value, new_value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        Ok(Self { statement, run_id, chunk })
    }

    /// Adds an entry.
    pub(super) fn put(&mut self, entry: &JournalEntry) -> rusqlite::Result<()> {
        self.statement.execute(params![
            self.run_id,
            self.chunk,
            entry.dataset,
            entry.row_key,
            entry.column,
            entry.operation.as_str(),
            entry.old,
            entry.new
        ])?;
        Ok(())
    }

    /// Adds an entry for each row that carries the id of a run, as removed, while they are read.
    pub(super) fn put_removals(
        &mut self,
        dataset: &OpenDataset,
        run: &str,
    ) -> Result<rusqlite::Result<()>, StoreError> {
        let mut done = Ok(());
        dataset.scan_run(run, |row| {
            if done.is_ok() {
                done = self.put(&JournalEntry::removal(dataset, &row));
            }
        })?;
        Ok(done)
    }
}

/// Adds to the audit within a transaction; what cannot be written is nothing to the rest of it.
pub(super) fn audit(
    connection: &Connection,
    run_id: &str,
    entries: &[AuditEntry],
) -> rusqlite::Result<()> {
    connection.execute_batch("SAVEPOINT audit")?;
    let noted = note(connection, run_id, entries);
    if noted.is_err() {
        connection.execute_batch("ROLLBACK TO audit")?;
    }
    connection.execute_batch("RELEASE audit")?;
    noted
}

fn note(connection: &Connection, run_id: &str, entries: &[AuditEntry]) -> rusqlite::Result<()> {
    let now = clock::now();
    let mut statement = connection.prepare(
        "INSERT INTO value_audit (run_id, dataset, row_key, subject, column_name, old_value,
             new_value, event, source, changed_at, notes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO NOTHING",
    )?;
    for entry in entries {
        statement.execute(params![
            run_id,
            entry.dataset,
            entry.row_key,
            entry.subject,
            entry.column,
            entry.old,
            entry.new,
            entry.event,
            entry.source,
            now,
            entry.notes
        ])?;
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let operation: String = row.get(3)?;
    Ok(JournalEntry {
        dataset: row.get(0)?,
        row_key: row.get(1)?,
        column: row.get(2)?,
        operation: match operation.as_str() {
            "insert" => JournalOperation::Insert,
            "update" => JournalOperation::Update,
            _ => JournalOperation::Remove,
        },
        old: row.get(4)?,
        new: row.get(5)?,
    })
}

impl Store {
    /// Returns what a run did to datasets, in the order in which it did.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn dataset_journal(&self, run_id: &str) -> Result<Vec<JournalEntry>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Vec::new()) };
        let read = || -> rusqlite::Result<Vec<JournalEntry>> {
            catalog
                .connection
                .prepare(
                    "SELECT dataset, row_key, column_name, operation, old_value, new_value
                     FROM dataset_journal WHERE run_id = ?1 ORDER BY id",
                )?
                .query_map([run_id], entry)?
                .collect()
        };
        read().map_err(|error| catalog.error(error))
    }

    /// Returns a run, if it wrote to datasets.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn dataset_run(&self, run_id: &str) -> Result<Option<DatasetRun>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(None) };
        if catalog.is_behind()? {
            return Ok(None);
        }
        let read = |row: &Row<'_>| {
            Ok(DatasetRun {
                run_id: row.get(0)?,
                provider: row.get(1)?,
                undoes: row.get(2)?,
                cutover: row.get(3)?,
                source: row.get(4)?,
            })
        };
        catalog
            .connection
            .query_row(
                "SELECT run_id, provider, undoes, cutover, source FROM dataset_runs WHERE run_id = ?1",
                [run_id],
                read,
            )
            .optional()
            .map_err(|error| catalog.error(error))
    }
}

impl Writer {
    /// Notes that a run is about to write to datasets.
    ///
    /// # Errors
    /// Fails when the catalog cannot be written.
    pub fn begin_dataset_run(&mut self, run: &DatasetRun) -> Result<(), StoreError> {
        let put = self.catalog.connection.execute(
            "INSERT OR REPLACE INTO dataset_runs VALUES (?1, ?2, ?3, ?4, ?5)",
            params![run.run_id, run.provider, run.undoes, run.cutover, run.source],
        );
        put.map(drop).map_err(|error| self.catalog.error(error))
    }
}
