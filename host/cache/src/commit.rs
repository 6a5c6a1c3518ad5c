//! A commit: files first, then one transaction that makes them the table.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use hyp_model::event::Fact;
use hyp_model::judge::ThreadFacts;
use iceberg::spec::Operation;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::checkpoint::{self, Checkpoint};
use crate::clock::{self, month_name};
use crate::deletes::{self, Positions};
use crate::encode::{Encoder, partition_struct};
use crate::error::StoreError;
use crate::gather::Work;
use crate::install::Next;
use crate::judge::{Change, Correction};
use crate::kin::put_sightings;
use crate::layout::Dirty;
use crate::ledger::{ClientTotal, InputState, Listing, Quarantined, UnitState};
use crate::publish::Edit;
use crate::schema::file_schema;
use crate::table::Partition;
use crate::threads::Moved;
use crate::writer::Writer;
use crate::{facts, failpoint, ghosts, graves, ledger, split, threads, undo};

/// What is written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Rows to add, with the columns of the dataset in their order.
    pub rows: Option<RecordBatch>,
    /// Ids whose stored row is replaced by one of `rows`.
    pub take_over: Vec<String>,
    /// Ids whose stored row, of the same recording, is replaced by one of `rows`.
    pub refreshed: Vec<String>,
    /// Changes to rows, stored or in `rows`.
    pub corrections: Vec<Correction>,
    /// Latest state of the chunk's threads.
    pub threads: Vec<ThreadFacts>,
    /// Units that were read to their end.
    pub units: Vec<UnitState>,
    /// Where the next run goes on with those of `units` that can be gone on with; the others are read whole.
    pub checkpoints: Vec<Checkpoint>,
    /// Their inputs.
    pub inputs: Vec<InputState>,
    /// What their clients counted themselves; replaces what the same units told before.
    pub totals: Vec<ClientTotal>,
    /// What was said about threads, each with the thread that was open.
    pub facts: Vec<(String, Fact)>,
    /// Records of the inputs that were not understood.
    pub quarantine: Vec<Quarantined>,
    /// A provider and what its whole source looked like; only when all of it was imported.
    pub listing: Option<(String, Listing)>,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// The new snapshot; none when no row changed.
    pub snapshot_id: Option<i64>,
    /// Rows added.
    pub rows: u64,
    /// Stored rows that were replaced.
    pub superseded: u64,
    /// Data files written.
    pub files: usize,
}

impl Committed {
    fn add(&mut self, other: Self) {
        self.snapshot_id = other.snapshot_id.or(self.snapshot_id);
        self.rows += other.rows;
        self.superseded += other.superseded;
        self.files += other.files;
    }
}

/// Partitions that a snapshot may add rows to: each is a file.
const PARTITIONS: usize = 64;

impl Commit {
    /// Takes out a share of the rows, with what they replace and what is changed of them.
    fn share(&mut self, rows: RecordBatch) -> Self {
        let ids = ids(&rows);
        let is_here = |id: &mut String| ids.contains(id.as_str());
        let take_over = self.take_over.extract_if(.., is_here).collect();
        let refreshed = self.refreshed.extract_if(.., is_here).collect();
        let is_of_row = |it: &mut Correction| ids.contains(it.part_id.as_str());
        let corrections = self.corrections.extract_if(.., is_of_row).collect();
        Self { rows: Some(rows), take_over, refreshed, corrections, ..Self::default() }
    }

    /// Takes out what is changed of rows that are in none of the shares.
    fn corrections_of_stored(&mut self, shares: &[RecordBatch]) -> Vec<Correction> {
        let ids: HashSet<&str> = shares.iter().flat_map(ids).collect();
        self.corrections.extract_if(.., |it| !ids.contains(it.part_id.as_str())).collect()
    }
}

fn ids(rows: &RecordBatch) -> HashSet<&str> {
    let ids = rows.column_by_name("part_id").and_then(|ids| ids.as_string_opt::<i32>());
    ids.into_iter().flatten().flatten().collect()
}

