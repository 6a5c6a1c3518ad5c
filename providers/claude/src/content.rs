//! Content of a message: blocks to parts.

use hyp_sdk::json::{Kind, Value};
use hyp_sdk::{Blob, Content, Part, Text, Thinking, ToolCall, ToolResult};

use crate::line::owned;

/// Returns the parts of a content: of a string, of an array of blocks, or of one block alone. Empty content has none.
pub(crate) fn parts(content: Value<'_>) -> Vec<Part> {
    match content.kind() {
        Kind::String => {
            let text = content.text().filter(|text| !text.value.is_empty());
            text.map(Part::text).into_iter().collect()
        }
        Kind::Array => content.items().map(part).collect(),
        Kind::Object => vec![part(content)],
        _ => Vec::new(),
    }
}

/// Returns the content as an array of blocks, as written: what an id is derived from.
pub(crate) fn identity(content: Value<'_>) -> Option<String> {
    match content.kind() {
        Kind::String => Some(format!(r#"[{{"type":"text","text":{}}}]"#, content.raw())),
        Kind::Array => Some(content.raw().to_owned()),
        Kind::Object => Some(format!("[{}]", content.raw())),
        _ => None,
    }
}

fn part(block: Value<'_>) -> Part {
    if block.is_string() {
        return Part::text(text_of(Some(block)).unwrap_or_else(|| "".into()));
    }
    let kind = block.get("type").and_then(Value::str);
    let kind = kind.as_deref().unwrap_or("text");
    let content = match kind {
        "text" => match text_of(block.get("text")) {
            Some(text) => Content::Text(text),
            None => Content::Other(None),
        },
        "thinking" => thinking(block, "thinking"),
        "redacted_thinking" => thinking(block, "data"),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => Content::ToolCall(ToolCall {
            id: owned(block.get("id")),
            name: owned(block.get("name")),
            input: block.get("input").map(|input| input.raw().to_owned()),
            caller_type: owned(block.path(&["caller", "type"])),
        }),
        "image" => Content::Image(blob(block)),
        "document" | "file" => file(block),
        _ if kind.ends_with("tool_result") => Content::ToolResult(result(kind, block)),
        _ => Content::Other(["text", "content", kind].iter().find_map(|key| said(block.get(key)?))),
    };
    Part::new(kind, content)
}

fn text_of(value: Option<Value<'_>>) -> Option<Text> {
    value.and_then(Value::text)
}

fn thinking(block: Value<'_>, key: &str) -> Content {
    let signature = owned(block.get("signature"));
    Content::Thinking(Thinking { text: text_of(block.get(key)), signature })
}

/// Returns a file: its text where it is one, and else its size.
fn file(block: Value<'_>) -> Content {
    let source = block.get("source").filter(|source| is_text(*source));
    match source.and_then(|source| text_of(source.get("data"))) {
        Some(text) => Content::Other(Some(text)),
        None => Content::File(blob(block)),
    }
}

fn is_text(value: Value<'_>) -> bool {
    value.get("type").and_then(Value::str).as_deref() == Some("text")
}

fn blob(block: Value<'_>) -> Blob {
    let source = block.get("source").unwrap_or(block);
    // Base64 has no escapes: the literal is as long as the data and its quotes.
    let data = source.get("data").filter(|data| data.is_string());
    Blob {
        media_type: owned(source.get("media_type")),
        encoded_length: data.map_or(0, |data| data.raw().len() as u64 - 2),
    }
}

fn result(kind: &str, block: Value<'_>) -> ToolResult {
    let content = block.get("content").filter(|content| !content.is_null());
    let is_string = content.is_some_and(Value::is_string);
    ToolResult {
        call_id: owned(block.get("tool_use_id")),
        // What the server's own tools list is data, not text.
        text: content.filter(|it| !it.is_array() || kind == "tool_result").and_then(said),
        content: content.filter(|_| !is_string).map(|content| content.raw().to_owned()),
        is_error: block.get("is_error").and_then(Value::bool),
    }
}

/// Returns a text, that of a block, or those of several blocks joined by line feeds.
pub(crate) fn said(content: Value<'_>) -> Option<Text> {
    if content.is_string() {
        return content.text();
    }
    if content.is_object() {
        return text_of(content.get("text"));
    }
    let texts = content.items().filter_map(|item| {
        let text = if item.is_string() { item.text() } else { text_of(item.get("text")) };
        text.filter(|text| !text.value.is_empty())
    });
    texts.reduce(Text::joined)
}
