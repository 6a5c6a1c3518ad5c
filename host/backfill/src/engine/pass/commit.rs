//! A chunk on its way to the store: rows, what is needed to undo them, and what people may look up.

use hyp_cache::{
    DatasetCommit, DatasetWrite, JournalEntry, JournalOperation, OpenDataset, datum_to_json,
};
use hyp_model::item::Datum;

use super::{Aim, Pass};
use crate::engine::error::EngineError;
use crate::engine::report::key_json;
use crate::engine::view::{Pending, lock};

impl Pass<'_> {
    /// Commits what is pending.
    pub(super) fn commit(&mut self) -> Result<(), EngineError> {
        let Aim::Commit { writer, between, .. } = &mut self.aim else { return Ok(()) };
        let mut commit = DatasetCommit::default();
        let mut view = lock(&self.view);
        let names: Vec<String> = view.stored.keys().cloned().collect();
        let mut rows = 0;
        for name in names {
            let pending = view.take(&name);
            if pending.is_empty() {
                continue;
            }
            rows += pending.len() as u64;
            let stored = &view.stored[&name];
            if stored.declared().may_change() {
                pending.iter().for_each(|(_, one)| note(stored, &name, one, &mut self.journal));
            }
            let write = DatasetWrite {
                rows: pending.into_iter().map(|(_, one)| one.row).collect(),
                removed: Vec::new(),
            };
            commit.writes.insert(name, write);
        }
        commit.journal = std::mem::take(&mut self.journal);
        commit.audit = std::mem::take(&mut self.audit);
        self.in_chunk = 0;
        if commit.writes.is_empty() && commit.audit.is_empty() {
            return Ok(());
        }
        let done = writer.commit_datasets(&mut view.stored, commit)?;
        drop(view);
        if rows > 0 {
            self.report.chunks += 1;
        }
        if let Some((class, entries)) = done.audit_failed {
            let label = format!("source={},error_class={class}", self.asserting.source);
            tracing::warn!(
                counter = "audit_insert_failed",
                source = self.asserting.source,
                error_class = class,
                entries,
                "the audit could not be written"
            );
            *self.report.audit_insert_failed.entry(label).or_default() += entries;
        }
        between(rows)
    }
}

/// Notes what becomes of a row, for undoing it.
fn note(stored: &OpenDataset, name: &str, pending: &Pending, journal: &mut Vec<JournalEntry>) {
    let row_key = serde_json::Value::from(key_json(&stored.key_values(&pending.row))).to_string();
    let entry = |column: Option<&str>, operation, old: Option<&Datum>, new: Option<&Datum>| {
        let json = |datum: &Datum| datum_to_json(datum).to_string();
        JournalEntry {
            dataset: name.to_owned(),
            row_key: row_key.clone(),
            column: column.map(str::to_owned),
            operation,
            old: old.map(json),
            new: new.map(json),
        }
    };
    let Some(before) = &pending.before else {
        journal.push(entry(None, JournalOperation::Insert, None, None));
        return;
    };
    for ((column, old), new) in stored.columns().iter().zip(before).zip(&pending.row) {
        if old != new {
            let name = Some(column.name.as_str());
            journal.push(entry(name, JournalOperation::Update, Some(old), Some(new)));
        }
    }
}
