//! The one writer of a store, for as long as it holds the lock.

use std::collections::{BTreeSet, HashMap};

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::index::Index;
use crate::kin::{Kin, Pending};
use crate::ledger::{self, Listing, RunEnd, RunStart, UnitState};
use crate::lock::Lock;
use crate::own::Own;
use crate::store::Store;
use crate::sweep::Rubbish;
use crate::table::Table;
use crate::threads::{Number, Threads};
use crate::{crashed, facts, graves, purge, sweep};

/// Status of a run that came to no good end.
const FAILED: &str = "failed";

/// Writes to a store. Its lock is held until it is dropped.
pub struct Writer {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) run_id: String,
    pub(crate) table: Table,
    pub(crate) index: Index,
    pub(crate) own: Own,
    pub(crate) threads: Threads,
    pub(crate) kin: Kin,
    pub(crate) pending: Pending,
    /// Inputs that this run found to be told by rows of others, and that the next one has to read.
    pub(crate) stale: BTreeSet<String>,
    pub(crate) chunks: i64,
    pub(crate) is_marked: bool,
    /// What was removed when the lock was taken.
    pub(crate) swept: Rubbish,
    /// Ids that had more than one row when the lock was taken.
    pub(crate) doubles: Vec<String>,
    /// True when another program had written to the table.
    pub(crate) is_foreign: bool,
    /// False where nothing was ever purged with its copies.
    pub(crate) has_graves: bool,
    pub(crate) is_lineage_loaded: bool,
    /// True once the catalog tells what is changed in its ledgers.
    pub(crate) is_watched: bool,
    /// Number of the first thread that this writer brought.
    pub(crate) first_new: Number,
    _lock: Lock,
}

impl Writer {
    pub(crate) fn new(
        store: Store,
        lock: Lock,
        catalog: Catalog,
        run_id: &str,
    ) -> Result<Self, StoreError> {
        let layout = store.layout();
        let table = match catalog.pointer()? {
            Some(location) => Table::load(layout, &location)?,
            None => Table::new(layout)?,
        };
        let swept = match sweep::sweep(layout, &catalog, &table) {
            // What is left over may lie: `collect` tells why it does.
            Err(StoreError::Copy { .. }) => Rubbish::default(),
            swept => swept?,
        };
        purge::finish(layout, &catalog, &table)?;
        crashed::note(&catalog.connection, run_id).map_err(|error| catalog.error(error))?;
        let mut writer = Self {
            store,
            catalog,
            run_id: run_id.to_owned(),
            table,
            index: Index::default(),
            own: Own::default(),
            threads: Threads::default(),
            kin: Kin::default(),
            pending: Pending::default(),
            stale: BTreeSet::new(),
            chunks: 0,
            is_marked: false,
            swept,
            doubles: Vec::new(),
            is_foreign: false,
            has_graves: false,
            is_lineage_loaded: false,
            is_watched: false,
            first_new: 0,
            _lock: lock,
        };
        writer.chunks = writer.chunks_of(run_id)?;
        writer.take_in_foreign()?;
        Ok(writer)
    }

    /// Returns how many commits a run has made: one may be gone on with under its id.
    fn chunks_of(&self, run_id: &str) -> Result<i64, StoreError> {
        let asked = "SELECT coalesce(max(number), 0) FROM chunks WHERE run_id = ?1";
        let number = self.catalog.connection.query_row(asked, [run_id], |row| row.get(0));
        number.map_err(|error| self.catalog.error(error))
    }

    /// Returns the store that is written to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the inputs that were found to have to be read again. The ledger says so to the next run, too, until that
    /// is done.
    pub fn take_stale(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.stale)
    }

    /// Returns what is known of a provider's units.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn units(&self, provider: &str) -> Result<HashMap<String, UnitState>, StoreError> {
        ledger::units(&self.catalog, provider)
    }

    /// Returns what a provider's source looked like when it was last imported whole.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn listing(&self, provider: &str) -> Result<Option<Listing>, StoreError> {
        ledger::listing(&self.catalog, provider)
    }

    /// Does what a run is to do, and notes that it began and how it ended, whatever happens. What is committed meanwhile is
    /// the run's; it may be another one than that which took the lock.
    ///
    /// `work` puts into the end what the run came to, as it comes to it. The status is `ok` if it says no other, and
    /// `failed` after an error.
    ///
    /// # Errors
    /// Fails as `work` does, and when the catalog cannot be written. Of two errors the first one is returned.
    pub fn run<T, E: From<StoreError>>(
        &mut self,
        start: &RunStart,
        now: impl FnOnce() -> i64,
        work: impl FnOnce(&mut Self, &mut RunEnd) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin_run(start)?;
        let mut end =
            RunEnd { run_id: start.run_id.clone(), status: "ok".to_owned(), ..RunEnd::default() };
        let is_other = self.run_id != start.run_id;
        let chunks = if is_other { self.chunks_of(&start.run_id)? } else { self.chunks };
        let outer = (
            std::mem::replace(&mut self.run_id, start.run_id.clone()),
            std::mem::replace(&mut self.chunks, chunks),
        );
        let done = work(self, &mut end);
        if is_other {
            (self.run_id, self.chunks) = outer;
        }
        if done.is_err() {
            end.status = FAILED.to_owned();
        }
        end.ended_at = now();
        let ended = self.end_run(&end);
        let done = done?;
        ended?;
        Ok(done)
    }

    /// Notes that a run began.
    pub(crate) fn begin_run(&mut self, run: &RunStart) -> Result<(), StoreError> {
        ledger::begin_run(&self.catalog.connection, run).map_err(|error| self.catalog.error(error))
    }

    /// Settles facts about messages that arrived after them, and notes how a run ended.
    pub(crate) fn end_run(&mut self, run: &RunEnd) -> Result<(), StoreError> {
        let settled = facts::settle(self);
        let mut run = run.clone();
        if settled.is_err() {
            run.status = FAILED.to_owned();
        }
        let noted = ledger::end_run(&self.catalog.connection, &run);
        settled.and(noted.map_err(|error| self.catalog.error(error)))
    }

    /// Reads what copies are told by, the first time that it is needed.
    pub(crate) fn load_lineage(&mut self) -> Result<(), StoreError> {
        if self.is_lineage_loaded {
            return Ok(());
        }
        let failed = |error| self.catalog.error(error);
        self.threads = Threads::load(&self.catalog.connection).map_err(failed)?;
        self.kin = Kin::load(&self.catalog.connection).map_err(failed)?;
        self.first_new = self.threads.next();
        self.has_graves = graves::any(&self.catalog.connection).map_err(failed)?;
        self.is_lineage_loaded = true;
        Ok(())
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("store", &self.store).field("run_id", &self.run_id).finish()
    }
}
