//! Takes back what a run did to datasets: rows that it added go, cells that it changed return to what they were.
//!
//! A cell that somebody changed since is left as it is, and listed, as is an added row that somebody wrote to. What is taken
//! back is journalled, so that this can be taken back, too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyp_cache::{
    DatasetCommit, DatasetRow, DatasetRun, DatasetWrite, JournalEntry, JournalOperation, OWN,
    OpenDataset, RUN_ID, RunKind, RunStart, Store, Writer, datum_from_json, datum_to_json, key_of,
    row_from_json, row_to_json,
};
use hyp_model::item::{ConflictRule, Dataset, Datum};
use hyp_model::row::Key;
use hyp_plugin::Limits;
use serde::Serialize;
use serde_json::Value;

use super::derive::{Derivation, Deriving};
use super::request::Ask;
use super::rules::Rule;
use crate::components::Components;
use crate::error::BackfillError;
use crate::places::Places;
use crate::run::now;

/// What is to be taken back.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct Undo {
    /// The run that did it.
    pub run_id: String,
    /// The run that takes it back.
    pub by: String,
    /// Writes; without it, it is only said what would be.
    pub commit: bool,
    /// Takes back what can be, where some cannot.
    pub partial: bool,
    /// How long to wait for another run to end.
    pub wait: Duration,
    /// Who asks the store what materializers want to know of what is derived anew.
    pub ask: Option<Ask>,
}

/// What was taken back, or would be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Undone {
    /// False where nothing was written.
    pub committed: bool,
    /// Rows that go, by dataset.
    pub removed: BTreeMap<String, u64>,
    /// Rows that come back, by dataset.
    pub returned: BTreeMap<String, u64>,
    /// Rows with cells that return to what they were, by dataset.
    pub restored: BTreeMap<String, u64>,
    /// Rows that somebody changed since, in full or in the cells that are named: these stay as they are.
    pub kept: Vec<UndoneCell>,
    /// Columns that were worked out anew before and after, by dataset, and what went wrong there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derivation>,
}

/// A row that is left as it is, or some cells of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UndoneCell {
    /// Name of the dataset.
    pub dataset: String,
    /// Values of the row's key.
    pub key: Value,
    /// Why.
    pub reason: String,
}

impl Undone {
    /// Returns how many rows are taken back.
    pub fn rows(&self) -> u64 {
        [&self.removed, &self.returned, &self.restored].iter().flat_map(|it| it.values()).sum()
    }
}

/// Says whether a run wrote to datasets, so that [`undo`] takes it back.
///
/// # Errors
/// Fails when the catalog cannot be read.
pub fn is_dataset_run(store: &Store, run_id: &str) -> Result<bool, BackfillError> {
    Ok(store.dataset_run(run_id)?.is_some())
}

/// What a run did to a row, as a whole.
#[derive(Debug, Default)]
struct Deed {
    /// The run that an added row carries.
    inserted: Option<Value>,
    /// What a removed row was.
    removed: Option<String>,
    /// What cells were before, and are since.
    cells: BTreeMap<String, (Value, Value)>,
}

/// Takes back what a run did to datasets.
///
/// # Errors
/// Fails when the run wrote to no dataset or was undone, or when the store cannot be used.
pub fn undo(places: &Places, request: &Undo) -> Result<Undone, BackfillError> {
    let store = Store::open(&places.store)?;
    let Some(run) = store.dataset_run(&request.run_id)? else {
        return Err(BackfillError::NoDatasetRun { run_id: request.run_id.clone() });
    };
    let components = Components::load(places, Limits::default(), &[])?;
    let declared = declared(&components);
    // Who only wants to know does not keep others from writing.
    let mut writer = request.commit.then(|| store.writer(request.wait, &request.by)).transpose()?;
    store.check_stands(&request.run_id)?;
    let mut undone = Undone::default();
    let mut deriving = Deriving::new(&components, request.ask.as_ref(), &request.by);
    let never = AtomicBool::new(false);
    if let Some(writer) = &mut writer {
        deriving.work(writer, &never)?;
    }
    let mut deeds: BTreeMap<String, BTreeMap<String, Deed>> = BTreeMap::new();
    for entry in store.dataset_journal(&request.run_id)? {
        deeds
            .entry(entry.dataset.clone())
            .or_default()
            .entry(entry.row_key.clone())
            .or_default()
            .note(entry);
    }
    let mut commit = DatasetCommit::default();
    let mut open = BTreeMap::new();
    for declared in declared.values() {
        let Some(dataset) = store.open_dataset(declared)? else { continue };
        let mut back = Back {
            dataset: &dataset,
            rule: Rule::of(&dataset),
            run_id: &request.run_id,
            undone: &mut undone,
        };
        let (write, journal) = back.work(deeds.remove(&declared.name).unwrap_or_default())?;
        commit.journal.extend(journal);
        commit.writes.insert(declared.name.clone(), write);
        open.insert(declared.name.clone(), dataset);
    }
    let all: BTreeSet<String> =
        store.datasets()?.into_iter().chain(deeds.keys().cloned()).collect();
    for name in all.into_iter().filter(|name| !declared.contains_key(name)) {
        let keys = match deeds.remove(&name) {
            Some(deeds) => deeds.into_keys().collect(),
            None => added_keys(&store, &name, &request.run_id)?,
        };
        undone.kept.extend(keys.iter().map(|key| UndoneCell {
            dataset: name.clone(),
            key: serde_json::from_str(key).unwrap_or(Value::Null),
            reason: "no component declares the dataset any more".to_owned(),
        }));
    }
    let is_whole = undone.kept.is_empty();
    if let Some(mut writer) = writer.filter(|_| is_whole || request.partial) {
        undone.committed = true;
        commit.undoes = is_whole.then(|| request.run_id.clone());
        write(&mut writer, &mut open, commit, (request, run.provider, &undone))?;
        deriving.work(&mut writer, &never)?;
    }
    undone.derived = deriving.done;
    Ok(undone)
}

