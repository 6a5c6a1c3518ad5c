//! What is committed together: rows that are written already, rows that stand in for others, what is needed to undo them, and
//! what people may look up.

use std::collections::BTreeMap;

use hyp_cache::{
    AuditEntry, DatasetCommit, DatasetRow, DatasetWrite, JournalEntry, JournalOperation,
    OpenDataset, RUN_ID, Stage, StoreError, Writer, datum_to_json,
};
use hyp_model::item::Datum;

use crate::engine::report::key_json;
use crate::engine::view::Pending;

/// A chunk that is not committed yet.
#[derive(Default)]
pub(crate) struct Chunk {
    /// New rows of datasets that never change any, by dataset.
    pub(super) staged: BTreeMap<String, Stage>,
    pub(super) changed: BTreeMap<String, Vec<Pending>>,
    pub(super) audit: Vec<AuditEntry>,
}

impl Chunk {
    /// Adds a row of a dataset that never changes any.
    pub(super) fn stage(
        &mut self,
        writer: &mut Writer,
        dataset: &OpenDataset,
        row: DatasetRow,
    ) -> Result<(), StoreError> {
        let name = &dataset.declared().name;
        match self.staged.get_mut(name) {
            Some(stage) => stage.push(row),
            None => {
                let mut stage = writer.stage(dataset)?;
                stage.push(row)?;
                self.staged.insert(name.clone(), stage);
                Ok(())
            }
        }
    }

    /// Brings what was staged to the disk: nothing is added any more.
    pub(super) fn seal(&mut self) -> Result<(), StoreError> {
        self.staged.values_mut().try_for_each(Stage::seal)
    }

    /// Says whether there are rows of datasets that never change any.
    pub(crate) fn is_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Returns the rows that are put in the place of others or added to them, with their datasets.
    pub(crate) fn changed_mut(&mut self) -> impl Iterator<Item = (&String, &mut Pending)> {
        let all = self.changed.iter_mut();
        all.flat_map(|(name, rows)| rows.iter_mut().map(move |row| (name, row)))
    }

    /// Returns how many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        let staged: u64 = self.staged.values().map(Stage::rows).sum();
        staged + self.changed.values().map(|rows| rows.len() as u64).sum::<u64>()
    }

    /// Returns what the store is told.
    pub(crate) fn into_commit(self, stored: &BTreeMap<String, OpenDataset>) -> DatasetCommit {
        let mut commit = DatasetCommit { audit: self.audit, ..DatasetCommit::default() };
        for (name, rows) in self.changed {
            if let Some(dataset) = stored.get(&name).filter(|it| it.declared().may_change()) {
                rows.iter().for_each(|one| note(dataset, &name, one, &mut commit.journal));
            }
            let rows = rows.into_iter().map(|one| one.row).collect();
            commit.writes.insert(name, DatasetWrite { rows, ..DatasetWrite::default() });
        }
        for (name, stage) in self.staged {
            commit.writes.entry(name).or_default().staged = Some(stage);
        }
        commit
    }
}

/// Notes what becomes of a row, for undoing it.
fn note(stored: &OpenDataset, name: &str, pending: &Pending, journal: &mut Vec<JournalEntry>) {
    let row_key = serde_json::Value::from(key_json(&stored.key_values(&pending.row))).to_string();
    let json = |datum: &Datum| datum_to_json(datum).to_string();
    let entry =
        |column: Option<&str>, operation, old: Option<&Datum>, new: Option<&Datum>| JournalEntry {
            dataset: name.to_owned(),
            row_key: row_key.clone(),
            column: column.map(str::to_owned),
            operation,
            old: old.map(json),
            new: new.map(json),
        };
    if pending.before.is_none() {
        let run = stored.position(RUN_ID).and_then(|at| pending.row.get(at));
        journal.push(entry(None, JournalOperation::Insert, None, run));
        return;
    }
    for (column, old, new) in pending.changed(stored) {
        let name = Some(column.name.as_str());
        journal.push(entry(name, JournalOperation::Update, Some(old), Some(new)));
    }
}
