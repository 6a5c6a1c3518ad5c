//! A commit: files first, then one transaction that makes them the table.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{Int32Type, Int64Type};
use hyp_model::event::Fact;
use hyp_model::judge::ThreadFacts;
use hyp_model::row::Key;
use iceberg::spec::Operation;
use rusqlite::params;
use uuid::Uuid;

use crate::clock::{self, month_name};
use crate::deletes::{self, Positions};
use crate::encode::{Encoder, partition_struct};
use crate::error::StoreError;
use crate::index::Hit;
use crate::judge::{Change, Correction, Sighting};
use crate::layout::Dirty;
use crate::ledger::{self, ClientTotal, InputState, Listing, Quarantined, UnitState};
use crate::lineage::put_sightings;
use crate::publish::{Edit, publish};
use crate::schema::file_schema;
use crate::table::{Partition, Table};
use crate::writer::Writer;
use crate::{catalog, change, facts, failpoint, rows, split, sweep, threads};

/// What is written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Rows to add, with the columns of the dataset in their order.
    pub rows: Option<RecordBatch>,
    /// Ids whose stored row is replaced by one of `rows`.
    pub take_over: Vec<String>,
    /// Changes to rows, stored or in `rows`.
    pub corrections: Vec<Correction>,
    /// Latest state of the chunk's threads.
    pub threads: Vec<ThreadFacts>,
    /// Units that were read to their end.
    pub units: Vec<UnitState>,
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
    /// True for the last commit of a run.
    pub is_last: bool,
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

/// Rows to write and stored rows that they replace.
#[derive(Default)]
struct Work {
    batches: Vec<RecordBatch>,
    superseded: Positions,
    sightings: Vec<Sighting>,
    added: u64,
    /// True when corrected rows of earlier runs are among the batches.
    has_others: bool,
}

impl Writer {
    /// Writes a chunk. When this returns, it is on the disk; when it fails, the store is as before.
    ///
    /// # Errors
    /// Fails when a file cannot be written or read, when the disk is full, or when another program
    /// changed the table.
    pub fn commit(&mut self, commit: Commit) -> Result<Committed, StoreError> {
        self.load_lineage()?;
        let work = self.gather(&commit)?;
        let mut done = Committed { rows: work.added, ..Committed::default() };
        done.superseded = work.superseded.values().map(|rows| rows.len() as u64).sum();
        let is_new = !work.batches.is_empty() || !work.superseded.is_empty();
        let mut location = None;
        let mut files = Vec::new();
        if is_new {
            if !self.is_marked {
                sweep::mark(self.store.layout())?;
                self.is_marked = true;
            }
            let mut dirty = Dirty::default();
            let edit = self.write_files(&work, &mut dirty)?;
            done.files = edit.data.len();
            files = edit.data.iter().map(|file| file.file_path().to_owned()).collect();
            let operation =
                if edit.deletes.is_empty() { Operation::Append } else { Operation::Overwrite };
            let layout = self.store.layout();
            location = Some(publish(layout, &self.table, edit, operation, &mut dirty)?);
        }
        let table = match &location {
            Some(location) => Some(Table::load(self.store.layout(), location)?),
            None => None,
        };
        done.snapshot_id = table.as_ref().and_then(|table| table.metadata.current_snapshot_id());
        self.record(&commit, &work, &done, location.as_deref())?;
        failpoint::hit("after_catalog")?;

        self.pending = Default::default();
        self.chunks += 1;
        if let Some(table) = table {
            self.table = table;
            if !work.has_others {
                files.into_iter().for_each(|file| self.own.add_file(file));
            }
            self.compact()?;
        }
        Ok(done)
    }

    /// Finds the rows that are to be replaced, and makes the ones that replace them.
    fn gather(&mut self, commit: &Commit) -> Result<Work, StoreError> {
        let mut changes: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for correction in &commit.corrections {
            changes.entry(&correction.part_id).or_default().push(&correction.change);
        }
        let mut work = Work::default();
        if let Some(batch) = commit.rows.as_ref().filter(|batch| batch.num_rows() > 0) {
            let batch = rows::conform(batch).map_err(|reason| StoreError::Rows { reason })?;
            work.added = batch.num_rows() as u64;
            work.batches.push(correct_arriving(batch, &mut changes)?);
        }
        let ids: BTreeSet<&str> =
            commit.take_over.iter().map(String::as_str).chain(changes.keys().copied()).collect();
        let wanted: Vec<(Key, &str)> =
            ids.into_iter().map(|id| (Key::of(id.as_bytes()), id)).collect();
        let hits = self.index.find(&self.table.data, &HashSet::new(), &wanted)?;
        let taken: HashSet<&str> = commit.take_over.iter().map(String::as_str).collect();
        let mut by_file: BTreeMap<String, BTreeMap<u64, &str>> = BTreeMap::new();
        for (key, id) in wanted {
            let Some(Hit { file, row, .. }) = hits.get(&key) else { continue };
            by_file.entry(file.clone()).or_default().insert(*row, id);
        }
        for (file, ids) in by_file {
            self.replace(&file, &ids, &taken, &changes, &mut work)?;
        }
        Ok(work)
    }

