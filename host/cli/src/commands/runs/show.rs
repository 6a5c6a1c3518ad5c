//! `hyp runs show RUN`.

use std::collections::BTreeMap;
use std::fmt::Write;

use hyp_cache::Store;
use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::cells::Deed;
use super::{Entry, cells, entry, find, report, undo};
use crate::commands::ask::{self, Lake, quote};
use crate::commands::{Session, backfill, changes, print, print_json};
use crate::failure::Failure;
use crate::{moment, terminal, text};

/// Arguments of `hyp runs show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp runs show bf-3f2a
  hyp runs show bf-3f2a --changes --json > changes.json")]
pub(super) struct ShowArgs {
    /// The run; the start of its id will do
    #[arg(value_name = "RUN")]
    run: String,

    /// With every cell of a dataset that it changed, and every row that it added or removed
    #[arg(long)]
    changes: bool,

    /// With the ids that were left out because of the cutover and that nobody recorded
    #[arg(long)]
    unmatched: bool,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// A run, whole.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    run: Entry,
    since: Option<String>,
    until: Option<String>,
    /// What `hyp backfill --json` printed.
    report: Value,
    /// Parts of the run that were committed, each at once.
    chunks: u64,
    /// What happened to the store.
    journal: Vec<Event>,
    /// Records that are kept apart, by provider and class.
    quarantine: BTreeMap<String, BTreeMap<String, u64>>,
    /// What it did to rows of datasets, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Deed>>,
    /// Ids that were left out and that nobody recorded, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Event {
    at: Option<String>,
    event: String,
    detail: String,
}

/// Runs `hyp runs show`.
pub(super) fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let mut shown = read(&Lake::open(session)?, &args.run)?;
    if args.changes {
        let store = Store::open(&session.places.store)?;
        shown.changes = Some(cells::deeds(&store, &shown.run.run_id, &shown.report)?);
    }
    if args.unmatched {
        shown.unmatched = Some(cells::unmatched(&shown.report));
    }
    if args.json {
        print_json(&shown)?;
    } else {
        print(&words(&shown))?;
    }
    Ok(Exit::Done)
}

fn read(lake: &Lake, id: &str) -> Result<Shown, Failure> {
    let row = &find::run(lake, id)?;
    let run = entry(row);
    let of = quote(&run.run_id);
    let chunks = lake.rows(&format!("select count(*) as n from chunks where run_id = {of}"))?;
    let journal = lake.rows(&format!(
        "select event, detail, cast(at as bigint) as at from journal where run_id = {of} order by at"
    ))?;
    let kept = lake.rows(&format!(
        "select provider, class, count(*) as n from quarantine where run_id = {of} group by 1, 2"
    ))?;
    let mut quarantine: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in &kept {
        let text = |name| ask::text(row, name).unwrap_or_default();
        quarantine.entry(text("provider")).or_default().insert(text("class"), ask::count(row, "n"));
    }
    let time = |name| ask::long(row, name).and_then(moment::rfc3339);
    Ok(Shown {
        since: time("since"),
        until: time("until"),
        report: report(row),
        chunks: chunks.first().map_or(0, |row| ask::count(row, "n")),
        journal: journal
            .iter()
            .map(|row| Event {
                at: ask::long(row, "at").and_then(moment::rfc3339),
                event: ask::text(row, "event").unwrap_or_default(),
                detail: ask::text(row, "detail").unwrap_or_default(),
            })
            .collect(),
        quarantine,
        changes: None,
        unmatched: None,
        run,
    })
}

fn words(shown: &Shown) -> String {
    let mut out = String::new();
    let run = &shown.run;
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<11}{}", text::line(value));
    };
    line("run", &run.run_id);
    line("started", &moment::show(run.started));
    line("took", &run.took());
    line("status", &run.ending());
    for (name, run) in [("undoes", &run.undoes), ("undone by", &run.undone_by)] {
        if let Some(run) = run {
            line(name, run);
        }
    }
    if !shown.report["providers"].is_array() && !run.providers.is_empty() {
        line("of", &run.providers.join(" "));
    }
    for (name, time) in [("since", &shown.since), ("until", &shown.until)] {
        if let Some(time) = time {
            line(name, time);
        }
    }
    line("rows", &format!("written={}  skipped={}", run.rows_written, run.rows_skipped));
    line("chunks", &shown.chunks.to_string());
    match run.kind.as_str() {
        "undo" if shown.report.is_object() => out.push_str(&undo::details(&shown.report)),
        "record" | "derive" => {
            let mut told = String::new();
            changes::show_recorded(&mut told, &shown.report);
            out.push_str(&nearer(&told));
        }
        _ => {}
    }
    for provider in shown.report["providers"].as_array().into_iter().flatten() {
        show_provider(&mut out, provider, shown);
    }
    for event in &shown.journal {
        let at = event.at.as_deref().unwrap_or("-");
        let words = format!("{at}  {}  {}", event.event, event.detail);
        let _ = writeln!(out, "journal    {}", text::line(&words));
    }
    if let Some(deeds) = &shown.changes {
        cells::show_deeds(&mut out, deeds);
    }
    if let Some(ids) = &shown.unmatched {
        cells::show_unmatched(&mut out, ids, shown.report.is_object());
    }
    out
}

/// Returns lines two columns nearer to the margin.
fn nearer(lines: &str) -> String {
    lines.split_inclusive('\n').map(|line| line.strip_prefix("  ").unwrap_or(line)).collect()
}

fn show_provider(out: &mut String, provider: &Value, shown: &Shown) {
    if provider["changes"].is_object() {
        let mut told = String::new();
        changes::show(&mut told, provider);
        out.push_str(&nearer(&told));
        return;
    }
    let name = provider["provider"].as_str().unwrap_or_default();
    let status = provider["status"].as_str().unwrap_or_default();
    let _ = writeln!(out, "{}  [{}]", text::line(name), text::line(status));
    let numbers = ["sessions_seen", "rows_written", "rows_skipped", "files_seen", "bytes_read"];
    let told = numbers.iter().map(|name| format!("{name}={}", provider[*name]));
    let _ = writeln!(out, "  {}", told.collect::<Vec<_>>().join("  "));
    for (title, field) in
        [("rows", "rows_by_reason"), ("bytes", "accounting"), ("records", "records_by_kind")]
    {
        let counts = provider[field].as_object().into_iter().flatten();
        let counts: Vec<String> =
            counts.map(|(key, count)| format!("{}={count}", text::line(key))).collect();
        if !counts.is_empty() {
            out.push_str(&terminal::wrap(&format!("  {title}: "), &counts, terminal::width()));
        }
    }
    for slow in provider["slowest"].as_array().into_iter().flatten() {
        let seconds = slow["seconds"].as_f64().unwrap_or_default();
        let bytes = slow["bytes"].as_u64().unwrap_or_default();
        let unit = slow["unit"].as_str().unwrap_or_default();
        let _ = writeln!(out, "  {}", backfill::slowest(seconds, bytes, unit));
    }
    if let Some(classes) = shown.quarantine.get(name) {
        let classes: Vec<String> =
            classes.iter().map(|(class, count)| format!("{}={count}", text::line(class))).collect();
        out.push_str(&terminal::wrap("  quarantine: ", &classes, terminal::width()));
    }
    for (title, field) in [("note", "notes"), ("warning", "warnings")] {
        for said in provider[field].as_array().into_iter().flatten() {
            let _ = writeln!(out, "  {title}: {}", text::line(said.as_str().unwrap_or_default()));
        }
    }
    if let Some(error) = provider["error"].as_str() {
        let _ = writeln!(out, "  error: {}", text::line(error));
    }
}
