//! A file without some of its rows: groups of rows that lose none are taken over as they are.
//!
//! Unpacking and packing is most of the work of a purge, and most sessions lie in one group of a file.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use iceberg::spec::DataFile;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::writer::SerializedFileWriter;

use crate::encode::{data_file, properties};
use crate::error::StoreError;
use crate::layout::Dirty;
use crate::schema::file_schema;
use crate::summed::Summed;
use crate::table::LiveData;
use crate::{rows, source};

/// A file being written.
type Out = SerializedFileWriter<Summed>;

/// Writes a file's rows without those at `gone`, in ascending order. At least one is left, and the file
/// [is current](is_current).
pub(super) fn thin(
    data: &LiveData,
    gone: &[u64],
    path: &Path,
    dirty: &mut Dirty,
) -> Result<DataFile, StoreError> {
    let from = &data.live.path;
    let source = File::open(from).map_err(StoreError::io(from))?;
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Optional)
        .parse_and_finish(&source)
        .map_err(StoreError::parquet(from))?;
    let count = data.live.file.record_count();
    let writer = ArrowWriter::try_new(
        Summed::new(dirty.file(path)?),
        file_schema(),
        Some(properties(count)),
    );
    let (mut out, groups) =
        writer.and_then(ArrowWriter::into_serialized_writer).map_err(StoreError::parquet(path))?;
    let mut first = 0;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let rows = first..first + u64::try_from(group.num_rows()).unwrap_or_default();
        first = rows.end;
        let lost = &gone[gone.partition_point(|row| *row < rows.start)..];
        let lost = &lost[..lost.partition_point(|row| *row < rows.end)];
        if lost.is_empty() {
            take_over(&source, &metadata, number, &mut out).map_err(StoreError::parquet(path))?;
        } else if (lost.len() as u64) < rows.end - rows.start {
            let lost = lost.iter().map(|row| row - rows.start);
            let left =
                rows::between(lost, usize::try_from(rows.end - rows.start).unwrap_or_default());
            write_anew(from, number, left, (&mut out, &groups))?;
        }
    }
    let written = out.finish().map_err(StoreError::parquet(path))?;
    let (length, sum) = out.inner().sync().map_err(StoreError::io(path))?;
    dirty.sum(path, sum);
    let is_sorted = data.live.file.sort_order_id() == Some(1);
    data_file(path, &data.live.partition, &written, length, is_sorted)
}

/// Says whether a file has the columns of those that are written now.
pub(super) fn is_current(data: &LiveData) -> Result<bool, StoreError> {
    let path = &data.live.path;
    let builder = source::open(path)?;
    let (here, now) = (builder.schema(), file_schema());
    let is_same = |(here, now): (&Arc<_>, &Arc<_>)| {
        let (here, now): (&arrow::datatypes::Field, &arrow::datatypes::Field) = (here, now);
        here.name() == now.name()
            && here.data_type() == now.data_type()
            && here.is_nullable() == now.is_nullable()
    };
    Ok(here.fields().len() == now.fields().len()
        && here.fields().iter().zip(now.fields()).all(is_same))
}

/// Copies a group with its bounds and filters, packed as it is.
fn take_over(
    source: &File,
    metadata: &ParquetMetaData,
    number: usize,
    out: &mut Out,
) -> Result<(), ParquetError> {
    let group = metadata.row_group(number);
    let mut to = out.next_row_group()?;
    for (at, column) in group.columns().iter().enumerate() {
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
            rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
            metadata: column.clone(),
            bloom_filter: Sbbf::read_from_column_chunk(column, source)?,
            column_index: metadata.column_index().map(|groups| groups[number][at].clone()),
            offset_index: metadata.offset_index().map(|groups| groups[number][at].clone()),
        };
        to.append_column(source, close)?;
    }
    to.close().map(|_| ())
}

/// Writes some rows of a group into a group of their own.
fn write_anew(
    from: &Path,
    number: usize,
    left: Vec<Range<usize>>,
    (out, groups): (&mut Out, &ArrowRowGroupWriterFactory),
) -> Result<(), StoreError> {
    let failed = |error| StoreError::parquet(from)(error);
    let builder = source::open(from)?;
    let total =
        usize::try_from(builder.metadata().row_group(number).num_rows()).unwrap_or_default();
    let reader = builder
        .with_row_groups(vec![number])
        .with_row_selection(RowSelection::from_consecutive_ranges(left.into_iter(), total))
        .with_batch_size(1_024)
        .build()
        .map_err(failed)?;
    let schema = file_schema();
    let mut writers =
        groups.create_column_writers(out.flushed_row_groups().len()).map_err(failed)?;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(from))?;
        let batch = rows::conform(&batch).map_err(|reason| StoreError::damaged(from, reason))?;
        let mut next = writers.iter_mut();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column).map_err(failed)? {
                let writer =
                    next.next().ok_or_else(|| StoreError::damaged(from, "columns differ"))?;
                writer.write(&leaf).map_err(failed)?;
            }
        }
    }
    let mut to = out.next_row_group().map_err(failed)?;
    for writer in writers {
        let chunk = writer.close().map_err(failed)?;
        chunk.append_to_row_group(&mut to).map_err(failed)?;
    }
    to.close().map_err(failed)?;
    Ok(())
}
