//! Rewrites the locations in the metadata of tables to where the store is now.
//!
//! hyp finds its files wherever the store lies. Other engines follow locations as they are written, so a
//! store that was moved needs this before they can read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use iceberg::spec::{DataFile, DataFileBuilder, Operation, Struct};
use rusqlite::Connection;

use crate::datasets::new_path;
use crate::deletes::{self, Positions};
use crate::encode::partition_struct;
use crate::error::StoreError;
use crate::install::Next;
use crate::layout::{Dirty, Layout};
use crate::ledger;
use crate::publish::Edit;
use crate::table::{LiveFile, Partition, Table};
use crate::writer::Writer;

impl Writer {
    /// Rewrites all locations of all tables, if there are others than this folder's; says how many files had others.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written.
    pub fn relocate(&mut self) -> Result<u64, StoreError> {
        let mut count = 0;
        if is_elsewhere(self.store.layout(), &self.table) {
            self.announce()?;
            let place =
                |of: &Partition| (self.new_file(of, "deletes.parquet"), partition_struct(of));
            let moving = moving(&self.table, place)?;
            count += moving.count;
            let next = self.prepare(moving.edit, Operation::Replace, moving.dirty)?;
            self.swap(Some(&next), |connection| self.note_relocated(connection, moving.count))?;
            self.adopt(next);
        }
        for name in self.catalog.datasets()? {
            count += self.relocate_dataset(&name)?;
        }
        Ok(count)
    }

    fn relocate_dataset(&mut self, name: &str) -> Result<u64, StoreError> {
        let layout = self.store.layout().clone();
        let Some(location) = self.catalog.pointer_of(name)? else { return Ok(0) };
        let table = Table::load(&layout, &location)?;
        if !is_elsewhere(&layout, &table) {
            return Ok(0);
        }
        self.announce()?;
        let place = |_: &Partition| (new_path(&table, "deletes.parquet"), Struct::empty());
        let Moving { edit, dirty, count } = moving(&table, place)?;
        let next = Next::of(&layout, &table, edit, Operation::Replace, dirty)?;
        self.swap_from(Some(&location), Some(&next), |connection| {
            self.note_relocated(connection, count)
        })?;
        Ok(count)
    }

    fn note_relocated(&self, connection: &Connection, count: u64) -> rusqlite::Result<()> {
        ledger::journal(connection, &self.run_id, "relocated", &count.to_string())
    }
}

/// Says whether a table, its metadata or a file of it is written down elsewhere than it lies.
pub(crate) fn is_elsewhere(layout: &Layout, table: &Table) -> bool {
    let Some(pointer) = table.location.as_deref() else { return false };
    let is_moved = |location: &str, path: &Path| location != Layout::uri(path);
    is_moved(pointer, &layout.resolve(pointer))
        || is_moved(table.metadata.location(), &table.folder)
        || files(table).any(|live| is_moved(live.file.file_path(), &live.path))
}

fn files(table: &Table) -> impl Iterator<Item = &LiveFile> {
    let data = table.data.iter().map(|data| &data.live);
    data.chain(table.deletes.iter().map(|deletes| &deletes.live))
}

/// A table's files under the locations that they have now.
struct Moving {
    edit: Edit,
    dirty: Dirty,
    /// Files that had other locations, or one where the table alone had.
    count: u64,
}

/// Makes the edit that writes down where files lie. Files of deletes name others by their locations, so they are written
/// anew; `place` says where.
fn moving(
    table: &Table,
    place: impl Fn(&Partition) -> (PathBuf, Struct),
) -> Result<Moving, StoreError> {
    let had_others = files(table).filter(|live| live.file.file_path() != Layout::uri(&live.path));
    let count = (had_others.count() as u64).max(1);
    let mut dirty = Dirty::default();
    let mut edit = Edit { forgets: true, moves: true, ..Edit::default() };
    let mut positions: BTreeMap<&Partition, Positions> = BTreeMap::new();
    for data in &table.data {
        let location = Layout::uri(&data.live.path);
        edit.data.push(moved(&data.live.file, &location, &data.live.path)?);
        if !data.deleted.is_empty() {
            let gone: BTreeSet<u64> = data.deleted.iter().copied().collect();
            positions.entry(&data.live.partition).or_default().insert(location, gone);
        }
    }
    edit.removed.extend(files(table).map(|live| live.file.file_path().to_owned()));
    for (partition, positions) in positions {
        let (path, of) = place(partition);
        edit.deletes.push(deletes::write(&path, of, &positions, &mut dirty)?);
    }
    Ok(Moving { edit, dirty, count })
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
