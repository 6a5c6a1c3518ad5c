//! Data files: Parquet with bounds, bloom filters on ids, and no statistics of content.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::RecordBatch;
use hyp_model::dataset::{COLUMNS, Column, Type};
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, Literal, Struct,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::StoreError;
use crate::layout::{Dirty, Layout};
use crate::schema;
use crate::summed::Summed;
use crate::table::Partition;

/// Rows of a row group.
pub(crate) const GROUP_ROWS: usize = 16_384;

/// Share of ids that a bloom filter takes for stored although they are not.
const FALSE_HITS: f64 = 0.0001;

/// Level of zstd.
const LEVEL: i32 = 3;

/// Rows of a file whose columns are not compressed, content aside: to begin zstd anew for each of seventy columns takes
/// longer than all else, and such files are soon put into others.
const FEW_ROWS: u64 = 256;

/// Level of zstd for content; the next one takes three quarters more time for a hundredth of the bytes.
const CONTENT_LEVEL: i32 = 4;

/// Bytes of a page of content: zstd finds what repeats within a page only.
const CONTENT_PAGE: usize = 8 << 20;

/// Columns of ids that hardly repeat: lengths apart from letters leave zstd the letters alone.
const IDS: &[&str] =
    &["message_id", "part_id", "provider_uuid", "parent_uuid", "source_tool_assistant_uuid"];

/// Columns whose values are all different: a dictionary of them is wasted work.
const DISTINCT: &[&str] = &[
    "said_key",
    "previous_message_id",
    "tool_call_id",
    "tool_result_for",
    "replay_of",
    "input_offset",
    "message_created_at",
];

/// Writes one data file, batch by batch.
pub(crate) struct Encoder<'a> {
    path: &'a Path,
    partition: Partition,
    writer: ArrowWriter<Summed>,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(
        path: &'a Path,
        partition: Partition,
        rows: u64,
        dirty: &mut Dirty,
    ) -> Result<Self, StoreError> {
        let file = Summed::new(dirty.file(path)?);
        let writer = ArrowWriter::try_new(file, schema::file_schema(), Some(properties(rows)))
            .map_err(StoreError::parquet(path))?;
        Ok(Self { path, partition, writer })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.writer.write(batch).map_err(StoreError::parquet(self.path))
    }

    /// Brings the file to the disk and returns what the table keeps of it.
    pub(crate) fn finish(
        mut self,
        is_sorted: bool,
        dirty: &mut Dirty,
    ) -> Result<DataFile, StoreError> {
        let metadata = self.writer.finish().map_err(StoreError::parquet(self.path))?;
        let (length, sum) = self.writer.inner().sync().map_err(StoreError::io(self.path))?;
        dirty.sum(self.path, sum);
        data_file(self.path, &self.partition, &metadata, length, is_sorted)
    }
}

/// Returns how files of that many rows are written.
pub(crate) fn properties(rows: u64) -> WriterProperties {
    let compression = if rows > FEW_ROWS { zstd(LEVEL) } else { Compression::UNCOMPRESSED };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in COLUMNS.iter().filter(|column| column.is_content) {
        builder = builder
            .set_column_statistics_enabled(path_of(column), EnabledStatistics::None)
            .set_column_data_page_size_limit(path_of(column), CONTENT_PAGE)
            .set_column_compression(path_of(column), zstd(CONTENT_LEVEL))
            .set_column_dictionary_enabled(path_of(column), column.name == "status");
    }
    for name in DISTINCT {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*name), false);
    }
    for name in IDS {
        let path = ColumnPath::from(*name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY);
    }
    for name in ["session_id", "message_created_at"] {
        let path = ColumnPath::from(name);
        builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    for name in ["part_id", "said_key"] {
        let path = ColumnPath::from(name);
        builder = builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), FALSE_HITS)
            .set_column_bloom_filter_ndv(path, rows.clamp(1, GROUP_ROWS as u64));
    }
    builder.build()
}

fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default())
}

fn path_of(column: &Column) -> ColumnPath {
    ColumnPath::from(column.name)
}

/// Returns a partition as files carry it.
pub(crate) fn partition_struct(partition: &Partition) -> Struct {
    let (client, month) = partition;
    Struct::from_iter([Some(Literal::string(client)), Some(Literal::int(*month))])
}

/// Returns what the table keeps of a file that was written.
pub(crate) fn data_file(
    path: &Path,
    partition: &Partition,
    metadata: &ParquetMetaData,
    length: u64,
    is_sorted: bool,
) -> Result<DataFile, StoreError> {
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    let mut metrics = Metrics::default();
    for (at, (id, column)) in (1i32..).zip(COLUMNS).enumerate() {
        metrics.add(metadata, at, id, column, rows).map_err(StoreError::metadata(path))?;
    }
    let mut builder = DataFileBuilder::default();
    builder
        .content(DataContentType::Data)
        .file_path(Layout::uri(path))
        .file_format(DataFileFormat::Parquet)
        .partition(partition_struct(partition))
        .partition_spec_id(0)
        .record_count(rows)
        .file_size_in_bytes(length)
        .column_sizes(metrics.sizes)
        .value_counts(metrics.values)
        .null_value_counts(metrics.nulls)
        .lower_bounds(metrics.lower)
        .upper_bounds(metrics.upper)
        .split_offsets(Some(
            metadata.row_groups().iter().filter_map(|group| group.file_offset()).collect(),
        ));
    if is_sorted {
        builder.sort_order_id(1);
    }
    builder.build().map_err(|error| StoreError::damaged(path, error.to_string()))
}

/// What the table keeps of a file's columns.
#[derive(Default)]
struct Metrics {
    sizes: HashMap<i32, u64>,
    values: HashMap<i32, u64>,
    nulls: HashMap<i32, u64>,
    lower: HashMap<i32, Datum>,
    upper: HashMap<i32, Datum>,
}

impl Metrics {
    fn add(
        &mut self,
        metadata: &ParquetMetaData,
        at: usize,
        id: i32,
        column: &Column,
        rows: u64,
    ) -> iceberg::Result<()> {
        let kind = schema::primitive(column.kind);
        let (mut size, mut nulls) = (0, Some(0u64));
        let (mut lower, mut upper): (Option<Datum>, Option<Datum>) = (None, None);
        let mut is_bounded = !column.is_content;
        for group in metadata.row_groups() {
            let chunk = group.column(at);
            size += u64::try_from(chunk.compressed_size()).unwrap_or_default();
            let Some(statistics) = chunk.statistics() else {
                nulls = None;
                is_bounded = false;
                continue;
            };
            let here = statistics.null_count_opt();
            nulls = nulls.zip(here).map(|(sum, here)| sum + here);
            let (Some(low), Some(high)) = (statistics.min_bytes_opt(), statistics.max_bytes_opt())
            else {
                is_bounded &= here == u64::try_from(group.num_rows()).ok();
                continue;
            };
            let (low, high) = (
                Datum::try_from_bytes(low, kind.clone())?,
                Datum::try_from_bytes(high, kind.clone())?,
            );
            lower = Some(match lower {
                Some(least) if least <= low => least,
                _ => low,
            });
            upper = Some(match upper {
                Some(most) if most >= high => most,
                _ => high,
            });
        }
        self.sizes.insert(id, size);
        self.values.insert(id, rows);
        self.nulls.extend(nulls.map(|nulls| (id, nulls)));
        if is_bounded && column.kind != Type::Json {
            self.lower.extend(lower.map(|lower| (id, lower)));
            self.upper.extend(upper.map(|upper| (id, upper)));
        }
        Ok(())
    }
}
