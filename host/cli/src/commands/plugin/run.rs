//! `hyp plugin run`: a component reads a folder, and its rows are shown instead of stored.

use hyp_cache::{RUN_ID, SOURCE_ID, SOURCE_SYSTEM, Store};
use hyp_model::Exit;
use hyp_model::dataset::MESSAGES;

use super::RunArgs;
use super::trial::{Trial, folder};
use crate::commands::{Session, ask, backfill, print, say};
use crate::failure::Failure;
use crate::interrupt;

/// Runs `hyp plugin run`.
pub(super) fn run(session: &Session, args: &RunArgs) -> Result<Exit, Failure> {
    let folder = folder(&args.on)?;
    let trial = Trial::new(session, &args.source)?;
    trial.provider()?;
    // The first interrupt ends the import, and the temporary store goes with it.
    let report = trial.read(trial.store(), &folder, false, &interrupt::flag())?;
    print(&backfill::show_report(&report))?;
    let asked = trial.session(trial.store());
    let mut rows = shown(&asked, MESSAGES, &question(args.limit))?;
    for dataset in Store::open(trial.store())?.datasets()? {
        let question = format!(
            "select * exclude ({RUN_ID}, {SOURCE_SYSTEM}, {SOURCE_ID}) from {dataset} limit {}",
            args.limit
        );
        rows += shown(&asked, &dataset, &question)?;
    }
    say(&format!("{rows} rows, none of them stored; `hyp plugin install` keeps the provider"));
    Ok(report.exit())
}

/// Shows rows of a table, where it has any; returns how many it has.
fn shown(session: &Session, table: &str, question: &str) -> Result<u64, Failure> {
    let counted = ask::rows(session, &format!("select count(*) as n from {table}"))?.pop();
    let rows = ask::count(&counted.unwrap_or_default(), "n");
    if rows > 0 {
        let head = if table == MESSAGES { String::new() } else { format!("{table}\n") };
        print(&format!("\n{head}{}", ask::table(session, question)?))?;
    }
    Ok(rows)
}

fn question(limit: usize) -> String {
    format!(
        "select message_created_at, session_id, role, part_type, \
           coalesce(content_text, tool_name, '') as content, output_tokens \
         from ai_gateway_messages order by session_id, message_index, part_index limit {limit}"
    )
}
