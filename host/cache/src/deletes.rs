//! Files of superseded positions, as the second version of the table format has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use iceberg::metadata_columns::{
    RESERVED_FIELD_ID_DELETE_FILE_PATH as PATH_ID, RESERVED_FIELD_ID_DELETE_FILE_POS as POSITION_ID,
};
use iceberg::spec::{DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, Struct};
use parquet::arrow::{ArrowWriter, PARQUET_FIELD_ID_META_KEY};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::StoreError;
use crate::layout::{Dirty, Layout};
use crate::source;
use crate::summed::Summed;

/// Positions by the location of their file.
pub(crate) type Positions = BTreeMap<String, BTreeSet<u64>>;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str, kind, id: i32| {
        let id = (PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string());
        Field::new(name, kind, false).with_metadata(HashMap::from([id]))
    };
    Arc::new(Schema::new(vec![
        field("file_path", DataType::Utf8, PATH_ID),
        field("pos", DataType::Int64, POSITION_ID),
    ]))
});

/// Writes the positions of one partition.
pub(crate) fn write(
    path: &Path,
    partition: Struct,
    positions: &Positions,
    dirty: &mut Dirty,
) -> Result<DataFile, StoreError> {
    let rows: Vec<(&str, i64)> = positions
        .iter()
        .flat_map(|(file, rows)| {
            rows.iter().map(|row| (file.as_str(), i64::try_from(*row).unwrap_or(i64::MAX)))
        })
        .collect();
    let paths: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
    let batch = RecordBatch::try_new(Arc::clone(&SCHEMA), vec![paths, numbers])
        .map_err(StoreError::arrow(path))?;
    // Bounds stay whole: the locations share a long beginning, and readers prune by them.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .build();
    let file = Summed::new(dirty.file(path)?);
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&SCHEMA), Some(properties))
        .map_err(StoreError::parquet(path))?;
    writer.write(&batch).map_err(StoreError::parquet(path))?;
    writer.finish().map_err(StoreError::parquet(path))?;
    let (length, sum) = writer.inner().sync().map_err(StoreError::io(path))?;
    dirty.sum(path, sum);

    let paths = || positions.keys();
    let numbers = || rows.iter().map(|row| row.1);
    let bounds = |path: Option<&String>, number: Option<i64>| {
        HashMap::from([
            (PATH_ID, Datum::string(path.map_or("", String::as_str))),
            (POSITION_ID, Datum::long(number.unwrap_or_default())),
        ])
    };
    let mut builder = DataFileBuilder::default();
    builder
        .content(DataContentType::PositionDeletes)
        .file_path(Layout::uri(path))
        .file_format(DataFileFormat::Parquet)
        .partition(partition)
        .partition_spec_id(0)
        .record_count(rows.len() as u64)
        .file_size_in_bytes(length)
        .lower_bounds(bounds(paths().next(), numbers().min()))
        .upper_bounds(bounds(paths().next_back(), numbers().max()));
    if let (Some(only), 1) = (paths().next(), positions.len()) {
        builder.referenced_data_file(Some(only.clone()));
    }
    builder.build().map_err(|error| StoreError::damaged(path, error.to_string()))
}

/// Reads superseded positions by the location of their file.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, Vec<u64>>, StoreError> {
    let reader =
        source::open(path)?.with_batch_size(65_536).build().map_err(StoreError::parquet(path))?;
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let column = |name| {
            batch
                .column_by_name(name)
                .ok_or_else(|| StoreError::damaged(path, "columns are missing"))
        };
        let (files, rows) = (column("file_path")?, column("pos")?);
        let (Some(files), Some(rows)) =
            (files.as_string_opt::<i32>(), rows.as_primitive_opt::<Int64Type>())
        else {
            return Err(StoreError::damaged(path, "columns have other types"));
        };
        let mut last: Option<(&str, Vec<u64>)> = None;
        for at in 0..files.len() {
            let row = u64::try_from(rows.value(at)).unwrap_or(u64::MAX);
            match &mut last {
                Some((file, list)) if *file == files.value(at) => list.push(row),
                _ => {
                    if let Some((file, list)) = last.take() {
                        found.entry(file.to_owned()).or_default().extend(list);
                    }
                    last = Some((files.value(at), vec![row]));
                }
            }
        }
        if let Some((file, list)) = last {
            found.entry(file.to_owned()).or_default().extend(list);
        }
    }
    Ok(found)
}
