//! Content blocks of a live capture, as parts; and members of objects as they are written.

use std::collections::BTreeMap;
use std::fmt;

use hyp_model::event::{Blob, Content, ErrorBlock, Part, Text, Thinking, ToolCall, ToolResult};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// An object: its members by name, values as they are written.
pub(crate) type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Returns the members of a value that is an object.
pub(crate) fn object(json: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(json.get()).ok()
}

/// Returns the elements of a value that is an array.
pub(crate) fn array(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

/// Returns a member that is a text. What is no Unicode in it is replaced.
pub(crate) fn string(object: &Object<'_>, key: &str) -> Option<String> {
    text(object, key).map(|text| text.value)
}

/// Returns a member that is a text, with its literal where it holds what is no Unicode.
pub(crate) fn text(object: &Object<'_>, key: &str) -> Option<Text> {
    object.get(key).and_then(|value| text_of(value))
}

/// Returns a member that is a boolean.
pub(crate) fn bool(object: &Object<'_>, key: &str) -> Option<bool> {
    serde_json::from_str(object.get(key)?.get()).ok()
}

/// Returns a member that is an object, as it is written.
pub(crate) fn whole_object(object: &Object<'_>, key: &str) -> Option<String> {
    let value = object.get(key)?.get();
    value.starts_with('{').then(|| value.to_owned())
}

/// Returns the parts of a content: of a text, or of an array of blocks. Empty content has none.
pub(crate) fn parts(content: &RawValue) -> Vec<Part> {
    if let Some(text) = text_of(content) {
        let is_said = !text.value.is_empty();
        return is_said.then(|| plain(text)).into_iter().collect();
    }
    array(content).unwrap_or_default().into_iter().map(part).collect()
}

/// Returns content as an array of blocks, as written: what an id is derived from.
pub(crate) fn identity(content: &RawValue) -> Option<String> {
    let written = content.get();
    match written.as_bytes().first()? {
        b'"' => Some(format!(r#"[{{"type":"text","text":{written}}}]"#)),
        b'[' => Some(written.to_owned()),
        _ => None,
    }
}

fn plain(text: Text) -> Part {
    Part { block_type: "text".to_owned(), content: Content::Text(text) }
}

fn part(block: &RawValue) -> Part {
    let Some(members) = object(block) else { return plain(text_of(block).unwrap_or_default()) };
    let kind = string(&members, "type").unwrap_or_else(|| "text".to_owned());
    let content = match kind.as_str() {
        "text" => text(&members, "text").map_or(Content::Other(None), Content::Text),
        "thinking" => thinking(&members, "thinking"),
        "redacted_thinking" => thinking(&members, "data"),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => Content::ToolCall(ToolCall {
            id: string(&members, "id"),
            name: string(&members, "name"),
            input: members.get("input").map(|input| input.get().to_owned()),
            caller_type: members
                .get("caller")
                .and_then(|caller| object(caller))
                .and_then(|caller| string(&caller, "type")),
        }),
        "image" => Content::Image(blob(&members)),
        "document" | "file" => file(&members),
        "error" => Content::Error(ErrorBlock {
            code: ["error_code", "code"].iter().find_map(|key| string(&members, key)),
            message: ["message", "text"].iter().find_map(|key| text(&members, key)),
        }),
        kind if kind.ends_with("tool_result") => Content::ToolResult(result(kind, &members)),
        kind => Content::Other(
            ["text", "content", kind].iter().find_map(|key| said(members.get(*key)?)),
        ),
    };
    Part { block_type: kind, content }
}

fn thinking(members: &Object<'_>, key: &str) -> Content {
    Content::Thinking(Thinking {
        text: text(members, key),
        signature: string(members, "signature"),
    })
}

/// Returns a file: its text where it is one, and else its size.
fn file(members: &Object<'_>) -> Content {
    let source = members.get("source").and_then(|source| object(source));
    let source = source.filter(|source| string(source, "type").as_deref() == Some("text"));
    match source.and_then(|source| text(&source, "data")) {
        Some(text) => Content::Other(Some(text)),
        None => Content::File(blob(members)),
    }
}

fn blob(members: &Object<'_>) -> Blob {
    let source = members.get("source").and_then(|source| object(source));
    let source = source.as_ref().unwrap_or(members);
    let data = source.get("data").map(|data| data.get()).filter(|data| data.starts_with('"'));
    Blob {
        media_type: string(source, "media_type"),
        // Base64 has no escapes: the literal is as long as the data and its quotes.
        encoded_length: data.map_or(0, |data| data.len() as u64 - 2),
    }
}

fn result(kind: &str, members: &Object<'_>) -> ToolResult {
    let content = members.get("content").copied().filter(|content| content.get() != "null");
    let is_list = content.is_some_and(|content| content.get().starts_with('['));
    let is_string = content.is_some_and(|content| content.get().starts_with('"'));
    ToolResult {
        call_id: string(members, "tool_use_id"),
        // What the server's own tools list is data, not text.
        text: content.filter(|_| !is_list || kind == "tool_result").and_then(said),
        content: content.filter(|_| !is_string).map(|content| content.get().to_owned()),
        is_error: bool(members, "is_error"),
    }
}

/// Returns a text, that of a block, or those of several blocks joined by line feeds.
fn said(content: &RawValue) -> Option<Text> {
    if let Some(text) = text_of(content) {
        return Some(text);
    }
    if let Some(members) = object(content) {
        return text(&members, "text");
    }
    let texts = array(content)?.into_iter().filter_map(|item| {
        let text = text_of(item).or_else(|| text(&object(item)?, "text"))?;
        (!text.value.is_empty()).then_some(text)
    });
    texts.reduce(joined)
}

fn joined(above: Text, below: Text) -> Text {
    let literal = (above.literal.is_some() || below.literal.is_some()).then(|| {
        let (mut first, second) = (literal(&above), literal(&below));
        first.pop();
        first + "\\n" + &second[1..]
    });
    Text { value: format!("{}\n{}", above.value, below.value), literal }
}

fn literal(text: &Text) -> String {
    let quoted = || serde_json::to_string(&text.value).unwrap_or_default();
    text.literal.clone().unwrap_or_else(quoted)
}

/// Returns a value that is a text.
fn text_of(json: &RawValue) -> Option<Text> {
    let written = json.get();
    if !written.starts_with('"') {
        return None;
    }
    if let Ok(value) = serde_json::from_str(written) {
        return Some(Text { value, literal: None });
    }
    // Half of a pair of surrogates: JSON may hold it, and text may not.
    let Halves(bytes) = serde_json::from_str(written).ok()?;
    let mut value = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        value.push_str(chunk.valid());
        // Its first byte begins a sequence of three that is none.
        if chunk.invalid().first() == Some(&0xed) {
            value.push('\u{fffd}');
        }
    }
    Some(Text { value, literal: Some(written.to_owned()) })
}

/// The bytes of a text that may hold half a pair of surrogates.
struct Halves(Vec<u8>);

impl<'de> Deserialize<'de> for Halves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Halves;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Halves, E> {
                Ok(Halves(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn half_a_pair_of_surrogates_is_replaced_and_kept_beside() {
        let json = raw(r#""a\ud800b\udc00""#);
        let text = text_of(&json).unwrap();
        assert_eq!(text.value, "a\u{fffd}b\u{fffd}");
        assert_eq!(text.literal.as_deref(), Some(r#""a\ud800b\udc00""#));
    }

    #[test]
    fn blocks_are_told_by_their_types() {
        let json = raw(
            r#"["plain",{"type":"text","text":"t"},{"type":"tool_use","id":"c","name":"n","input":{"b":1, "a":2}},
               {"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]},
               {"type":"error","code":"529","text":"busy"},{"type":"strange","text":"s"}]"#,
        );
        let parts = parts(&json);
        let text = |value: &str| Text { value: value.into(), literal: None };
        assert_eq!(parts[0].content, Content::Text(text("plain")));
        let Content::ToolCall(call) = &parts[2].content else { panic!("a call") };
        assert_eq!(call.input.as_deref(), Some(r#"{"b":1, "a":2}"#), "as it is written");
        let Content::ToolResult(result) = &parts[3].content else { panic!("a result") };
        assert_eq!(result.text, Some(text("x\ny")));
        let Content::Error(error) = &parts[4].content else { panic!("an error") };
        assert_eq!(
            (error.code.as_deref(), error.message.as_ref()),
            (Some("529"), Some(&text("busy")))
        );
        assert_eq!(parts[5].content, Content::Other(Some(text("s"))));
        assert!(super::parts(&raw(r#""""#)).is_empty());
    }
}
