//! Content as the Gemini API has it, and as Gemini CLI and its forks keep it: a text, a part, or a list of both.

use crate::json::{Kind, Value};
use crate::{Blob, Content, Part, Text, Thinking, ToolCall, ToolResult};

/// Returns the parts of a content.
pub fn parts(content: Option<Value<'_>>) -> Vec<Part> {
    let Some(content) = content else { return Vec::new() };
    match content.kind() {
        Kind::Array => content.items().filter_map(one).collect(),
        _ => one(content).into_iter().collect(),
    }
}

fn one(part: Value<'_>) -> Option<Part> {
    if part.is_string() {
        return part.text().filter(|text| !text.value.is_empty()).map(Part::text);
    }
    let text = |key: &str| part.get(key).and_then(Value::non_empty);
    if let Some(said) = part.get("text").and_then(Value::text) {
        let is_thought = part.get("thought").and_then(Value::bool) == Some(true);
        if said.value.is_empty() {
            return None;
        }
        return Some(if is_thought {
            let signature = text("thoughtSignature");
            Part::new("thought", Content::Thinking(Thinking { text: Some(said), signature }))
        } else {
            Part::text(said)
        });
    }
    let (kind, inner) = part.entries().find(|(_, inner)| inner.is_object())?;
    let inner_text = |key: &str| inner.get(key).and_then(Value::non_empty);
    let content = match &*kind {
        "functionCall" => Content::ToolCall(ToolCall {
            id: inner_text("id"),
            name: inner_text("name"),
            input: inner.get("args").map(|input| input.raw().to_owned()),
            caller_type: None,
        }),
        "functionResponse" => Content::ToolResult(ToolResult {
            call_id: inner_text("id"),
            text: said(part),
            content: inner.get("response").map(|it| it.raw().to_owned()),
            is_error: inner.path(&["response", "error"]).map(|_| true),
        }),
        "inlineData" | "fileData" => {
            let data = inner.get("data").filter(|data| data.is_string());
            let media_type = inner_text("mimeType");
            let is_image = media_type.as_deref().is_some_and(|it| it.starts_with("image/"));
            let encoded_length = data.map_or(0, |data| data.raw().len() as u64 - 2);
            let blob = Blob { media_type, encoded_length };
            if is_image { Content::Image(blob) } else { Content::File(blob) }
        }
        _ => Content::Other(said(inner)),
    };
    Some(Part::new(kind, content))
}

/// Returns what a person would read of a content: its texts, and what calls gave back, joined by line feeds.
pub fn said(content: Value<'_>) -> Option<Text> {
    if content.is_string() {
        return content.text().filter(|text| !text.value.is_empty());
    }
    if content.is_array() {
        return content.items().filter_map(said).reduce(Text::joined);
    }
    let response = content.path(&["functionResponse", "response"]);
    let of_response =
        |key: &str| response.and_then(|response| response.get(key)).and_then(Value::text);
    of_response("output")
        .or_else(|| of_response("error"))
        .or_else(|| content.get("text").and_then(Value::text))
        .filter(|text| !text.value.is_empty())
}
