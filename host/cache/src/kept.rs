//! Records that are kept in quarantine.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::StoreError;
use crate::store::Store;

/// A record that was not understood, without its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
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
    /// Returns what a person names it by: the start of its input's id, the file where it is not the first, and where it
    /// begins.
    pub fn id(&self) -> String {
        let unit = self.input_id.get(..LETTERS).unwrap_or(&self.input_id);
        match self.input {
            0 => format!("{unit}-{}", self.offset),
            input => format!("{unit}-{input}-{}", self.offset),
        }
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
                input: row.get(9)?,
            })
        };
        let query = || -> rusqlite::Result<Vec<Kept>> {
            let input = input(&catalog.connection)?;
            catalog
                .connection
                .prepare(&format!(
                    "SELECT input_id, provider, path, offset, length, class, reason,
                            length(bytes), run_id, {input}
                     FROM quarantine ORDER BY provider, path, offset, 10"
                ))?
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
        let query = || {
            let input = input(&catalog.connection)?;
            catalog
                .connection
                .query_row(
                    &format!(
                        "SELECT bytes FROM quarantine
                         WHERE input_id = ?1 AND offset = ?2 AND {input} = ?3"
                    ),
                    params![record.input_id, offset, record.input],
                    |row| row.get(0),
                )
                .optional()
        };
        query().map(Option::flatten).map_err(|error| catalog.error(error))
    }
}

/// Returns what tells a record's file: a column that stores of an older hyp lack.
fn input(connection: &Connection) -> rusqlite::Result<&'static str> {
    let is_told = connection
        .prepare("SELECT 1 FROM pragma_table_info('quarantine') WHERE name = 'input'")?
        .exists([])?;
    Ok(if is_told { "input" } else { "0" })
}
