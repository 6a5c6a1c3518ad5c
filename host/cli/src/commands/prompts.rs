//! What was asked first, for conversations without a title.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;

use super::ask::{self, Lake, Row, list};
use crate::failure::Failure;

/// Texts of a thread that are looked at in one go, and in another where none of the first was a prompt.
///
/// Few rows of content are cheap to read; all of it would be most of the store.
const LOOKS: [(u32, u32); 2] = [(1, 6), (7, 100)];

/// Questions that are asked side by side: most of each is one thread that unpacks a page for every text.
const SIDE_BY_SIDE: usize = 2;

/// Returns what a person asked first in each main thread of some sessions, by the thread's id.
///
/// Text that clients put into a person's mouth begins with a tag or a heading, and is passed over.
pub(super) fn first_prompts(
    lake: &Lake,
    sessions: &[&str],
) -> Result<HashMap<String, String>, Failure> {
    let shares = sessions.chunks(sessions.len().div_ceil(SIDE_BY_SIDE).max(1));
    let found = thread::scope(|scope| {
        let asked: Vec<_> = shares.map(|share| scope.spawn(|| of_sessions(lake, share))).collect();
        let joined = asked.into_iter().map(|it| it.join().unwrap_or_else(|it| resume_unwind(it)));
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn of_sessions(lake: &Lake, sessions: &[&str]) -> Result<HashMap<String, String>, Failure> {
    let mut prompts = HashMap::new();
    let mut left: Vec<String> = sessions.iter().map(|id| (*id).to_owned()).collect();
    for (first, last) in LOOKS {
        if left.is_empty() {
            break;
        }
        let candidates = candidates(lake, &left, first, last)?;
        let texts = texts(lake, &left, &candidates)?;
        for it in &candidates {
            if let Some(text) = texts.get(&it.part_id) {
                prompts.entry(it.thread_id.clone()).or_insert_with(|| text.clone());
            }
        }
        left = candidates
            .into_iter()
            .filter(|it| !prompts.contains_key(&it.thread_id))
            .map(|it| it.session_id)
            .collect();
        left.dedup();
    }
    Ok(prompts)
}

/// A text that may be a prompt.
struct Candidate {
    part_id: String,
    thread_id: String,
    session_id: String,
}

/// Returns texts of main threads in their order, from the first so many of each on.
fn candidates(
    lake: &Lake,
    sessions: &[String],
    first: u32,
    last: u32,
) -> Result<Vec<Candidate>, Failure> {
    let rows = lake.rows(&format!(
        "select part_id, thread_id, session_id from ( \
           select part_id, session_id, coalesce(conversation_id, session_id) as thread_id, \
             row_number() over (partition by coalesce(conversation_id, session_id) \
               order by message_index, part_index) as n \
           from messages where role = 'user' and part_type = 'text' and agent_id is null \
             and session_id in {}) as said \
         where n between {first} and {last} order by session_id, thread_id, n",
        list(sessions.iter().map(String::as_str))
    ))?;
    let text = |row: &Row, name| ask::text(row, name).unwrap_or_default();
    let candidate = |row: &Row| Candidate {
        part_id: text(row, "part_id"),
        thread_id: text(row, "thread_id"),
        session_id: text(row, "session_id"),
    };
    Ok(rows.iter().map(candidate).collect())
}

/// Returns the beginnings of those that a person may have written, by part.
fn texts(
    lake: &Lake,
    sessions: &[String],
    candidates: &[Candidate],
) -> Result<HashMap<String, String>, Failure> {
    if candidates.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = lake.rows(&format!(
        "select part_id, substr(content_text, 1, 400) as content_text from messages \
         where session_id in {} and part_id in {}",
        list(sessions.iter().map(String::as_str)),
        list(candidates.iter().map(|it| it.part_id.as_str()))
    ))?;
    let is_prompt = |text: &String| {
        !text.is_empty() && !text.starts_with('<') && !text.starts_with("# AGENTS.md")
    };
    let pair = |row: &Row| {
        let text = ask::text(row, "content_text").filter(is_prompt)?;
        Some((ask::text(row, "part_id")?, text))
    };
    Ok(rows.iter().filter_map(pair).collect())
}
