//! What the client itself puts into the conversation: system lines and attachments.

use hyp_sdk::json::{Kind, Object, Tape, Value};
use hyp_sdk::{Content, Context, ErrorBlock, Message, Part, Record, Text};

use crate::context::Hook;
use crate::line::{Author, Line, owned};
use crate::message::{attributes, framed};
use crate::{content, injected};

/// Members of a hook's record that go into the attributes.
const HOOK_NOTES: [&str; 6] =
    ["hookName", "toolUseID", "command", "exitCode", "durationMs", "preventedContinuation"];
/// Members of a system line that go into the attributes.
const SYSTEM_NOTES: [&str; 15] = [
    "hookInfos",
    "hookErrors",
    "hookAdditionalContext",
    "preventedContinuation",
    "stopReason",
    "retryInMs",
    "retryAttempt",
    "maxRetries",
    "microcompactMetadata",
    "pendingBackgroundAgentCount",
    "trigger",
    "originalModel",
    "fallbackModel",
    "apiRefusalCategory",
    "retractedMessageUuids",
];

/// Returns the message of a system line. Its role keeps it apart from what people and models say.
pub(crate) fn system(
    record: &Record<'_>,
    line: &Line<'_>,
    hook: &Hook,
    thread: &Context,
) -> Message {
    let mut message = framed(record, line, "system");
    message.hook_event = owned(record.json.get("hookEvent"));
    message.compact_metadata = line.compact_metadata.map(|metadata| metadata.raw().to_owned());
    message.context = hook.message(line, None, thread);
    let notes = noted(record.json, &SYSTEM_NOTES);
    message.attributes = attributes(line, |claude| {
        claude.object("system", notes);
    });
    let subtype = line.subtype.and_then(Value::str);
    let text = line.content.and_then(content::said).filter(is_text);
    message.parts = vec![match (line.error.filter(|error| error.is_object()), text) {
        (Some(error), _) => Part::new("error", Content::Error(failed(error))),
        (None, Some(text)) => Part::text(text),
        (None, None) => {
            let text = ["hookErrors", "hookAdditionalContext"]
                .iter()
                .find_map(|key| content::said(record.json.get(key)?));
            Part::new(subtype.as_deref().unwrap_or("system"), Content::Other(text))
        }
    }];
    message
}

fn failed(error: Value<'_>) -> ErrorBlock {
    let code = [&["status"][..], &["connection", "code"], &["code"], &["type"]]
        .iter()
        .find_map(|path| error.path(path))
        .filter(|code| matches!(code.kind(), Kind::Number | Kind::String));
    let message =
        ["formatted", "message"].iter().find_map(|key| error.get(key)?.text().filter(is_text));
    ErrorBlock {
        code: code.map(|code| code.str().map_or_else(|| code.raw().to_owned(), Into::into)),
        message,
    }
}

/// Returns the message of an attachment: what a hook said, or a prompt that was queued while the model was busy.
/// Other attachments are context for the model, not conversation.
pub(crate) fn attached(
    record: &Record<'_>,
    line: &Line<'_>,
    kind: &str,
    hook: &Hook,
    thread: &Context,
) -> Option<Message> {
    let attachment = line.attachment?;
    let mut message = if kind == "queued_command" {
        let prompt = attachment.get("prompt")?;
        let parts = content::parts(prompt);
        if parts.is_empty() {
            return None;
        }
        let role = if is_from_person(attachment, prompt) { "user" } else { "system" };
        let mut message = framed(record, line, role);
        if message.id.is_none() {
            message.identity = content::identity(prompt);
        }
        let is_meta = attachment.get("isMeta").and_then(Value::bool) == Some(true);
        let author = if is_meta { Author::Client } else { line.author() };
        let injected = (role == "user").then(|| injected::kind(&parts, author)).flatten();
        message.parts = parts;
        let notes = noted(attachment, &["commandMode", "origin"]);
        message.attributes = attributes(line, |claude| {
            claude.maybe_text("injected", injected).object("attachment", notes);
        });
        message
    } else if kind.starts_with("hook_") {
        let mut message = framed(record, line, "system");
        message.parts = vec![match hook_text(attachment) {
            Some(text) => Part::text(text),
            None => Part::new(kind, Content::Other(None)),
        }];
        message.hook_event = owned(attachment.get("hookEvent"));
        let notes = noted(attachment, &HOOK_NOTES);
        message.attributes = attributes(line, |claude| {
            claude.object("attachment", notes);
        });
        message
    } else {
        return None;
    };
    message.attachment_type = Some(kind.to_owned());
    message.context = hook.message(line, None, thread);
    Some(message)
}

/// Returns true for a queued prompt that a person typed: it is in no other line.
fn is_from_person(attachment: Value<'_>, prompt: Value<'_>) -> bool {
    let is = |path: &[&str], expect: &str| {
        attachment.path(path).and_then(Value::str).is_none_or(|said| said == expect)
    };
    let is_notice = content::said(prompt).is_some_and(|text| is_notice(&text.value));
    is(&["commandMode"], "prompt") && is(&["origin", "kind"], "human") && !is_notice
}

/// Returns true for a text that the client queued itself, when something in the background began or ended.
pub(crate) fn is_notice(text: &str) -> bool {
    ["<task-notification>", "<agent-notification>", "<bash-notification>"]
        .iter()
        .any(|tag| text.starts_with(tag))
        || is_task(text)
}

/// Returns true for a task as an object, which versions about 2.1.50 queue when it begins.
fn is_task(text: &str) -> bool {
    if !text.starts_with('{') {
        return false;
    }
    let mut tape = Tape::new();
    let task = tape.parse_document(text.as_bytes());
    task.is_ok_and(|task| ["task_id", "task_type"].iter().all(|key| task.get(key).is_some()))
}

fn hook_text(attachment: Value<'_>) -> Option<Text> {
    let places: [&[&str]; 5] =
        [&["content"], &["blockingError", "blockingError"], &["stderr"], &["stdout"], &["message"]];
    places.iter().find_map(|path| attachment.path(path).and_then(content::said).filter(is_text))
}

fn is_text(text: &Text) -> bool {
    !text.value.is_empty()
}

fn noted(from: Value<'_>, keys: &[&str]) -> Object {
    let mut object = Object::new();
    for key in keys {
        let value = from.get(key).filter(|value| match value.kind() {
            Kind::Null | Kind::False => false,
            Kind::Array => value.items().next().is_some(),
            Kind::String => value.raw() != "\"\"",
            _ => true,
        });
        object.maybe_raw(key, value.map(Value::raw));
    }
    object
}
