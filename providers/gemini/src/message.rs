//! A message: a prompt, an answer with its thoughts and calls, or a word of the client.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{
    Content, Context, ErrorBlock, Message, Part, Span, Thinking, ToolCall, ToolResult, Usage,
    gemini, time,
};

/// Makes messages of one; none of an empty one, nothing of a kind that is not known.
pub(crate) fn read(
    id: &str,
    json: Value<'_>,
    span: Span,
    of_session: &Context,
) -> Option<Vec<Message>> {
    let kind = json.get("type").and_then(Value::non_empty)?;
    let content = json.get("content");
    let mut message = Message::new(span, "system");
    message.id = Some(id.to_owned());
    message.provider_type = Some(kind.clone());
    message.created_at = at(json);
    let mut frame = Object::new();
    frame.text("id", id).text("type", &kind);
    message.raw_frame = frame.finish();
    match &*kind {
        "user" => {
            "user".clone_into(&mut message.role);
            message.parts = gemini::parts(content);
        }
        "gemini" => return Some(answer(message, json, of_session)),
        "error" => {
            let said = content.and_then(gemini::said);
            let error = said.map(|said| ErrorBlock { code: None, message: Some(said) });
            message.parts.extend(error.map(|error| Part::new("error", Content::Error(error))));
        }
        "info" | "warning" => message.parts = gemini::parts(content),
        _ => return None,
    }
    Some(if message.parts.is_empty() { Vec::new() } else { vec![message] })
}

/// An answer, then the results of its calls.
fn answer(mut message: Message, json: Value<'_>, of_session: &Context) -> Vec<Message> {
    let id = message.id.clone().unwrap_or_default();
    "assistant".clone_into(&mut message.role);
    let model = json.get("model").and_then(Value::non_empty);
    message.context = Some(Context { model, ..of_session.clone() });
    message.response_id = message.id.clone();
    message.usage = json.get("tokens").and_then(usage);
    message.parts = items(json, "thoughts").map(thought).collect();
    message.parts.extend(gemini::parts(json.get("content")));
    message.parts.extend(items(json, "toolCalls").map(call));
    if message.parts.is_empty() {
        if message.usage.is_none() {
            return Vec::new();
        }
        message.parts.push(Part::new("empty", Content::Other(None)));
    }
    let (span, asked_at) = (message.span, message.created_at);
    let mut said = vec![message];
    said.extend(items(json, "toolCalls").filter_map(|call| {
        let mut result = Message::new(span, "tool");
        let name = call.get("id").and_then(Value::non_empty)?;
        result.id = Some(format!("{id}:{name}"));
        result.created_at = at(call).or(asked_at);
        result.provider_type = Some("toolCall".to_owned());
        result.parts.push(outcome(call, name)?);
        Some(result)
    }));
    said
}

fn items<'v>(json: Value<'v>, key: &str) -> impl Iterator<Item = Value<'v>> {
    json.get(key).into_iter().flat_map(Value::items)
}

fn at(json: Value<'_>) -> Option<i64> {
    time::parse(&json.get("timestamp")?.str()?)
}

/// A thought: what it is about, and the thought itself.
fn thought(json: Value<'_>) -> Part {
    let text = |key: &str| json.get(key).and_then(Value::non_empty);
    let both = [text("subject"), text("description")];
    let text = both.into_iter().flatten().collect::<Vec<_>>().join("\n");
    Part::new("thought", Content::Thinking(Thinking { text: Some(text.into()), signature: None }))
}

fn call(json: Value<'_>) -> Part {
    let call = ToolCall {
        id: json.get("id").and_then(Value::non_empty),
        name: json.get("name").and_then(Value::non_empty),
        input: json.get("args").map(|input| input.raw().to_owned()),
        caller_type: None,
    };
    Part::new("toolCall", Content::ToolCall(call))
}

/// What a call gave back; nothing while it runs.
fn outcome(json: Value<'_>, call: String) -> Option<Part> {
    let result = json.get("result").filter(|result| !result.is_null())?;
    let status = json.get("status").and_then(Value::str);
    let is_error = status.map(|status| matches!(&*status, "error" | "cancelled"));
    let result = ToolResult {
        call_id: Some(call),
        text: gemini::said(result),
        content: Some(result.raw().to_owned()),
        is_error,
    };
    Some(Part::new("functionResponse", Content::ToolResult(result)))
}

/// Returns the tokens of a response. The prompt's count has what was read from the cache in it, and that of the answer has
/// no thoughts.
fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |key: &str| json.get(key).and_then(Value::u64);
    let cached = count("cached");
    let input = count("input").map(|input| input.saturating_sub(cached.unwrap_or(0)));
    let thoughts = count("thoughts");
    json.is_object().then(|| Usage {
        input: input.map(|input| input + count("tool").unwrap_or(0)),
        output: count("output").map(|output| output + thoughts.unwrap_or(0)),
        cache_read: cached,
        reasoning: thoughts,
        total: count("total"),
        ..Usage::default()
    })
}
