//! What a run over datasets did, as people read it.

use std::collections::BTreeMap;
use std::fmt::Write;

use hyp_backfill::{CellChange, ChangesReport, CutoverReport, ProviderReport, Status};
use serde_json::Value;

use crate::{moment, terminal, text};

/// Changes that are shown one by one.
const SHOWN: usize = 40;

/// Items that are named of those that have no twin.
const NAMED: usize = 5;

/// Tells of a provider whose items become rows of datasets.
pub(in crate::commands) fn show(out: &mut String, report: &ProviderReport, told: &ChangesReport) {
    let status = match (&told.refused, report.status) {
        (Some(_), _) => "refused",
        (None, Status::Ok) if told.committed => "ok",
        (None, Status::Ok) => "dry-run",
        _ => "failed",
    };
    let provider = text::line(&report.provider);
    let datasets = report.datasets.join(", ");
    let datasets = text::line(&datasets);
    let _ = writeln!(out, "  {provider}  [{status}]  -> {datasets}");
    if let Some(cutover) = &told.cutover {
        show_cutover(out, cutover);
    }
    let mut counts = vec![format!("source rows {}", told.source_rows)];
    for group in [&told.items, &told.skipped, &told.failed] {
        counts.extend(group.iter().map(|(word, count)| format!("{}={count}", text::line(word))));
    }
    line(out, "", &counts);
    show_rows(out, told);
    named(out, "assertions: ", &told.assertions);
    named(out, "outcomes: ", &told.outcomes);
    show_changes(out, &told.changes);
    if !told.slowest.is_empty() {
        let slowest: Vec<String> = told
            .slowest
            .iter()
            .map(|slow| format!("{} {} ms", text::line(&slow.id), slow.elapsed_ms))
            .collect();
        line(out, &format!("slowest (of {} ms): ", told.elapsed_ms), &slowest);
    }
    for check in &told.checks {
        let found = check.found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
        let verdict = if check.is_ok() {
            "ok".to_owned()
        } else {
            format!("expected {}, found {found}", check.expected)
        };
        let _ = writeln!(out, "    check: {} {verdict}", text::line(&check.name));
    }
    for (label, entries) in &told.audit_insert_failed {
        let _ =
            writeln!(out, "    warning: the audit lacks {entries} entries ({})", text::line(label));
    }
    for note in &report.notes {
        let _ = writeln!(out, "    note: {}", text::line(note));
    }
    for warning in &report.warnings {
        let _ = writeln!(out, "    error: {}", text::line(warning));
    }
    if let Some(reason) = &told.refused {
        let _ = writeln!(out, "    refused, nothing written: {}", text::line(reason));
    } else if !told.committed && report.status == Status::Ok {
        out.push_str("    nothing written; add --commit\n");
    }
}

/// Tells of what was recorded.
pub(in crate::commands) fn show_recorded(out: &mut String, told: &ChangesReport) {
    named(out, "items: ", &told.items);
    show_rows(out, told);
    show_changes(out, &told.changes);
}

fn show_cutover(out: &mut String, cutover: &CutoverReport) {
    let at = moment::show(Some(cutover.at));
    let paired = cutover.pairs.len();
    let _ = write!(
        out,
        "    cutover {at}: {} left out, {paired} of them recorded by others",
        cutover.left_out
    );
    if cutover.unmatched.is_empty() {
        out.push('\n');
        return;
    }
    let names: Vec<String> =
        cutover.unmatched.iter().take(NAMED).map(|id| text::line(id).into()).collect();
    let more = cutover.unmatched.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let _ = writeln!(out, "; {} by nobody: {}{rest}", cutover.unmatched.len(), names.join(", "));
}

fn show_rows(out: &mut String, told: &ChangesReport) {
    for (name, changes) in &told.datasets {
        let _ = writeln!(
            out,
            "    {} ({}): {} new, {} changed, {} as they were; {} rows",
            text::line(name),
            changes.rule,
            changes.inserted,
            changes.updated,
            changes.same,
            changes.rows
        );
    }
}

fn show_changes(out: &mut String, changes: &[CellChange]) {
    for change in changes.iter().take(SHOWN) {
        let key: Vec<String> = change.key.iter().map(word).collect();
        let subject = change.subject.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "    {}: {} {}  {} -> {}",
            change.event,
            text::line(&key.join("/")),
            text::line(subject),
            text::line(&word(&change.old)),
            text::line(&word(&change.new))
        );
    }
    if changes.len() > SHOWN {
        let _ = writeln!(out, "    {} more (--json lists them)", changes.len() - SHOWN);
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn named(out: &mut String, title: &str, counts: &BTreeMap<String, u64>) {
    if !counts.is_empty() {
        let counts: Vec<String> =
            counts.iter().map(|(word, count)| format!("{}={count}", text::line(word))).collect();
        line(out, title, &counts);
    }
}

fn line(out: &mut String, title: &str, words: &[String]) {
    out.push_str(&terminal::wrap(&format!("    {title}"), words, terminal::width()));
}
