//! Data files of a dataset.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use iceberg::spec::{DataContentType, DataFile, DataFileBuilder, DataFileFormat, Struct};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use uuid::Uuid;

use super::{OpenDataset, SOURCE_ID};
use crate::encode::GROUP_ROWS;
use crate::error::StoreError;
use crate::layout::{Dirty, Layout};
use crate::summed::Summed;
use crate::table::Table;

/// Returns a path for a new file.
pub(crate) fn new_path(table: &Table, extension: &str) -> PathBuf {
    table.folder.join("data").join(format!("{}.{extension}", Uuid::new_v4()))
}

/// A file being written.
pub(super) struct Encoder {
    path: PathBuf,
    writer: ArrowWriter<Summed>,
    rows: u64,
}

impl Encoder {
    pub(super) fn new(
        path: PathBuf,
        dataset: &OpenDataset,
        dirty: &mut Dirty,
    ) -> Result<Self, StoreError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS));
        // Values that are all different: a dictionary of them is wasted work.
        let key = dataset.declared.key.as_slice();
        let distinct = key.first().filter(|_| key.len() == 1).map(String::as_str);
        for name in [SOURCE_ID].into_iter().chain(distinct) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let file = Summed::new(dirty.file(&path)?);
        let writer = ArrowWriter::try_new(file, dataset.schema.clone(), Some(properties.build()))
            .map_err(StoreError::parquet(&path))?;
        Ok(Self { path, writer, rows: 0 })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(StoreError::parquet(&self.path))
    }

    /// Brings the file to the disk and returns what the table keeps of it.
    pub(super) fn finish(mut self, dirty: &mut Dirty) -> Result<DataFile, StoreError> {
        self.writer.finish().map_err(StoreError::parquet(&self.path))?;
        let (length, sum) = self.writer.inner().sync().map_err(StoreError::io(&self.path))?;
        dirty.sum(&self.path, sum);
        data_file(&self.path, self.rows, length)
    }
}

fn data_file(path: &Path, rows: u64, length: u64) -> Result<DataFile, StoreError> {
    let mut builder = DataFileBuilder::default();
    builder
        .content(DataContentType::Data)
        .file_path(Layout::uri(path))
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::empty())
        .partition_spec_id(0)
        .record_count(rows)
        .file_size_in_bytes(length);
    builder.build().map_err(|error| StoreError::damaged(path, error.to_string()))
}
