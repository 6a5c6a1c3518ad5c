//! Undoing a run that wrote to datasets: rows that it added go, cells that it changed return to what they were.

use std::fmt::Write;
use std::time::Duration;

use hyp_backfill::{Undo, Undone};
use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::{LISTED, UndoArgs};
use crate::commands::{Session, changes, print, print_json, say};
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
    let (commit, partial) = (args.commit, args.partial);
    let ask = Some(changes::asker(&session.places.store));
    let request = Undo { run_id, by, commit, partial, wait, ask };
    let undone = hyp_backfill::undo(&session.places, &request)?;
    let is_refused = !args.partial && !undone.kept.is_empty();
    let by = undone.committed.then_some(request.by.as_str());
    if args.json {
        let dry_run = !undone.committed;
        print_json(&Answer { run_id: by, undoes: &request.run_id, dry_run, undone: &undone })?;
    } else {
        let report = serde_json::to_value(&undone).unwrap_or_default();
        print(&super::words(&request.run_id, by, &report))?;
        if is_refused {
            say("rows were changed since, so nothing was undone; add --partial to undo the rest");
        } else if !undone.committed {
            say("nothing was changed; add --commit to do it");
        }
    }
    Ok(match is_refused {
        true => Exit::Refused,
        false => changes::exit(&undone.derived),
    })
}

pub(super) fn details(out: &mut String, undone: &Value) {
    for what in ["removed", "restored", "returned"] {
        for (dataset, rows) in undone[what].as_object().into_iter().flatten() {
            let _ = writeln!(out, "  {}: {what}={rows}", text::line(dataset));
        }
    }
    changes::show_derived(out, undone);
    for kept in super::kept(undone).take(LISTED) {
        let of = |field: &str| text::line(kept[field].as_str().unwrap_or_default()).into_owned();
        let key = kept["key"].to_string();
        let _ = writeln!(out, "  kept: {} {}: {}", of("dataset"), text::line(&key), of("reason"));
    }
}
