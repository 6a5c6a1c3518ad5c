//! A part of a message, by its type.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{
    Blob, Content, FailureClass, Part, Text, Thinking, ToolCall, ToolResult, Usage, time,
};

use crate::message::usage;

/// What a part is.
#[derive(Debug)]
pub(crate) enum Made {
    /// Something that was said or done.
    Said(Box<Said>),
    /// A response of the model begins.
    StepStart,
    /// A response of the model is over.
    StepFinish { usage: Option<Usage>, reason: Option<String> },
    /// Known, and without a row.
    Known(String),
    /// Not understood.
    Failed(FailureClass, String),
}

/// Something that was said or done.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) part: Part,
    /// What a tool gave back.
    pub(crate) result: Option<Part>,
    pub(crate) ended_at: Option<i64>,
    /// Attributes of its own.
    pub(crate) own: Object,
}

/// Reads a part.
pub(crate) fn read(json: Value<'_>) -> Made {
    let Some(kind) = json.get("type").and_then(Value::non_empty) else {
        return Made::Failed(FailureClass::Unknown, "part without a type".to_owned());
    };
    let text = |key: &str| json.get(key).and_then(Value::text);
    let mut own = Object::new();
    let content = match &*kind {
        "text" => {
            own.maybe_bool("synthetic", json.get("synthetic").and_then(Value::bool));
            own.maybe_bool("ignored", json.get("ignored").and_then(Value::bool));
            match text("text").filter(|text| !text.value.is_empty()) {
                Some(text) => Content::Text(text),
                None => return Made::Known("empty text".to_owned()),
            }
        }
        "reasoning" => match text("text").filter(|text| !text.value.is_empty()) {
            Some(text) => Content::Thinking(Thinking { text: Some(text), signature: None }),
            None => return Made::Known("empty reasoning".to_owned()),
        },
        "tool" => return tool(json, own),
        "file" => file(json, &mut own),
        "subtask" => {
            own.maybe_text("subagent", json.get("agent").and_then(Value::non_empty).as_deref());
            Content::Other(text("prompt"))
        }
        "agent" => Content::Other(text("name")),
        "step-start" => return Made::StepStart,
        "step-finish" => {
            let reason = json.get("reason").and_then(Value::non_empty);
            return Made::StepFinish { usage: json.get("tokens").and_then(usage), reason };
        }
        "snapshot" | "patch" | "retry" | "compaction" => return Made::Known(kind),
        _ => {
            let reason = format!("part {kind}").chars().take(64).collect();
            return Made::Failed(FailureClass::Unknown, reason);
        }
    };
    Made::Said(Box::new(Said { part: Part::new(kind, content), result: None, ended_at: None, own }))
}

/// A call of a tool, with what it gave back once it ended.
fn tool(json: Value<'_>, mut own: Object) -> Made {
    let call = json.get("callID").and_then(Value::non_empty);
    let state = |path: &[&str]| json.get("state").and_then(|state| state.path(path));
    let status = state(&["status"]).and_then(Value::non_empty);
    own.maybe_text("status", status.as_deref());
    own.maybe_text("title", state(&["title"]).and_then(Value::non_empty).as_deref());
    // The session of a sub-agent that the call started.
    let session = state(&["metadata", "sessionId"]).and_then(Value::non_empty);
    own.maybe_text("session", session.as_deref());
    let part = Part::new(
        "tool",
        Content::ToolCall(ToolCall {
            id: call.clone(),
            name: json.get("tool").and_then(Value::non_empty),
            input: state(&["input"]).map(|input| input.raw().to_owned()),
            caller_type: None,
        }),
    );
    let is_error = status.as_deref() == Some("error");
    let is_over = is_error || status.as_deref() == Some("completed");
    let text: Option<Text> =
        state(&[if is_error { "error" } else { "output" }]).and_then(Value::text);
    let result = is_over.then(|| {
        let content = None;
        let is_error = Some(is_error);
        Part::new(
            "tool",
            Content::ToolResult(ToolResult { call_id: call, text, content, is_error }),
        )
    });
    let ended_at = state(&["time", "end"]).and_then(Value::f64).and_then(time::from_millis);
    Made::Said(Box::new(Said { part, result, ended_at, own }))
}

/// A file that was added to a prompt. Its bytes may stand in its address.
fn file(json: Value<'_>, own: &mut Object) -> Content {
    own.maybe_text("filename", json.get("filename").and_then(Value::non_empty).as_deref());
    let media_type = json.get("mime").and_then(Value::non_empty);
    let url = json.get("url").and_then(Value::str).unwrap_or_default();
    let data = url.strip_prefix("data:").and_then(|url| url.split_once(','));
    let encoded_length = data.map_or(0, |(_, data)| data.len() as u64);
    let is_image = media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
    let blob = Blob { media_type, encoded_length };
    if is_image { Content::Image(blob) } else { Content::File(blob) }
}
