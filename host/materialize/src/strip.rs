//! Takes the payload out of pictures and files that were written as base64.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

const MARK: &str = ";base64,";
const STRIPPED: &str = "<stripped>";
static MARKS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(MARK));
static BASE64: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("base64"));
static DATA: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"data\""));

const LONGEST_MEDIA_TYPE: usize = 255;

/// Shorter values of a member named `data` stay: they are no pictures.
const SHORTEST_PAYLOAD: usize = 64;

/// Strips the data URIs of a text that a person reads.
pub(crate) fn text(text: String) -> String {
    if MARKS.find(text.as_bytes()).is_none() {
        return text;
    }
    data_uris(&text).unwrap_or(text)
}

/// Strips the data URIs of a JSON text, and the members that hold the bytes of a picture or file.
pub(crate) fn json(text: String) -> String {
    let bytes = text.as_bytes();
    if BASE64.find(bytes).is_some() {
        let text = self::text(text);
        return members(&text).unwrap_or(text);
    }
    if DATA.find(bytes).is_some() && memmem::find(bytes, b"\"mime").is_some() {
        return members(&text).unwrap_or(text);
    }
    text
}

fn is_payload(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
}

fn payload_length(text: &str) -> usize {
    text.bytes().position(|byte| !is_payload(byte)).unwrap_or(text.len())
}

/// Returns the text with the payload of each data URI replaced, or none where it has no data URI.
fn data_uris(text: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let mut done = 0;
    for mark in MARKS.find_iter(text.as_bytes()) {
        let payload = mark + MARK.len();
        let length = payload_length(&text[payload..]);
        if length == 0 {
            continue;
        }
        let Some(media_type) = media_type(&text[done..mark]) else { continue };
        let out = out.get_or_insert_with(|| String::with_capacity(text.len() / 2));
        out.push_str(&text[done..mark]);
        if media_type.is_empty() {
            out.push_str("application/octet-stream");
        }
        out.push_str(MARK);
        out.push_str(STRIPPED);
        done = payload + length;
    }
    let mut out = out?;
    out.push_str(&text[done..]);
    Some(out)
}

/// Returns what stands between `data:` and the end of `before`: the earliest start that has no blank or
/// comma and at most 255 UTF-16 units behind it.
fn media_type(before: &str) -> Option<&str> {
    let (mut found, mut units) = (None, 0);
    let mut from = before.len();
    loop {
        if before[..from].ends_with("data:") {
            found = Some(&before[from..]);
        }
        let Some(char) = before[..from].chars().next_back() else { break };
        units += char.len_utf16();
        let is_blank = char.is_whitespace() && char != '\u{85}' || char == '\u{feff}';
        if is_blank || char == ',' || units > LONGEST_MEDIA_TYPE {
            break;
        }
        from -= char.len_utf8();
    }
    found
}

/// Returns the JSON text with the bytes of pictures and files replaced, or none where it holds none.
///
/// A member `base64`, or a member `data` whose object also tells an encoding or a media type.
fn members(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut done = 0;
    let mut from = 0;
    while let Some(at) = next_key(bytes, from) {
        from = at + 1;
        let (is_data, key) =
            if bytes[at..].starts_with(b"\"data\"") { (true, 6) } else { (false, 8) };
        let mut value = at + key;
        while matches!(bytes.get(value), Some(b':' | b' ')) {
            value += 1;
        }
        if bytes.get(value) != Some(&b'"') {
            continue;
        }
        let length = payload_length(&text[value + 1..]);
        let end = value + 1 + length;
        if length < SHORTEST_PAYLOAD || bytes.get(end) != Some(&b'"') {
            continue;
        }
        if is_data && !tells_encoding(text, at, end) {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(text.len() / 2));
        out.push_str(&text[done..=value]);
        out.push_str(STRIPPED);
        done = end;
        from = end;
    }
    let mut out = out?;
    out.push_str(&text[done..]);
    Some(out)
}

fn next_key(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = &bytes[from..];
    let data = DATA.find(rest);
    let base64 = memmem::find(&rest[..data.unwrap_or(rest.len())], b"\"base64\"");
    base64.or(data).map(|at| from + at)
}

/// Says whether the object around a member, as far as it is flat, names an encoding or a media type.
fn tells_encoding(text: &str, key: usize, end: usize) -> bool {
    let start = text[..key].rfind('{').unwrap_or(0);
    let stop = text[end..].find(['{', '}']).map_or(text.len(), |stop| end + stop);
    let around = [&text[start..key], &text[end..stop]];
    around.iter().any(|around| {
        [
            "\"base64\"",
            "\"media_type\"",
            "\"mediaType\"",
            "\"mimeType\"",
            "\"mime_type\"",
            "\"image\"",
        ]
        .iter()
        .any(|word| around.contains(word))
    })
}

#[cfg(test)]
mod tests;
