//! Messages: what a person, the model or the client says in the conversation.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{Content, Context, Message, Part, Record, time};

use crate::context::{Hook, resumes_by_copy};
use crate::line::{Line, owned};
use crate::usage::{is_billed, uncommon, usage};
use crate::{content, injected};

/// The model of lines that the client made up.
const SYNTHETIC: &str = "<synthetic>";
/// How long a raw frame may be.
const FRAME: usize = 500;

/// The block of an answer that has no content. It costs tokens, which need a row to be on.
const EMPTY: &str = "empty";

/// Returns the message of a line that has one, and nothing where it is empty and cost nothing.
pub(crate) fn spoken(
    record: &Record<'_>,
    line: &Line<'_>,
    hook: &Hook,
    thread: &Context,
) -> Option<Message> {
    let said = line.message?;
    let content = said.get("content");
    let tokens = said.get("usage").and_then(usage);
    let mut parts = content.map(content::parts).unwrap_or_default();
    if parts.is_empty() {
        tokens.filter(is_billed)?;
        parts.push(Part::new(EMPTY, Content::Other(None)));
    }
    let role = said.get("role").and_then(Value::str).or_else(|| line.kind());
    let unsaid = if tokens.is_some() { "assistant" } else { "user" };
    let mut message = framed(record, line, role.as_deref().unwrap_or(unsaid));
    message.parts = parts;
    message.source_tool_assistant_uuid = owned(line.source_tool_assistant);
    message.is_compact_summary = line.is_compact_summary.and_then(Value::bool);
    if message.id.is_none() {
        message.identity = content.and_then(content::identity);
    }

    let told = owned(said.get("model"));
    let is_made_up = told.as_deref() == Some(SYNTHETIC);
    let model = told.filter(|_| !is_made_up);
    let is_synthetic = is_made_up || line.is_api_error.and_then(Value::bool) == Some(true);
    if message.role == "assistant" && !is_synthetic {
        // Gateways may leave the id out; the request's is on all lines of a response, too.
        message.response_id = owned(said.get("id")).or_else(|| message.request_id.clone());
        message.usage = tokens;
        message.stop_reason = owned(said.get("stop_reason"));
    } else if is_synthetic
        && line.version.and_then(Value::str).is_some_and(|it| resumes_by_copy(&it))
    {
        // No response, but its id is all that tells a copy of the line from another failure.
        message.response_id = owned(said.get("id"));
    }
    message.context = hook.message(line, model, thread);
    let injected = Some(&message.role).filter(|role| *role == "user");
    let injected = injected.and_then(|_| injected::kind(&message.parts, line.author()));
    let uncommon = said.get("usage").map(uncommon).unwrap_or_default();
    message.attributes = attributes(line, |claude| {
        claude.maybe_text("injected", injected).object("usage", uncommon);
    });
    Some(message)
}

/// Says whether a person said this, and not the client or a tool.
pub(crate) fn is_prompt(message: &Message, line: &Line<'_>) -> bool {
    let is = |of: fn(&Content) -> bool| message.parts.iter().any(|part| of(&part.content));
    message.role == "user"
        && message.is_compact_summary != Some(true)
        && is(|content| matches!(content, Content::Text(_)))
        && !is(|content| matches!(content, Content::ToolResult(_)))
        && injected::kind(&message.parts, line.author()).is_none()
}

/// Says whether the client tells that a person interrupted it.
pub(crate) fn is_interruption(message: &Message, line: &Line<'_>) -> bool {
    injected::kind(&message.parts, line.author()) == Some(injected::INTERRUPTION)
}

/// Returns a message with what all kinds of lines have.
pub(crate) fn framed(record: &Record<'_>, line: &Line<'_>, role: &str) -> Message {
    let mut message = Message::new(record.span, role);
    message.id = owned(line.uuid);
    message.provider_uuid = message.id.clone();
    message.parent_uuid = owned(line.parent);
    message.logical_parent_uuid = owned(line.logical_parent);
    message.created_at = line.time();
    message.request_id = owned(line.request);
    message.prompt_id = owned(line.prompt);
    message.provider_type = owned(line.kind);
    message.provider_subtype = owned(line.subtype);
    message.raw_frame = raw_frame(line, message.created_at);
    message
}

/// Returns the attributes of a line, with what `add` adds.
pub(crate) fn attributes(line: &Line<'_>, add: impl FnOnce(&mut Object)) -> Option<String> {
    let mut claude = Object::new();
    for (key, value) in &line.noted {
        claude.raw(key, value.raw());
    }
    claude.maybe_raw("tool_use_result", line.tool_use_result.map(Value::raw));
    add(&mut claude);
    let mut attributes = Object::new();
    attributes.object("claude", claude);
    attributes.finish()
}

fn raw_frame(line: &Line<'_>, time: Option<i64>) -> Option<String> {
    let mut frame = Object::new();
    frame
        .maybe_raw("uuid", string(line.uuid))
        .maybe_raw("parent_uuid", string(line.parent))
        .maybe_raw("logical_parent_uuid", string(line.logical_parent))
        .maybe_raw("type", string(line.kind))
        .maybe_raw("subtype", string(line.subtype))
        .maybe_raw("message_id", string(line.message.and_then(|message| message.get("id"))))
        .maybe_text("timestamp", time.map(time::format).as_deref());
    frame.finish().filter(|frame| frame.len() <= FRAME)
}

fn string(value: Option<Value<'_>>) -> Option<&str> {
    value.filter(|value| value.is_string()).map(Value::raw)
}
