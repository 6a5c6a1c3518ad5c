//! Undoing a run that wrote to datasets: rows that it added go, cells that it changed return to what they were.

use std::fmt::Write;
use std::time::Duration;

use hyp_backfill::{Undo, Undone};
use hyp_model::Exit;
use serde::Serialize;

use super::{LISTED, UndoArgs};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{env, text};

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    undoes: &'a str,
    dry_run: bool,
    #[serde(flatten)]
    undone: &'a Undone,
}

/// Undoes a run, or says what that would do.
pub(super) fn undo(
    session: &Session,
    args: &UndoArgs,
    run_id: String,
    wait: Duration,
) -> Result<Exit, Failure> {
    let by = env::run_id("undo");
    let request = Undo { run_id, by, commit: args.commit, partial: args.partial, wait };
    let undone = hyp_backfill::undo(&session.places, &request)?;
    let is_refused = !args.partial && !undone.kept.is_empty();
    let by = undone.committed.then_some(request.by.as_str());
    if args.json {
        let dry_run = !undone.committed;
        print_json(&Answer { run_id: by, undoes: &request.run_id, dry_run, undone: &undone })?;
    } else {
        print(&words(&undone, &request.run_id, by))?;
        if is_refused {
            say("rows were changed since, so nothing was undone; add --partial to undo the rest");
        } else if !undone.committed {
            say("nothing was changed; add --commit to do it");
        }
    }
    Ok(if is_refused { Exit::Refused } else { Exit::Done })
}

fn words(undone: &Undone, run_id: &str, by: Option<&str>) -> String {
    let mut out = String::from("undo ");
    match by {
        Some(by) => _ = write!(out, "run_id={} ", text::line(by)),
        None => out.push_str("(dry-run) "),
    }
    let _ = writeln!(out, "of {}", text::line(run_id));
    for (what, rows) in [
        ("removed", &undone.removed),
        ("restored", &undone.restored),
        ("returned", &undone.returned),
    ] {
        for (dataset, rows) in rows {
            let _ = writeln!(out, "  {}: {what}={rows}", text::line(dataset));
        }
    }
    for kept in undone.kept.iter().take(LISTED) {
        let key = kept.key.to_string();
        let (dataset, key) = (text::line(&kept.dataset), text::line(&key));
        let _ = writeln!(out, "  kept: {dataset} {key}: {}", text::line(&kept.reason));
    }
    if undone.kept.len() > LISTED {
        let _ = writeln!(out, "  and {} more; --json has them all", undone.kept.len() - LISTED);
    }
    out
}
