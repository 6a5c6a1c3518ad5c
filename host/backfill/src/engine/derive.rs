//! Columns that materializers derive from the other columns of a row.
//!
//! Whoever is about to write, or has written, has them worked out for datasets that changed since: the materializer is handed
//! the rows that are there and says what they should be. Each dataset is a commit by itself. Nothing but the columns that the
//! materializer owns changes, and a row goes on being that of the run that brought it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hyp_cache::{
    DatasetRun, OWN, OpenDataset, RunKind, RunStart, SOURCE_ID, SOURCE_SYSTEM, StoreError, Writer,
    datum_to_json,
};
use hyp_model::item::{Cell, Datum, Item, Origin, STORED};
use hyp_plugin::Settled;
use serde::Serialize;

use super::checks;
use super::error::EngineError;
use super::materializers::Materializers;
use super::pass::{Aim, Asserting, Chunk, Pass, Passed};
use super::publish::publish;
use super::report::CheckReport;
use super::request::{Ask, Changes};
use super::rules::Rule;
use super::view::{Pending, View, lock};
use crate::components::Components;
use crate::makers::Maker;
use crate::run::now;

/// What was worked out for a dataset, or why it was not.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Derivation {
    /// The materializer.
    pub materializer: String,
    /// Name of the dataset.
    pub dataset: String,
    /// The run that changed rows, if there were any to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Rows that were changed.
    pub updated: u64,
    /// Questions that were asked of the store afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckReport>,
    /// Why it is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Works out what is due, for one command.
pub(crate) struct Deriving<'a> {
    components: &'a Components,
    ask: Option<&'a Ask>,
    /// The command's own run, which the ids of others begin with.
    run_id: &'a str,
    runs: u32,
    /// States of datasets in which it went wrong: trying again gives the same.
    failed: HashMap<String, String>,
    /// What was changed or went wrong, by now.
    pub(crate) done: Vec<Derivation>,
}

impl<'a> Deriving<'a> {
    pub(crate) fn new(components: &'a Components, ask: Option<&'a Ask>, run_id: &'a str) -> Self {
        Self { components, ask, run_id, runs: 0, failed: HashMap::new(), done: Vec::new() }
    }

    /// Works out what is due; what a materializer does wrong is its own, and the others go on.
    ///
    /// # Errors
    /// Fails when the store does.
    pub(crate) fn work(
        &mut self,
        writer: &mut Writer,
        cancelled: &AtomicBool,
    ) -> Result<(), StoreError> {
        // No provider's settings are these.
        self.components.host.settle(Settled::default());
        let components = self.components;
        for maker in components.makers.iter() {
            for dataset in maker.derives() {
                let Some(state) = writer.derivation_due(dataset, maker.digest())? else { continue };
                if self.failed.get(dataset) == Some(&state) || cancelled.load(Ordering::Relaxed) {
                    continue;
                }
                self.runs += 1;
                let run_id = format!("{}-derive-{}", self.run_id, self.runs);
                let one = One { maker, dataset, run_id, ask: self.ask, cancelled };
                let mut derivation = Derivation {
                    materializer: maker.name.clone(),
                    dataset: dataset.to_owned(),
                    ..Derivation::default()
                };
                match one.work(components, writer, &mut derivation) {
                    Err(EngineError::Store(error)) => return Err(error),
                    Err(EngineError::Interrupted) => continue,
                    Err(error) => derivation.error = Some(crate::explain(&error)),
                    Ok(()) => {}
                }
                if derivation.error.is_none() {
                    writer.note_derived(dataset, maker.digest())?;
                } else if let Some(state) = writer.derivation_due(dataset, maker.digest())? {
                    self.failed.insert(dataset.to_owned(), state);
                }
                self.add(derivation);
            }
        }
        Ok(())
    }

    /// Notes what came of a dataset. What went wrong there before counts no more: this is how things stand.
    fn add(&mut self, derivation: Derivation) {
        for before in self.done.iter_mut().filter(|it| it.dataset == derivation.dataset) {
            before.error = None;
        }
        self.done.push(derivation);
        self.done.retain(|it| it.error.is_some() || it.updated > 0);
    }
}

/// One dataset, and who derives columns of it.
struct One<'a> {
    maker: &'a Maker,
    dataset: &'a str,
    run_id: String,
    ask: Option<&'a Ask>,
    cancelled: &'a AtomicBool,
}

