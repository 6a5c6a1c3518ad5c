//! Runs over datasets: a source is read, materializers say which rows its items are, what that would change is compared with
//! the store, and, when nothing stands against it, it is committed in chunks.
//!
//! A source is read once. Its new rows are written, audited and published, as the table format calls it: they lie in files
//! that nothing points at while guards judge the whole, and become part of the tables chunk by chunk, or are removed. Of rows
//! that change, those that a run comes to are kept in memory.

mod adoption;
mod checks;
mod cutover;
mod derive;
mod error;
mod guards;
mod materializers;
mod pass;
mod probes;
mod publish;
mod record;
mod report;
mod request;
mod rules;
mod undo;
mod view;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyp_cache::{DatasetRun, Writer};
use hyp_model::event::{Event, FailureClass};
use hyp_model::item::{Check, ColumnMode};
use hyp_plugin::{Lent, Page, Plugin, Stop, UnitInputs};

use crate::components::Components;
use crate::discover::Found;
use crate::error::BackfillError;
use crate::places::Places;
use crate::report::{Progress, ProviderReport, Receipt};
use crate::run::Request;
use crate::worker::note_line;
use cutover::LiveRows;
pub(crate) use error::EngineError;
use materializers::Materializers;
use pass::{Aim, Asserting, Chunk, Pass, Passed};
use publish::publish;
use view::{View, lock};

pub use derive::Derivation;
pub(crate) use derive::Deriving;
pub(crate) use guards::{check_sources, settled};
pub(crate) use materializers::{check_free, may_change};
pub use record::{Recorded, Recording, record};
pub use report::{CellChange, ChangesReport, CheckReport, CutoverReport, DatasetChanges, Slow};
pub use request::{Ask, Changes, MaxChanges, Probing};
pub use undo::{Undo, Undone, UndoneCell, is_dataset_run, undo};

/// How often somebody who rests looks whether to go on.
const GLANCE: Duration = Duration::from_millis(100);

/// What rows are called that are read to understand others.
const REFERENCE: &str = "reference";

/// A provider's run.
pub(crate) struct Engine<'a> {
    pub(crate) plugin: &'a Arc<Plugin>,
    pub(crate) components: &'a Components,
    pub(crate) writer: &'a mut Writer,
    pub(crate) request: &'a Request,
    pub(crate) places: &'a Places,
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
    pub(crate) cancelled: &'a AtomicBool,
    /// Whether what is worked out is committed, where no guard stands against it.
    pub(crate) writes: bool,
    pub(crate) report: ProviderReport,
}

/// What is counted of records that are no items.
#[derive(Default)]
struct Others {
    skipped: std::collections::BTreeMap<String, u64>,
    failed: std::collections::BTreeMap<String, u64>,
    /// Those of `failed` that were there, and not understood.
    misunderstood: u64,
    timings: Vec<(String, u32)>,
    bytes: u64,
    notes: Vec<String>,
}

