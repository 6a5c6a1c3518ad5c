//! `hyp search`: where something was said.

use std::fmt::Write;

use hyp_model::Exit;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::ask::{self, Lake, Row, like, quote};
use super::owners::Owners;
use super::period::{Period, filter};
use super::prompts::first_prompts;
use super::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{moment, terminal, text};

const COMMAND: &str = "hyp search";

/// Characters of a text before and after what was found.
const AROUND: usize = 60;

/// Arguments of `hyp search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp search 'spring tide' --client claude

Prompts, answers, thoughts, calls and their results are searched; copies are left out.")]
pub(crate) struct SearchArgs {
    /// What is looked for; capitals do not matter
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,

    /// TEXT is a regular expression
    #[arg(long)]
    regex: bool,

    #[command(flatten)]
    period: Period,

    /// Only what that client recorded, such as claude or codex
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Show at most that many places, the newest; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,

    /// Print the places as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Found {
    hits: Vec<Hit>,
}

/// A place in which it was said.
#[derive(Serialize)]
struct Hit {
    part_id: String,
    thread_id: String,
    title: Option<String>,
    client: String,
    at: Option<String>,
    role: String,
    part_type: String,
    tool_name: Option<String>,
    /// What stands before what was found, it itself, and what stands after it.
    before: String,
    found: String,
    after: String,
    #[serde(skip)]
    micros: Option<i64>,
}

/// Runs `hyp search`.
pub(crate) fn search(session: &Session, args: &SearchArgs) -> Result<Exit, Failure> {
    let wanted = args.words.join(" ");
    let mut conditions = args.period.conditions(COMMAND, &TimeZone::system())?;
    conditions.extend(args.client.as_deref().map(|it| format!("client_name = {}", quote(it))));
    let (text_fits, args_fit, found) = matches(&wanted, args.regex);
    conditions.push(format!("({text_fits} or {args_fit})"));
    let lake = Lake::open(session)?;
    lake.check_client(COMMAND, args.client.as_deref())?;
    let limit = if args.limit == 0 { String::new() } else { format!("limit {}", args.limit) };
    let answer = lake.rows(&format!(
        "select part_id, session_id, conversation_id, input_id, client_name, role, part_type, \
           tool_name, cast(message_created_at as bigint) as at, \
           case when {text_fits} then content_text else tool_args end as said, {found} as found \
         from messages{} order by message_created_at desc, part_id {limit}",
        filter(&conditions)
    ));
    let rows = answer.map_err(|failure| match failure {
        Failure::Explained(error) if error.to_string().contains("regex parse error") => {
            let message = format!("--regex expects a regular expression (got {wanted})");
            Failure::Usage { command: COMMAND, message }
        }
        other => other,
    })?;
    let hits = hits(&lake, &rows, &wanted)?;
    let is_cut = args.limit != 0 && rows.len() >= args.limit as usize;
    if args.json {
        print_json(&Found { hits })?;
        return Ok(Exit::Done);
    }
    if hits.is_empty() {
        say("nothing found");
    }
    print(&show(&hits, terminal::width(), terminal::is_styled()))?;
    if is_cut {
        say(&format!("the newest {} are shown; --limit shows more", rows.len()));
    }
    Ok(Exit::Done)
}

/// Returns conditions on text and arguments, and an expression for what was found where it is not known beforehand.
fn matches(wanted: &str, is_regex: bool) -> (String, String, String) {
    if !is_regex {
        let like = like(wanted);
        let fits = |column: &str| format!("coalesce({column} ilike {like}, false)");
        return (fits("content_text"), fits("tool_args"), "null".to_owned());
    }
    let pattern = quote(wanted);
    let whole = quote(&format!("({wanted})"));
    let fits = |column: &str| format!("coalesce(regexp_like({column}, {pattern}, 'i'), false)");
    let found = format!(
        "coalesce(regexp_match(content_text, {whole}, 'i'), regexp_match(tool_args, {whole}, 'i'))[1]"
    );
    (fits("content_text"), fits("tool_args"), found)
}

