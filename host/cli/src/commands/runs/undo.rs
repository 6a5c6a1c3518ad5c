//! `hyp runs undo RUN`: the store as if a run had never been.

mod datasets;

use std::fmt::Write;
use std::time::Duration;

use hyp_cache::{Reach, RunKind, RunStart, Store, UndoError, Undone};
use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::find;
use crate::commands::ask::{self, Lake};
use crate::commands::wait::Wait;
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{env, moment, text};

const COMMAND: &str = "hyp runs undo";

/// Threads that are listed one by one.
const LISTED: usize = 20;

/// Arguments of `hyp runs undo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp runs undo bf-3f2a              what would go, and what would come back
  hyp runs undo bf-3f2a --commit
  hyp runs undo undo-91c0 --commit   takes an undo back

Nothing is forgotten: the next import brings the rows again. `hyp privacy purge` removes for good.")]
pub(super) struct UndoArgs {
    /// The run; the start of its id will do
    #[arg(value_name = "RUN")]
    run: String,

    /// Do it; without, it is only said what would be done
    #[arg(long)]
    commit: bool,

    /// Where later runs built on a part of it, take the rest back
    #[arg(long)]
    partial: bool,

    #[command(flatten)]
    wait: Wait,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    /// Id of the run that undid; none where nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    dry_run: bool,
    #[serde(flatten)]
    undone: Undone,
}

/// Runs `hyp runs undo`.
pub(super) fn undo(session: &Session, args: &UndoArgs) -> Result<Exit, Failure> {
    let wait = args.wait.time(COMMAND)?;
    let row = find::run(&Lake::open(session)?, &args.run)?;
    let run = ask::text(&row, "run_id").unwrap_or_default();
    let store = Store::open(&session.places.store)?;
    if hyp_backfill::is_dataset_run(&store, &run)? {
        return datasets::undo(session, args, run, wait);
    }
    let planned = store.plan_undo(&run)?;
    let reach = if args.partial { Reach::Partial } else { Reach::Whole };
    let is_refused = |undone: &Undone| reach == Reach::Whole && !undone.kept.is_empty();
    if !args.commit || is_refused(&planned) {
        return answer(args, None, planned, reach);
    }
    let run_id = env::run_id("undo");
    let undone = write(&store, &run, &run_id, (wait, reach))?;
    answer(args, Some(run_id), undone, reach)
}

/// Undoes a run by one of its own, which is noted with how it ended.
fn write(
    store: &Store,
    run: &str,
    run_id: &str,
    (wait, reach): (Duration, Reach),
) -> Result<Undone, UndoError> {
    let mut writer = store.writer(wait, run_id)?;
    let start = RunStart {
        run_id: run_id.to_owned(),
        started_at: moment::now(),
        kind: RunKind::Undo,
        undoes: Some(run.to_owned()),
        ..RunStart::default()
    };
    writer.run(&start, moment::now, |writer, end| {
        let undone = writer.undo(run, reach)?;
        if undone.is_done {
            end.rows_written = undone.rows_restored + undone.rows_returned;
            end.report = serde_json::to_string(&undone).unwrap_or_default();
        } else {
            end.status = "failed".to_owned();
        }
        Ok(undone)
    })
}

fn answer(
    args: &UndoArgs,
    run_id: Option<String>,
    undone: Undone,
    reach: Reach,
) -> Result<Exit, Failure> {
    let is_refused = !undone.is_done && reach == Reach::Whole && !undone.kept.is_empty();
    if args.json {
        let answer = Answer { run_id, dry_run: !undone.is_done, undone };
        print_json(&answer)?;
        return Ok(if is_refused { Exit::Refused } else { Exit::Done });
    }
    let run = run_id.as_deref();
    print(&words(&undone.undoes, run, &serde_json::to_value(&undone).unwrap_or_default()))?;
    if is_refused {
        say("later runs are in the way, so nothing was undone; undo them first, or add --partial");
        return Ok(Exit::Refused);
    }
    if !undone.is_done {
        say("nothing was changed; add --commit to do it");
    } else if !undone.can_be_undone {
        say(
            "this cannot be undone in turn, since it is too much to be kept; an import brings it back",
        );
    }
    Ok(Exit::Done)
}

fn words(undoes: &str, run_id: Option<&str>, undone: &Value) -> String {
    let head = match run_id {
        Some(run_id) => format!("run_id={}", text::line(run_id)),
        None => "(dry-run)".to_owned(),
    };
    format!("undo {head} of {}\n{}", text::line(undoes), details(undone))
}

/// Tells what an undo did, or would do, from its report.
pub(super) fn details(undone: &Value) -> String {
    let mut out = String::new();
    if undone["removed"].is_object() {
        datasets::details(&mut out, undone);
    } else {
        of_messages(&mut out, undone);
    }
    let more = kept(undone).count().saturating_sub(LISTED);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more; --json has them all");
    }
    out
}

fn of_messages(out: &mut String, undone: &Value) {
    let _ = writeln!(
        out,
        "  rows: removed={}  restored={}  returned={}  kept={}",
        undone["rows_removed"],
        undone["rows_restored"],
        undone["rows_returned"],
        undone["rows_kept"]
    );
    let _ = writeln!(
        out,
        "  threads={}  threads_kept={}  units={}",
        undone["threads"],
        kept(undone).count(),
        undone["units"]
    );
    let retired = undone["rows_retired"].as_u64().unwrap_or_default();
    if retired > 0 {
        let _ = writeln!(out, "  note: {retired} rows that it changed expired since");
    }
    for kept in kept(undone).take(LISTED) {
        let thread = kept["thread_id"].as_str().unwrap_or("a thread that is gone");
        let since = kept["since"].as_str().unwrap_or_default();
        let (thread, since, rows) = (text::line(thread), text::line(since), &kept["rows"]);
        let _ = writeln!(out, "  kept: {thread}  rows={rows}  built on by {since}");
    }
}

/// Returns what stays as the run left it.
fn kept(undone: &Value) -> impl Iterator<Item = &Value> {
    undone["kept"].as_array().into_iter().flatten()
}
