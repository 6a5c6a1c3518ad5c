//! Puts an edit into force: metadata first, then the pointer and all that belongs to it in one transaction.

use std::collections::BTreeSet;

use iceberg::spec::Operation;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::index::Index;
use crate::layout::{Dirty, Layout};
use crate::publish::{Edit, publish};
use crate::table::Table;
use crate::writer::Writer;
use crate::{catalog, failpoint, sweep};

/// A table that is written whole, and that nothing points at yet.
pub(crate) struct Next {
    pub(crate) table: Table,
    /// Checksums of the files that it adds, by their names.
    sums: Vec<(String, u32)>,
    /// Names of the files that it no longer has.
    removed: BTreeSet<String>,
}

impl Writer {
    /// Notes that files are about to be written.
    pub(crate) fn announce(&mut self) -> Result<(), StoreError> {
        if !self.is_marked {
            sweep::mark(self.store.layout())?;
            self.is_marked = true;
        }
        Ok(())
    }

    /// Writes the metadata of an edit whose files are written.
    pub(crate) fn prepare(
        &self,
        edit: Edit,
        operation: Operation,
        dirty: Dirty,
    ) -> Result<Next, StoreError> {
        Next::of(self.store.layout(), &self.table, edit, operation, dirty)
    }

    /// Moves the pointer, if there is a next table, and writes what belongs to it, in one transaction.
    pub(crate) fn swap(
        &self,
        next: Option<&Next>,
        record: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        self.swap_from(self.table.location.as_deref(), next, record)
    }

    /// Moves the pointer of any table from where it was.
    pub(crate) fn swap_from(
        &self,
        from: Option<&str>,
        next: Option<&Next>,
        record: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let write = || -> rusqlite::Result<bool> {
            let transaction = self.catalog.connection.unchecked_transaction()?;
            if let Some(next) = next
                && !next.put(&transaction, from)?
            {
                return Ok(false);
            }
            record(&transaction)?;
            if failpoint::hit("in_catalog").is_err() {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            transaction.commit()?;
            Ok(true)
        };
        let is_swapped = write().map_err(|error| self.catalog.error(error))?;
        if !is_swapped {
            return Err(StoreError::Conflict { path: self.catalog.path.clone() });
        }
        Ok(())
    }

    /// Goes on with the table that the pointer names now.
    pub(crate) fn adopt(&mut self, next: Next) {
        self.table = next.table;
        if !next.removed.is_empty() {
            Index::retain(&mut self.index, &self.table.data);
        }
    }
}

impl Next {
    /// Writes the metadata of an edit of a table.
    pub(crate) fn of(
        layout: &Layout,
        table: &Table,
        edit: Edit,
        operation: Operation,
        mut dirty: Dirty,
    ) -> Result<Self, StoreError> {
        let sums = std::mem::take(&mut dirty.sums);
        let name = |location: &String| Layout::name_of(location).to_owned();
        let mut removed: BTreeSet<String> = edit.removed.iter().map(name).collect();
        let location = publish(table, edit, operation, &mut dirty)?;
        let table = Table::load(layout, &location)?;
        // Those that only have another location keep their names.
        for data in &table.data {
            removed.remove(Layout::name_of(data.live.file.file_path()));
        }
        Ok(Self { table, sums, removed })
    }

    /// Moves the pointer within a transaction; false where another program moved it.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        from: Option<&str>,
    ) -> rusqlite::Result<bool> {
        let to = self.table.location.as_deref().unwrap_or_default();
        if !catalog::swap(connection, self.table.name(), from, to)? {
            return Ok(false);
        }
        let mut add = connection.prepare("INSERT OR REPLACE INTO files VALUES (?1, ?2)")?;
        for (name, sum) in &self.sums {
            add.execute((name, sum))?;
        }
        let mut remove = connection.prepare("DELETE FROM files WHERE name = ?1")?;
        for name in &self.removed {
            remove.execute([name])?;
        }
        Ok(true)
    }
}
