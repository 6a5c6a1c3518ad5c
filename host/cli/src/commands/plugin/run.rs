//! `hyp plugin run`: a component reads a folder, and its rows are shown instead of stored.

use hyp_model::Exit;

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
    let counted = ask::rows(&asked, "select count(*) as n from ai_gateway_messages")?.pop();
    let rows = ask::count(&counted.unwrap_or_default(), "n");
    if rows > 0 {
        print("\n")?;
        print(&ask::table(&asked, &question(args.limit))?)?;
    }
    say(&format!("{rows} rows, none of them stored; `hyp plugin install` keeps the provider"));
    Ok(report.exit())
}

fn question(limit: usize) -> String {
    format!(
        "select message_created_at, session_id, role, part_type, \
           coalesce(content_text, tool_name, '') as content, output_tokens \
         from ai_gateway_messages order by session_id, message_index, part_index limit {limit}"
    )
}
