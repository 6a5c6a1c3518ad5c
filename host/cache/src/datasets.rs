//! Datasets: tables of the same warehouse and catalog as the messages, made from what materializers declare.
//!
//! A row that is changed is superseded by position and written anew. Where a key lies is known in memory while a dataset is
//! open; rows are read when they are asked for.

mod columns;
mod commit;
mod convert;
mod files;
mod journal;
mod merge;
mod read;
mod stage;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use hyp_model::item::{Dataset, DatasetColumn, Datum};
use hyp_model::row::Key;
use iceberg::spec::Schema;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::store::Store;
use crate::table::{LiveData, Table};
use crate::writer::Writer;

pub use columns::{OWN, RUN_ID, SOURCE_ID, SOURCE_SYSTEM};
pub use commit::{DatasetCommit, DatasetCommitted, DatasetWrite};
pub use convert::{datum_from_json, datum_to_json, row_from_json, row_to_json};
pub(crate) use files::new_path;
pub use journal::{AuditEntry, DatasetRun, JournalEntry, JournalOperation};
pub use read::DatasetFiles;
pub use stage::Stage;

/// A row: the values of all columns in the order of [`OpenDataset::columns`].
pub type DatasetRow = Vec<Datum>;

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    file: u32,
    row: u32,
}

/// A file of the dataset.
#[derive(Debug, Clone)]
struct DataFile {
    location: String,
    path: PathBuf,
}

/// A dataset that is being written to.
#[derive(Debug)]
pub struct OpenDataset {
    declared: Dataset,
    columns: Vec<DatasetColumn>,
    schema: SchemaRef,
    /// The table's schema, where it has fewer columns than are declared.
    widened: Option<Schema>,
    table: Table,
    files: Vec<DataFile>,
    index: HashMap<Key, Place>,
    origins: HashSet<Key>,
}

impl OpenDataset {
    /// Returns what its materializer declares.
    pub fn declared(&self) -> &Dataset {
        &self.declared
    }

    /// Returns the columns: those that are stored, then those that are new, among them three of the host's.
    pub fn columns(&self) -> &[DatasetColumn] {
        &self.columns
    }

    /// Returns the place of a column in rows.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> u64 {
        let live = |data: &LiveData| data.live.file.record_count() - data.deleted.len() as u64;
        self.table.data.iter().map(live).sum()
    }

    /// Says whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says whether a key has a row.
    pub fn has(&self, key: &Key) -> bool {
        self.index.contains_key(key)
    }

    /// Says whether a row came from an origin, by [`origin_key`].
    pub fn has_origin(&self, origin: &Key) -> bool {
        self.origins.contains(origin)
    }

    /// Returns the values of a row's key.
    pub fn key_values(&self, row: &[Datum]) -> Vec<Datum> {
        let at = |name: &String| self.position(name).and_then(|at| row.get(at)).cloned();
        self.declared.key.iter().map(|name| at(name).unwrap_or_default()).collect()
    }

    /// Returns what a row is found by.
    pub fn key(&self, row: &[Datum]) -> Key {
        key_of(&self.key_values(row))
    }
}

/// Returns what a row is found by, by the values of its key.
pub fn key_of(values: &[Datum]) -> Key {
    let mut bytes = Vec::with_capacity(64);
    for value in values {
        let (tag, text) = match value {
            Datum::Null => (b'n', Cow::Borrowed("")),
            Datum::Boolean(flag) => (b'b', flag.to_string().into()),
            Datum::Integer(number) => (b'i', number.to_string().into()),
            Datum::Real(number) => (b'r', number.to_bits().to_string().into()),
            Datum::Timestamp(at) => (b't', at.to_string().into()),
            Datum::Text(text) | Datum::Json(text) => (b's', Cow::Borrowed(text.as_str())),
            _ => (b'?', format!("{value:?}").into()),
        };
        bytes.push(tag);
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    Key::of(&bytes)
}

/// Returns what a row is found by that came from somewhere else.
pub fn origin_key(system: &str, id: &str) -> Key {
    key_of(&[Datum::Text(system.to_owned()), Datum::Text(id.to_owned())])
}

impl Writer {
    /// Opens a dataset; one that is not there yet is made with its first row.
    ///
    /// # Errors
    /// Fails when it cannot be read, or when it is stored with a column of another type than is declared.
    pub fn open_dataset(&self, declared: &Dataset) -> Result<OpenDataset, StoreError> {
        OpenDataset::open(self.store().layout(), &self.catalog, declared)
    }
}

impl OpenDataset {
    fn open(layout: &Layout, catalog: &Catalog, declared: &Dataset) -> Result<Self, StoreError> {
        let table = match catalog.pointer_of(&declared.name)? {
            Some(location) => Table::load(layout, &location)?,
            None => columns::new_table(layout, declared)?,
        };
        let (columns, widened) = columns::merge(&table, declared)?;
        let schema =
            columns::arrow_schema(widened.as_ref().unwrap_or(table.metadata.current_schema()));
        let mut open = OpenDataset {
            declared: declared.clone(),
            columns,
            schema,
            widened,
            table,
            files: Vec::new(),
            index: HashMap::new(),
            origins: HashSet::new(),
        };
        open.load()?;
        Ok(open)
    }
}

impl Store {
    /// Opens a dataset to see what it is now; none where it was never written to.
    ///
    /// # Errors
    /// Fails when it cannot be read, or when it is stored with a column of another type than is declared.
    pub fn open_dataset(&self, declared: &Dataset) -> Result<Option<OpenDataset>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(None) };
        if catalog.pointer_of(&declared.name)?.is_none() {
            return Ok(None);
        }
        OpenDataset::open(self.layout(), &catalog, declared).map(Some)
    }

    /// Returns the names of the datasets that have been written to.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn datasets(&self) -> Result<Vec<String>, StoreError> {
        match self.reader()? {
            Some(catalog) => catalog.datasets(),
            None => Ok(Vec::new()),
        }
    }
}
