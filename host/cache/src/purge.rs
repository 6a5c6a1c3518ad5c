//! Takes rows out of the store for good: out of files, snapshots, bounds, ledgers and free pages.
//!
//! Read first: [`Purge`], what can be asked; `select`, which rows that is; `rewrite`, how files lose them.
//! What comes back later is kept out by `graves`, `ghosts` and `forgotten`.

use std::collections::{BTreeMap, BTreeSet};

use iceberg::spec::Operation;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::clock;
use crate::error::StoreError;
use crate::failpoint;
use crate::forgotten;
use crate::gather::Work;
use crate::index::Index;
use crate::layout::Dirty;
use crate::store::Store;
use crate::table::Table;
use crate::threads::{Number, Threads};
use crate::writer::Writer;

mod erase;
mod ledgers;
mod left;
mod rewrite;
mod scan;
mod select;
mod thin;

pub(crate) use erase::finish;
pub(crate) use select::grave;

/// What is to be purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Which rows.
    pub what: Selector,
    /// True where copies of them that stand elsewhere stay.
    pub keeps_copies: bool,
}

/// Which rows are to be purged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selector {
    /// All.
    All,
    /// Those older than a time, in microseconds.
    Before(i64),
    /// Those that a provider read.
    Provider(String),
    /// Those of sessions or threads, by id, and of the threads that they started.
    Sessions(Vec<String>),
    /// Those whose working directory is one of these or below it.
    Paths(Vec<String>),
}

/// What a purge took, or would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Purged {
    /// Rows, copies included.
    pub rows: u64,
    /// Of these, copies that stood elsewhere.
    pub copies: u64,
    /// Threads that lost rows.
    pub threads: u64,
    /// Of these, threads of which nothing is left.
    pub whole_threads: u64,
    /// Data files that were rewritten or removed.
    pub files: u64,
    /// False while another program reads the catalog and keeps its old pages; the next writer ends the work.
    pub is_erased: bool,
}

impl Store {
    /// Says what a purge would take. Nothing is changed.
    ///
    /// # Errors
    /// Fails when the catalog or a data file cannot be read.
    pub fn plan_purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Purged::default()) };
        let table = match catalog.pointer()? {
            Some(location) => Table::load(self.layout(), &location)?,
            None => return Ok(Purged::default()),
        };
        let threads = Threads::load(&catalog.connection).map_err(|error| catalog.error(error))?;
        let mut index = Index::default();
        let sources = Sources { table: &table, catalog: &catalog, threads: &threads };
        let selection = select::select(sources, &mut index, purge)?;
        let left = select::left(sources, &selection)?;
        let victims = rewrite::victims(&table, &selection.positions(), &selection.ids)?;
        Ok(selection.count(&left, victims.len() as u64))
    }
}

/// What rows are selected from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) table: &'a Table,
    pub(crate) catalog: &'a Catalog,
    pub(crate) threads: &'a Threads,
}

impl Writer {
    /// Purges rows. When this returns, no file of the store holds them, and no import brings them back.
    ///
    /// A failure, or a crash, leaves the store as it was, or as it should be but for old files that the next
    /// writer removes.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written, or another program changed the table.
    pub fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.load_lineage()?;
        self.execute("BEGIN IMMEDIATE")?;
        let done = self.purge_within(purge).and_then(|done| {
            self.execute("COMMIT")?;
            Ok(done)
        });
        // Threads and their kin are as the catalog has them now, whatever happened.
        self.is_lineage_loaded = false;
        self.own = Default::default();
        self.pending = Default::default();
        let mut purged = match done {
            Ok(purged) => purged,
            Err(error) => {
                self.execute("ROLLBACK")?;
                return Err(error);
            }
        };
        failpoint::hit("after_catalog")?;
        if let Some(location) = self.catalog.pointer()? {
            self.table = Table::load(self.store.layout(), &location)?;
        }
        Index::retain(&mut self.index, &self.table.data);
        purged.is_erased = self.finish_purge()?;
        Ok(purged)
    }

    /// Erases old files and pages; false while somebody reads them.
    fn finish_purge(&mut self) -> Result<bool, StoreError> {
        let is_erased = finish(self.store.layout(), &self.catalog, &self.table)?;
        self.is_marked = self.store.layout().unswept().exists();
        Ok(is_erased)
    }

    fn purge_within(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        let now = clock::now();
        let sources =
            Sources { table: &self.table, catalog: &self.catalog, threads: &self.threads };
        let selection = select::select(sources, &mut self.index, purge)?;
        let left = select::left(sources, &selection)?;
        let victims = rewrite::victims(&self.table, &selection.positions(), &selection.ids)?;
        let purged = selection.count(&left, victims.len() as u64);
        let latest = selection.picked().map(|picked| picked.created_at).max();
        let until = latest.map_or(now, |latest| latest.max(now));
        let known = |thread: &Number| self.threads.get(*thread).filter(|known| !known.is_ghost);
        let family = selection.chosen.iter().filter_map(known).map(|it| it.thread_id.as_str());
        let write = || forgotten::put(&self.catalog.connection, purge, family, until);
        write().map_err(|error| self.catalog.error(error))?;
        let work = if purge.keeps_copies {
            self.settle_without(&selection, &left)?
        } else {
            self.lay_to_rest(&selection, &left)?;
            Work::default()
        };
        self.tell(purge, &purged)?;
        if self.table.location.is_some() {
            self.publish_without(&selection.positions(), victims, work)?;
        }
        failpoint::hit("in_catalog")?;
        Ok(purged)
    }

    /// Writes the files that take the place of those with purged rows, and moves the pointer.
    fn publish_without(
        &mut self,
        gone: &BTreeMap<String, BTreeSet<u64>>,
        victims: BTreeSet<String>,
        work: Work,
    ) -> Result<(), StoreError> {
        self.announce()?;
        let mut dirty = Dirty::default();
        let edit = self.rewrite(gone, &victims, work, &mut dirty)?;
        let next = self.prepare(edit, Operation::Overwrite, dirty)?;
        let is_swapped = next.put(&self.catalog.connection, self.table.location.as_deref());
        if !is_swapped.map_err(|error| self.catalog.error(error))? {
            return Err(StoreError::Conflict { path: self.catalog.path.clone() });
        }
        Ok(())
    }

    pub(crate) fn execute(&self, statement: &str) -> Result<(), StoreError> {
        let done = self.catalog.connection.execute_batch(statement);
        done.map_err(|error| self.catalog.error(error))
    }
}
