//! Rows of a dataset that are written before it is known whether they become part of it.

use std::fs;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use hyp_model::item::Datum;
use iceberg::spec::DataFile;

use super::files::{Encoder, new_path};
use super::{DatasetRow, OpenDataset, convert};
use crate::error::StoreError;
use crate::failpoint;
use crate::layout::Dirty;
use crate::writer::Writer;

/// Rows, and bytes of rows, that are encoded at once.
const BATCH_ROWS: usize = 1_024;
const BATCH_BYTES: usize = 2 << 20;

/// New rows of a dataset in a file that nothing points at. A commit makes them part of the dataset; dropped before, they are
/// gone.
pub struct Stage {
    schema: SchemaRef,
    waiting: Vec<DatasetRow>,
    bytes: usize,
    rows: u64,
    file: Written,
    dirty: Dirty,
    rubbish: Rubbish,
}

enum Written {
    Open(Encoder),
    Sealed(DataFile),
    Broken,
}

/// A file that is removed, unless somebody takes it.
struct Rubbish(Option<PathBuf>);

impl Drop for Rubbish {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What stays is removed by the next one that writes.
            fs::remove_file(path).ok();
        }
    }
}

impl Writer {
    /// Begins a file of new rows of a dataset.
    ///
    /// # Errors
    /// Fails when it cannot be made.
    pub fn stage(&mut self, dataset: &OpenDataset) -> Result<Stage, StoreError> {
        self.announce()?;
        Stage::begin(dataset)
    }
}

impl Stage {
    /// Begins a file; what it is written by has announced itself.
    pub(super) fn begin(dataset: &OpenDataset) -> Result<Self, StoreError> {
        failpoint::hit("before_data_files")?;
        let (path, schema) = (new_path(&dataset.table, "parquet"), dataset.schema.clone());
        let mut dirty = Dirty::default();
        let rubbish = Rubbish(Some(path.clone()));
        let file = Written::Open(Encoder::new(path, dataset, &mut dirty)?);
        Ok(Self { schema, waiting: Vec::new(), bytes: 0, rows: 0, file, dirty, rubbish })
    }

    /// Adds a row; none may be added to a file that is sealed.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn push(&mut self, row: DatasetRow) -> Result<(), StoreError> {
        self.rows += 1;
        self.bytes += row.iter().map(Datum::weight).sum::<usize>();
        self.waiting.push(row);
        if self.waiting.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.encode()?;
        }
        Ok(())
    }

    /// Brings the rows to the disk: what they took of memory is free again.
    ///
    /// # Errors
    /// Fails when they cannot be written.
    pub fn seal(&mut self) -> Result<(), StoreError> {
        if !matches!(self.file, Written::Open(_)) {
            return Ok(());
        }
        self.encode()?;
        self.waiting = Vec::new();
        if let Written::Open(encoder) = std::mem::replace(&mut self.file, Written::Broken) {
            self.file = Written::Sealed(encoder.finish(&mut self.dirty)?);
        }
        Ok(())
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn encode(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let batch = convert::batch(&self.schema, &self.waiting)?;
        self.waiting.clear();
        self.bytes = 0;
        match &mut self.file {
            Written::Open(encoder) => encoder.write(&batch),
            _ => Err(StoreError::Rows { reason: "they came too late".to_owned() }),
        }
    }

    /// Hands the file to a commit that adds it to the table.
    pub(super) fn finish(mut self, dirty: &mut Dirty) -> Result<DataFile, StoreError> {
        self.seal()?;
        let Written::Sealed(file) = self.file else {
            return Err(StoreError::Rows { reason: "their file could not be ended".to_owned() });
        };
        dirty.absorb(self.dirty);
        self.rubbish.0 = None;
        failpoint::hit("after_data_files")?;
        Ok(file)
    }
}
