//! Physical lines to records: blank ones, several records on one line, torn ones.

use memchr::{memchr, memmem};

use crate::json::{Tape, Value};
use crate::page::Gap;
use crate::{Failure, FailureClass, Lines, Page, Record, Scan, Span};

/// How records of the clients that we know begin; a torn line is taken up again at one of these.
const BEGINNINGS: [&str; 3] = [r#"{"parentUuid":"#, r#"{"type":"#, r#"{"timestamp":"#];
/// How many beginnings are tried in what is left of a torn line, so that no line takes quadratic time.
const TRIES: usize = 32;

/// Whole lines of an input, taken one by one.
#[derive(Debug)]
pub(super) struct Buffer {
    input: u32,
    /// Offset of the bytes in the input.
    offset: u64,
    bytes: Bytes,
    at: usize,
}

/// Almost always all of a chunk is UTF-8, which is then checked once.
#[derive(Debug)]
enum Bytes {
    Text(String),
    Broken(Vec<u8>),
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Broken(bytes) => bytes,
        }
    }
}

/// A line without its end, and what it takes to make records of it.
struct Line<'l, S> {
    text: &'l str,
    /// Bytes of the line end.
    tail: usize,
    input: u32,
    offset: u64,
    scan: &'l mut S,
    page: &'l mut Page,
}

impl Buffer {
    pub(super) fn new(input: u32, lines: Lines) -> Self {
        let bytes = match String::from_utf8(lines.bytes) {
            Ok(text) => Bytes::Text(text),
            Err(error) => Bytes::Broken(error.into_bytes()),
        };
        Self { input, offset: lines.offset, bytes, at: 0 }
    }

    /// Says whether what was taken so far ends with the end of a line: the last line of a file may still be written.
    pub(super) fn is_at_line_end(&self) -> bool {
        self.bytes.as_slice()[..self.at].last() == Some(&b'\n')
    }

    /// Takes the next line; returns its length, or nothing when there is none.
    pub(super) fn line<S: Scan>(
        &mut self,
        tape: &mut Tape,
        spare: &mut Tape,
        scan: &mut S,
        page: &mut Page,
    ) -> Option<u64> {
        let all = self.bytes.as_slice();
        let start = self.at;
        let rest = all.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, tail) = match memchr(b'\n', rest) {
            Some(found) => (found + 1, 1),
            None => (rest.len(), 0),
        };
        let end = start + length;
        self.at = end;

        let offset = self.offset + start as u64;
        let span = Span { input: self.input, offset, length: length as u64 };
        let text = match &self.bytes {
            Bytes::Text(text) => Some(&text[start..end - tail]),
            Bytes::Broken(bytes) => str::from_utf8(&bytes[start..end - tail]).ok(),
        };
        match text {
            Some(text) => {
                Line { text, tail, input: self.input, offset, scan, page }.records(tape, spare);
            }
            None => {
                let is_blank = all[start..end].iter().all(|&byte| is_blank(byte));
                let gap =
                    if is_blank { Gap::Blank(span, 1) } else { broken(span, "invalid UTF-8") };
                no_record(gap, scan, page);
            }
        }
        Some(length as u64)
    }
}

impl<S: Scan> Line<'_, S> {
    fn records(mut self, tape: &mut Tape, spare: &mut Tape) {
        let mut from = 0;
        // A byte order mark belongs to the first record; a run of NULs, left by a crash, is blank.
        let mut at = if self.offset == 0 && self.text.starts_with('\u{feff}') { 3 } else { 0 };
        let nuls = at + self.text[at..].bytes().take_while(|&byte| byte == 0).count();
        if self.is_blank(nuls) {
            let span = self.span(0, self.text.len());
            return no_record(Gap::Blank(span, 1), self.scan, self.page);
        }
        if nuls > at {
            let span = self.span(0, nuls);
            no_record(Gap::Blank(span, 1), self.scan, self.page);
            (from, at) = (nuls, nuls);
        }
        while from < self.text.len() {
            at = match tape.parse(self.text, at) {
                Ok((value, end)) if is_record(value) || self.is_blank(end) => {
                    let end = if self.is_blank(end) { self.text.len() } else { end };
                    self.record(value, self.span(from, end));
                    end
                }
                Ok((_, end)) => self.broken(from, end, "text between records", spare),
                Err(error) if error.at >= self.text.len() => {
                    self.malformed(from, self.text.len(), "cut off");
                    self.text.len()
                }
                Err(error) => self.broken(from, error.at, "not JSON", spare),
            };
            from = at;
        }
    }

    fn record(&mut self, json: Value<'_>, span: Span) {
        self.page.begin(span);
        let record = Record { input: self.input, span, json, bytes: json.raw().as_bytes() };
        self.scan.record(&record, self.page);
        if !self.page.is_claimed() {
            self.page.failure(span, FailureClass::Unknown, kind_of(json));
        }
    }

    /// Gives up what begins at `from` and is broken at `error`; returns where the line goes on.
    fn broken(&mut self, from: usize, error: usize, reason: &str, spare: &mut Tape) -> usize {
        let next = self.resume(error, spare);
        self.malformed(
            from,
            next.unwrap_or(self.text.len()),
            next.map_or(reason, |_| "torn record"),
        );
        next.unwrap_or(self.text.len())
    }

    fn malformed(&mut self, from: usize, to: usize, reason: &str) {
        no_record(broken(self.span(from, to), reason), self.scan, self.page);
    }

    /// Finds where a line that is broken at `error` goes on with a whole object up to its end.
    ///
    /// Not asked for a line that breaks at its end only: what looks like a record there is a part of the one cut off.
    fn resume(&self, error: usize, spare: &mut Tape) -> Option<usize> {
        // Where a beginning closes a torn string, the error is seen two bytes later.
        let from = error.saturating_sub(2);
        let bytes = self.text.as_bytes();
        let found = memmem::find_iter(&bytes[from..], b"{\"").map(|found| from + found);
        found
            .filter(|&at| {
                at > 0 && BEGINNINGS.iter().any(|b| bytes[at..].starts_with(b.as_bytes()))
            })
            .take(TRIES)
            .find(|&at| spare.parse(self.text, at).is_ok_and(|(_, end)| self.is_blank(end)))
    }

    fn is_blank(&self, from: usize) -> bool {
        self.text.as_bytes()[from..].iter().all(|&byte| is_blank(byte))
    }

    /// Returns the span of a piece of the line; the last one has the line end.
    fn span(&self, from: usize, to: usize) -> Span {
        let tail = if to == self.text.len() { self.tail } else { 0 };
        Span {
            input: self.input,
            offset: self.offset + from as u64,
            length: (to - from + tail) as u64,
        }
    }
}

/// Accounts for what is no record, behind the records that the scan holds; where too much of it waits for those, they go.
pub(super) fn no_record<S: Scan>(gap: Gap, scan: &mut S, page: &mut Page) {
    page.gap(gap);
    if page.is_crowded() {
        scan.release(page);
        page.fill_gaps();
    }
}

fn broken(span: Span, reason: &str) -> Gap {
    Gap::Broken(Failure { span, class: FailureClass::Malformed, reason: reason.to_owned() })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0)
}

fn is_record(value: Value<'_>) -> bool {
    value.is_object() || value.is_array()
}

/// Returns the word that a record gives for its own kind.
fn kind_of(json: Value<'_>) -> String {
    let Some(kind) = json.get("type").and_then(Value::str) else {
        return "record without a type".to_owned();
    };
    kind.chars().filter(|c| !c.is_control()).take(64).collect()
}