    /// Reads the rows of one file that are to be replaced.
    fn replace(
        &self,
        file: &str,
        ids: &BTreeMap<u64, &str>,
        taken: &HashSet<&str>,
        changes: &BTreeMap<&str, Vec<&Change>>,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let path = self.store.layout().resolve(file);
        let batch = rows::at_positions(&path, &ids.keys().copied().collect())?;
        if batch.num_rows() != ids.len() {
            return Err(StoreError::damaged(&path, "rows are missing"));
        }
        let mut here: HashMap<usize, Vec<&Change>> = HashMap::new();
        for (at, id) in ids.values().enumerate() {
            if taken.contains(id) {
                work.sightings.extend(self.sighting(&batch, at, id));
            } else if let Some(changes) = changes.get(id) {
                here.insert(at, changes.clone());
            }
        }
        let (corrected, changed) =
            change::apply(&batch, &here).map_err(|reason| StoreError::damaged(&path, reason))?;
        let superseded = work.superseded.entry(file.to_owned()).or_default();
        for (at, (row, id)) in ids.iter().enumerate() {
            if changed[at] || taken.contains(id) {
                superseded.insert(*row);
            }
            let key = Key::of(id.as_bytes());
            work.has_others |= changed[at] && self.own.get(&key).is_none();
        }
        if superseded.is_empty() {
            work.superseded.remove(file);
        }
        let mask = arrow::array::BooleanArray::from(changed);
        let corrected = filter_record_batch(&corrected, &mask).map_err(StoreError::rows)?;
        if corrected.num_rows() > 0 {
            work.batches.push(corrected);
        }
        Ok(())
    }

    /// Notes where a row was that an earlier thread takes over.
    fn sighting(&self, batch: &RecordBatch, at: usize, id: &str) -> Option<Sighting> {
        let text = |name| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(at).then(|| column.value(at).to_owned())
        };
        let number = |name| {
            let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
            u64::try_from(column.value(at)).ok()
        };
        let keys = batch.column_by_name("said_key")?.as_fixed_size_binary_opt()?;
        let mut said_key = [0; 16];
        if keys.is_valid(at) {
            said_key.copy_from_slice(keys.value(at));
        }
        let messages = batch.column_by_name("message_index")?.as_primitive_opt::<Int32Type>()?;
        let input_id = text("input_id").unwrap_or_default();
        let owner = (text("session_id")?, text("conversation_id"), input_id.clone());
        let known = self.threads.of_row(&owner).and_then(|thread| self.threads.get(thread))?;
        Some(Sighting {
            part_id: id.to_owned(),
            said_key: Key(said_key),
            message_index: messages.value(at),
            thread_id: known.thread_id.clone(),
            input_id,
            span: (number("input_offset")?, number("input_length")?),
        })
    }

    fn write_files(&self, work: &Work, dirty: &mut Dirty) -> Result<Edit, StoreError> {
        failpoint::hit("before_data_files")?;
        let mut edit = Edit::default();
        if !work.batches.is_empty() {
            let rows = concat_batches(&file_schema(), &work.batches).map_err(StoreError::rows)?;
            for (partition, rows) in split::by_partition(&rows)? {
                let path = self.new_file(&partition, "parquet");
                let count = rows.num_rows() as u64;
                let mut encoder = Encoder::new(&path, partition, count, dirty)?;
                encoder.write(&rows)?;
                edit.data.push(encoder.finish(true)?);
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

    /// Moves the pointer and writes everything else of the commit, in one transaction.
    fn record(
        &mut self,
        commit: &Commit,
        work: &Work,
        done: &Committed,
        location: Option<&str>,
    ) -> Result<(), StoreError> {
        let listed: HashSet<&str> =
            self.pending.threads.iter().map(|(_, facts)| facts.thread_id.as_str()).collect();
        let more: Vec<ThreadFacts> = commit
            .threads
            .iter()
            .filter(|facts| !listed.contains(facts.thread_id.as_str()))
            .cloned()
            .collect();
        for facts in more {
            let number = self.threads.number(&facts);
            self.pending.threads.push((number, facts));
        }
        let write = || -> rusqlite::Result<bool> {
            let transaction = self.catalog.connection.unchecked_transaction()?;
            if let Some(location) = location
                && !catalog::swap(&transaction, self.table.location.as_deref(), location)?
            {
                return Ok(false);
            }
            threads::put(&transaction, &self.pending.threads)?;
            self.pending.flush(&transaction, &self.kin)?;
            put_sightings(&transaction, &work.sightings)?;
            ledger::put_units(&transaction, &commit.units)?;
            ledger::put_inputs(&transaction, &commit.inputs, &self.run_id)?;
            ledger::put_totals(&transaction, &commit.units, &commit.totals)?;
            ledger::put_quarantine(&transaction, &commit.quarantine, &self.run_id)?;
            facts::put(&transaction, &commit.facts)?;
            if let Some((provider, listing)) = &commit.listing {
                ledger::put_listing(&transaction, provider, listing)?;
            }
            for file in &self.index.without_filter {
                ledger::journal(&transaction, &self.run_id, "file_without_filter", file)?;
            }
            transaction.execute(
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
            transaction.execute(
                "UPDATE runs SET rows_written = rows_written + ?2 WHERE run_id = ?1",
                params![self.run_id, ledger::number(done.rows)],
            )?;
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
        self.index.without_filter.clear();
        Ok(())
    }
}

/// Carries out corrections of rows that are being written, and takes them off the list.
fn correct_arriving(
    batch: RecordBatch,
    changes: &mut BTreeMap<&str, Vec<&Change>>,
) -> Result<RecordBatch, StoreError> {
    if changes.is_empty() {
        return Ok(batch);
    }
    let missing = || StoreError::Rows { reason: "column `part_id` is missing".to_owned() };
    let ids = batch.column_by_name("part_id").and_then(|ids| ids.as_string_opt::<i32>());
    let mut here = HashMap::new();
    for (at, id) in ids.ok_or_else(missing)?.iter().enumerate() {
        if let Some(changes) = id.and_then(|id| changes.remove(id)) {
            here.insert(at, changes);
        }
    }
    if here.is_empty() {
        return Ok(batch);
    }
    let (batch, _) = change::apply(&batch, &here).map_err(|reason| StoreError::Rows { reason })?;
    Ok(batch)
}
