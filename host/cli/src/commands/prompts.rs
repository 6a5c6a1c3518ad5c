//! What was asked first, for conversations without a title.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;

use super::ask::{self, Lake, Row, list};
use super::typed::{Author, behind_tags, typed};
use crate::failure::Failure;

/// Messages of a thread that are looked at in one go, and in another where a person wrote none of the first.
///
/// Few rows of content are cheap to read; all of it would be most of the store.
const LOOKS: [(u32, u32); 2] = [(1, 6), (7, 100)];

/// Questions that are asked side by side: most of each is one thread that unpacks a page for every text.
const SIDE_BY_SIDE: usize = 2;

/// Characters of a prompt that are handed out.
const BEGINNING: usize = 400;

/// Characters that are read before that: what the client put before a prompt may stand there.
const READ: usize = 2_000;

/// Returns what a person asked first in each thread of some sessions, by the thread's id.
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
        for message in candidates.chunk_by(|a, b| a.message_id == b.message_id) {
            let Some(thread_id) = message.first().map(|it| &it.thread_id) else { continue };
            if let Some(text) = prompt(message, &texts)
                && !prompts.contains_key(thread_id)
            {
                prompts.insert(thread_id.clone(), text);
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
    message_id: String,
    thread_id: String,
    session_id: String,
}

/// Returns texts of threads in their order, from the first so many messages of each on.
///
/// What sub-agents are told is no prompt of the thread that it lies in, and all that there is of one of their own.
fn candidates(
    lake: &Lake,
    sessions: &[String],
    first: u32,
    last: u32,
) -> Result<Vec<Candidate>, Failure> {
    let sessions = list(sessions.iter().map(String::as_str));
    let rows = lake.rows(&format!(
        "select part_id, message_id, thread_id, session_id from ( \
           select part_id, message_id, thread_id, session_id, part_index, \
             dense_rank() over (partition by thread_id \
               order by message_index, message_created_at, message_id) as n \
           from (select m.part_id, m.message_id, m.session_id, m.message_index, m.part_index, \
               m.message_created_at, \
               coalesce(s.thread_id, m.conversation_id, m.session_id) as thread_id \
             from messages m left join (select * from sessions where session_id in {sessions}) s \
               on s.session_id = m.session_id and s.input_id = m.input_id \
               and coalesce(s.conversation_id, '') = coalesce(m.conversation_id, '') \
             where m.role = 'user' and m.part_type = 'text' and m.agent_id is null \
               and m.session_id in {sessions} and m.is_compact_summary is not true \
               and (m.is_sidechain is not true or s.kind <> 'main')) as said) as counted \
         where n between {first} and {last} order by session_id, thread_id, n, part_index"
    ))?;
    let text = |row: &Row, name| ask::text(row, name).unwrap_or_default();
    let candidate = |row: &Row| Candidate {
        part_id: text(row, "part_id"),
        message_id: text(row, "message_id"),
        thread_id: text(row, "thread_id"),
        session_id: text(row, "session_id"),
    };
    Ok(rows.iter().map(candidate).collect())
}

/// A text, as far as it was read.
struct Text {
    author: Author,
    beginning: String,
    /// The beginning, and the end of it that was not read.
    ends: String,
}

/// Returns texts by part.
fn texts(
    lake: &Lake,
    sessions: &[String],
    candidates: &[Candidate],
) -> Result<HashMap<String, Text>, Failure> {
    if candidates.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = lake.rows(&format!(
        "select part_id, client_name, provider_subtype, attributes, \
           substr(content_text, 1, {READ}) as beginning, right(content_text, 40) as ending \
         from messages where session_id in {} and part_id in {}",
        list(sessions.iter().map(String::as_str)),
        list(candidates.iter().map(|it| it.part_id.as_str()))
    ))?;
    let pair = |row: &Row| {
        let beginning = ask::text(row, "beginning")?;
        let ends = format!("{beginning}{}", ask::text(row, "ending")?);
        Some((ask::text(row, "part_id")?, Text { author: Author::of(row), beginning, ends }))
    };
    Ok(rows.iter().filter_map(pair).collect())
}

/// Returns the beginning of what a person wrote in a message.
fn prompt(message: &[Candidate], texts: &HashMap<String, Text>) -> Option<String> {
    let texts: Vec<&Text> = message.iter().filter_map(|it| texts.get(&it.part_id)).collect();
    let ends: Vec<&str> = texts.iter().map(|it| it.ends.as_str()).collect();
    let is_typed = typed(texts.first()?.author, &ends);
    let (text, _) = texts.iter().zip(is_typed).find(|(_, is_typed)| *is_typed)?;
    Some(behind_tags(&text.beginning).chars().take(BEGINNING).collect())
}
