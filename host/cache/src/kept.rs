//! Records that are kept in quarantine.

use rusqlite::{OptionalExtension, Row};

use crate::error::StoreError;
use crate::store::Store;

/// A record that was not understood, without its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// Input that it is in.
    pub input_id: String,
    /// Name of the provider.
    pub provider: String,
    /// Path of the input below its root.
    pub path: String,
    /// Offset of its first byte.
    pub offset: u64,
    /// Number of its bytes.
    pub length: u64,
    /// `malformed`, `unknown`, `too_long` or `id_taken`.
    pub class: String,
    /// What is wrong with it.
    pub reason: String,
    /// Bytes that are kept of it, compressed; none where only its place is known.
    pub kept_bytes: Option<u64>,
    /// The run that met it.
    pub run_id: String,
}

/// Letters of an input's id that a record's id has.
const LETTERS: usize = 12;

impl Kept {
    /// Returns what a person names it by: the start of its input's id, and where it begins.
    pub fn id(&self) -> String {
        format!("{}-{}", self.input_id.get(..LETTERS).unwrap_or(&self.input_id), self.offset)
    }
}

impl Store {
    /// Returns all records in quarantine, by provider, path and offset.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn quarantine(&self) -> Result<Vec<Kept>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Vec::new()) };
        let read = |row: &Row<'_>| {
            let count = |at| row.get::<_, i64>(at).map(|it| u64::try_from(it).unwrap_or_default());
            let kept: Option<i64> = row.get(7)?;
            Ok(Kept {
                input_id: row.get(0)?,
                provider: row.get(1)?,
                path: row.get(2)?,
                offset: count(3)?,
                length: count(4)?,
                class: row.get(5)?,
                reason: row.get(6)?,
                kept_bytes: kept.and_then(|bytes| u64::try_from(bytes).ok()),
                run_id: row.get(8)?,
            })
        };
        let query = || -> rusqlite::Result<Vec<Kept>> {
            catalog
                .connection
                .prepare(
                    "SELECT input_id, provider, path, offset, length, class, reason,
                            length(bytes), run_id
                     FROM quarantine ORDER BY provider, path, offset",
                )?
                .query_map([], read)?
                .collect()
        };
        query().map_err(|error| catalog.error(error))
    }

    /// Returns the bytes that are kept of a record, as they are kept.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn quarantined_bytes(&self, record: &Kept) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(None) };
        let offset = i64::try_from(record.offset).unwrap_or(i64::MAX);
        catalog
            .connection
            .query_row(
                "SELECT bytes FROM quarantine WHERE input_id = ?1 AND offset = ?2",
                rusqlite::params![record.input_id, offset],
                |row| row.get(0),
            )
            .optional()
            .map(Option::flatten)
            .map_err(|error| catalog.error(error))
    }
}
