//! JSON in the one form that ids are hashed over: what ECMAScript's `JSON.stringify` makes of an object
//! whose keys were put in by sorted order.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::json;

/// Deeper values are not canonicalised; no client writes any.
const DEPTH: usize = 256;

/// Keys of a content block that change between sightings of it.
const VOLATILE: [&str; 2] = ["\"cache_control\"", "\"caller\""];

/// Returns the canonical form of a JSON text, or none where it is not JSON.
pub fn canonical(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    push_value(&mut out, json::trim(text), DEPTH)?;
    Some(out)
}

/// Returns the canonical form of the content of a message: an array of blocks, or a string for a single
/// text block. Leaves out of each block what changes between sightings of it.
pub fn canonical_content(text: &str) -> Option<String> {
    let text = json::trim(text);
    if text.starts_with('"') {
        return Some(format!("[{{\"text\":{},\"type\":\"text\"}}]", canonical(text)?));
    }
    let mut out = String::with_capacity(text.len());
    out.push('[');
    for (at, block) in json::elements(text)?.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match json::members(block) {
            Some(mut members) => {
                members.retain(|(key, _)| !VOLATILE.contains(key));
                push_object(&mut out, members, DEPTH)?;
            }
            None => push_value(&mut out, block, DEPTH)?,
        }
    }
    out.push(']');
    Some(out)
}

/// Appends the canonical form of a value that has no blanks around it.
pub(super) fn push_value(out: &mut String, text: &str, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match text.as_bytes().first()? {
        b'{' => push_object(out, json::members(text)?, depth),
        b'[' => {
            out.push('[');
            for (at, element) in json::elements(text)?.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_value(out, element, depth)?;
            }
            out.push(']');
            Some(())
        }
        b'"' => push_literal(out, text),
        b't' | b'f' | b'n' => matches!(text, "true" | "false" | "null").then(|| out.push_str(text)),
        _ => push_number(out, text),
    }
}

/// Appends a string literal in its canonical form.
pub(super) fn push_literal(out: &mut String, literal: &str) -> Option<()> {
    if json::end_of_string(literal, 0)? != literal.len() {
        return None;
    }
    let body = &literal[1..literal.len() - 1];
    out.push('"');
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let (unit, length) = escape(&rest[at..])?;
        rest = &rest[at + length..];
        if (0xd800..0xdc00).contains(&unit)
            && let Some((low, length)) = escape(rest)
            && (0xdc00..0xe000).contains(&low)
        {
            let code = 0x1_0000 + (u32::from(unit - 0xd800) << 10) + u32::from(low - 0xdc00);
            out.push(char::from_u32(code)?);
            rest = &rest[length..];
            continue;
        }
        match char::from_u32(u32::from(unit)) {
            Some(char @ ('"' | '\\' | '\0'..='\x1f')) => json::push_escape(out, char as u8),
            Some(char) => out.push(char),
            None => json::push_unit(out, unit),
        }
    }
    out.push_str(rest);
    out.push('"');
    Some(())
}

/// Returns the code unit of the escape that `text` begins with, and the escape's length.
fn escape(text: &str) -> Option<(u16, usize)> {
    let body = text.strip_prefix('\\')?;
    let unit = match body.bytes().next()? {
        b'b' => 0x08,
        b't' => 0x09,
        b'n' => 0x0a,
        b'f' => 0x0c,
        b'r' => 0x0d,
        byte @ (b'"' | b'\\' | b'/') => u16::from(byte),
        b'u' => return Some((u16::from_str_radix(body.get(1..5)?, 16).ok()?, 6)),
        _ => return None,
    };
    Some((unit, 2))
}

fn push_number(out: &mut String, text: &str) -> Option<()> {
    let is_small = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_small && !(text.len() > 1 && text.starts_with('0')) {
        out.push_str(text);
        return Some(());
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    if number.is_finite() {
        out.push_str(ryu_js::Buffer::new().format_finite(number));
    } else {
        out.push_str("null");
    }
    Some(())
}

fn push_object(out: &mut String, members: Vec<(&str, &str)>, depth: usize) -> Option<()> {
    let mut sorted = Vec::with_capacity(members.len());
    for (literal, value) in members {
        sorted.push((Name::of(literal)?, value));
    }
    sorted.sort_by(|(one, _), (other, _)| one.order(other));
    out.push('{');
    let mut is_first = true;
    for (at, (name, value)) in sorted.iter().enumerate() {
        // Of equal keys the last one counts; the assignment of a prototype leaves no member behind.
        let is_repeated = sorted.get(at + 1).is_some_and(|(next, _)| name.order(next).is_eq());
        if is_repeated || name.literal == "\"__proto__\"" {
            continue;
        }
        if !is_first {
            out.push(',');
        }
        is_first = false;
        out.push_str(&name.literal);
        out.push(':');
        push_value(out, value, depth)?;
    }
    out.push('}');
    Some(())
}

/// A key as it is sorted: array indexes by number, then all others by code unit.
struct Name<'a> {
    literal: Cow<'a, str>,
    index: Option<u32>,
}

impl<'a> Name<'a> {
    fn of(literal: &'a str) -> Option<Self> {
        if memchr::memchr(b'\\', literal.as_bytes()).is_none() {
            let index = index(literal.get(1..literal.len() - 1)?);
            return Some(Self { literal: literal.into(), index });
        }
        let mut out = String::new();
        push_literal(&mut out, literal)?;
        let index = index(&out[1..out.len() - 1]);
        Some(Self { literal: out.into(), index })
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self.index, other.index) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) if self.is_plain() && other.is_plain() => {
                self.body().as_bytes().cmp(other.body().as_bytes())
            }
            (None, None) => units(self.body()).cmp(&units(other.body())),
        }
    }

    fn body(&self) -> &str {
        &self.literal[1..self.literal.len() - 1]
    }

    fn is_plain(&self) -> bool {
        self.body().bytes().all(|byte| byte.is_ascii() && byte != b'\\')
    }
}

/// Returns the code units of a string literal's body.
fn units(body: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(char) = rest.chars().next() {
        if let Some((unit, length)) = escape(rest) {
            units.push(unit);
            rest = &rest[length..];
        } else {
            units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
            rest = &rest[char.len_utf8()..];
        }
    }
    units
}

/// Returns the number of a key that ECMAScript takes for an array index.
fn index(body: &str) -> Option<u32> {
    let is_canonical = body == "0" || (!body.starts_with('0') && body.len() <= 10);
    if !is_canonical || body.is_empty() || !body.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    body.parse().ok().filter(|index| *index < u32::MAX)
}