fn hits(lake: &Lake, rows: &[Row], wanted: &str) -> Result<Vec<Hit>, Failure> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let owners = Owners::read(lake)?;
    let threads: Vec<String> = rows.iter().map(|row| owners.of_row(row)).collect();
    let titles = lake.rows(&format!(
        "select thread_id, title from sessions where thread_id in {}",
        ask::list(threads.iter().map(String::as_str))
    ))?;
    let sessions: Vec<&str> =
        rows.iter().filter_map(|row| row.get("session_id")?.as_str()).collect();
    let prompts = first_prompts(lake, &sessions)?;
    let title = |id: &str| {
        let of = |row: &&Row| ask::text(row, "thread_id").as_deref() == Some(id);
        let title = titles.iter().find(of).and_then(|row| ask::text(row, "title"));
        title.or_else(|| prompts.get(id).cloned())
    };
    let hit = |(row, thread_id): (&Row, String)| {
        let text = |name| ask::text(row, name).unwrap_or_default();
        let said = text("said");
        let exact = ask::text(row, "found");
        let (before, found, after) = around(&said, exact.as_deref().unwrap_or(wanted));
        let micros = ask::long(row, "at");
        Hit {
            part_id: text("part_id"),
            title: title(&thread_id),
            thread_id,
            client: text("client_name"),
            at: micros.and_then(moment::rfc3339),
            role: text("role"),
            part_type: text("part_type"),
            tool_name: ask::text(row, "tool_name"),
            before,
            found,
            after,
            micros,
        }
    };
    Ok(rows.iter().zip(threads).map(hit).collect())
}

/// Cuts a text around what was found in it.
fn around(said: &str, found: &str) -> (String, String, String) {
    let (start, end) = position(said, found).unwrap_or((0, 0));
    let before: Vec<char> = said[..start].chars().rev().take(AROUND + 1).collect();
    let is_cut = before.len() > AROUND;
    let head = before.iter().take(AROUND).rev().collect::<String>();
    let after: Vec<char> = said[end..].chars().take(AROUND + 1).collect();
    let tail = after.iter().take(AROUND).collect::<String>();
    (
        format!("{}{head}", if is_cut { "…" } else { "" }),
        said[start..end].to_owned(),
        format!("{tail}{}", if after.len() > AROUND { "…" } else { "" }),
    )
}

/// Returns the start of a text, and says so where that is not all of it.
fn shorter(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// Returns where a text holds another one, whatever the capitals.
fn position(said: &str, found: &str) -> Option<(usize, usize)> {
    if let Some(at) = said.find(found) {
        return Some((at, at + found.len()));
    }
    let wanted: Vec<char> = found.chars().flat_map(char::to_lowercase).collect();
    said.char_indices().find_map(|(at, _)| {
        let mut left = wanted.iter().peekable();
        for (offset, c) in said[at..].char_indices() {
            if left.peek().is_none() {
                return Some((at, at + offset));
            }
            if !c.to_lowercase().all(|c| left.next() == Some(&c)) {
                return None;
            }
        }
        left.peek().is_none().then_some((at, said.len()))
    })
}

fn show(hits: &[Hit], width: Option<usize>, is_styled: bool) -> String {
    let mut out = String::new();
    for of_thread in hits.chunk_by(|a, b| a.thread_id == b.thread_id) {
        let Some(first) = of_thread.first() else { continue };
        let title = text::headline(first.title.as_deref().unwrap_or("-"), 60);
        let head = format!("{}  {title}", text::line(&first.client));
        let _ = writeln!(out, "{}", terminal::heading(&head, is_styled));
        for hit in of_thread {
            let what = text::headline(hit.tool_name.as_deref().unwrap_or(&hit.role), 24);
            let taken = 22 + what.chars().count() + hit.found.chars().count();
            let room = width.map_or(AROUND + 1, |width| width.saturating_sub(taken) / 2);
            let turned: String = hit.before.chars().rev().collect();
            let before: String = shorter(&turned, room).chars().rev().collect();
            let after = shorter(&hit.after, room);
            let one_line = |text: &str| {
                let spaced: String =
                    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
                text::line(&spaced).into_owned()
            };
            let _ = writeln!(
                out,
                "  {}  {}: {}{}{}",
                moment::show(hit.micros),
                what,
                one_line(&before).trim_start(),
                terminal::heading(&one_line(&hit.found), is_styled),
                one_line(&after).trim_end()
            );
        }
        let _ = writeln!(out, "  hyp show {}\n", text::line(&first.thread_id));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_cut_out_whatever_its_capitals() {
        let long = "x".repeat(AROUND + 5);
        #[rustfmt::skip]
        let cases = [
            ("the Spring tide is high", "spring TIDE", ("the ", "Spring tide", " is high")),
            ("ÄÖÜ",                     "öü",          ("Ä", "ÖÜ", "")),
            ("tide",                    "tide",        ("", "tide", "")),
            ("nothing of it",           "zzz",         ("", "", "nothing of it")),
        ];
        for (said, found, (before, exact, after)) in cases {
            let expected = (before.to_owned(), exact.to_owned(), after.to_owned());
            assert_eq!(around(said, found), expected, "{said}");
        }
        let (before, _, after) = around(&format!("{long}tide{long}"), "TIDE");
        assert!(before.starts_with("…x") && before.chars().count() == AROUND + 1);
        assert!(after.ends_with("x…") && after.chars().count() == AROUND + 1);
    }
}
