//! Reads rows: of some keys, or all of them; and what SQL sees of a dataset.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use hyp_model::item::{ColumnType, DatasetColumn, Datum};
use hyp_model::row::Key;

use super::columns::{self, RUN_ID, SOURCE_ID, SOURCE_SYSTEM};
use super::{DataFile, DatasetRow, OpenDataset, Place, convert, key_of, origin_key};
use crate::error::StoreError;
use crate::lease::{self, Lease};
use crate::rows::batches;
use crate::store::Store;
use crate::table::{LiveData, Table};

impl OpenDataset {
    /// Finds out where every key lies.
    pub(super) fn load(&mut self) -> Result<(), StoreError> {
        self.files = self.table.data.iter().map(file_of).collect();
        self.index.clear();
        self.origins.clear();
        let mut wanted: Vec<&str> = self.declared.key.iter().map(String::as_str).collect();
        wanted.extend([SOURCE_SYSTEM, SOURCE_ID]);
        let kinds: Vec<ColumnType> = wanted
            .iter()
            .map(|name| self.position(name).map_or(ColumnType::Text, |at| self.columns[at].kind))
            .collect();
        let keys = self.declared.key.len();
        let (mut index, mut origins) = (HashMap::new(), std::collections::HashSet::new());
        for (file, data) in (0u32..).zip(&self.table.data) {
            let mut row = 0;
            for batch in batches(&data.live.path, Some(&wanted), None)? {
                let batch = batch.map_err(StoreError::arrow(&data.live.path))?;
                let columns: Vec<_> =
                    wanted.iter().map(|name| batch.column_by_name(name)).collect();
                for at in 0..batch.num_rows() {
                    let place = Place { file, row };
                    row += 1;
                    if data.deleted.binary_search(&u64::from(place.row)).is_ok() {
                        continue;
                    }
                    let mut values: Vec<Datum> = columns
                        .iter()
                        .zip(&kinds)
                        .map(|(array, kind)| convert::datum(*array, *kind, at))
                        .collect();
                    let origin = values.split_off(keys);
                    index.insert(key_of(&values), place);
                    if let [Datum::Text(system), Datum::Text(id)] = &origin[..] {
                        origins.insert(origin_key(system, id));
                    }
                }
            }
        }
        (self.index, self.origins) = (index, origins);
        Ok(())
    }

    /// Returns the rows of keys, of those that have one.
    ///
    /// # Errors
    /// Fails when a data file cannot be read.
    pub fn rows<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k Key>,
    ) -> Result<HashMap<Key, DatasetRow>, StoreError> {
        let mut wanted: BTreeMap<u32, BTreeMap<u32, Key>> = BTreeMap::new();
        for key in keys {
            if let Some(place) = self.index.get(key) {
                wanted.entry(place.file).or_default().insert(place.row, *key);
            }
        }
        let mut found = HashMap::new();
        for (file, places) in wanted {
            let path = &self.files[file as usize].path;
            let positions: BTreeSet<u64> = places.keys().map(|row| u64::from(*row)).collect();
            let mut keys = places.into_values();
            for batch in batches(path, None, Some(&positions))? {
                let batch = batch.map_err(StoreError::arrow(path))?;
                for (row, key) in rows_of(&self.columns, &batch).zip(&mut keys) {
                    found.insert(key, row);
                }
            }
        }
        Ok(found)
    }

    /// Hands every row that carries the id of a run to `each`.
    ///
    /// # Errors
    /// Fails when a data file cannot be read.
    pub fn scan_run(&self, run: &str, mut each: impl FnMut(DatasetRow)) -> Result<(), StoreError> {
        let Some(at) = self.position(RUN_ID) else { return Ok(()) };
        self.scan(|row| {
            if row.get(at).and_then(Datum::as_text) == Some(run) {
                each(row);
            }
        })
    }

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// Fails when a data file cannot be read.
    pub fn scan(&self, mut each: impl FnMut(DatasetRow)) -> Result<(), StoreError> {
        for data in &self.table.data {
            let path = &data.live.path;
            let mut position = 0;
            for batch in batches(path, None, None)? {
                let batch = batch.map_err(StoreError::arrow(path))?;
                for row in rows_of(&self.columns, &batch) {
                    if data.deleted.binary_search(&position).is_err() {
                        each(row);
                    }
                    position += 1;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn file_of(data: &LiveData) -> DataFile {
    let LiveData { live, .. } = data;
    DataFile { location: live.file.file_path().to_owned(), path: live.path.clone() }
}

fn rows_of<'b>(
    columns: &'b [DatasetColumn],
    batch: &'b RecordBatch,
) -> impl Iterator<Item = DatasetRow> + 'b {
    let arrays: Vec<_> = columns.iter().map(|column| batch.column_by_name(&column.name)).collect();
    (0..batch.num_rows()).map(move |row| {
        let cells = columns.iter().zip(&arrays);
        cells.map(|(column, array)| convert::datum(*array, column.kind, row)).collect()
    })
}

/// A dataset as of one commit, for those who ask it.
#[derive(Debug, Clone)]
pub struct DatasetFiles {
    /// Name of the dataset.
    pub name: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// Path, size, rows and positions of superseded rows of each data file.
    pub files: Vec<(std::path::PathBuf, u64, u64, Vec<u64>)>,
    /// Keeps the files where they are.
    pub lease: Lease,
}

impl Store {
    /// Returns what a reader sees of each dataset now.
    ///
    /// # Errors
    /// Fails when the catalog, or a file of metadata that it points at, cannot be read.
    pub fn dataset_files(&self) -> Result<Vec<DatasetFiles>, StoreError> {
        let lease = lease::take(&self.layout().readers());
        let Some(catalog) = self.reader()? else { return Ok(Vec::new()) };
        // All as of one moment: what one commit changed is changed everywhere.
        let moment = catalog.connection.unchecked_transaction();
        let _moment = moment.map_err(|error| catalog.error(error))?;
        let mut found = Vec::new();
        for name in catalog.datasets()? {
            let Some(location) = catalog.pointer_of(&name)? else { continue };
            let table = Table::load(self.layout(), &location)?;
            let file = |data: &LiveData| {
                let file = &data.live.file;
                let (size, rows) = (file.file_size_in_bytes(), file.record_count());
                (data.live.path.clone(), size, rows, data.deleted.to_vec())
            };
            found.push(DatasetFiles {
                name,
                schema: columns::arrow_schema(table.metadata.current_schema()),
                files: table.data.iter().map(file).collect(),
                lease: lease.clone(),
            });
        }
        Ok(found)
    }
}
