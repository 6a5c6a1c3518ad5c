//! What a run over datasets did, as people read it: told from its report, whether that is new or of some time ago.

use std::fmt::Write;

use serde_json::Value;

use crate::{moment, terminal, text};

/// Changes that are shown one by one.
const SHOWN: usize = 40;

/// Columns of the terminal that a cell takes at most.
const CELL: usize = 60;

/// Items that are named of those that have no twin.
const NAMED: usize = 5;

/// Tells of a provider whose items become rows of datasets.
pub(in crate::commands) fn show(out: &mut String, report: &Value) {
    let told = &report["changes"];
    let left = told["left"].as_u64().unwrap_or_default();
    let status = match (&told["refused"], report["status"].as_str()) {
        (Value::String(_), _) => "refused",
        (_, Some("ok")) if told["committed"] == true => "ok",
        (_, Some("ok")) => "dry-run",
        (_, Some("interrupted")) => "interrupted",
        _ => "failed",
    };
    let datasets: Vec<&str> = list(&report["datasets"]).filter_map(Value::as_str).collect();
    let datasets = datasets.join(", ");
    let (provider, datasets) = (said(&report["provider"]), text::line(&datasets));
    let _ = writeln!(out, "  {provider}  [{status}]  -> {datasets}");
    if told["cutover"].is_object() {
        show_cutover(out, &told["cutover"]);
    }
    let mut all = vec![format!("source rows {}", told["source_rows"])];
    for group in ["items", "skipped", "failed"] {
        all.extend(counts(&told[group]));
    }
    line(out, "", &all);
    show_rows(out, told);
    named(out, "assertions: ", &told["assertions"]);
    named(out, "outcomes: ", &told["outcomes"]);
    show_changes(out, &told["changes"]);
    let slowest = list(&told["slowest"]);
    let slowest: Vec<String> =
        slowest.map(|slow| format!("{} {} ms", said(&slow["id"]), slow["elapsed_ms"])).collect();
    if !slowest.is_empty() {
        let elapsed = told["elapsed_ms"].as_u64().unwrap_or_default();
        line(out, &format!("slowest (of {elapsed} ms): "), &slowest);
    }
    show_checks(out, told);
    for (label, entries) in told["audit_insert_failed"].as_object().into_iter().flatten() {
        let _ =
            writeln!(out, "    warning: the audit lacks {entries} entries ({})", text::line(label));
    }
    for (title, field) in [("note", "notes"), ("error", "warnings")] {
        for words in list(&report[field]) {
            let _ = writeln!(out, "    {title}: {}", said(words));
        }
    }
    if told["refused"].is_string() {
        let _ = writeln!(out, "    refused, nothing written: {}", said(&told["refused"]));
    } else if left > 0 {
        let written = report["rows_written"].as_u64().unwrap_or_default();
        let _ = writeln!(
            out,
            "    interrupted: {written} of these {} rows are written, {left} are not",
            written + left
        );
    } else if status == "dry-run" {
        out.push_str("    nothing written; add --commit\n");
    }
}

/// Tells of what was recorded.
pub(in crate::commands) fn show_recorded(out: &mut String, told: &Value) {
    named(out, "items: ", &told["items"]);
    show_rows(out, told);
    show_checks(out, told);
    show_changes(out, &told["changes"]);
}

fn show_checks(out: &mut String, told: &Value) {
    for check in list(&told["checks"]) {
        let (expected, found) = (&check["expected"], &check["found"]);
        let verdict = match found {
            Value::Null => format!("expected {expected}, found nothing"),
            found if found == expected => "ok".to_owned(),
            found => format!("expected {expected}, found {found}"),
        };
        let _ = writeln!(out, "    check: {} {verdict}", said(&check["name"]));
    }
}

fn show_cutover(out: &mut String, cutover: &Value) {
    let at = moment::show(cutover["at"].as_i64());
    let (left_out, paired) = (&cutover["left_out"], list(&cutover["pairs"]).count());
    let _ =
        write!(out, "    cutover {at}: {left_out} left out, {paired} of them recorded by others");
    let unmatched = list(&cutover["unmatched"]).count();
    if unmatched == 0 {
        out.push('\n');
        return;
    }
    let names: Vec<String> = list(&cutover["unmatched"]).take(NAMED).map(said).collect();
    let more = unmatched.saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let _ = writeln!(out, "; {unmatched} by nobody: {}{rest}", names.join(", "));
}

fn show_rows(out: &mut String, told: &Value) {
    for (name, changes) in told["datasets"].as_object().into_iter().flatten() {
        let _ = writeln!(
            out,
            "    {} ({}): {} new, {} changed, {} as they were; {} rows",
            text::line(name),
            said(&changes["rule"]),
            changes["inserted"],
            changes["updated"],
            changes["same"],
            changes["rows"]
        );
    }
}

fn show_changes(out: &mut String, changes: &Value) {
    for change in list(changes).take(SHOWN) {
        let key: Vec<String> = list(&change["key"]).map(word).collect();
        let about = if change["subject"].is_string() { "subject" } else { "column" };
        let _ = writeln!(
            out,
            "    {}: {} {}  {} -> {}",
            said(&change["event"]),
            text::line(&key.join("/")),
            said(&change[about]),
            cell(&change["old"]),
            cell(&change["new"])
        );
    }
    let more = list(changes).count().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(out, "    {more} more (--json lists them)");
    }
}

/// Returns the beginning of a value, made safe for terminals.
fn cell(value: &Value) -> String {
    text::cut(&word(value), CELL)
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns a text, made safe for terminals.
fn said(value: &Value) -> String {
    text::line(value.as_str().unwrap_or_default()).into_owned()
}

fn counts(counts: &Value) -> Vec<String> {
    let counts = counts.as_object().into_iter().flatten();
    counts.map(|(word, count)| format!("{}={count}", text::line(word))).collect()
}

fn named(out: &mut String, title: &str, all: &Value) {
    let all = counts(all);
    if !all.is_empty() {
        line(out, title, &all);
    }
}

fn line(out: &mut String, title: &str, words: &[String]) {
    out.push_str(&terminal::wrap(&format!("    {title}"), words, terminal::width()));
}

/// Adds what was derived anew before and after a run.
pub(in crate::commands) fn show_derived(out: &mut String, report: &Value) {
    for derived in report["derived"].as_array().into_iter().flatten() {
        let of = |field: &str| text::line(derived[field].as_str().unwrap_or_default()).into_owned();
        let _ = write!(out, "  derived {}: updated={}", of("dataset"), derived["updated"]);
        if derived["run_id"].is_string() {
            let _ = write!(out, "  run_id={}", of("run_id"));
        }
        out.push('\n');
        if derived["error"].is_string() {
            let _ = writeln!(out, "    error: {} (of `{}`)", of("error"), of("materializer"));
        }
    }
}
