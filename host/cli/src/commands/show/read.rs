//! Gathers a conversation: a thread's own rows, and those that it shares with others, in their places.

use std::collections::{HashMap, HashSet};

use super::find::{self, Thread};
use crate::commands::ask::{self, Lake, Row, quote};
use crate::commands::owners::Owners;
use crate::commands::typed::{Author, typed};
use crate::failure::Failure;

/// Columns of a part.
const COLUMNS: &str = "m.part_id, m.message_id, m.session_id, m.conversation_id, m.input_id, \
    m.part_index, m.role, m.model, m.part_type, m.content_text, m.tool_name, \
    m.tool_args, m.tool_call_id, m.tool_result_for, m.is_error, m.is_replay, m.is_compact_summary, \
    m.input_tokens, m.output_tokens, m.cache_read_tokens, m.cache_write_tokens, m.is_sidechain, \
    m.client_name, m.provider_subtype, \
    case when m.role = 'user' and m.part_type = 'text' then m.attributes end as attributes, \
    cast(m.message_created_at as bigint) as at";

/// A session, ready to be shown.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) thread: Thread,
    pub(super) messages: Vec<Message>,
    /// Threads that this one started, by the time of their first message.
    pub(super) subagents: Vec<Thread>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) message_id: String,
    pub(super) role: String,
    /// Who wrote its texts, where it stands under the user's name.
    author: Author,
    pub(super) model: Option<String>,
    pub(super) at: Option<i64>,
    /// The thread that has its rows, where that is another one.
    pub(super) shared_with: Option<String>,
    /// Whether it is a copy under an id of its own.
    pub(super) is_copy: bool,
    pub(super) is_summary: bool,
    /// Whether a sub-agent has it, and not who held the session.
    pub(super) is_sidechain: bool,
    pub(super) tokens: u64,
    pub(super) parts: Vec<Part>,
}

/// A part of a message.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) part_id: String,
    pub(super) kind: String,
    pub(super) text: Option<String>,
    /// Whether a person wrote it.
    pub(super) is_typed: bool,
    pub(super) tool_name: Option<String>,
    pub(super) tool_args: Option<String>,
    pub(super) call_id: Option<String>,
    pub(super) is_error: bool,
}

/// Reads the conversation of a thread.
pub(super) fn read(lake: &Lake, thread: Thread) -> Result<Conversation, Failure> {
    let owners = Owners::read(lake)?;
    let own = lake.rows(&format!(
        "select m.message_index, m.input_id as recording, {COLUMNS} from ai_gateway_messages m \
         where m.session_id = {}",
        quote(&thread.session_id)
    ))?;
    let shared = lake.rows(&format!(
        "select s.message_index, s.input_id as recording, {COLUMNS} from sightings s \
         join ai_gateway_messages m on m.part_id = s.part_id where s.thread_id = {}",
        quote(&thread.thread_id)
    ))?;
    let own = own.into_iter().filter(|row| owners.of_row(row) == thread.thread_id);
    let rows = in_order(shared.into_iter().chain(own).map(Place::of).collect());
    let mut messages: Vec<Message> = Vec::new();
    for row in rows {
        let owner = owners.of_row(&row);
        let id = ask::text(&row, "message_id").unwrap_or_default();
        if messages.last().is_none_or(|last| last.message_id != id) {
            messages.push(message(&row, id, (owner != thread.thread_id).then_some(owner)));
        }
        let Some(message) = messages.last_mut() else { continue };
        if row.get("attributes").is_some_and(|it| !it.is_null()) {
            message.author = Author::of(&row);
        }
        let tokens = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"];
        message.tokens += tokens.iter().map(|name| ask::count(&row, name)).sum::<u64>();
        message.parts.push(part(&row));
    }
    messages.iter_mut().filter(|message| message.role == "user").for_each(tell_typed);
    let mut subagents = find::all(lake)?;
    subagents.retain(|other| other.parent.as_deref() == Some(&thread.thread_id));
    subagents.sort_by_key(|other| other.first_at);
    Ok(Conversation { thread, messages, subagents })
}

/// A part where a recording has it.
struct Place {
    recording: String,
    index: (i64, i64),
    part_id: String,
    message_id: String,
    at: i64,
    row: Row,
}

impl Place {
    fn of(row: Row) -> Self {
        let number = |name| ask::long(&row, name).unwrap_or_default();
        let text = |name| ask::text(&row, name).unwrap_or_default();
        Self {
            recording: text("recording"),
            index: (number("message_index"), number("part_index")),
            part_id: text("part_id"),
            message_id: text("message_id"),
            at: ask::long(&row, "at").unwrap_or(i64::MAX),
            row,
        }
    }
}

/// Returns parts in the order in which they were said, each once.
///
/// Recordings that count their messages apart, as those of a session that went on in another folder, come one after the
/// other.
fn in_order(mut places: Vec<Place>) -> Vec<Row> {
    let mut messages: HashMap<i64, (&str, &str)> = HashMap::new();
    let is_apart = places.iter().any(|it| {
        let (message, recording) =
            messages.entry(it.index.0).or_insert((&it.message_id, &it.recording));
        *message != it.message_id && *recording != it.recording
    });
    let mut starts: HashMap<String, i64> = HashMap::new();
    for it in places.iter().filter(|_| is_apart) {
        let start = starts.entry(it.recording.clone()).or_insert(it.at);
        *start = it.at.min(*start);
    }
    let start = |it: &Place| starts.get(&it.recording).map(|at| (*at, it.recording.clone()));
    places.sort_by_cached_key(|it| (start(it), it.index, it.part_id.clone()));
    let mut told = HashSet::new();
    places.into_iter().filter(|it| told.insert(it.part_id.clone())).map(|it| it.row).collect()
}

fn message(row: &Row, message_id: String, shared_with: Option<String>) -> Message {
    let is = |name: &str| row.get(name).is_some_and(|value| value == true);
    Message {
        message_id,
        role: ask::text(row, "role").unwrap_or_default(),
        author: Author::of(row),
        model: ask::text(row, "model"),
        at: ask::long(row, "at"),
        shared_with,
        is_copy: is("is_replay"),
        is_summary: is("is_compact_summary"),
        is_sidechain: is("is_sidechain"),
        tokens: 0,
        parts: Vec::new(),
    }
}

/// Notes which texts of a message a person wrote.
fn tell_typed(message: &mut Message) {
    let is_text = |part: &&mut Part| part.kind == "text";
    let mut texts: Vec<&mut Part> = message.parts.iter_mut().filter(is_text).collect();
    let said: Vec<&str> = texts.iter().map(|it| it.text.as_deref().unwrap_or_default()).collect();
    let is_typed = typed(message.author, &said);
    texts.iter_mut().zip(is_typed).for_each(|(part, is_typed)| part.is_typed = is_typed);
}

fn part(row: &Row) -> Part {
    let text = |name| ask::text(row, name);
    Part {
        part_id: text("part_id").unwrap_or_default(),
        kind: text("part_type").unwrap_or_default(),
        text: text("content_text"),
        is_typed: false,
        tool_name: text("tool_name"),
        tool_args: text("tool_args"),
        call_id: text("tool_call_id").or_else(|| text("tool_result_for")),
        is_error: row.get("is_error").is_some_and(|value| value == true),
    }
}
