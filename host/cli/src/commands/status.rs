//! `hyp status`: where the store is, what it holds, and how the last run ended.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use hyp_model::Exit;
use serde::Serialize;

use super::{Session, ask, print, print_json};
use crate::failure::Failure;
use crate::{moment, text};

/// Arguments of `hyp status`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example: hyp status --json")]
pub(crate) struct StatusArgs {
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
}

/// What the store holds.
#[derive(Serialize)]
struct Status {
    store: String,
    bytes: u64,
    rows: u64,
    /// Conversations by client, without those of sub-agents, reviews and side calls.
    sessions: BTreeMap<String, u64>,
    newest_message: Option<String>,
    last_run: Option<Run>,
    #[serde(skip)]
    newest_micros: Option<i64>,
}

/// How a run went.
#[derive(Serialize)]
struct Run {
    run_id: String,
    status: String,
    started_at: Option<String>,
    rows_written: u64,
    #[serde(skip)]
    started_micros: Option<i64>,
}

/// Runs `hyp status`.
pub(crate) fn status(session: &Session, args: &StatusArgs) -> Result<Exit, Failure> {
    let status = read(session)?;
    if args.json {
        print_json(&status)?;
    } else {
        print(&show(&status))?;
    }
    Ok(Exit::Done)
}

fn read(session: &Session) -> Result<Status, Failure> {
    let one = |sql: &str| Ok::<_, Failure>(ask::rows(session, sql)?.into_iter().next());
    let messages = one("select count(*) as n, cast(max(message_created_at) as bigint) as newest \
         from ai_gateway_messages")?
    .unwrap_or_default();
    let sessions = ask::rows(
        session,
        "select client_name, count(*) as n from sessions where kind = 'main' group by 1",
    )?;
    let run = one("select run_id, status, rows_written, cast(started_at as bigint) as started \
         from runs order by started desc, run_id limit 1")?;
    let newest_micros = ask::long(&messages, "newest");
    Ok(Status {
        store: session.places.store.display().to_string(),
        bytes: size(&session.places.store),
        rows: ask::count(&messages, "n"),
        sessions: sessions
            .iter()
            .filter_map(|row| Some((ask::text(row, "client_name")?, ask::count(row, "n"))))
            .collect(),
        newest_message: newest_micros.and_then(moment::rfc3339),
        last_run: run.as_ref().map(run_of),
        newest_micros,
    })
}

fn run_of(row: &ask::Row) -> Run {
    let started_micros = ask::long(row, "started");
    Run {
        run_id: ask::text(row, "run_id").unwrap_or_default(),
        status: ask::text(row, "status").unwrap_or_default(),
        started_at: started_micros.and_then(moment::rfc3339),
        rows_written: ask::count(row, "rows_written"),
        started_micros,
    }
}

/// Returns the bytes of the files below a folder; what cannot be read counts nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn show(status: &Status) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<16}{}", text::line(value));
    };
    line("store", &status.store);
    line("size", &text::bytes(status.bytes));
    line("rows", &status.rows.to_string());
    for (client, count) in &status.sessions {
        line("sessions", &format!("{client} {count}"));
    }
    line("newest message", &moment::show(status.newest_micros));
    let run = status.last_run.as_ref().map_or_else(
        || "never".to_owned(),
        |run| {
            let when = moment::show(run.started_micros);
            format!("{when}, {}, {} rows, {}", run.status, run.rows_written, run.run_id)
        },
    );
    line("last run", &run);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_before_its_first_run_says_never() {
        let status = Status {
            store: "/home/ada/.hyp".to_owned(),
            bytes: 2048,
            rows: 0,
            sessions: [("codex".to_owned(), 2)].into(),
            newest_message: None,
            last_run: None,
            newest_micros: None,
        };
        insta::assert_snapshot!(show(&status), @r"
        store           /home/ada/.hyp
        size            2.0 KiB
        rows            0
        sessions        codex 2
        newest message  -
        last run        never
        ");
    }
}
