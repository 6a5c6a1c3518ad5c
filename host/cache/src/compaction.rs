//! Puts the small files of a partition into one, without the rows that were superseded.

use std::collections::BTreeSet;
use std::fs::File;

use arrow::array::RecordBatch;
use arrow::compute::{concat_batches, take_record_batch};
use iceberg::spec::Operation;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};

use crate::encode::Encoder;
use crate::error::StoreError;
use crate::index::Index;
use crate::layout::Dirty;
use crate::publish::{Edit, publish};
use crate::schema::file_schema;
use crate::table::{LiveData, Partition, Table};
use crate::writer::Writer;
use crate::{catalog, failpoint, rows, split};

/// Small files, or files of superseded rows, that a partition may have.
const FILES: usize = 8;

/// Size from which on a file is left alone.
const SMALL: u64 = 8 << 20;

/// Bytes of files, compressed, up to which rows are sorted again instead of strung together.
const SORTED: u64 = 6 << 20;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 1_024;

impl Writer {
    /// Compacts the newest partition that has too many files, if there is one.
    pub(crate) fn compact(&mut self) -> Result<(), StoreError> {
        let Some(partition) = self.crowded() else { return Ok(()) };
        failpoint::hit("before_compaction")?;
        let old: Vec<&LiveData> = self
            .table
            .data
            .iter()
            .filter(|data| data.live.partition == partition)
            .filter(|data| data.live.file.file_size_in_bytes() < SMALL || !data.deleted.is_empty())
            .collect();
        let mut edit = Edit::default();
        edit.removed.extend(old.iter().map(|data| data.live.file.file_path().to_owned()));
        for deletes in &self.table.deletes {
            // A file goes when all that it names goes or is gone.
            let is_kept = self.table.data.iter().any(|data| {
                let file = data.live.file.file_path();
                deletes.targets.contains(file) && !edit.removed.contains(file)
            });
            if deletes.live.partition == partition && !is_kept {
                edit.removed.insert(deletes.live.file.file_path().to_owned());
            }
        }
        let mut dirty = Dirty::default();
        let path = self.new_file(&partition, "parquet");
        let left = |data: &LiveData| data.live.file.record_count() - data.deleted.len() as u64;
        let count: u64 = old.iter().map(|data| left(data)).sum();
        let bytes: u64 = old.iter().map(|data| data.live.file.file_size_in_bytes()).sum();
        let is_own = old.iter().all(|data| self.own.files().contains(data.live.file.file_path()));
        if count > 0 {
            let mut encoder = Encoder::new(&path, partition, count, &mut dirty)?;
            let is_sorted = bytes <= SORTED;
            if is_sorted {
                encoder.write(&all_sorted(&old)?)?;
            } else {
                for data in old {
                    each_batch(data, |batch| encoder.write(&batch))?;
                }
            }
            edit.data.push(encoder.finish(is_sorted)?);
        }
        let added: Vec<String> = edit.data.iter().map(|file| file.file_path().to_owned()).collect();
        let layout = self.store.layout();
        let location = publish(layout, &self.table, edit, Operation::Replace, &mut dirty)?;
        let table = Table::load(layout, &location)?;
        let connection = &self.catalog.connection;
        let is_swapped = catalog::swap(connection, self.table.location.as_deref(), &location)
            .map_err(|error| self.catalog.error(error))?;
        if !is_swapped {
            return Err(StoreError::Conflict { path: self.catalog.path.clone() });
        }
        self.table = table;
        Index::retain(&mut self.index, &self.table.data);
        if is_own {
            added.into_iter().for_each(|file| self.own.add_file(file));
        }
        Ok(())
    }

    /// Returns the newest partition with too many files.
    fn crowded(&self) -> Option<Partition> {
        let mut counts: std::collections::BTreeMap<(i32, &str), (usize, usize)> =
            Default::default();
        for data in &self.table.data {
            let (client, month) = &data.live.partition;
            let is_small = data.live.file.file_size_in_bytes() < SMALL;
            counts.entry((*month, client)).or_default().0 += usize::from(is_small);
        }
        for deletes in &self.table.deletes {
            let (client, month) = &deletes.live.partition;
            counts.entry((*month, client)).or_default().1 += 1;
        }
        let crowded =
            counts.into_iter().rev().find(|(_, (data, deletes))| *data > FILES || *deletes > FILES);
        crowded.map(|((month, client), _)| (client.to_owned(), month))
    }
}

/// Reads a file's rows that are not superseded.
fn each_batch(
    data: &LiveData,
    mut take: impl FnMut(RecordBatch) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let path = &data.live.path;
    let file = File::open(path).map_err(StoreError::io(path))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(StoreError::parquet(path))?
        .with_batch_size(BATCH_ROWS);
    if !data.deleted.is_empty() {
        let total =
            usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let gone: BTreeSet<usize> =
            data.deleted.iter().filter_map(|row| usize::try_from(*row).ok()).collect();
        let mut kept = Vec::new();
        let mut from = 0;
        for row in gone.into_iter().chain([total]) {
            if row > from {
                kept.push(from..row);
            }
            from = row + 1;
        }
        let selection = RowSelection::from_consecutive_ranges(kept.into_iter(), total);
        builder = builder.with_row_selection(selection);
    }
    for batch in builder.build().map_err(StoreError::parquet(path))? {
        let batch = batch.map_err(StoreError::arrow(path))?;
        take(rows::conform(&batch).map_err(|reason| StoreError::damaged(path, reason))?)?;
    }
    Ok(())
}

fn all_sorted(files: &[&LiveData]) -> Result<RecordBatch, StoreError> {
    let mut batches = Vec::new();
    for data in files {
        each_batch(data, |batch| {
            batches.push(batch);
            Ok(())
        })?;
    }
    let rows = concat_batches(&file_schema(), &batches).map_err(StoreError::rows)?;
    take_record_batch(&rows, &split::sorted(&rows)?).map_err(StoreError::rows)
}
