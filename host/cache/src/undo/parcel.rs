//! Rows and entries as bytes in the catalog: small Parquet files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use serde_json::Value;

use crate::rows::conform;
use crate::schema::file_schema;
use crate::threads::Number;
use crate::undo::capture::Entry;

/// Column that tells the thread of a row.
const THREAD: &str = "undo_thread";

/// Column that tells what took a row's place.
const FATE: &str = "undo_fate";

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Was {
    /// Another row has its place.
    Replaced = 0,
    /// Nothing has.
    Removed = 1,
}

/// Rows as they were, each with its thread and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    pub(crate) rows: RecordBatch,
    pub(crate) threads: Vec<Number>,
    pub(crate) fates: Vec<Was>,
}

/// Puts rows into bytes, batch by batch, up to a size.
pub(crate) struct Packer {
    writer: ArrowWriter<Vec<u8>>,
    limit: usize,
    is_over: bool,
    is_empty: bool,
}

impl Packer {
    /// Begins a parcel of at most that many bytes.
    pub(crate) fn new(limit: usize) -> Result<Self, ParquetError> {
        let writer = ArrowWriter::try_new(Vec::new(), image_schema(), Some(properties()))?;
        Ok(Self { writer, limit, is_over: false, is_empty: true })
    }

    /// Adds rows, as long as there is room.
    pub(crate) fn add(&mut self, images: &Images) -> Result<(), ParquetError> {
        self.is_over |= self.writer.bytes_written() + self.writer.in_progress_size() > self.limit;
        if self.is_over || images.rows.num_rows() == 0 {
            return Ok(());
        }
        self.is_empty = false;
        let mut columns = images.rows.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(images.threads.clone())));
        let fates = images.fates.iter().map(|fate| *fate as i64);
        columns.push(Arc::new(Int64Array::from_iter_values(fates)));
        self.writer.write(&RecordBatch::try_new(image_schema(), columns)?)
    }

    /// Returns the bytes: none where there were no rows, and an error of size where there was no room.
    pub(crate) fn finish(self) -> Result<Packed, ParquetError> {
        if self.is_over {
            return Ok(Packed::TooLarge);
        }
        if self.is_empty {
            return Ok(Packed::Bytes(None));
        }
        let limit = self.limit;
        let bytes = self.writer.into_inner()?;
        Ok(if bytes.len() > limit { Packed::TooLarge } else { Packed::Bytes(Some(bytes)) })
    }
}

/// What came of packing.
pub(crate) enum Packed {
    /// They fit.
    Bytes(Option<Vec<u8>>),
    /// They did not.
    TooLarge,
}

/// Returns the rows of a parcel.
pub(crate) fn images(bytes: Vec<u8>) -> Result<Images, String> {
    let batch = unpack(bytes).map_err(|error| error.to_string())?;
    let numbers = |name| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        Some(column.values().to_vec())
    };
    let missing = || "columns are missing".to_owned();
    let threads = numbers(THREAD).ok_or_else(missing)?;
    let fates = numbers(FATE).ok_or_else(missing)?;
    let fate = |number: i64| if number == 0 { Was::Replaced } else { Was::Removed };
    Ok(Images { rows: conform(&batch)?, threads, fates: fates.into_iter().map(fate).collect() })
}

/// Columns of a parcel of entries.
const ENTRY: [&str; 5] = ["table", "columns", "key", "old", "new"];

/// Puts entries into bytes.
pub(crate) fn pack_entries(entries: &[Entry]) -> Result<Vec<u8>, ParquetError> {
    let list = |list: &Vec<Value>| Value::from(list.clone()).to_string();
    let texts: [Vec<Option<String>>; 5] = [
        entries.iter().map(|it| Some(it.table.clone())).collect(),
        entries.iter().map(|it| serde_json::to_string(&it.columns).ok()).collect(),
        entries.iter().map(|it| Some(list(&it.key))).collect(),
        entries.iter().map(|it| it.old.as_ref().map(list)).collect(),
        entries.iter().map(|it| it.new.clone()).collect(),
    ];
    let columns = texts.into_iter().map(|it| Arc::new(StringArray::from(it)) as ArrayRef);
    let fields = ENTRY.map(|name| Field::new(name, DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect())?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties()))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// Returns the entries of a parcel.
pub(crate) fn entries(bytes: Vec<u8>) -> Result<Vec<Entry>, String> {
    let batch = unpack(bytes).map_err(|error| error.to_string())?;
    let column = |name| batch.column_by_name(name).and_then(|it| it.as_string_opt::<i32>());
    let columns: Vec<&StringArray> = ENTRY.iter().filter_map(|name| column(name)).collect();
    let [tables, names, keys, olds, news] = columns.as_slice() else {
        return Err("columns are missing".to_owned());
    };
    let broken = |error: serde_json::Error| error.to_string();
    let entry = |at: usize| {
        let table = tables.value(at).to_owned();
        let mut key: Vec<Value> = serde_json::from_str(keys.value(at)).map_err(broken)?;
        if table == "quarantine" && key.len() == 2 {
            // Noted before records told which of their unit's files they are in.
            key.insert(1, 0.into());
        }
        Ok(Entry {
            table,
            columns: serde_json::from_str(names.value(at)).map_err(broken)?,
            key,
            old: olds
                .is_valid(at)
                .then(|| serde_json::from_str(olds.value(at)))
                .transpose()
                .map_err(broken)?,
            new: news.is_valid(at).then(|| news.value(at).to_owned()),
        })
    };
    (0..batch.num_rows()).map(entry).collect()
}

fn unpack(bytes: Vec<u8>) -> Result<RecordBatch, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))?;
    let schema = Arc::clone(reader.schema());
    let batches = reader.build()?.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}

fn image_schema() -> SchemaRef {
    let mut fields = file_schema().fields().to_vec();
    for name in [THREAD, FATE] {
        fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
    }
    Arc::new(Schema::new(fields))
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .build()
}
