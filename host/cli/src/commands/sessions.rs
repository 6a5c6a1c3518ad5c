//! `hyp sessions`: the conversations in the store, newest first.

use std::fmt::Write;

use hyp_model::Exit;
use serde::Serialize;

use super::ask::{self, Lake};
use super::prompts::first_prompts;
use super::{Session, print, print_json};
use crate::failure::Failure;
use crate::{moment, text};

/// Longest title on a terminal.
const TITLE: usize = 60;

/// Arguments of `hyp sessions`.
#[derive(Debug, clap::Args)]
pub(crate) struct SessionsArgs {
    /// List at most that many; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,

    /// List the threads of sub-agents, reviews and side calls, too
    #[arg(long)]
    all: bool,

    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct List {
    sessions: Vec<Entry>,
}

/// A thread.
#[derive(Serialize)]
struct Entry {
    thread_id: String,
    session_id: String,
    client: String,
    kind: String,
    title: Option<String>,
    first_prompt: Option<String>,
    cwd: Option<String>,
    first_at: Option<String>,
    last_at: Option<String>,
    messages: u64,
    #[serde(skip)]
    last_micros: Option<i64>,
}

/// Runs `hyp sessions`.
pub(crate) fn sessions(session: &Session, args: &SessionsArgs) -> Result<Exit, Failure> {
    let kinds = if args.all { Kinds::All } else { Kinds::Main };
    let entries = entries(session, kinds, args.limit)?;
    if args.json {
        print_json(&List { sessions: entries })?;
    } else {
        print(&show(&entries))?;
    }
    Ok(Exit::Done)
}

/// Returns the newest conversations as people read them.
pub(super) fn listing(session: &Session) -> Result<String, Failure> {
    Ok(show(&entries(session, Kinds::Main, 20)?))
}

/// Which threads are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Main,
    All,
}

fn entries(session: &Session, kinds: Kinds, limit: u32) -> Result<Vec<Entry>, Failure> {
    let lake = Lake::open(session)?;
    let mut entries = threads(&lake, kinds, limit)?;
    let sessions: Vec<_> = entries.iter().map(|entry| entry.session_id.clone()).collect();
    let mut prompts = first_prompts(&lake, &sessions)?;
    for entry in &mut entries {
        entry.first_prompt = prompts.remove(&entry.thread_id);
    }
    Ok(entries)
}

fn threads(lake: &Lake, kinds: Kinds, limit: u32) -> Result<Vec<Entry>, Failure> {
    let which = if kinds == Kinds::All { "" } else { "where kind = 'main'" };
    let limit = if limit == 0 { String::new() } else { format!("limit {limit}") };
    let sql = format!(
        "select thread_id, session_id, client_name, kind, title, cwd, messages, \
         cast(first_at as bigint) as first, cast(last_at as bigint) as last \
         from sessions {which} order by last desc nulls last, thread_id {limit}"
    );
    let rows = lake.rows(&sql)?;
    Ok(rows.iter().map(entry).collect())
}

fn entry(row: &ask::Row) -> Entry {
    let text = |name: &str| ask::text(row, name).unwrap_or_default();
    let last_micros = ask::long(row, "last");
    Entry {
        thread_id: text("thread_id"),
        session_id: text("session_id"),
        client: text("client_name"),
        kind: text("kind"),
        title: ask::text(row, "title"),
        first_prompt: None,
        cwd: ask::text(row, "cwd"),
        first_at: ask::long(row, "first").and_then(moment::rfc3339),
        last_at: last_micros.and_then(moment::rfc3339),
        messages: ask::count(row, "messages"),
        last_micros,
    }
}

fn show(entries: &[Entry]) -> String {
    let mut out = format!(
        "{:<16}  {:<8}  {:>8}  {:<28}  TITLE\n",
        "LAST MESSAGE", "CLIENT", "MESSAGES", "WHERE"
    );
    for entry in entries {
        let title = entry.title.as_ref().or(entry.first_prompt.as_ref());
        let title = title.map_or_else(|| "-".to_owned(), |title| text::headline(title, TITLE));
        let _ = writeln!(
            out,
            "{:<16}  {:<8}  {:>8}  {:<28}  {title}",
            moment::show(entry.last_micros),
            text::headline(&entry.client, 8),
            entry.messages,
            text::tail(entry.cwd.as_deref().unwrap_or("-"), 28),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_without_a_title_shows_its_first_prompt() {
        let entry = Entry {
            thread_id: "t".to_owned(),
            session_id: "s".to_owned(),
            client: "claude".to_owned(),
            kind: "main".to_owned(),
            title: None,
            first_prompt: Some("Find\nthe \u{1b}[31mcause".to_owned()),
            cwd: Some("/home/ada/projects/weather-station".to_owned()),
            first_at: None,
            last_at: None,
            messages: 7,
            last_micros: None,
        };
        insta::assert_snapshot!(show(&[entry]), @r"
        LAST MESSAGE      CLIENT    MESSAGES  WHERE                         TITLE
        -                 claude           7  …da/projects/weather-station  Find the \u{1b}[31mcause
        ");
    }
}