fn write(
    writer: &mut Writer,
    open: &mut BTreeMap<String, OpenDataset>,
    commit: DatasetCommit,
    (request, provider, undone): (&Undo, String, &Undone),
) -> Result<(), BackfillError> {
    let start = RunStart {
        run_id: request.by.clone(),
        started_at: now(),
        providers: vec![provider.clone()],
        kind: RunKind::Undo,
        undoes: Some(request.run_id.clone()),
        ..RunStart::default()
    };
    writer.run(&start, now, |writer, end| {
        end.report = serde_json::to_string(undone).unwrap_or_default();
        writer.begin_dataset_run(&DatasetRun {
            run_id: request.by.clone(),
            provider,
            undoes: Some(request.run_id.clone()),
            ..DatasetRun::default()
        })?;
        writer.commit_datasets(open, commit)?;
        end.rows_written = undone.rows();
        Ok(())
    })
}

/// Returns what all materializers declare, by dataset; those that cannot be loaded declare nothing.
fn declared(components: &Components) -> BTreeMap<String, Dataset> {
    let mut declared = BTreeMap::new();
    for maker in components.makers.iter() {
        let Ok(materializer) = maker.load(&components.host) else { continue };
        for dataset in &materializer.description().datasets {
            declared.insert(dataset.name.clone(), dataset.clone());
        }
    }
    declared
}

/// Returns what rows that a run added to a dataset are found by, where nobody says any more which columns that are.
fn added_keys(store: &Store, name: &str, run_id: &str) -> Result<Vec<String>, BackfillError> {
    let bare = Dataset {
        name: name.to_owned(),
        columns: Vec::new(),
        key: Vec::new(),
        on_conflict: ConflictRule::AppendOnly,
        ordered_by: None,
        column_rules: Vec::new(),
        owns: Vec::new(),
        cutover: None,
        value_sets: Vec::new(),
    };
    let mut keys = Vec::new();
    let Some(dataset) = store.open_dataset(&bare)? else { return Ok(keys) };
    dataset.scan_run(run_id, |row| {
        keys.push(row_to_json(dataset.columns(), &row).to_string());
    })?;
    Ok(keys)
}

impl Deed {
    fn note(&mut self, entry: JournalEntry) {
        let parse = |text: Option<String>| {
            text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
        };
        match (entry.operation, entry.column) {
            (JournalOperation::Insert, _) => self.inserted = Some(parse(entry.new)),
            (JournalOperation::Remove, _) => self.removed = entry.old,
            (_, Some(column)) => {
                let (old, new) = (parse(entry.old), parse(entry.new));
                match self.cells.get_mut(&column) {
                    Some(cell) => cell.1 = new,
                    None => {
                        self.cells.insert(column, (old, new));
                    }
                }
            }
            _ => {}
        }
    }
}

/// One dataset on its way back.
struct Back<'a> {
    dataset: &'a OpenDataset,
    rule: Rule,
    run_id: &'a str,
    undone: &'a mut Undone,
}

