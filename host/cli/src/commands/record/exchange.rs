//! An exchange that a client is in the middle of.

use std::fmt::Write;

use hyp_backfill::{ExchangeRecording, RecordedExchange};
use hyp_model::Exit;
use serde::de::IgnoredAny;

use super::RecordArgs;
use crate::commands::{Session, print, print_json};
use crate::failure::Failure;
use crate::{env, moment, text};

/// Records an exchange by the way of the importer.
pub(super) fn record(session: &Session, args: &RecordArgs) -> Result<Exit, Failure> {
    let json = super::content(&args.json)?;
    if serde_json::from_str::<Vec<IgnoredAny>>(&json).is_ok_and(|all| all.is_empty()) {
        return Err(super::nothing(&args.json));
    }
    let config = session.config()?;
    let asked = ExchangeRecording {
        run_id: env::run_id("rec"),
        wait: args.wait.time(super::COMMAND)?,
        retained_from: config.retention.from(moment::now()),
        secrets: config.privacy.secrets(),
    };
    let recorded = hyp_backfill::record_exchange(&session.places, &json, &asked)?;
    if args.report_json {
        print_json(&recorded)?
    } else {
        print(&words(&recorded))?
    }
    Ok(Exit::Done)
}

fn words(recorded: &RecordedExchange) -> String {
    let mut out = format!("record run_id={}\n", text::line(&recorded.run_id));
    for thread in &recorded.threads {
        let _ = writeln!(out, "  thread: {}", text::line(thread));
    }
    let rows = recorded.rows_by_reason.iter();
    let rows: Vec<String> = rows.map(|(reason, count)| format!("{reason}={count}")).collect();
    let _ = writeln!(out, "  rows: {}", rows.join("  "));
    out
}