impl Writer {
    /// Writes a chunk. When this returns, it is on the disk; when it fails, the store is as before.
    ///
    /// Rows of very many months are written in several snapshots, and it may fail between them. What was judged goes with the
    /// first, and so do changes to stored rows that follow from it; the last one says that the units are read.
    ///
    /// # Errors
    /// Fails when a file cannot be written or read, when the disk is full, or when another program
    /// changed the table.
    pub fn commit(&mut self, mut commit: Commit) -> Result<Committed, StoreError> {
        let rows = commit.rows.take();
        let mut shares = rows.map_or(Ok(vec![]), |rows| split::at_most(&rows, PARTITIONS))?;
        let mut of_stored = commit.corrections_of_stored(&shares);
        let last = shares.pop();
        let mut sum = Committed::default();
        for rows in shares {
            let mut share = commit.share(rows);
            share.corrections.append(&mut of_stored);
            sum.add(self.write(share)?);
        }
        commit.rows = last;
        commit.corrections.append(&mut of_stored);
        sum.add(self.write(commit)?);
        Ok(sum)
    }

    /// Writes one snapshot and what belongs to it.
    fn write(&mut self, commit: Commit) -> Result<Committed, StoreError> {
        self.load_lineage()?;
        self.watch_ledgers(self.first_new)?;
        let work = self.gather(&commit)?;
        let mut done = Committed { rows: work.added, ..Committed::default() };
        done.superseded = work.superseded.values().map(|rows| rows.len() as u64).sum();
        let is_new = !work.batches.is_empty() || !work.superseded.is_empty();
        let mut next = None;
        let mut files = Vec::new();
        if is_new {
            self.announce()?;
            let mut dirty = Dirty::default();
            let edit = self.write_files(&work, &mut dirty)?;
            done.files = edit.data.len();
            files = edit.data.iter().map(|file| file.file_path().to_owned()).collect();
            let operation =
                if edit.deletes.is_empty() { Operation::Append } else { Operation::Overwrite };
            next = Some(self.prepare(edit, operation, dirty)?);
        }
        let snapshot_id = |next: &Next| next.table.metadata.current_snapshot_id();
        done.snapshot_id = next.as_ref().and_then(snapshot_id);
        self.number_threads(&commit);
        let upcoming = self.upcoming(&work)?;
        self.swap(next.as_ref(), |connection| {
            undo::clear(connection)?;
            self.record(connection, &commit, &work, &done)?;
            self.log(upcoming)
        })?;
        failpoint::hit("after_catalog")?;

        self.index.without_filter.clear();
        self.has_graves |= !self.pending.graves.is_empty() || !work.graves.is_empty();
        self.pending = Default::default();
        self.chunks += 1;
        if let Some(next) = next {
            self.adopt(next);
            if !work.has_others {
                files.into_iter().for_each(|file| self.own.add_file(file));
            }
            self.compact()?;
        }
        if !work.graves.is_empty() {
            self.erase(&work.graves)?;
        }
        Ok(done)
    }

    /// Writes the threads of what was judged; of those that hold nothing any more, no name.
    fn put_threads(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (ghosts, living): (Vec<_>, Vec<_>) =
            self.pending.threads.iter().partition(|(number, _)| self.threads.is_ghost(*number));
        threads::put(connection, living.iter().copied())?;
        if !self.has_graves && self.pending.graves.is_empty() {
            return Ok(());
        }
        living.iter().try_for_each(|(number, _)| ghosts::remove(connection, *number))?;
        for (number, _) in ghosts {
            if let Some(known) = self.threads.get(*number) {
                ghosts::put(connection, *number, known)?;
            }
        }
        Ok(())
    }

    /// Says whether a fact about a thread is kept: its origin as long as there is anything of it, others while
    /// nothing of it is purged.
    pub(crate) fn keeps_fact(
        &self,
        connection: &Connection,
        thread_id: &str,
        is_origin: bool,
    ) -> rusqlite::Result<bool> {
        let Some(number) = self.threads.number_of(thread_id) else { return Ok(true) };
        let is_ghost = self.threads.is_ghost(number);
        Ok(!is_ghost && (is_origin || !graves::has(connection, number)?))
    }

