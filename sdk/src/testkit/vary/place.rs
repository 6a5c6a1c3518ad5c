//! Places in a file of JSON: lines, and the members in them.

use std::ops::Range;

use crate::json::{Tape, Value};

/// Where a member of an object stands, or an item of a list.
#[derive(Debug)]
pub(super) struct Place {
    /// The value alone.
    pub(super) value: Range<usize>,
    /// The value with its key, if it has one.
    pub(super) whole: Range<usize>,
    pub(super) is_member: bool,
}

/// Returns the lines of a text, without their ends.
pub(super) fn lines(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut from = 0;
    let mut found = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let end = from + line.len();
        found.push(from..end - usize::from(line.ends_with(b"\n")));
        from = end;
    }
    found
}

/// Returns all places in the JSON that a text begins with.
pub(super) fn places(text: &str) -> Vec<Place> {
    let mut tape = Tape::new();
    let mut found = Vec::new();
    if let Ok((value, _)) = tape.parse(text, 0) {
        within(value, text, &mut found);
    }
    found
}

fn within(value: Value<'_>, text: &str, found: &mut Vec<Place>) {
    for (_, member) in value.entries() {
        let value = range(member, text);
        let key = text[..value.start].trim_end().trim_end_matches(':').trim_end();
        let start = key[..key.len() - 1].rfind('"').unwrap_or(value.start);
        found.push(Place { whole: start..value.end, value, is_member: true });
        within(member, text, found);
    }
    for item in value.items() {
        let value = range(item, text);
        found.push(Place { whole: value.clone(), value, is_member: false });
        within(item, text, found);
    }
}

/// Returns where a value stands in the text that it was read from.
fn range(value: Value<'_>, text: &str) -> Range<usize> {
    let start = value.raw().as_ptr() as usize - text.as_ptr() as usize;
    start..start + value.raw().len()
}
