//! `hyp sessions`: the conversations in the store, newest first.

use std::fmt::Write;

use hyp_model::Exit;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::ask::{self, Lake, like, quote};
use super::period::{Period, filter};
use super::prompts::first_prompts;
use super::scope::in_repository;
use super::{Session, print, print_json, short};
use crate::failure::Failure;
use crate::{moment, terminal, text};

const COMMAND: &str = "hyp sessions";

/// Longest title where nothing is known of a terminal.
const TITLE: usize = 60;

/// Widest column of ids.
const WIDEST_ID: usize = 13;

/// Widest name of a folder.
const WHERE: usize = 22;

/// Shortest part of an id that stands for it.
const SHORTEST_ID: usize = 8;

/// Arguments of `hyp sessions`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Example: hyp sessions --repo weather --since 2026-01-01

`hyp show ID` shows one; the start of an id will do.")]
pub(crate) struct SessionsArgs {
    #[command(flatten)]
    period: Period,

    /// Only those whose folder or repository has that in its name
    #[arg(long, value_name = "TEXT")]
    repo: Option<String>,

    /// Only those of that client, such as claude or codex
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Only those in which that was said, or whose title has it; capitals do not matter
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

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
    /// The start of its id that no other has.
    #[serde(skip)]
    short_id: String,
}

/// Runs `hyp sessions`.
pub(crate) fn sessions(session: &Session, args: &SessionsArgs) -> Result<Exit, Failure> {
    let entries = entries(session, args)?;
    if args.json {
        print_json(&List { sessions: entries })?;
    } else {
        print(&show(&entries, terminal::width()))?;
    }
    Ok(Exit::Done)
}

/// Returns the newest conversations as people read them.
pub(super) fn listing(session: &Session) -> Result<String, Failure> {
    let args = SessionsArgs { limit: 20, ..SessionsArgs::default() };
    Ok(show(&entries(session, &args)?, terminal::width()))
}

fn entries(session: &Session, args: &SessionsArgs) -> Result<Vec<Entry>, Failure> {
    let conditions = conditions(args)?;
    let lake = Lake::open(session)?;
    lake.check_client(COMMAND, args.client.as_deref())?;
    let limit = if args.limit == 0 { String::new() } else { format!("limit {}", args.limit) };
    let rows = lake.rows(&format!(
        "select thread_id, session_id, client_name, kind, title, cwd, messages, \
         cast(first_at as bigint) as first, cast(last_at as bigint) as last \
         from sessions{} order by last desc nulls last, thread_id {limit}",
        filter(&conditions)
    ))?;
    let sessions: Vec<&str> =
        rows.iter().filter_map(|row| row.get("session_id")?.as_str()).collect();
    let mut prompts = first_prompts(&lake, &sessions)?;
    let ids = lake.rows("select thread_id from sessions")?;
    let names = names(ids.iter().filter_map(|row| ask::text(row, "thread_id")));
    Ok(rows
        .iter()
        .map(|row| {
            let mut entry = entry(row);
            entry.first_prompt = prompts.remove(&entry.thread_id);
            entry.short_id = short_id(&entry.thread_id, &names);
            entry
        })
        .collect())
}

fn conditions(args: &SessionsArgs) -> Result<Vec<String>, Failure> {
    let (since, until) = args.period.ends(COMMAND, &TimeZone::system())?;
    let mut conditions = Vec::new();
    if !args.all {
        conditions.push("kind = 'main'".to_owned());
    }
    conditions.extend(since.map(|micros| format!("cast(last_at as bigint) >= {micros}")));
    conditions.extend(until.map(|micros| format!("cast(first_at as bigint) <= {micros}")));
    conditions.extend(args.client.as_deref().map(|it| format!("client_name = {}", quote(it))));
    conditions.extend(args.repo.as_deref().map(|repo| {
        let like = like(repo);
        format!(
            "(cwd ilike {like} or session_id in (select session_id from messages where {}))",
            in_repository(repo)
        )
    }));
    conditions.extend(args.search.as_deref().map(|text| {
        let like = like(text);
        format!(
            "(title ilike {like} or session_id in (select session_id from messages \
               where content_text ilike {like} or tool_args ilike {like}))"
        )
    }));
    Ok(conditions)
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
        short_id: String::new(),
    }
}

