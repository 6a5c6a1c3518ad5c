//! What is recorded as it happens: the same materializers, rules, journal and audit as for what is imported.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyp_cache::{DatasetRun, RunKind, RunStart, Store};
use hyp_model::Explain;
use hyp_model::item::{Cell, ColumnMode, ConflictRule, Datum, Item, Origin, STORED};
use hyp_plugin::{Limits, Settled};
use serde::Serialize;
use serde_json::{Map, Value};

use super::derive::{Derivation, Deriving};
use super::error::EngineError;
use super::materializers::Materializers;
use super::pass::{Aim, Asserting, Pass, Passed};
use super::publish::publish;
use super::report::ChangesReport;
use super::request::Changes;
use super::view::View;
use crate::components::Components;
use crate::error::BackfillError;
use crate::places::Places;
use crate::record::PROJECTED_EXCHANGE;
use crate::run::now;

/// Name that runs have which record.
const PROVIDER: &str = "record";

/// What is to be recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Kind of the items.
    pub kind: String,
    /// An object for each; `id` is its own id, where it has one.
    pub items: Vec<Map<String, Value>>,
    /// Who has the evidence, as the audit calls it: `crawler_promote` or `member_write`.
    pub source: String,
    /// How what is asserted meets what is there.
    pub policy: ColumnMode,
    /// Rules and settings.
    pub changes: Changes,
    /// How long to wait for another run to end.
    pub wait: Duration,
    /// Id of the run.
    pub run_id: String,
}

/// What a recording did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recorded {
    /// What became of the items.
    #[serde(flatten)]
    pub changes: ChangesReport,
    /// Columns that were worked out anew before and after, by dataset, and what went wrong there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derivation>,
}

/// Records items.
///
/// # Errors
/// Fails when no materializer takes the kind, when an item is not as it has to be, or when the store cannot be used; nothing
/// is written then.
pub fn record(places: &Places, recording: &Recording) -> Result<Recorded, BackfillError> {
    let kind = &recording.kind;
    let components = Components::load(places, Limits::default(), &[])?;
    if kind.starts_with(STORED) || components.makers.of(kind).is_none() {
        let taken = components.makers.kinds().filter(|kind| !kind.starts_with(STORED));
        let known: Vec<_> = [PROJECTED_EXCHANGE].into_iter().chain(taken).collect();
        let known = known.join(", ");
        let reason = format!("no materializer takes items of kind `{kind}`; known are: {known}");
        return Err(BackfillError::Recording { reason, code: None });
    }
    components.makers.check_rules(recording.changes.rules.keys())?;
    let store = Store::open_or_create(&places.store)?;
    let mut writer = store.writer(recording.wait, &recording.run_id)?;
    let ask = recording.changes.ask.as_ref();
    let mut deriving = Deriving::new(&components, ask, &recording.run_id);
    let never = AtomicBool::new(false);
    deriving.work(&mut writer, &never)?;
    components.host.settle(Settled { settings: recording.changes.settings.clone(), prober: None });
    let refused = |error: EngineError| match error {
        EngineError::Store(error) => error.into(),
        other => {
            let code = matches!(other, EngineError::Run(_)).then(|| other.code());
            BackfillError::Recording { reason: crate::explain(&other), code }
        }
    };
    let view = Arc::new(Mutex::new(View::default()));
    let wanted = [kind.clone()];
    // These say what an import leaves alone; what happens now is no import.
    let mut rules = recording.changes.rules.clone();
    rules.retain(|_, rule| !matches!(rule, ConflictRule::Keep | ConflictRule::FillMissing));
    let mut materializers =
        Materializers::load(&components, Arc::clone(&view), rules, &wanted, &writer)
            .map_err(refused)?;
    let run_id = recording.run_id.clone();
    let start = RunStart {
        run_id: run_id.clone(),
        started_at: now(),
        providers: vec![PROVIDER.to_owned()],
        kind: RunKind::Record,
        ..RunStart::default()
    };
    let done = writer.run(&start, now, |writer, end| {
        writer.begin_dataset_run(&DatasetRun {
            run_id: run_id.clone(),
            provider: PROVIDER.to_owned(),
            ..DatasetRun::default()
        })?;
        let aim = Aim::Write { writer, chunk_size: usize::MAX };
        let asserting =
            Asserting { mode: Some(recording.policy), source: recording.source.clone() };
        let mut pass = Pass::new(Arc::clone(&view), &mut materializers, aim, &run_id, asserting);
        for (at, object) in recording.items.iter().enumerate() {
            pass.take(item(recording, at, object))?;
        }
        let Passed { mut report, chunks, .. } = pass.finish()?;
        publish(chunks, writer, &view, &mut report, |_| Ok(()), |rows| end.rows_written += rows)?;
        end.report = serde_json::to_string(&report).unwrap_or_default();
        Ok(report)
    });
    let changes = done.map_err(refused)?;
    // What the materializers read is not in the way of those who read it anew.
    drop(materializers);
    deriving.work(&mut writer, &never)?;
    Ok(Recorded { changes, derived: deriving.done })
}

fn item(recording: &Recording, at: usize, object: &Map<String, Value>) -> Item {
    let own = object.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = own.unwrap_or_else(|| format!("{}/{at}", recording.run_id));
    let cells = object.iter().map(cell).collect();
    let origin = Origin { system: PROVIDER.to_owned(), id, ended_at: None };
    Item { kind: recording.kind.clone(), origin, cells }
}

fn cell((name, value): (&String, &Value)) -> Cell {
    let datum = match value {
        Value::Null => Datum::Null,
        Value::Bool(flag) => Datum::Boolean(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Datum::Integer(number),
            None => number.as_f64().map_or(Datum::Null, Datum::Real),
        },
        Value::String(text) => Datum::Text(text.clone()),
        other => Datum::Json(other.to_string()),
    };
    (name.clone(), datum)
}
