//! Response items: what was sent to the model, and what it answered.

use std::borrow::Cow;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{Blob, Content, Message, Part, Span, Text, Thinking, is_telling};

use crate::markup::stands_for_picture;
use crate::{attributes, call};

/// What an item is.
#[derive(Debug)]
pub(crate) enum Item {
    /// Part of a response of the model.
    Answer(Message),
    /// What a tool gave back.
    Output(Message),
    /// A prompt, or context.
    Prompt(Message),
    /// An event that stands among the items.
    Event,
    /// Known, and without a row.
    Nothing(Cow<'static, str>),
    /// Not known.
    Unknown(String),
}

/// Types of items that stand alone at the top of a line in some builds, and all the time in the oldest.
const TYPES: &[&str] = &[
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "web_search_call",
    "tool_search_call",
    "tool_search_output",
    "image_generation_call",
    "ghost_snapshot",
    "compaction",
    "compaction_summary",
    "context_compaction",
    "agent_message",
];

/// Says whether a line's type is that of an item without an envelope.
pub(crate) fn is_bare(kind: &str) -> bool {
    TYPES.contains(&kind)
}

/// Says whether an item is a call.
pub(crate) fn is_call(item: Value<'_>) -> bool {
    item.get("type").and_then(Value::str).is_some_and(|kind| kind.ends_with("_call"))
}

/// Reads an item.
pub(crate) fn read(item: Value<'_>, span: Span, tape: &mut Tape) -> Item {
    let told = item.get("type").and_then(Value::str);
    let kind = match told {
        Some(kind) => kind,
        None if item.get("role").is_some() => Cow::Borrowed("message"),
        None => return Item::Unknown("response_item without a type".to_owned()),
    };
    match &*kind {
        "message" => message(item, span, tape),
        "reasoning" => reasoning(item, span),
        "agent_message" => between_agents(item, span),
        "function_call" | "custom_tool_call" => {
            Item::Answer(call::function(item, start(item, span, "assistant", &kind), tape))
        }
        "local_shell_call" | "web_search_call" | "tool_search_call" | "image_generation_call" => {
            Item::Answer(call::built_in(item, start(item, span, "assistant", &kind), &kind))
        }
        "function_call_output"
        | "custom_tool_call_output"
        | "local_shell_call_output"
        | "tool_search_output"
        | "tool_search_call_output" => {
            Item::Output(call::output(item, start(item, span, "tool", &kind)))
        }
        "token_count" => Item::Event,
        "additional_tools" | "compaction" | "compaction_summary" | "compaction_trigger"
        | "context_compaction" | "ghost_snapshot" | "other" => {
            Item::Nothing(format!("response_item.{kind}").into())
        }
        _ => Item::Unknown(format!("response_item.{}", word(&kind))),
    }
}

/// Returns a type as a reason may show it.
pub(crate) fn word(kind: &str) -> String {
    kind.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn start(item: Value<'_>, span: Span, role: &str, kind: &str) -> Message {
    let mut message = Message::new(span, role);
    // One that tells nothing may be another message's, in this thread or in any other.
    message.id = item.get("id").and_then(Value::non_empty).filter(|id| is_telling(id));
    message.provider_type = Some(kind.to_owned());
    message
}

fn message(item: Value<'_>, span: Span, tape: &mut Tape) -> Item {
    let role = item.get("role").and_then(Value::non_empty).unwrap_or_else(|| "user".to_owned());
    if let Some(message) = communication(item, span, tape) {
        return Item::Prompt(message);
    }
    let mut message = start(item, span, &role, "message");
    let mut has_others = false;
    if let Some(content) = item.get("content") {
        if content.is_string() {
            message.parts.extend(said(content));
        }
        for block in blocks(content) {
            let part = part(block).map(|part| if role == "user" { label(part) } else { part });
            has_others |= part.as_ref().is_some_and(|part| part.block_type != "text");
            message.parts.extend(part);
        }
        if has_others && message.id.is_none() {
            message.identity = Some(texts_alone(content));
        }
    }
    if message.parts.is_empty() {
        return Item::Nothing("response_item.message without text".into());
    }
    if role == "assistant" {
        let phase = item.get("phase").and_then(Value::str);
        attributes::set(&mut message, &[("phase", phase.as_deref())]);
        return Item::Answer(message);
    }
    Item::Prompt(message)
}

/// Makes a label of a text that stands before or behind a picture: the client wrote it.
fn label(part: Part) -> Part {
    match part.content {
        Content::Text(text) if stands_for_picture(&text.value) => {
            Part::new("image_label", Content::Other(Some(text)))
        }
        _ => part,
    }
}

/// Returns all texts of a message.
pub(crate) fn texts(message: &Message) -> impl Iterator<Item = &str> {
    message.parts.iter().filter_map(|part| match &part.content {
        Content::Text(text) => Some(text.value.as_str()),
        _ => None,
    })
}

/// Returns the blocks of a content; one may stand alone.
fn blocks(content: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let alone = Some(content).filter(|content| content.is_object());
    alone.into_iter().chain(content.items())
}

/// Says whether the client tells the model in the person's name that a turn was broken off.
pub(crate) fn is_abort(item: Value<'_>) -> bool {
    let first = item.get("content").and_then(|content| blocks(content).find_map(text_of));
    first.and_then(Value::str).is_some_and(|text| text.trim_start().starts_with("<turn_aborted>"))
}

/// Makes a part of a text that is not empty.
fn said(text: Value<'_>) -> Option<Part> {
    text.text().filter(|text| !text.value.is_empty()).map(Part::text)
}

fn part(block: Value<'_>) -> Option<Part> {
    if let Some(text) = text_of(block) {
        return said(text);
    }
    let kind = block.get("type").and_then(Value::str)?;
    let address = |key| block.get(key).and_then(Value::str).unwrap_or_default();
    Some(match &*kind {
        "refusal" => Part::new("refusal", Content::Text(block.get("refusal")?.text()?)),
        "input_image" => Part::new("image", Content::Image(blob(&address("image_url")))),
        "input_file" => Part::new("file", Content::File(blob(&address("file_data")))),
        kind => Part::new(word(kind), Content::Other(None)),
    })
}

/// Returns the text of a block of content.
pub(crate) fn text_of(block: Value<'_>) -> Option<Value<'_>> {
    if block.is_string() {
        return Some(block);
    }
    ["text", "input_text", "output_text"]
        .iter()
        .find_map(|key| block.get(key))
        .filter(|it| it.is_string())
}

/// Describes a picture or a file by its address, which holds it where it is a data URL.
fn blob(url: &str) -> Blob {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    let Some((head, bytes)) = data else { return Blob { media_type: None, encoded_length: 0 } };
    let media_type = head.split(';').next().filter(|kind| !kind.is_empty()).map(str::to_owned);
    Blob { media_type, encoded_length: bytes.len() as u64 }
}

/// Returns the texts of the content alone: what the derived id is made of.
fn texts_alone(content: Value<'_>) -> String {
    let blocks = blocks(content).filter_map(text_of).filter(|text| text.raw() != r#""""#);
    let blocks: Vec<String> =
        blocks.map(|text| format!(r#"{{"text":{},"type":"text"}}"#, text.raw())).collect();
    format!("[{}]", blocks.join(","))
}

fn reasoning(item: Value<'_>, span: Span) -> Item {
    let mut texts: Vec<Text> =
        ["summary", "content"].iter().filter_map(|key| item.get(key).and_then(joined)).collect();
    texts.dedup_by(|raw, summary| raw.value == summary.value);
    if texts.is_empty() {
        let is_encrypted = item.get("encrypted_content").is_some_and(Value::is_string);
        let kind = if is_encrypted { "reasoning.encrypted" } else { "reasoning without text" };
        return Item::Nothing(kind.into());
    }
    let mut message = start(item, span, "assistant", "reasoning");
    message.parts.extend(texts.into_iter().map(|text| {
        Part::new("thinking", Content::Thinking(Thinking { text: Some(text), signature: None }))
    }));
    Item::Answer(message)
}

/// Returns a text, or the texts of a list with line feeds between them; nothing for an empty one.
pub(crate) fn joined(value: Value<'_>) -> Option<Text> {
    joined_from(value, 0)
}

/// Returns what [`joined`] does, without the first texts.
pub(crate) fn joined_from(value: Value<'_>, first: usize) -> Option<Text> {
    if value.is_string() {
        return value.text().filter(|text| first == 0 && !text.value.is_empty());
    }
    let block = |block| text_of(block).or_else(|| Value::get(block, "summary_text"));
    let texts = value.items().skip(first).filter_map(block).filter_map(Value::text);
    texts.reduce(Text::joined).filter(|text| !text.value.is_empty())
}

/// A message from one agent to another takes the place of a prompt.
fn between_agents(item: Value<'_>, span: Span) -> Item {
    said_to_agent(item, span, "agent_message").map_or_else(
        || Item::Nothing("response_item.agent_message without text".into()),
        Item::Prompt,
    )
}

/// Says whether a message is what one agent said to another, in the model's name: builds before there was a record of its
/// own wrote it so.
pub(crate) fn is_communication(item: Value<'_>) -> bool {
    let text = item.get("content").and_then(|content| text_of(blocks(content).next()?)?.str());
    text.is_some_and(|text| {
        text.starts_with("{\"author\":\"") && text.contains("\"trigger_turn\":")
    })
}

fn communication(item: Value<'_>, span: Span, tape: &mut Tape) -> Option<Message> {
    if !is_communication(item) {
        return None;
    }
    let text = item.get("content").and_then(joined)?;
    let said = tape.parse_document(text.value.as_bytes()).ok()?;
    let is_text = |key: &&str| said.get(key).is_some_and(Value::is_string);
    let is_whole = ["author", "recipient", "content"].iter().all(is_text);
    said_to_agent(said, span, "message").filter(|_| is_whole)
}

/// Makes the message of what one agent said to another; `kind` is the client's word for the record.
pub(crate) fn said_to_agent(item: Value<'_>, span: Span, kind: &str) -> Option<Message> {
    let text = item.get("content").or_else(|| item.get("message")).and_then(joined)?;
    let mut message = start(item, span, "user", kind);
    message.provider_subtype = Some("injected".to_owned());
    message.parts.push(Part::text(text));
    let (author, recipient) =
        (item.get("author").and_then(Value::str), item.get("recipient").and_then(Value::str));
    attributes::set(
        &mut message,
        &[
            ("injected", Some("agent_message")),
            ("author", author.as_deref()),
            ("recipient", recipient.as_deref()),
        ],
    );
    Some(message)
}
