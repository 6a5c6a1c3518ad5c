//! Keys for the same part said again under another id, and small numbers for ids.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use hyp_model::event::{Content, Part, Text};
use hyp_model::row::Key;
use sha2::{Digest, Sha256};

/// A set of small numbers.
pub(crate) type PrintSet = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// A table by small numbers.
pub(crate) type PrintMap<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// Hashes a number that is a hash already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Returns a small number for an id, for tables that live as long as a unit is read.
pub(crate) fn print(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Returns the key of a part: its call where it has one, else its response and content where a response is
/// known, else its role and content.
pub(crate) fn key(part: &Part, part_type: &str, role: &str, response: Option<&str>) -> Key {
    match &part.content {
        Content::ToolCall(call) if is_there(&call.id) => return of_call("call", &call.id),
        Content::ToolResult(result) if is_there(&result.call_id) => {
            return of_call("result", &result.call_id);
        }
        _ => {}
    }
    let mut hash = Sha256::new();
    match response {
        Some(response) if role == "assistant" => {
            field(&mut hash, "response");
            field(&mut hash, response);
        }
        _ => {
            field(&mut hash, "said");
            field(&mut hash, role);
        }
    }
    field(&mut hash, part_type);
    body(&mut hash, &part.content);
    finish(hash)
}

/// Returns the first 16 bytes of a hash.
fn finish(hash: Sha256) -> Key {
    let digest = hash.finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    Key(key)
}

fn is_there(id: &Option<String>) -> bool {
    id.as_deref().is_some_and(|id| !id.is_empty())
}

fn of_call(kind: &str, id: &Option<String>) -> Key {
    let mut hash = Sha256::new();
    field(&mut hash, kind);
    hash.update(id.as_deref().unwrap_or_default());
    finish(hash)
}

fn field(hash: &mut Sha256, text: &str) {
    hash.update(text);
    hash.update([0]);
}

fn body(hash: &mut Sha256, content: &Content) {
    match content {
        Content::Text(text) => hash.update(&text.value),
        Content::Thinking(thinking) => {
            let words = value(&thinking.text).filter(|text| !text.is_empty());
            hash.update(words.or(thinking.signature.as_deref()).unwrap_or_default());
        }
        Content::ToolCall(call) => {
            field(hash, call.name.as_deref().unwrap_or_default());
            hash.update(call.input.as_deref().unwrap_or_default());
        }
        Content::ToolResult(result) => {
            let words = value(&result.text).or(result.content.as_deref());
            hash.update(words.unwrap_or_default());
        }
        Content::Image(blob) | Content::File(blob) => {
            field(hash, blob.media_type.as_deref().unwrap_or_default());
            hash.update(blob.encoded_length.to_le_bytes());
        }
        Content::Error(error) => {
            field(hash, error.code.as_deref().unwrap_or_default());
            hash.update(value(&error.message).unwrap_or_default());
        }
        Content::Other(text) => hash.update(value(text).unwrap_or_default()),
        _ => {}
    }
}

fn value(text: &Option<Text>) -> Option<&str> {
    text.as_ref().map(|text| text.value.as_str())
}
