//! A bubble: a prompt, a piece of an answer, or a call of a tool with its result.

use hyp_sdk::json::{Kind, Object, Tape, Value, quote};
use hyp_sdk::{
    Content, Context, Message, Part, Span, Text, Thinking, ToolCall, ToolResult, Usage, time,
};

/// Times before this are counted from the start of the program.
const FIRST_MILLIS: f64 = 1e12;

/// Takes what a bubble says of where it is: the folder that is open, and the model that is asked.
pub(crate) fn context(json: Value<'_>, context: &mut Context) {
    let folder =
        json.get("workspaceUris").and_then(|uris| uris.items().next()).and_then(Value::str);
    if let Some(path) = folder.as_deref().and_then(|uri| uri.strip_prefix("file://")) {
        context.cwd = Some(unescaped(path));
    }
    let model = json.path(&["modelInfo", "modelName"]).and_then(Value::non_empty);
    if let Some(model) = model.filter(|model| model != "default") {
        context.model = Some(model);
    }
}

/// Makes messages of a bubble: none of an empty one.
pub(crate) fn read(id: &str, json: Value<'_>, span: Span, context: &Context) -> Vec<Message> {
    let is_prompt = json.get("type").and_then(Value::u64) == Some(1);
    let start = |id: String, role: &str| {
        let mut message = Message::new(span, role);
        message.id = Some(id);
        message.context = Some(context.clone());
        message.provider_uuid = json.get("bubbleId").and_then(Value::non_empty);
        message.request_id = json.get("requestId").and_then(Value::non_empty);
        message.provider_type = Some(if is_prompt { "user" } else { "assistant" }.to_owned());
        message.created_at = at(json);
        message
    };
    let mut message = start(id.to_owned(), if is_prompt { "user" } else { "assistant" });
    let thoughts = json.path(&["thinking", "text"]).and_then(filled).map(|text| {
        Part::new("thinking", Content::Thinking(Thinking { text: Some(text), signature: None }))
    });
    message.parts.extend(thoughts);
    message.parts.extend(json.get("text").and_then(filled).map(Part::text));
    let tool = json.get("toolFormerData").filter(|tool| tool.get("name").is_some());
    message.parts.extend(tool.map(call));
    if !is_prompt {
        message.usage = json.get("tokenCount").and_then(usage);
        message.response_id = Some(id.to_owned());
    }
    if message.parts.is_empty() {
        if message.usage.is_none() {
            return Vec::new();
        }
        message.parts.push(Part::new("empty", Content::Other(None)));
    }
    let mut frame = Object::new();
    frame.text("bubble", id).maybe_text("request", message.request_id.as_deref());
    message.raw_frame = frame.finish();
    let mut said = vec![message];
    said.extend(tool.and_then(result).map(|part| {
        let mut message = start(format!("{id}:result"), "tool");
        message.parts.push(part);
        message
    }));
    said
}

/// Returns the vendor of a model, as its name tells it.
pub(crate) fn vendor(model: &str) -> Option<&'static str> {
    let families = [
        ("claude", "anthropic"),
        ("gpt", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("gemini", "google"),
        ("grok", "xai"),
        ("deepseek", "deepseek"),
        ("composer", "cursor"),
        ("cursor", "cursor"),
    ];
    families.iter().find(|(start, _)| model.starts_with(start)).map(|(_, vendor)| *vendor)
}

fn call(tool: Value<'_>) -> Part {
    let text = |key: &str| tool.get(key).and_then(Value::non_empty);
    let arguments = tool.get("rawArgs").or_else(|| tool.get("params"));
    let input = arguments.map(|it| match it.kind() {
        Kind::String => arguments_in(&it.str().unwrap_or_default()),
        _ => it.raw().to_owned(),
    });
    let (id, name) = (text("toolCallId"), text("name"));
    Part::new("toolFormerData", Content::ToolCall(ToolCall { id, name, input, caller_type: None }))
}

/// Returns arguments that stand in a string: JSON, or text that is none.
fn arguments_in(text: &str) -> String {
    let is_json = Tape::new().parse(text, 0).is_ok_and(|(_, end)| text[end..].trim().is_empty());
    if is_json { text.to_owned() } else { quote(text) }
}

/// What a tool gave back; nothing while it runs.
fn result(tool: Value<'_>) -> Option<Part> {
    let status = tool.get("status").and_then(Value::str);
    let result = tool.get("result").and_then(filled);
    let error = tool.get("error").and_then(filled);
    let is_error = status.map(|status| matches!(&*status, "error" | "cancelled" | "rejected"));
    let text = result.or(error)?;
    let call_id = tool.get("toolCallId").and_then(Value::non_empty);
    let content = None;
    let result = ToolResult { call_id, text: Some(text), content, is_error };
    Some(Part::new("toolFormerData", Content::ToolResult(result)))
}

fn filled(value: Value<'_>) -> Option<Text> {
    value.text().filter(|text| !text.value.is_empty())
}

/// Returns the tokens that a bubble counts, if it does: most builds write zeros. What of the input came out of a cache is
/// not written.
fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |key: &str| json.get(key).and_then(Value::u64);
    let (input, output) = (count("inputTokens"), count("outputTokens"));
    let is_counted = [input, output].into_iter().flatten().any(|count| count > 0);
    is_counted.then(|| Usage { input, output, ..Usage::default() })
}

/// Returns a bubble's time: its own, or that of its request.
fn at(json: Value<'_>) -> Option<i64> {
    let told = json.get("createdAt");
    let written = told.and_then(Value::str).and_then(|text| time::parse(&text));
    let millis = |value: Option<Value<'_>>| {
        value.and_then(Value::f64).filter(|it| *it >= FIRST_MILLIS).and_then(time::from_millis)
    };
    let timing = |key: &str| millis(json.path(&["timingInfo", key]));
    written
        .or_else(|| millis(told))
        .or_else(|| timing("clientRpcSendTime"))
        .or_else(|| timing("clientStartTime"))
        .or_else(|| timing("clientEndTime"))
}

/// Undoes the escapes of an address.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