impl Back<'_> {
    fn work(
        &mut self,
        deeds: BTreeMap<String, Deed>,
    ) -> Result<(DatasetWrite, Vec<JournalEntry>), BackfillError> {
        let (mut write, mut journal) = (DatasetWrite::default(), Vec::new());
        if !self.dataset.declared().may_change() {
            self.remove_all(&mut write)?;
        }
        let keys: BTreeMap<&String, Key> =
            deeds.keys().map(|text| (text, self.key(text))).collect();
        if self.dataset.declared().may_change() {
            self.remove_unnoted(&keys, &mut write, &mut journal)?;
        }
        let rows = self.dataset.rows(keys.values())?;
        let mut done = BTreeSet::new();
        for (text, deed) in &deeds {
            let key = keys[text];
            if done.insert(key) {
                self.row(text, key, deed, (&rows, &mut write, &mut journal));
            }
        }
        Ok((write, journal))
    }

    /// Takes back rows of a dataset that never changes any: those that carry the run's id.
    fn remove_all(&mut self, write: &mut DatasetWrite) -> Result<(), BackfillError> {
        let dataset = self.dataset;
        dataset.scan_run(self.run_id, |row| write.removed.push(dataset.key(&row)))?;
        write.removed_of = Some(self.run_id.to_owned());
        self.count(|undone| &mut undone.removed, write.removed.len() as u64);
        Ok(())
    }

    /// Takes back rows that were added under a rule that notes none, as somebody settled: append-only.
    fn remove_unnoted(
        &mut self,
        noted: &BTreeMap<&String, Key>,
        write: &mut DatasetWrite,
        journal: &mut Vec<JournalEntry>,
    ) -> Result<(), BackfillError> {
        let dataset = self.dataset;
        let noted: HashSet<&Key> = noted.values().collect();
        dataset.scan_run(self.run_id, |row| {
            let key = dataset.key(&row);
            if !noted.contains(&key) {
                write.removed.push(key);
                journal.push(JournalEntry::removal(dataset, &row));
            }
        })?;
        self.count(|undone| &mut undone.removed, write.removed.len() as u64);
        Ok(())
    }

    fn row(
        &mut self,
        text: &str,
        key: Key,
        deed: &Deed,
        (rows, write, journal): (
            &HashMap<Key, DatasetRow>,
            &mut DatasetWrite,
            &mut Vec<JournalEntry>,
        ),
    ) {
        let stored = rows.get(&key);
        if let Some(before) = &deed.removed {
            if stored.is_some() {
                return self.keep(text, "there is another row with its key");
            }
            let object = serde_json::from_str(before).unwrap_or(Value::Null);
            let run = object.get(RUN_ID).map(Value::to_string);
            write.rows.push(row_from_json(self.dataset.columns(), &object));
            journal.push(self.entry(text, None, JournalOperation::Insert, (None, run)));
            return self.count(|undone| &mut undone.returned, 1);
        }
        let Some(stored) = stored else {
            let is_derived = |column: &String| {
                self.dataset.position(column).is_some_and(|at| self.rule.derives(at, &[]))
            };
            if deed.cells.keys().all(is_derived) && !deed.cells.is_empty() {
                return;
            }
            return self.keep(text, "it was removed since");
        };
        if let Some(run) = &deed.inserted {
            let at = self.dataset.position(RUN_ID).and_then(|at| stored.get(at));
            if at.is_none_or(|at| datum_to_json(at) != *run) {
                return self.keep(text, &format!("`{RUN_ID}` was changed since"));
            }
            write.removed.push(key);
            journal.push(JournalEntry::removal(self.dataset, stored));
            return self.count(|undone| &mut undone.removed, 1);
        }
        // What is derived is worked out anew after this, whoever changed it.
        let mut others = Vec::new();
        let mut back = Vec::new();
        for (at, column) in self.dataset.columns().iter().enumerate() {
            let Some((old, new)) = deed.cells.get(&column.name) else { continue };
            let now = datum_to_json(&stored[at]);
            if now == *new {
                back.push((at, column, old, new));
            } else if now != *old
                && !OWN.contains(&column.name.as_str())
                && !self.rule.derives(at, stored)
            {
                others.push(format!("`{}`", column.name));
            }
        }
        if !others.is_empty() {
            let was = if others.len() == 1 { "was" } else { "were" };
            self.keep(text, &format!("{} {was} changed since", others.join(", ")));
            // What somebody wrote after that is one version; values that are asserted are so one by one.
            back.retain(|(_, column, ..)| self.dataset.declared().rule(&column.name).is_some());
        }
        let mut row = stored.clone();
        for (at, column, old, new) in back {
            row[at] = datum_from_json(old, column.kind);
            let cell = (Some(new.to_string()), Some(old.to_string()));
            journal.push(self.entry(text, Some(&column.name), JournalOperation::Update, cell));
        }
        if row != *stored {
            write.rows.push(row);
            self.count(|undone| &mut undone.restored, 1);
        }
    }

    fn keep(&mut self, text: &str, reason: &str) {
        self.undone.kept.push(UndoneCell {
            dataset: self.dataset.declared().name.clone(),
            key: serde_json::from_str(text).unwrap_or(Value::Null),
            reason: reason.to_owned(),
        });
    }

    fn count(&mut self, of: impl Fn(&mut Undone) -> &mut BTreeMap<String, u64>, rows: u64) {
        if rows > 0 {
            *of(self.undone).entry(self.dataset.declared().name.clone()).or_default() += rows;
        }
    }

    fn key(&self, text: &str) -> Key {
        let values: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        let kind = |name: &String| {
            let at = self.dataset.position(name);
            at.map_or(hyp_model::item::ColumnType::Text, |at| self.dataset.columns()[at].kind)
        };
        let names = self.dataset.declared().key.iter();
        let values: Vec<Datum> =
            names.zip(&values).map(|(name, value)| datum_from_json(value, kind(name))).collect();
        key_of(&values)
    }

    fn entry(
        &self,
        text: &str,
        column: Option<&str>,
        operation: JournalOperation,
        (old, new): (Option<String>, Option<String>),
    ) -> JournalEntry {
        JournalEntry {
            dataset: self.dataset.declared().name.clone(),
            row_key: text.to_owned(),
            column: column.map(str::to_owned),
            operation,
            old,
            new,
        }
    }
}
