//! `hyp plugin receipts NAME`: what a provider took in each run.

use std::fmt::Write;

use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::ReceiptsArgs;
use crate::commands::ask::{self, Lake, Row};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{moment, text};

#[derive(Serialize)]
struct List {
    receipts: Vec<Entry>,
}

/// What a provider took in a run.
#[derive(Debug, Serialize)]
struct Entry {
    run_id: String,
    started_at: Option<String>,
    #[serde(skip)]
    started: Option<i64>,
    /// As it is in the report of the run.
    #[serde(flatten)]
    receipt: Value,
}

/// Runs `hyp plugin receipts`.
pub(super) fn receipts(session: &Session, args: &ReceiptsArgs) -> Result<Exit, Failure> {
    let lake = Lake::open_or_empty(session)?;
    let rows = lake.rows(
        "select run_id, report, cast(started_at as bigint) as started from runs \
         where report is not null order by started desc, run_id",
    )?;
    let entries = rows.iter().filter_map(|row| entry(row, &args.name));
    let receipts: Vec<Entry> =
        entries.take(if args.limit == 0 { usize::MAX } else { args.limit }).collect();
    if args.json {
        print_json(&List { receipts })?;
    } else if receipts.is_empty() {
        say(&format!("no run has started `{}`", text::line(&args.name)));
    } else {
        print(&table(&receipts))?;
    }
    Ok(Exit::Done)
}

/// Returns what a provider took in a run; a run that did not start it has no receipt of it.
fn entry(row: &Row, name: &str) -> Option<Entry> {
    let mut report: Value = serde_json::from_str(&ask::text(row, "report")?).ok()?;
    let mut providers = report["providers"].as_array_mut()?.iter_mut();
    let provider = providers.find(|provider| provider["provider"] == name)?;
    let receipt = provider["receipt"].take();
    let started = ask::long(row, "started");
    receipt.is_object().then(|| Entry {
        run_id: ask::text(row, "run_id").unwrap_or_default(),
        started_at: started.and_then(moment::rfc3339),
        started,
        receipt,
    })
}

fn table(entries: &[Entry]) -> String {
    let longest = entries.iter().map(|entry| entry.run_id.len()).max().unwrap_or(0);
    let run = longest.max("RUN".len());
    let mut out = format!(
        "{:<16}  {:run$}  {:>9}  {:>9}  {:>9}  {:>9}  LIMITS HIT\n",
        "STARTED", "RUN", "CPU", "MEMORY", "READ", "ROWS"
    );
    for entry in entries {
        let number = |name: &str| entry.receipt[name].as_u64().unwrap_or(0);
        let limits = entry.receipt["limits_hit"].as_object();
        let limits: Vec<String> = limits
            .into_iter()
            .flatten()
            .map(|(limit, times)| format!("{} ({times})", text::line(limit)))
            .collect();
        let _ = writeln!(
            out,
            "{:<16}  {:run$}  {:>7.2} s  {:>9}  {:>9}  {:>9}  {}",
            moment::show(entry.started),
            text::line(&entry.run_id),
            entry.receipt["cpu_seconds"].as_f64().unwrap_or(0.0),
            text::bytes(number("peak_memory_bytes")),
            text::bytes(number("bytes_read")),
            text::full(number("rows")),
            if limits.is_empty() { "none".to_owned() } else { limits.join(", ") }
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_receipt_is_a_line() {
        let entry = |run_id: &str, limits: Value| Entry {
            run_id: run_id.into(),
            started_at: None,
            started: None,
            receipt: json!({
                "cpu_seconds": 1.25, "peak_memory_bytes": 3 << 20, "bytes_read": 12345,
                "rows": 4321, "limits_hit": limits,
            }),
        };
        let entries = [entry("bf-1", json!({})), entry("bf-22", json!({ "deadline": 2 }))];
        insta::assert_snapshot!(table(&entries), @r"
        STARTED           RUN          CPU     MEMORY       READ       ROWS  LIMITS HIT
        -                 bf-1      1.25 s    3.0 MiB   12.1 KiB      4,321  none
        -                 bf-22     1.25 s    3.0 MiB   12.1 KiB      4,321  deadline (2)
        ");
    }
}
