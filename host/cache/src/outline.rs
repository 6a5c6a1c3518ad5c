//! What a store consists of, without reading a row.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::backup;
use crate::catalog::{self, Catalog};
use crate::clock::month_name;
use crate::due::due;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::migrations;
use crate::relocate::is_elsewhere;
use crate::store::Store;
use crate::sweep::{self, Fate, Rubbish};
use crate::table::Table;

/// What a store consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outline {
    /// Version of the store.
    pub version: i64,
    /// Version that this code writes.
    pub newest_version: i64,
    /// Where the table's metadata lies, as other engines are told.
    pub metadata_location: Option<String>,
    /// Rows that are not superseded.
    pub rows: u64,
    /// Rows that are superseded and still lie in files.
    pub superseded: u64,
    /// Parts of the table by client and month.
    pub partitions: Vec<Part>,
    /// Files of superseded rows.
    pub delete_files: u64,
    /// Snapshots that other engines may read.
    pub snapshots: u64,
    /// Bytes of the catalog and its log.
    pub catalog_bytes: u64,
    /// Rows of the catalog's tables.
    pub ledgers: BTreeMap<String, u64>,
    /// Files that nothing points at.
    pub rubbish: Rubbish,
    /// Versions of which there is a copy of the catalog.
    pub backups: Vec<i64>,
    /// True when another program wrote to the table since hyp did.
    pub is_foreign: bool,
    /// True when the locations in the metadata are of another folder.
    pub is_moved: bool,
}

/// One month of one client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// Value of `client_name`.
    pub client: String,
    /// Month of the messages, such as `2025-11`.
    pub month: String,
    /// Its data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows that are not superseded.
    pub rows: u64,
    /// Files that upkeep would put into one.
    pub due: u64,
}

/// Tables of the catalog that grow with what is imported.
const LEDGERS: [&str; 15] = [
    "beginnings",
    "checkpoints",
    "chunks",
    "claims",
    "facts",
    "inputs",
    "journal",
    "kin",
    "quarantine",
    "recordings",
    "runs",
    "sessions",
    "sightings",
    "undo_log",
    "units",
];

impl Store {
    /// Returns what the store consists of.
    ///
    /// # Errors
    /// Fails when the catalog, or a file of metadata that it points at, cannot be read.
    pub fn outline(&self) -> Result<Outline, StoreError> {
        let layout = self.layout();
        let catalog = Catalog::read(&self.catalog_path())?;
        let failed = |error| catalog.error(error);
        let (_, version) = migrations::identity(&catalog.connection).map_err(failed)?;
        let location = if version > 0 { catalog.pointer()? } else { None };
        let table = match &location {
            Some(location) => Table::load(layout, location)?,
            None => Table::new(layout)?,
        };
        let mut ledgers = BTreeMap::new();
        for name in LEDGERS {
            // A store that is behind lacks some.
            let count = format!("SELECT count(*) FROM {name}");
            if let Ok(rows) = catalog.connection.query_row(&count, [], |row| row.get::<_, i64>(0)) {
                ledgers.insert(name.to_owned(), rows.unsigned_abs());
            }
        }
        let size = |name: &str| fs::metadata(layout.root.join(name)).map_or(0, |it| it.len());
        let own = catalog::mark(&catalog.connection, catalog::POINTER).ok().flatten();
        let partitions = parts(&table);
        Ok(Outline {
            version,
            newest_version: migrations::newest(),
            rows: partitions.iter().map(|part| part.rows).sum(),
            superseded: table.data.iter().map(|data| data.deleted.len() as u64).sum(),
            partitions,
            delete_files: table.deletes.len() as u64,
            snapshots: table.metadata.snapshots().len() as u64,
            catalog_bytes: ["catalog.db", "catalog.db-wal", "catalog.db-shm"]
                .map(size)
                .iter()
                .sum(),
            ledgers,
            rubbish: sweep::collect(layout, &catalog, &table, Fate::Counted)?,
            backups: backup::list(layout)?.into_iter().map(|backup| backup.version).collect(),
            is_foreign: own.is_some() && own != location,
            is_moved: is_elsewhere(layout, &table) || has_moved_dataset(layout, &catalog)?,
            metadata_location: location,
        })
    }

    /// Returns what nothing points at.
    ///
    /// # Errors
    /// Fails when the catalog, or a file of metadata that it points at, cannot be read.
    pub fn rubbish(&self) -> Result<Rubbish, StoreError> {
        Ok(self.outline()?.rubbish)
    }
}

fn has_moved_dataset(layout: &Layout, catalog: &Catalog) -> Result<bool, StoreError> {
    for name in catalog.datasets()? {
        let Some(location) = catalog.pointer_of(&name)? else { continue };
        if is_elsewhere(layout, &Table::load(layout, &location)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parts(table: &Table) -> Vec<Part> {
    let mut parts: BTreeMap<_, Part> = BTreeMap::new();
    for data in &table.data {
        let (client, month) = &data.live.partition;
        let part = parts.entry(&data.live.partition).or_insert_with(|| Part {
            client: client.clone(),
            month: month_name(*month),
            ..Part::default()
        });
        part.files += 1;
        part.bytes += data.live.file.file_size_in_bytes();
        part.rows += data.live.file.record_count().saturating_sub(data.deleted.len() as u64);
    }
    for due in due(table) {
        if let Some(part) = parts.get_mut(&due.partition) {
            part.due = due.files.len() as u64;
        }
    }
    parts.into_values().collect()
}