impl One<'_> {
    fn work(
        &self,
        components: &Components,
        writer: &mut Writer,
        derivation: &mut Derivation,
    ) -> Result<(), EngineError> {
        let view = Arc::new(Mutex::new(View::default()));
        let kinds = [format!("{STORED}{}", self.dataset)];
        let rules = BTreeMap::new();
        let mut materializers =
            Materializers::load(components, Arc::clone(&view), rules, &kinds, writer)?;
        lock(&view).hand_out(self.dataset);
        let [kind] = kinds;
        let mut passed = self.pass(kind, &view, &mut materializers, writer)?;
        if let Some(stored) = lock(&view).stored.get(self.dataset) {
            for chunk in &mut passed.chunks {
                keep_to_owned(chunk, stored).map_err(|reason| self.blame(reason))?;
            }
        }
        let check = |derivation: &mut Derivation| {
            derivation.checks = checks::after(&materializers, &lock(&view), self.ask, |_| true);
            let failed = derivation.checks.iter().find(|check| !check.is_ok());
            derivation.error = failed.map(checks::line);
        };
        let rows = passed.updated();
        if rows == 0 {
            check(derivation);
            return Ok(());
        }
        let start = RunStart {
            run_id: self.run_id.clone(),
            started_at: now(),
            providers: vec![self.maker.name.clone()],
            kind: RunKind::Derive,
            ..RunStart::default()
        };
        let Passed { mut report, chunks, .. } = passed;
        writer.run(&start, now, |writer, end| {
            writer.begin_dataset_run(&DatasetRun {
                run_id: self.run_id.clone(),
                provider: self.maker.name.clone(),
                ..DatasetRun::default()
            })?;
            let each = |rows| end.rows_written += rows;
            publish(chunks, writer, &view, &mut report, |_| Ok(()), each)?;
            check(derivation);
            report.checks.clone_from(&derivation.checks);
            if derivation.error.is_some() {
                end.status = "failed".to_owned();
            }
            end.report = serde_json::to_string(&report).unwrap_or_default();
            Ok::<_, EngineError>(())
        })?;
        (derivation.run_id, derivation.updated) = (Some(self.run_id.clone()), rows);
        Ok(())
    }

    /// Hands all rows of the dataset to the materializer.
    fn pass(
        &self,
        kind: String,
        view: &Arc<Mutex<View>>,
        materializers: &mut Materializers,
        writer: &mut Writer,
    ) -> Result<Passed, EngineError> {
        let declared = materializers.datasets().find(|it| it.name == self.dataset);
        let missing = || self.blame("it declares no such dataset".to_owned());
        let stored = writer.open_dataset(declared.ok_or_else(missing)?)?;
        let asserting = Asserting { mode: None, source: "backfill_script".to_owned() };
        let aim = Aim::Write { writer, chunk_size: Changes::CHUNK };
        let mut pass = Pass::new(Arc::clone(view), materializers, aim, &self.run_id, asserting);
        let mut taken = Ok(());
        stored.scan(|row| {
            if self.cancelled.load(Ordering::Relaxed) {
                taken = Err(EngineError::Interrupted);
            } else if taken.is_ok() {
                taken = pass.take(item(&kind, &stored, &row));
            }
        })?;
        taken?;
        pass.finish()
    }

    fn blame(&self, reason: String) -> EngineError {
        EngineError::Bad { materializer: self.maker.name.clone(), reason }
    }
}

/// Makes an item of a stored row: the columns that are declared, from where the row came.
fn item(kind: &str, stored: &OpenDataset, row: &[Datum]) -> Item {
    let of = |name: &str| {
        let text = stored.position(name).and_then(|at| row.get(at)?.as_text());
        text.unwrap_or_default().to_owned()
    };
    let cells = stored.columns().iter().zip(row);
    let declared = cells.filter(|(column, _)| stored.declared().position(&column.name).is_some());
    let cells: Vec<Cell> =
        declared.map(|(column, value)| (column.name.clone(), value.clone())).collect();
    let origin = Origin { system: of(SOURCE_SYSTEM), id: of(SOURCE_ID), ended_at: None };
    Item { kind: kind.to_owned(), origin, cells }
}

/// Refuses a chunk that changes more than what is derived, and leaves rows to the runs that brought them.
fn keep_to_owned(chunk: &mut Chunk, stored: &OpenDataset) -> Result<(), String> {
    let dataset = &stored.declared().name;
    if chunk.is_staged() {
        return Err(format!("of the rows of `{dataset}` it made rows of another dataset"));
    }
    let rule = Rule::of(stored);
    for (name, Pending { row, before, .. }) in chunk.changed_mut() {
        let Some(before) = before.as_ref().filter(|_| name == dataset) else {
            return Err(format!("of the rows of `{dataset}` it made new ones in `{name}`"));
        };
        for (at, column) in stored.columns().iter().enumerate() {
            if OWN.contains(&column.name.as_str()) {
                row[at] = before[at].clone();
            } else if !is_same(&row[at], &before[at]) && !rule.derives(at, before) {
                let name = &column.name;
                return Err(format!("it changes `{name}` of `{dataset}`, which it does not own"));
            }
        }
    }
    Ok(())
}

/// Says whether two values are stored as one: no number is another one of its sort.
fn is_same(one: &Datum, other: &Datum) -> bool {
    one == other || datum_to_json(one) == datum_to_json(other)
}
