//! The rows of a commit: those that arrive, and stored ones that they replace or that are corrected.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int32Type, Int64Type};
use hyp_model::row::Key;

use crate::commit::Commit;
use crate::deletes::Positions;
use crate::error::StoreError;
use crate::graves::Grave;
use crate::index::Hit;
use crate::judge::{Change, Sighting};
use crate::undo::Was;
use crate::writer::Writer;
use crate::{change, purge, rows};

/// Rows to write and stored rows that they replace.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) superseded: Positions,
    pub(crate) sightings: Vec<Sighting>,
    /// Stored rows that go or change, as they are, with what becomes of each; those that are purged are not among them.
    pub(crate) replaced: Vec<(RecordBatch, Vec<Was>)>,
    /// What is left of stored rows that are purged.
    pub(crate) graves: Vec<Grave>,
    pub(crate) added: u64,
    /// True when corrected rows of earlier runs are among the batches.
    pub(crate) has_others: bool,
}

/// What a commit does to stored rows, by their ids.
struct Replaced<'a> {
    taken: HashSet<&'a str>,
    refreshed: HashSet<&'a str>,
    changes: BTreeMap<&'a str, Vec<&'a Change>>,
}

impl Writer {
    /// Finds the rows that are to be replaced, and makes the ones that replace them.
    pub(crate) fn gather(&mut self, commit: &Commit) -> Result<Work, StoreError> {
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
        let replaced = Replaced {
            taken: commit.take_over.iter().map(String::as_str).collect(),
            refreshed: commit.refreshed.iter().map(String::as_str).collect(),
            changes,
        };
        let ids: BTreeSet<&str> = replaced
            .taken
            .iter()
            .chain(&replaced.refreshed)
            .copied()
            .chain(replaced.changes.keys().copied())
            .collect();
        let wanted: Vec<(Key, &str)> =
            ids.into_iter().map(|id| (Key::of(id.as_bytes()), id)).collect();
        let hits = self.index.find(&self.table.data, &HashSet::new(), &wanted)?;
        let mut by_file: BTreeMap<String, BTreeMap<u64, &str>> = BTreeMap::new();
        for (key, id) in wanted {
            let Some(Hit { file, row, .. }) = hits.get(&key) else {
                if replaced.changes.get(id).is_some_and(|it| it.contains(&&Change::Forget)) {
                    work.graves.push(Grave::of_unknown(key));
                }
                continue;
            };
            by_file.entry(file.clone()).or_default().insert(*row, id);
        }
        for (file, ids) in by_file {
            self.replace(&file, &ids, &replaced, &mut work)?;
        }
        Ok(work)
    }

    /// Reads the rows of one file that are to be replaced.
    fn replace(
        &self,
        file: &str,
        ids: &BTreeMap<u64, &str>,
        replaced: &Replaced<'_>,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let path = self.store.layout().resolve(file);
        let batch = rows::at_positions(&path, &ids.keys().copied().collect())?;
        if batch.num_rows() != ids.len() {
            return Err(StoreError::damaged(&path, "rows are missing"));
        }
        let mut here: HashMap<usize, Vec<&Change>> = HashMap::new();
        let mut gone = vec![false; ids.len()];
        let (mut purged, mut removed) = (gone.clone(), gone.clone());
        for (at, id) in ids.values().enumerate() {
            if replaced.taken.contains(id) {
                work.sightings.extend(self.sighting(&batch, at, id));
                gone[at] = true;
            } else if replaced.refreshed.contains(id) {
                gone[at] = true;
            } else if let Some(changes) = replaced.changes.get(id) {
                if changes.contains(&&Change::Forget) {
                    gone[at] = true;
                    purged[at] = true;
                    let grave = purge::grave(&batch, at, &self.threads);
                    work.graves.extend(grave);
                }
                removed[at] = changes.contains(&&Change::Withdraw);
                gone[at] |= removed[at];
                here.insert(at, changes.clone());
            }
        }
        let (corrected, mut changed) =
            change::apply(&batch, &here).map_err(|reason| StoreError::damaged(&path, reason))?;
        changed.iter_mut().zip(&gone).for_each(|(changed, gone)| *changed &= !gone);
        let superseded = work.superseded.entry(file.to_owned()).or_default();
        for (at, (row, id)) in ids.iter().enumerate() {
            if changed[at] || gone[at] {
                superseded.insert(*row);
            }
            let key = Key::of(id.as_bytes());
            work.has_others |= changed[at] && self.own.get(&key).is_none();
        }
        if superseded.is_empty() {
            work.superseded.remove(file);
        }
        let replaced: Vec<bool> =
            (0..ids.len()).map(|at| (changed[at] || gone[at]) && !purged[at]).collect();
        let fate = |at: usize| if removed[at] { Was::Removed } else { Was::Replaced };
        let fates: Vec<Was> = (0..ids.len()).filter(|at| replaced[*at]).map(fate).collect();
        if !fates.is_empty() {
            let rows = filter_record_batch(&batch, &BooleanArray::from(replaced))
                .map_err(StoreError::rows)?;
            work.replaced.push((rows, fates));
        }
        let corrected = filter_record_batch(&corrected, &BooleanArray::from(changed))
            .map_err(StoreError::rows)?;
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