/// Returns the names that `hyp show` finds threads by, in order: ids, and the last part of those that go on from another.
fn names(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for id in ids {
        names.extend(id.rsplit_once('/').map(|(_, last)| last.to_owned()));
        names.push(id);
    }
    names.sort_unstable();
    names
}

/// Returns the shortest name of a thread that stands for it alone; that of a sub-agent is its own, without its session's.
fn short_id(id: &str, names: &[String]) -> String {
    let start = |name: &str| short::start(name, names, SHORTEST_ID);
    let own = id.rsplit_once('/').and_then(|(_, last)| start(last));
    own.or_else(|| start(id)).unwrap_or_else(|| id.to_owned())
}

fn show(entries: &[Entry], width: Option<usize>) -> String {
    let widest = entries.iter().map(|entry| entry.short_id.chars().count()).max();
    let id = widest.unwrap_or(2).min(WIDEST_ID);
    let folder = width.map_or(WHERE, |width| (width / 6).clamp(12, WHERE));
    let fixed = 16 + 2 + id + 2 + 8 + 2 + 5 + 2 + folder + 2;
    let title = width.map_or(TITLE, |width| width.saturating_sub(fixed).max(8));
    let mut out = format!(
        "{:<16}  {:<id$}  {:<8}  {:>5}  {:<folder$}  TITLE\n",
        "LAST MESSAGE", "ID", "CLIENT", "MSGS", "WHERE"
    );
    for entry in entries {
        let name = entry.title.as_ref().or(entry.first_prompt.as_ref());
        // A longer id stays whole, and the title gives way.
        let taken = entry.short_id.chars().count().saturating_sub(id);
        let room = title.saturating_sub(taken).max(1);
        let name = name.map_or_else(|| "-".to_owned(), |name| text::headline(name, room));
        let _ = writeln!(
            out,
            "{:<16}  {:<id$}  {}  {:>5}  {}  {name}",
            moment::show(entry.last_micros),
            text::line(&entry.short_id),
            text::tail_cell(&entry.client, 8),
            text::count(entry.messages),
            text::tail_cell(entry.cwd.as_deref().unwrap_or("-"), folder),
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
            short_id: "7e928a78".to_owned(),
        };
        insta::assert_snapshot!(show(&[entry], None), @r"
        LAST MESSAGE      ID        CLIENT     MSGS  WHERE                   TITLE
        -                 7e928a78  claude        7  …jects/weather-station  Find the \u{1b}[31mcause
        ");
    }

    #[test]
    fn a_sub_agent_is_called_by_its_own_name_where_no_other_has_it() {
        #[rustfmt::skip]
        let cases = [
            ("01a1fbd8-ed",                     "01a1fbd8-e"),
            ("01a1fbd8-f5",                     "01a1fbd8-f"),
            ("01a1fbd8-f5/agent-a12345",        "agent-a12"),
            ("01a1fbd8-f5/agent-a13",           "agent-a13"),
            // Its name goes on in another one's.
            ("01a1fbd8-f5/agent-b1",            "01a1fbd8-f5/agent-b1"),
            ("01a1fbd8-f5/agent-b12",           "agent-b12"),
            // Two have one name.
            ("01a1fbd8-f5/agent-c",             "01a1fbd8-f5/agent-c"),
            ("7e928a78-0b/agent-c",             "7e928a78-0b/"),
            ("7e928a78-0b",                     "7e928a78"),
        ];
        let names = names(cases.iter().map(|(id, _)| (*id).to_owned()));
        for (id, expected) in cases {
            assert_eq!(short_id(id, &names), expected);
        }
    }
}