impl Engine<'_> {
    /// Runs, and returns the report, of what came before an error as well.
    ///
    /// Fails only when the store does; what else goes wrong is in the report.
    pub(crate) fn run(mut self, found: Found) -> (ProviderReport, Result<(), BackfillError>) {
        for reason in &found.unreadable {
            self.report.fail(reason.clone());
        }
        self.report.notes.extend(found.notes.iter().map(note_line));
        self.report.files_seen = found.files.len() as u64;
        if self.report.error.is_none() {
            match self.plan_and_commit(&found) {
                Ok(()) => {}
                Err(EngineError::Store(error)) => {
                    self.report.fail(crate::explain(&error));
                    return (self.report, Err(error.into()));
                }
                Err(EngineError::Interrupted) => {}
                Err(error) => self.report.fail(crate::explain(&error)),
            }
        }
        self.report.receipt = Receipt::of(self.plugin, self.report.rows_written);
        (self.progress)(self.report.finished(self.cancelled.load(Ordering::Relaxed)));
        (self.report, Ok(()))
    }

    fn plan_and_commit(&mut self, found: &Found) -> Result<(), EngineError> {
        let changes = &self.request.changes;
        let planning = Instant::now();
        let view = Arc::new(Mutex::new(View::default()));
        let kinds = &self.plugin.description().kinds;
        let mut materializers = Materializers::load(
            self.components,
            Arc::clone(&view),
            changes.rules.clone(),
            kinds,
            self.writer,
        )?;
        self.report.datasets = materializers.datasets().map(|it| it.name.clone()).collect();
        let held = adoption::Held {
            plugin: self.plugin,
            components: self.components,
            places: self.places,
        };
        if let refused @ Some(_) = held.refusal(found, &lock(&view)) {
            self.report.changes = Some(ChangesReport { refused, ..ChangesReport::default() });
            return Ok(());
        }
        let mut notes = Vec::new();
        let plan = self.plugin.plan(&found.files, &mut notes)?;
        self.report.notes.extend(notes.iter().map(note_line));
        let units: Vec<UnitInputs> = plan
            .units
            .into_iter()
            .map(|unit| {
                let lent =
                    unit.inputs.iter().filter_map(|at| found.files.get(*at as usize).cloned());
                let inputs: Vec<Lent> = lent.collect();
                UnitInputs { id: unit.id, inputs, context: unit.context }
            })
            .collect();

        let is_reconciler =
            materializers.datasets().any(|dataset| !dataset.column_rules.is_empty());
        let (passed, others) = self.pass(&view, &mut materializers, &units)?;
        self.report.bytes_read = others.bytes;
        self.report.notes.extend(others.notes);
        self.report.time("plan", planning.elapsed().as_secs_f64());
        let limit = guards::limit(changes, &passed, is_reconciler, &lock(&view));
        let refused = guards::refusal(changes, &passed, limit);
        let Passed { report: mut told, chunks, .. } = passed;
        (told.max_changes, told.refused) = (limit, refused);
        (told.skipped, told.failed) = (others.skipped, others.failed);
        for (id, elapsed_ms) in others.timings {
            told.time(id, elapsed_ms);
        }
        told.add_up();
        self.report.items_seen = told.source_rows;
        let failed = others.misunderstood;
        if failed > 0 && told.items.values().all(|count| *count == 0) {
            let reasons: Vec<&str> = told.failed.keys().map(String::as_str).collect();
            self.report.fail(format!(
                "nothing was found in {} records, and {failed} were not understood ({}): see whether the source is what it \
                 should be",
                told.source_rows,
                reasons.join(", ")
            ));
        }
        let mut published = Ok(());
        if told.refused.is_none() && self.writes {
            let committing = Instant::now();
            published = self.publish(chunks, &view, found, &mut told);
            self.report.time("commit", committing.elapsed().as_secs_f64());
        }
        if told.committed && published.is_ok() {
            let ask = self.request.changes.ask.as_ref();
            let is_ready = |check: &Check| self.is_ready(check);
            told.checks = checks::after(&materializers, &lock(&view), ask, is_ready);
        }
        self.report.rows_skipped = told.datasets.values().map(|it| it.same).sum();
        if told.has_failed_check() {
            let failed = told.checks.iter().find(|check| !check.is_ok());
            let line = failed.map(checks::line).unwrap_or_default();
            self.report.fail(line);
        }
        self.report.changes = Some(told);
        published
    }

    /// Says whether a check can be asked; where columns have to be derived first, it is asked after that.
    fn is_ready(&self, check: &Check) -> bool {
        let maker = self.components.makers.deriving(&check.dataset);
        let due = maker.map(|maker| self.writer.derivation_due(&check.dataset, maker.digest()));
        !matches!(due, Some(Ok(Some(_))))
    }

    /// Makes what was written part of the datasets.
    fn publish(
        &mut self,
        chunks: Vec<Chunk>,
        view: &Mutex<View>,
        found: &Found,
        told: &mut ChangesReport,
    ) -> Result<(), EngineError> {
        let changes = &self.request.changes;
        self.writer.begin_dataset_run(&DatasetRun {
            run_id: self.request.run_id.clone(),
            provider: self.report.provider.clone(),
            undoes: None,
            cutover: told.cutover.as_ref().map(|cutover| cutover.at),
            source: Some(found.fingerprint()),
        })?;
        let Self { cancelled, progress, report, .. } = self;
        let before =
            |is_first| rest(if is_first { Duration::ZERO } else { changes.rest }, cancelled);
        let after = |rows| {
            report.rows_written += rows;
            progress(Progress::Committed { provider: report.provider.clone(), rows });
        };
        publish(chunks, self.writer, view, told, before, after)
    }

    /// Reads the source.
    fn pass(
        &mut self,
        view: &Arc<Mutex<View>>,
        materializers: &mut Materializers,
        units: &[UnitInputs],
    ) -> Result<(Passed, Others), EngineError> {
        let changes = &self.request.changes;
        let mut live = std::collections::BTreeMap::new();
        for (name, stored) in &lock(view).stored {
            if let Some(rows) = LiveRows::of(stored, changes.cutover)? {
                live.insert(name.clone(), rows);
            }
        }
        let aim = match self.writes {
            true => Aim::Write { writer: self.writer, chunk_size: changes.chunk_size.max(1) },
            false => Aim::Plan,
        };
        let asserting = Asserting {
            mode: changes.settings.get("mode").and_then(|mode| mode_of(mode)),
            source: "backfill_script".to_owned(),
        };
        let mut pass =
            Pass::new(Arc::clone(view), materializers, aim, &self.request.run_id, asserting);
        pass.live = live;
        pass.recovers = changes.recover_unmatched;
        let mut others = Others::default();
        for unit in units {
            read(self.plugin, unit, self.cancelled, &mut pass, &mut others)?;
        }
        Ok((pass.finish()?, others))
    }
}