    pub(crate) fn write_files(&self, work: &Work, dirty: &mut Dirty) -> Result<Edit, StoreError> {
        failpoint::hit("before_data_files")?;
        let mut edit = Edit::default();
        if !work.batches.is_empty() {
            let rows = concat_batches(&file_schema(), &work.batches).map_err(StoreError::rows)?;
            for (partition, rows) in split::by_partition(&rows)? {
                let path = self.new_file(&partition, "parquet");
                let count = rows.num_rows() as u64;
                let mut encoder = Encoder::new(&path, partition, count, dirty)?;
                encoder.write(&rows)?;
                edit.data.push(encoder.finish(true, dirty)?);
            }
        }
        failpoint::hit("after_data_files")?;
        let mut by_partition: BTreeMap<&Partition, Positions> = BTreeMap::new();
        for data in &self.table.data {
            if let Some(rows) = work.superseded.get(data.live.file.file_path()) {
                let positions = by_partition.entry(&data.live.partition).or_default();
                positions.insert(data.live.file.file_path().to_owned(), rows.clone());
            }
        }
        for (partition, positions) in by_partition {
            let path = self.new_file(partition, "deletes.parquet");
            edit.deletes.push(deletes::write(
                &path,
                partition_struct(partition),
                &positions,
                dirty,
            )?);
        }
        failpoint::hit("after_delete_files")?;
        Ok(edit)
    }

    /// Returns a path for a new file of a partition; names hold nothing that other engines would escape.
    pub(crate) fn new_file(&self, (client, month): &Partition, extension: &str) -> PathBuf {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let client: String =
            client.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        self.store
            .layout()
            .table()
            .join("data")
            .join(client.chars().take(64).collect::<String>())
            .join(month_name(*month))
            .join(format!("{}.{extension}", Uuid::new_v4()))
    }

    /// Numbers the threads of a commit that were not judged.
    fn number_threads(&mut self, commit: &Commit) {
        let listed: HashSet<&str> =
            self.pending.threads.iter().map(|(_, facts)| facts.thread_id.as_str()).collect();
        let more: Vec<ThreadFacts> = commit
            .threads
            .iter()
            .filter(|facts| !listed.contains(facts.thread_id.as_str()))
            .cloned()
            .collect();
        for facts in more {
            let number = self.threads.number(&facts, &mut Moved::new());
            self.pending.threads.push((number, facts));
        }
    }

    /// Writes everything of the commit that is in the catalog.
    fn record(
        &self,
        connection: &Connection,
        commit: &Commit,
        work: &Work,
        done: &Committed,
    ) -> rusqlite::Result<()> {
        self.put_threads(connection)?;
        // What a recording says now, in the same chunk, comes after what its stored row said.
        put_sightings(connection, &work.sightings)?;
        self.pending.flush(connection, &self.kin)?;
        graves::put_stored(connection, &work.graves)?;
        let forgotten = commit.corrections.iter().filter(|it| it.change == Change::Forget);
        let forgotten: BTreeSet<String> = forgotten.map(|it| it.part_id.clone()).collect();
        if !forgotten.is_empty() {
            graves::put(connection, &self.graves_of_sightings(connection, &forgotten)?)?;
        }
        ledger::put_units(connection, &commit.units)?;
        checkpoint::put(connection, &commit.units, &commit.checkpoints)?;
        ledger::put_inputs(connection, &commit.inputs, &self.run_id)?;
        let is_whole = |thread: &str| self.keeps_fact(connection, thread, false);
        ledger::put_totals(connection, &commit.units, &commit.totals, is_whole)?;
        ledger::put_quarantine(connection, &commit.quarantine, &self.run_id)?;
        facts::put(connection, &commit.facts, |thread, is_origin| {
            self.keeps_fact(connection, thread, is_origin)
        })?;
        if let Some((provider, listing)) = &commit.listing {
            ledger::put_listing(connection, provider, listing)?;
        }
        ledger::forget_inputs(connection, &self.stale)?;
        for part_id in &self.pending.displaced {
            ledger::journal(connection, &self.run_id, "id_taken", part_id)?;
        }
        for file in &self.index.without_filter {
            ledger::journal(connection, &self.run_id, "file_without_filter", file)?;
        }
        self.put_chunk(connection, done)
    }

    /// Notes a commit of this run.
    pub(crate) fn put_chunk(
        &self,
        connection: &Connection,
        done: &Committed,
    ) -> rusqlite::Result<()> {
        connection.execute(
            "INSERT OR REPLACE INTO chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.run_id,
                self.chunks + 1,
                clock::now(),
                done.snapshot_id,
                ledger::number(done.rows),
                ledger::number(done.superseded),
                ledger::number(done.files as u64)
            ],
        )?;
        connection.execute(
            "UPDATE runs SET rows_written = rows_written + ?2 WHERE run_id = ?1",
            params![self.run_id, ledger::number(done.rows)],
        )?;
        Ok(())
    }
}
