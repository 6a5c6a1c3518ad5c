//! Undoing a run: the store as if the run had never been.
//!
//! Each commit keeps what it replaces, in `undo_log`: stored rows as they were, and entries of the ledgers as they were.
//! What it only adds is not kept twice: rows carry the id of their run, and keys of new threads go with the threads.
//! An undo reads that backwards. It is a run of its own, with a log of its own, so that it can be undone as well.
//!
//! Threads that later runs worked on stay as they are, with their relatives: what was made from a row since would no
//! longer be true. Those runs are to be undone first.
//!
//! Read first: [`Undone`], what came of it; `plan`, what goes back; `capture`, how it is known.

use iceberg::spec::Operation;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::clock;
use crate::commit::Committed;
use crate::error::StoreError;
use crate::failpoint;
use crate::gather::Work;
use crate::index::Index;
use crate::kin::Kin;
use crate::layout::Dirty;
use crate::lease;
use crate::ledger;
use crate::publish::Edit;
use crate::rows;
use crate::store::Store;
use crate::table::Table;
use crate::threads::{Number, Threads};
use crate::writer::Writer;

pub(crate) mod capture;
mod error;
mod families;
mod log;
mod note;
pub(crate) mod parcel;
mod plan;
mod restore;

pub(crate) use capture::clear;
pub use error::UndoError;
use log::RUN_BYTES;
pub(crate) use log::{KEPT, Upcoming, expire, forget};
use note::owners;
pub(crate) use parcel::Was;
use parcel::{Images, Packed, Packer};
use plan::{Plan, Sources};

/// What an undo did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Undone {
    /// The run that is undone.
    pub undoes: String,
    /// Rows that go, and nothing takes their place.
    pub rows_removed: u64,
    /// Rows that go back to what they were.
    pub rows_restored: u64,
    /// Rows that come back.
    pub rows_returned: u64,
    /// Rows that the run changed, and that expired or were purged since.
    pub rows_retired: u64,
    /// Rows that stay as the run left them.
    pub rows_kept: u64,
    /// Threads that go back.
    pub threads: u64,
    /// Units that the next import reads as if the run had not.
    pub units: u64,
    /// Threads that stay as they are, since later runs built on them.
    pub kept: Vec<KeptThread>,
    /// True when it was done.
    pub is_done: bool,
    /// False where what it replaced is too large to be kept: it cannot be undone then.
    pub can_be_undone: bool,
}

/// A thread that stays as a run left it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptThread {
    /// The thread, if it is still known.
    pub thread_id: Option<String>,
    /// Rows of the run that stay.
    pub rows: u64,
    /// The run that worked on it, or on a relative of it, last.
    pub since: String,
}

/// How far an undo goes where later runs are in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is not done at all then.
    Whole,
    /// What can go back does.
    Partial,
}

impl Store {
    /// Says why what a run did does not stand, if it does not: it is unknown, wrote nothing, or was undone.
    ///
    /// # Errors
    /// Fails with that, or when the store cannot be read.
    pub fn check_stands(&self, run_id: &str) -> Result<(), UndoError> {
        let unknown = || UndoError::Unknown { run_id: run_id.to_owned() };
        let catalog = self.reader()?.ok_or_else(unknown)?;
        let stands = plan::stands(&catalog.connection, run_id);
        stands.map_err(|error| catalog.error(error))?
    }

    /// Says what undoing a run would do. Nothing is changed.
    ///
    /// # Errors
    /// Fails when the run cannot be undone at all, or the store cannot be read.
    pub fn plan_undo(&self, run_id: &str) -> Result<Undone, UndoError> {
        let unknown = || UndoError::Unknown { run_id: run_id.to_owned() };
        // Files stay until the plan is made.
        let _lease = lease::take(&self.layout().readers());
        let catalog = self.reader()?.ok_or_else(unknown)?;
        if catalog.is_behind()? {
            return Err(UndoError::Older { run_id: run_id.to_owned() });
        }
        let table = match catalog.pointer()? {
            Some(location) => Table::load(self.layout(), &location)?,
            None => Table::new(self.layout())?,
        };
        let failed = |error| catalog.error(error);
        let threads = Threads::load(&catalog.connection).map_err(failed)?;
        let kin = Kin::load(&catalog.connection).map_err(failed)?;
        let sources = Sources { table: &table, catalog: &catalog, threads: &threads, kin: &kin };
        let plan = Plan::new(&sources, &mut Index::default(), run_id)?;
        Ok(plan.told())
    }
}

impl Plan {
    fn told(&self) -> Undone {
        let gone: u64 = self.gone.values().map(|rows| rows.len() as u64).sum();
        let back: u64 = self.back.iter().map(|rows| rows.num_rows() as u64).sum();
        let restored = self.replaced.len() as u64;
        Undone {
            undoes: self.touched.run_id.clone(),
            rows_removed: gone - restored,
            rows_restored: restored,
            rows_returned: back - restored,
            rows_retired: self.retired,
            rows_kept: self.kept.iter().map(|kept| kept.rows).sum(),
            threads: (self.touched.threads.len() - self.kept.len()) as u64,
            units: self.entries.iter().filter(|entry| entry.table == "units").count() as u64,
            kept: self.kept.clone(),
            is_done: false,
            can_be_undone: true,
        }
    }
}

