//! Content blocks in their canonical form, made again of parts.

use hyp_model::event::{Blob, Content, Part, Text, Thinking, ToolCall, ToolResult};

use super::canonical::{canonical, push_literal};
use crate::json;

/// Appends the canonical form of the content that these parts stand for.
pub fn push_parts(out: &mut String, parts: &[Part]) {
    out.push('[');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_part(out, part);
    }
    out.push(']');
}

fn push_part(out: &mut String, part: &Part) {
    let mut block = Block { out, is_empty: true };
    let native = part.block_type.as_str();
    match &part.content {
        Content::Text(text) => {
            block.text("text", Some(text));
            block.string("type", "text");
        }
        Content::Thinking(thinking) => push_thinking(&mut block, native, thinking),
        Content::ToolCall(call) => push_call(&mut block, native, call),
        Content::ToolResult(result) => push_result(&mut block, native, result),
        Content::Image(blob) | Content::File(blob) => push_blob(&mut block, native, blob),
        Content::Error(error) => {
            if let Some(code) = &error.code {
                block.string("error_code", code);
            }
            block.text("message", error.message.as_ref());
            block.string("type", "error");
        }
        Content::Other(text) => {
            block.text("text", text.as_ref());
            block.string("type", native);
        }
        _ => block.string("type", native),
    }
    block.close();
}

fn push_thinking(block: &mut Block<'_>, native: &str, thinking: &Thinking) {
    let is_redacted = native == "redacted_thinking";
    if is_redacted {
        block.text("data", thinking.text.as_ref());
    }
    if let Some(signature) = &thinking.signature {
        block.string("signature", signature);
    }
    if !is_redacted {
        block.text("thinking", thinking.text.as_ref());
    }
    block.string("type", if is_redacted { native } else { "thinking" });
}

fn push_call(block: &mut Block<'_>, native: &str, call: &ToolCall) {
    if let Some(id) = &call.id {
        block.string("id", id);
    }
    block.json("input", call.input.as_deref().unwrap_or("null"));
    if let Some(name) = &call.name {
        block.string("name", name);
    }
    block.string("type", if native == "server_tool_use" { native } else { "tool_use" });
}

fn push_result(block: &mut Block<'_>, native: &str, result: &ToolResult) {
    match &result.content {
        Some(content) => block.json("content", content),
        None => block.text("content", result.text.as_ref()),
    }
    if let Some(is_error) = result.is_error {
        block.json("is_error", if is_error { "true" } else { "false" });
    }
    if let Some(id) = &result.call_id {
        block.string("tool_use_id", id);
    }
    let is_search = native == "web_search_tool_result";
    block.string("type", if is_search { native } else { "tool_result" });
}

fn push_blob(block: &mut Block<'_>, native: &str, blob: &Blob) {
    block.json("encoded_length", &blob.encoded_length.to_string());
    if let Some(media_type) = &blob.media_type {
        block.string("media_type", media_type);
    }
    block.string("type", native);
}

/// An object under construction; its members come in sorted order.
struct Block<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl Block<'_> {
    fn key(&mut self, key: &str) {
        self.out.push(if self.is_empty { '{' } else { ',' });
        self.is_empty = false;
        json::push_string(self.out, key);
        self.out.push(':');
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        json::push_string(self.out, value);
    }

    /// Adds JSON in its canonical form; text that is no JSON becomes a string.
    fn json(&mut self, key: &str, value: &str) {
        self.key(key);
        match canonical(value) {
            Some(value) => self.out.push_str(&value),
            None => json::push_string(self.out, value),
        }
    }

    fn text(&mut self, key: &str, text: Option<&Text>) {
        let Some(text) = text else { return };
        self.key(key);
        let before = self.out.len();
        let exact = text.literal.as_deref().and_then(|literal| push_literal(self.out, literal));
        if exact.is_none() {
            self.out.truncate(before);
            json::push_string(self.out, &text.value);
        }
    }

    fn close(self) {
        self.out.push_str(if self.is_empty { "{}" } else { "}" });
    }
}
