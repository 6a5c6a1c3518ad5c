//! JSON as text: members, elements and strings without a tree.
//!
//! Values are passed over, not checked: what they hold goes on as it came.

use memchr::memchr2;

/// The value of a `HEX` digit table; the escapes of control characters.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string, escaping what ECMAScript's `JSON.stringify` escapes.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut clean = 0;
    while let Some(at) = next_special(text.as_bytes(), clean) {
        out.push_str(&text[clean..at]);
        push_escape(out, text.as_bytes()[at]);
        clean = at + 1;
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

/// Returns the offset of the next byte that has to be escaped, eight bytes at a glance.
fn next_special(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let mut at = from;
    while let Some(Ok(eight)) = bytes.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(eight);
        // A byte borrows from its top bit where it is smaller than what is taken from it.
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        if (below(word, 0x20) | quote | backslash) & TOPS != 0 {
            break;
        }
        at += 8;
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes[at..].iter().position(is_special).map(|found| at + found)
}

/// Appends the escape of a quote, a backslash or a control character.
pub(crate) fn push_escape(out: &mut String, byte: u8) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        0x08 => out.push_str("\\b"),
        0x09 => out.push_str("\\t"),
        0x0a => out.push_str("\\n"),
        0x0c => out.push_str("\\f"),
        0x0d => out.push_str("\\r"),
        _ => push_unit(out, u16::from(byte)),
    }
}

/// Appends a code unit as `\uxxxx`.
pub(crate) fn push_unit(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.push(char::from(HEX[usize::from((unit >> shift) & 15)]));
    }
}

/// Returns the text without blanks around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Returns the members of an object as key literals and values, or none where it is no object.
pub(crate) fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let body = trim(text).strip_prefix('{')?.strip_suffix('}')?;
    let mut found = Vec::new();
    let mut at = blanks(body, 0);
    while at < body.len() {
        let key_end = end_of_string(body, at)?;
        let colon = blanks(body, key_end);
        if body.as_bytes().get(colon) != Some(&b':') {
            return None;
        }
        let start = blanks(body, colon + 1);
        let end = end_of_value(body, start)?;
        found.push((&body[at..key_end], &body[start..end]));
        at = after_comma(body, end)?;
    }
    Some(found)
}

/// Returns the elements of an array, or none where it is no array.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let body = trim(text).strip_prefix('[')?.strip_suffix(']')?;
    let mut found = Vec::new();
    let mut at = blanks(body, 0);
    while at < body.len() {
        let end = end_of_value(body, at)?;
        found.push(&body[at..end]);
        at = after_comma(body, end)?;
    }
    Some(found)
}

/// Returns where the next value begins: past a comma, or the end of the body.
fn after_comma(body: &str, end: usize) -> Option<usize> {
    let at = blanks(body, end);
    match body.as_bytes().get(at) {
        None => Some(at),
        Some(b',') => {
            let next = blanks(body, at + 1);
            (next < body.len()).then_some(next)
        }
        Some(_) => None,
    }
}

fn blanks(body: &str, from: usize) -> usize {
    let bytes = body.as_bytes();
    let mut at = from;
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Returns the offset past the string that begins at `at`.
pub(crate) fn end_of_string(body: &str, at: usize) -> Option<usize> {
    let bytes = body.as_bytes();
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut from = at + 1;
    loop {
        let found = from + memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

/// Returns the offset past the value that begins at `at`.
fn end_of_value(body: &str, at: usize) -> Option<usize> {
    let bytes = body.as_bytes();
    match bytes.get(at)? {
        b'"' => end_of_string(body, at),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0usize, at);
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = end_of_string(body, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let rest = &bytes[at..];
            let length = rest
                .iter()
                .position(|byte| {
                    matches!(byte, b',' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"' | b'{' | b'[')
                })
                .unwrap_or(rest.len());
            (length > 0).then_some(at + length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_whatever_they_hold() {
        let text = r#" {"a" : 1, "b\"":{"x":"}"},"c":[1,{"y":"\\"}] , "":null} "#;
        let expect = vec![
            (r#""a""#, "1"),
            (r#""b\"""#, r#"{"x":"}"}"#),
            (r#""c""#, r#"[1,{"y":"\\"}]"#),
            (r#""""#, "null"),
        ];
        assert_eq!(members(text), Some(expect));
        assert_eq!(members("{}"), Some(vec![]));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in ["", "1", "[]", "{", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, r#"{a:1}"#, "null"]
        {
            assert_eq!(members(text), None, "{text}");
        }
    }

    #[test]
    fn elements_are_found_whatever_they_hold() {
        assert_eq!(elements(r#"[ 1, "a,]" ,[2,3]]"#), Some(vec!["1", r#""a,]""#, "[2,3]"]));
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(elements("[1,]"), None);
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for special in [0u8, 0x1f, b'"', b'\\'] {
            for at in 0..20 {
                let mut bytes = vec![0xff; 20];
                bytes[at] = special;
                assert_eq!(next_special(&bytes, 0), Some(at));
                assert_eq!(next_special(&bytes, at + 1), None);
            }
        }
        assert_eq!(next_special(&[b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xdc], 0), None);
    }

    #[test]
    fn strings_are_escaped_as_ecmascript_does() {
        let mut out = String::new();
        push_string(&mut out, "\"\\/\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}é\u{2028}😀");
        assert_eq!(out, "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}é\u{2028}😀\"");
    }
}
