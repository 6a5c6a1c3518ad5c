//! Cases of a materializer: items that are recorded, and the rows that they become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyp_backfill::{BackfillError, Changes, MaterializerDescription, Recording};
use hyp_model::item::ColumnMode;
use hyp_model::{Exit, Explain};
use serde_json::{Map, Value, json};

use super::hostile::Hostile;
use super::{compare, pretty, verdict};
use crate::commands::ask::Lake;
use crate::commands::plugin::trial::{Trial, files};
use crate::commands::{Session, print, record};
use crate::failure::Failure;

/// Ending of a file of items; what is before it is their kind.
const SUFFIX: &str = ".jsonl";

/// Beginning of the names of columns that the host fills.
const OWN: &str = "_hyp_";

/// What a careless provider may put into a cell.
fn odd_values() -> [Value; 6] {
    let long = "x".repeat(1 << 20);
    [Value::Null, json!(true), json!(-1), json!(0.5), json!({"a": [null]}), json!(long)]
}

/// Items of one kind.
struct Items {
    kind: String,
    objects: Vec<Map<String, Value>>,
}

/// Gives a materializer the items of its cases.
pub(super) fn test(
    trial: &Trial,
    materializer: &MaterializerDescription,
    (cases, bless): (&[PathBuf], bool),
    cancelled: &AtomicBool,
) -> Result<Exit, Failure> {
    let mut faults = 0;
    for case in cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        let items = items(&case.join("in"))?;
        let golden = golden(trial, materializer, case, (&items, bless))?;
        let hostile = match bless {
            true => Hostile::default(),
            false => hostile(trial, &items, cancelled)?,
        };
        if cancelled.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted);
        }
        faults += verdict(&name, &golden, &hostile, "damaged items")?;
    }
    print(&format!("{} cases, {faults} faults\n", cases.len()))?;
    Ok(if faults == 0 { Exit::Done } else { Exit::Failed })
}

/// Reads the items of a case, by kind.
fn items(folder: &Path) -> Result<Vec<Items>, Failure> {
    let mut all = Vec::new();
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(kind) = name.strip_suffix(SUFFIX) {
            all.push(Items { kind: kind.to_owned(), objects: record::read(&path)? });
        }
    }
    Ok(all)
}

/// Records items, twice in one store and once in another, and compares the rows.
fn golden(
    trial: &Trial,
    materializer: &MaterializerDescription,
    case: &Path,
    (items, bless): (&[Items], bool),
) -> Result<Result<usize, String>, Failure> {
    let (store, other) = (trial.another()?, trial.another()?);
    let (session, other) = (trial.session(store.path()), trial.session(other.path()));
    let read = |session: &Session| rows(session, materializer);
    let record = |session: &Session| -> Result<(), BackfillError> {
        items.iter().try_for_each(|items| give(session, &items.kind, items.objects.clone()))
    };
    if let Err(error) = record(&session).and_then(|()| record(&other)) {
        return Ok(Err(error.to_string()));
    }
    let rows = read(&session)?;
    if rows != read(&other)? {
        return Ok(Err("the same items give other rows in another store".to_owned()));
    }
    if let Err(error) = record(&session) {
        return Ok(Err(format!("recorded a second time: {error}")));
    }
    if rows != read(&session)? {
        return Ok(Err("recorded a second time the items give other rows".to_owned()));
    }
    let count = rows.values().map(Vec::len).sum();
    Ok(compare(case, &pretty(&rows)?, bless)?.map(|()| count))
}

/// Gives it items with odd values in one cell after the other: it may refuse them, and must not break.
fn hostile(trial: &Trial, items: &[Items], cancelled: &AtomicBool) -> Result<Hostile, Failure> {
    let mut hostile = Hostile::default();
    for Items { kind, objects } in items {
        let Some(object) = objects.first() else { continue };
        for column in object.keys() {
            for value in odd_values() {
                if cancelled.load(Ordering::Relaxed) {
                    return Ok(hostile);
                }
                let store = trial.another()?;
                let mut odd = object.clone();
                let shown: String = value.to_string().chars().take(12).collect();
                odd.insert(column.clone(), value);
                hostile.readings += 1;
                let done = give(&trial.session(store.path()), kind, vec![odd]);
                if let Some(error) = done.err().filter(is_broken) {
                    hostile.faults.push(format!("{kind}, `{column}` is {shown}: {error}"));
                }
            }
        }
    }
    Ok(hostile)
}

/// Says whether the materializer broke, and did not only refuse.
fn is_broken(error: &BackfillError) -> bool {
    error.code().starts_with("hyp::plugin::") && error.code() != "hyp::plugin::fault"
}

fn give(
    session: &Session,
    kind: &str,
    items: Vec<Map<String, Value>>,
) -> Result<(), BackfillError> {
    let recording = Recording {
        kind: kind.to_owned(),
        items,
        source: "crawler_promote".to_owned(),
        policy: ColumnMode::PromoteOnly,
        changes: Changes::default(),
        wait: Duration::ZERO,
        run_id: "rec-trial".to_owned(),
    };
    hyp_backfill::record(&session.places, &recording).map(drop)
}

/// Returns the rows of every dataset in the order of their keys; absent values are left out.
fn rows(
    session: &Session,
    materializer: &MaterializerDescription,
) -> Result<BTreeMap<String, Vec<Value>>, Failure> {
    let lake = Lake::open(session)?;
    let mut all = BTreeMap::new();
    let filled = hyp_cache::Store::open(&session.places.store)?.datasets()?;
    for dataset in materializer.datasets.iter().filter(|it| filled.contains(&it.name)) {
        let (name, key) = (&dataset.name, dataset.key.join(", "));
        let rows = lake.rows(&format!("select * from {name} order by {key}"))?;
        let kept = rows.into_iter().map(|row| {
            let cells =
                row.into_iter().filter(|(name, value)| !value.is_null() && !name.starts_with(OWN));
            Value::Object(cells.collect())
        });
        all.insert(name.clone(), kept.collect());
    }
    Ok(all)
}