impl Writer {
    /// Undoes a run, in one commit.
    ///
    /// Where later runs are in the way and the undo is to be whole, nothing is changed.
    ///
    /// # Errors
    /// Fails when the run cannot be undone at all, a file cannot be read or written, or another program changed the
    /// table.
    pub fn undo(&mut self, run_id: &str, reach: Reach) -> Result<Undone, UndoError> {
        self.load_lineage()?;
        let sources = Sources {
            table: &self.table,
            catalog: &self.catalog,
            threads: &self.threads,
            kin: &self.kin,
        };
        let mut plan = Plan::new(&sources, &mut self.index, run_id)?;
        let mut undone = plan.told();
        if reach == Reach::Whole && !plan.kept.is_empty() {
            return Ok(undone);
        }
        self.watch_ledgers(Number::MAX)?;
        let upcoming = self.pack(&plan)?;
        undone.can_be_undone = matches!(upcoming.rows, Packed::Bytes(_));
        undone.is_done = true;
        self.put_back(&mut plan, upcoming, &undone)?;
        Ok(undone)
    }

    fn put_back(
        &mut self,
        plan: &mut Plan,
        upcoming: Upcoming,
        undone: &Undone,
    ) -> Result<(), StoreError> {
        let work = Work {
            batches: std::mem::take(&mut plan.back),
            superseded: std::mem::take(&mut plan.gone),
            ..Work::default()
        };
        let mut done = Committed {
            rows: undone.rows_restored + undone.rows_returned,
            superseded: undone.rows_restored + undone.rows_removed,
            ..Committed::default()
        };
        let mut next = None;
        if done.rows + done.superseded > 0 {
            self.announce()?;
            let mut dirty = Dirty::default();
            let edit: Edit = self.write_files(&work, &mut dirty)?;
            done.files = edit.data.len();
            next = Some(self.prepare(edit, Operation::Overwrite, dirty)?);
        }
        done.snapshot_id = next.as_ref().and_then(|next| next.table.metadata.current_snapshot_id());
        self.swap(next.as_ref(), |connection| {
            clear(connection)?;
            restore::entries(connection, &plan.entries)?;
            restore::keys_of(connection, &plan.new_threads)?;
            self.note_undo(connection, undone)?;
            self.put_chunk(connection, &done)?;
            self.log(upcoming)
        })?;
        failpoint::hit("after_catalog")?;
        self.chunks += 1;
        // Threads and their kin are as the catalog has them now.
        self.is_lineage_loaded = false;
        self.own = Default::default();
        self.pending = Default::default();
        if let Some(next) = next {
            self.adopt(next);
            self.compact()?;
        }
        Ok(())
    }

    /// Notes which run undid which, where it did so wholly.
    fn note_undo(&self, connection: &Connection, undone: &Undone) -> rusqlite::Result<()> {
        let run = &undone.undoes;
        if undone.kept.is_empty() {
            mark_undone(connection, run, &self.run_id)?;
        }
        let detail = serde_json::json!({
            "run_id": run,
            "rows_removed": undone.rows_removed,
            "rows_restored": undone.rows_restored,
            "rows_returned": undone.rows_returned,
            "rows_kept": undone.rows_kept,
        });
        connection.execute(
            "INSERT INTO audit VALUES (?1, ?2, 'undo', ?3)",
            params![clock::now(), self.run_id, detail.to_string()],
        )?;
        Ok(())
    }

    /// Returns what the undo itself replaces.
    fn pack(&self, plan: &Plan) -> Result<Upcoming, StoreError> {
        let damaged = |error| StoreError::parquet(&self.catalog.path)(error);
        let mut packer = Packer::new(RUN_BYTES).map_err(damaged)?;
        for (file, positions) in &plan.gone {
            let path = self.store.layout().resolve(file);
            let positions: Vec<u64> = positions.iter().copied().collect();
            for some in positions.chunks(crate::encode::GROUP_ROWS) {
                let rows = rows::at_positions(&path, &some.iter().copied().collect())?;
                let ids = rows.column_by_name("part_id");
                let ids = ids.and_then(|ids| {
                    use arrow::array::AsArray;
                    ids.as_string_opt::<i32>()
                });
                let ids = ids.ok_or_else(|| StoreError::damaged(&path, "columns are missing"))?;
                let fate = |id: Option<&str>| match id.is_some_and(|id| plan.replaced.contains(id))
                {
                    true => Was::Replaced,
                    false => Was::Removed,
                };
                let fates = ids.iter().map(fate).collect();
                let threads = owners(&rows, &self.threads);
                packer.add(&Images { rows, threads, fates }).map_err(damaged)?;
            }
        }
        let mut touched = plan.touched.clone();
        touched.run_id.clone_from(&self.run_id);
        touched.threads.retain(|thread| {
            let known = self.threads.get(*thread).map(|it| &it.thread_id);
            known.is_none() || plan.kept.iter().all(|kept| kept.thread_id.as_ref() != known)
        });
        let rows = packer.finish().map_err(damaged)?;
        Ok(Upcoming { touched, added: plan.added.clone(), rows })
    }
}

/// Notes that a run is undone, wholly; what it had undone itself stands again, and so on.
pub(crate) fn mark_undone(connection: &Connection, run: &str, by: &str) -> rusqlite::Result<()> {
    ledger::journal(connection, by, "undone", run)?;
    let (mut run, mut by) = (run.to_owned(), Some(by.to_owned()));
    loop {
        connection.execute("UPDATE runs SET undone_by = ?2 WHERE run_id = ?1", params![run, by])?;
        // What a run undid stands where the run does not, and is undone where it stands.
        let undid = connection
            .prepare(
                "SELECT undoes FROM runs r WHERE run_id = ?1 AND EXISTS
                 (SELECT 1 FROM runs WHERE run_id = r.undoes AND undone_by = ?1 UNION ALL
                  SELECT 1 FROM journal WHERE run_id = ?1 AND event = 'undone' AND detail = r.undoes)",
            )?
            .query_row([&run], |row| row.get::<_, String>(0))
            .optional()?;
        let Some(undid) = undid else { return Ok(()) };
        by = by.is_none().then_some(run);
        run = undid;
    }
}
