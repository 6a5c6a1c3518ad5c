//! The parser: one pass over the text, one node a value.

use super::scan::{blank_end, number_end, special};
use super::value::{Kind, Value};

/// How deep values may be nested.
const DEPTH: usize = 256;

/// What is not JSON, and where that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Offset in the text that was parsed; its length where the text ends too early.
    pub at: usize,
}

/// One value on the tape; a container is followed by its keys and values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the node after this value and all below it.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// A string with escapes in it.
    pub(super) escaped: bool,
    /// A string with escaped surrogates in it, paired or not.
    pub(super) surrogates: bool,
}

/// Where values are parsed into; used again and again, it allocates nothing after the first few.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<u32>,
}

impl Tape {
    /// Creates an empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses the one value that starts at `at`, after white space; returns it and the offset of its end.
    ///
    /// What comes after the value is not looked at. Strict JSON, except that strings may hold escaped lone surrogates.
    pub fn parse<'t>(
        &'t mut self,
        text: &'t str,
        at: usize,
    ) -> Result<(Value<'t>, usize), Malformed> {
        if u32::try_from(text.len()).is_err() {
            return Err(Malformed { at });
        }
        self.nodes.clear();
        self.open.clear();
        let end = self.fill(text.as_bytes(), at).map_err(|at| Malformed { at })?;
        Ok((Value::new(&self.nodes, text), end))
    }

    /// Parses a whole document: one value with nothing but white space, and perhaps a byte order mark, around it.
    pub fn parse_document<'t>(&'t mut self, bytes: &'t [u8]) -> Result<Value<'t>, Malformed> {
        let text = str::from_utf8(bytes).map_err(|error| Malformed { at: error.valid_up_to() })?;
        let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let (value, end) = self.parse(text, start)?;
        let rest = blank_end(bytes, end);
        if rest < bytes.len() { Err(Malformed { at: rest }) } else { Ok(value) }
    }

    fn fill(&mut self, bytes: &[u8], at: usize) -> Result<usize, usize> {
        let mut at = blank_end(bytes, at);
        'value: loop {
            let start = at;
            match bytes.get(at) {
                Some(b'"') => at = self.string(bytes, at)?,
                Some(b'{') => {
                    self.enter(Kind::Object, start)?;
                    at = blank_end(bytes, at + 1);
                    if bytes.get(at) != Some(&b'}') {
                        at = self.key(bytes, at)?;
                        continue 'value;
                    }
                    at += 1;
                    self.leave(at);
                }
                Some(b'[') => {
                    self.enter(Kind::Array, start)?;
                    at = blank_end(bytes, at + 1);
                    if bytes.get(at) != Some(&b']') {
                        continue 'value;
                    }
                    at += 1;
                    self.leave(at);
                }
                Some(b't') => at = self.literal(bytes, at, b"true", Kind::True)?,
                Some(b'f') => at = self.literal(bytes, at, b"false", Kind::False)?,
                Some(b'n') => at = self.literal(bytes, at, b"null", Kind::Null)?,
                Some(b'-' | b'0'..=b'9') => {
                    at = number_end(bytes, at).ok_or(at)?;
                    self.push(Kind::Number, start, at);
                }
                _ => return Err(at),
            }
            // A value is over: go on in the container that holds it, or leave that too.
            while let Some(&container) = self.open.last() {
                at = blank_end(bytes, at);
                let is_object = self.nodes[container as usize].kind == Kind::Object;
                match bytes.get(at) {
                    Some(b',') => {
                        at = blank_end(bytes, at + 1);
                        if is_object {
                            at = self.key(bytes, at)?;
                        }
                        continue 'value;
                    }
                    Some(b'}') if is_object => at += 1,
                    Some(b']') if !is_object => at += 1,
                    _ => return Err(at),
                }
                self.leave(at);
            }
            return Ok(at);
        }
    }

    /// Reads a key and its colon; returns where the value starts.
    #[inline]
    fn key(&mut self, bytes: &[u8], at: usize) -> Result<usize, usize> {
        if bytes.get(at) != Some(&b'"') {
            return Err(at);
        }
        let at = blank_end(bytes, self.string(bytes, at)?);
        if bytes.get(at) != Some(&b':') {
            return Err(at);
        }
        Ok(blank_end(bytes, at + 1))
    }

    #[inline]
    fn string(&mut self, bytes: &[u8], start: usize) -> Result<usize, usize> {
        let mut at = start + 1;
        let (mut escaped, mut surrogates) = (false, false);
        loop {
            at = special(bytes, at).ok_or(bytes.len())?;
            match bytes[at] {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    match bytes.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                        Some(b'u') => {
                            let digits = bytes.get(at + 2..at + 6).ok_or(bytes.len())?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(at);
                            }
                            surrogates |= matches!(digits[0], b'd' | b'D') && digits[1] >= b'8';
                            at += 6;
                        }
                        Some(_) => return Err(at),
                        None => return Err(bytes.len()),
                    }
                }
                _ => return Err(at),
            }
        }
        self.push(Kind::String, start, at + 1);
        if escaped && let Some(node) = self.nodes.last_mut() {
            node.escaped = true;
            node.surrogates = surrogates;
        }
        Ok(at + 1)
    }

    fn literal(
        &mut self,
        bytes: &[u8],
        at: usize,
        word: &[u8],
        kind: Kind,
    ) -> Result<usize, usize> {
        let end = at + word.len();
        let whole = bytes.get(at..end) == Some(word);
        if !whole || bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            return Err(if word.starts_with(&bytes[at..]) { bytes.len() } else { at });
        }
        self.push(kind, at, end);
        Ok(end)
    }

    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        let (start, end) = (start as u32, end as u32);
        self.nodes.push(Node { start, end, next, kind, escaped: false, surrogates: false });
    }

    fn enter(&mut self, kind: Kind, start: usize) -> Result<(), usize> {
        if self.open.len() == DEPTH {
            return Err(start);
        }
        self.open.push(self.nodes.len() as u32);
        self.push(kind, start, start);
        Ok(())
    }

    fn leave(&mut self, end: usize) {
        let next = self.nodes.len() as u32;
        if let Some(container) = self.open.pop() {
            let node = &mut self.nodes[container as usize];
            node.end = end as u32;
            node.next = next;
        }
    }
}
