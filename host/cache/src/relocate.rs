//! Rewrites the locations in the table's metadata to where the store is now.
//!
//! hyp finds its files wherever the store lies. Other engines follow locations as they are written, so a
//! store that was moved needs this before they can read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use iceberg::spec::{DataFile, DataFileBuilder, Operation};

use crate::deletes::{self, Positions};
use crate::encode::partition_struct;
use crate::error::StoreError;
use crate::layout::{Dirty, Layout};
use crate::ledger;
use crate::publish::Edit;
use crate::table::Partition;
use crate::writer::Writer;

impl Writer {
    /// Rewrites all locations, if there are others than this folder's; says how many files had others.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written.
    pub fn relocate(&mut self) -> Result<u64, StoreError> {
        let layout = self.store.layout().clone();
        let is_moved = |location: &str, path: &Path| location != Layout::uri(path);
        let files = self.table.data.iter().map(|data| &data.live);
        let all = files.chain(self.table.deletes.iter().map(|deletes| &deletes.live));
        let count = all.filter(|live| is_moved(live.file.file_path(), &live.path)).count() as u64;
        let is_table_moved = self.table.metadata.location() != Layout::uri(&layout.table());
        let is_pointer_moved = self
            .table
            .location
            .as_deref()
            .is_some_and(|location| is_moved(location, &layout.resolve(location)));
        if self.table.location.is_none() || (count == 0 && !is_table_moved && !is_pointer_moved) {
            return Ok(0);
        }
        self.announce()?;
        let mut dirty = Dirty::default();
        let mut edit = Edit { forgets: true, moves: true, ..Edit::default() };
        let mut positions: BTreeMap<&Partition, Positions> = BTreeMap::new();
        for data in &self.table.data {
            let location = Layout::uri(&data.live.path);
            edit.data.push(moved(&data.live.file, &location, &data.live.path)?);
            edit.removed.insert(data.live.file.file_path().to_owned());
            if !data.deleted.is_empty() {
                let gone: BTreeSet<u64> = data.deleted.iter().copied().collect();
                positions.entry(&data.live.partition).or_default().insert(location, gone);
            }
        }
        edit.removed.extend(
            self.table.deletes.iter().map(|deletes| deletes.live.file.file_path().to_owned()),
        );
        // Files of deletes name others by their locations, so they are written anew.
        for (partition, positions) in positions {
            let path = self.new_file(partition, "deletes.parquet");
            let of = partition_struct(partition);
            edit.deletes.push(deletes::write(&path, of, &positions, &mut dirty)?);
        }
        let next = self.prepare(edit, Operation::Replace, dirty)?;
        self.swap(Some(&next), |connection| {
            ledger::journal(connection, &self.run_id, "relocated", &count.to_string())
        })?;
        self.adopt(next);
        Ok(count.max(1))
    }
}

/// Returns what the table keeps of a file, with another location.
fn moved(file: &DataFile, location: &str, path: &Path) -> Result<DataFile, StoreError> {
    let mut builder = DataFileBuilder::default();
    builder
        .content(file.content_type())
        .file_path(location.to_owned())
        .file_format(file.file_format())
        .partition(file.partition().clone())
        .partition_spec_id(0)
        .record_count(file.record_count())
        .file_size_in_bytes(file.file_size_in_bytes())
        .column_sizes(file.column_sizes().clone())
        .value_counts(file.value_counts().clone())
        .null_value_counts(file.null_value_counts().clone())
        .nan_value_counts(file.nan_value_counts().clone())
        .lower_bounds(file.lower_bounds().clone())
        .upper_bounds(file.upper_bounds().clone())
        .split_offsets(file.split_offsets().map(<[i64]>::to_vec));
    if let Some(order) = file.sort_order_id() {
        builder.sort_order_id(order);
    }
    builder.build().map_err(|error| StoreError::damaged(path, error.to_string()))
}