/// Leaves the store to others for a while.
fn rest(time: Duration, cancelled: &AtomicBool) -> Result<(), EngineError> {
    let until = Instant::now() + time;
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(EngineError::Interrupted);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

/// Returns how values are asserted, by the word of a setting.
fn mode_of(word: &str) -> Option<ColumnMode> {
    match word {
        "promote-only" => Some(ColumnMode::PromoteOnly),
        "reconcile" => Some(ColumnMode::Reconcile),
        _ => None,
    }
}

/// Hands the items of a unit to a pass, and counts what else there is.
fn read(
    plugin: &Arc<Plugin>,
    unit: &UnitInputs,
    cancelled: &AtomicBool,
    pass: &mut Pass<'_>,
    others: &mut Others,
) -> Result<(), EngineError> {
    let mut wrong = None;
    let scanned = plugin.worker().scan(unit, None, cancelled, &mut |page: Page| {
        for event in page.events {
            if let Err(error) = take(event, pass, others) {
                wrong = Some(error);
                return Err(Stop);
            }
        }
        Ok(())
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    let report = scanned?;
    others.bytes += report.inputs.iter().map(|input| input.bytes_read).sum::<u64>();
    if report.stopped { Err(EngineError::Interrupted) } else { Ok(()) }
}

fn take(event: Event, pass: &mut Pass<'_>, others: &mut Others) -> Result<(), EngineError> {
    match event {
        Event::Item(_, item) => return pass.take(item),
        Event::Skip(skip) if skip.kind == REFERENCE => {}
        Event::Skip(skip) => {
            *others.skipped.entry(skip.kind).or_default() += u64::from(skip.count);
        }
        Event::Failure(failure) => {
            let word = match failure.class {
                FailureClass::Unavailable => failure.reason,
                class => {
                    others.misunderstood += 1;
                    format!("{}: {}", class.as_str(), failure.reason)
                }
            };
            *others.failed.entry(word).or_default() += 1;
        }
        Event::Timing(timing) => others.timings.push((timing.id, timing.elapsed_ms)),
        Event::Note(note) => others.notes.push(note_line(&note)),
        _ => {}
    }
    Ok(())
}
