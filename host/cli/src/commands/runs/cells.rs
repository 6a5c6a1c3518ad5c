//! What a run did to rows of datasets, one by one, from the journal that it is undone from; and what it left to others.

use std::collections::BTreeSet;
use std::fmt::Write;

use arrow::datatypes::DataType;
use hyp_cache::{JournalEntry, JournalOperation, OWN, Store};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::{moment, text};

/// A cell that was changed, or a row that was added or removed.
#[derive(Debug, Serialize)]
pub(super) struct Deed {
    dataset: String,
    /// Values of the row's key.
    key: Value,
    /// The cell; none for a whole row.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// `insert`, `update` or `remove`; of a run that wrote nothing, also `promote`, `flip` or `disagree`.
    operation: String,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    /// What is there since.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
}

/// Returns what a run did, in its order; of one that wrote nothing, what its report says that it would do.
///
/// Rows that were added to a dataset which never changes any are not listed: they carry the id of the run.
pub(super) fn deeds(store: &Store, run: &str, report: &Value) -> Result<Vec<Deed>, Failure> {
    let journal = store.dataset_journal(run)?;
    if journal.is_empty() {
        let providers = report["providers"].as_array().into_iter().flatten();
        let told =
            providers.flat_map(|it| it["changes"]["changes"].as_array().into_iter().flatten());
        return Ok(told.map(planned).collect());
    }
    let times = times(store)?;
    let is_own = |name: &String| OWN.contains(&name.as_str());
    let shown = journal.into_iter().filter(|entry| !entry.column.as_ref().is_some_and(is_own));
    Ok(shown.map(|entry| done(entry, &times)).collect())
}

fn planned(told: &Value) -> Deed {
    let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    Deed {
        dataset: word("dataset"),
        key: told["key"].clone(),
        column: Some(word("column")),
        operation: word("event"),
        old: Some(told["old"].clone()),
        new: Some(told["new"].clone()),
    }
}

fn done(entry: JournalEntry, times: &BTreeSet<(String, String)>) -> Deed {
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let JournalEntry { dataset, row_key, column, operation, old, new } = entry;
    let place = (dataset, column.unwrap_or_default());
    let is_time = times.contains(&place);
    let value = |text: Option<String>| {
        let value = json(text.as_deref().unwrap_or("null"));
        let time = value.as_i64().filter(|_| is_time).and_then(moment::rfc3339);
        time.map_or(value, Value::from)
    };
    let (dataset, column) = place;
    let is_cell = operation == JournalOperation::Update;
    Deed {
        dataset,
        key: json(&row_key),
        column: is_cell.then_some(column),
        operation: operation.as_str().to_owned(),
        old: is_cell.then(|| value(old)),
        new: is_cell.then(|| value(new)),
    }
}

/// Returns the columns that hold times, each with its dataset.
fn times(store: &Store) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut times = BTreeSet::new();
    for files in store.dataset_files()? {
        for field in files.schema.fields() {
            if matches!(field.data_type(), DataType::Timestamp(..)) {
                times.insert((files.name.clone(), field.name().clone()));
            }
        }
    }
    Ok(times)
}

/// Returns the ids that a run left out and that nobody recorded.
pub(super) fn unmatched(report: &Value) -> Vec<String> {
    let providers = report["providers"].as_array().into_iter().flatten();
    let ids = providers
        .flat_map(|it| it["changes"]["cutover"]["unmatched"].as_array().into_iter().flatten());
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn show_deeds(out: &mut String, deeds: &[Deed]) {
    if deeds.is_empty() {
        out.push_str("changes    none that the journal lists one by one\n");
    }
    for deed in deeds {
        let key: Vec<String> = deed.key.as_array().into_iter().flatten().map(word).collect();
        let Deed { dataset, operation, .. } = deed;
        let row = text::line(&format!("{operation} {dataset} {}", key.join("/"))).into_owned();
        let cell = match (&deed.column, &deed.old, &deed.new) {
            (Some(column), Some(old), Some(new)) => {
                format!("  {column}: {} -> {}", word(old), word(new))
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "changes    {row}{}", text::line(&cell));
    }
}

pub(super) fn show_unmatched(out: &mut String, ids: &[String], is_told: bool) {
    match (ids.is_empty(), is_told) {
        (true, true) => out.push_str("unmatched  none\n"),
        (true, false) => out.push_str("unmatched  not known, as the run did not come to its end\n"),
        _ => {}
    }
    for id in ids {
        let _ = writeln!(out, "unmatched  {}", text::line(id));
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
