//! Lines that wait for the first prompt.
//!
//! Versions from about 2.1.150 on often write the first answer of a session, or what they attach to its prompt, before the
//! prompt: the session began with the prompt, though it stands behind. A fork copies both in their order, and may have an
//! answer of its own before all that it copied.

use hyp_sdk::{Record, Span};

use crate::kind;
use crate::line::Line;

/// Lines that wait, at most, and their bytes.
const LINES: usize = 64;
const BYTES: usize = 1 << 20;

/// The lines from one on that follows a line which is not there yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    lines: Vec<(Span, Vec<u8>)>,
    bytes: usize,
    time: Option<i64>,
    is_over: bool,
}

impl Waiting {
    /// Takes a record that has to wait; false where there is nothing to wait for.
    pub(crate) fn take(&mut self, record: &Record<'_>, line: &Line<'_>) -> bool {
        let is_answer = |line: &Line<'_>| line.message.is_some_and(|it| it.is_object());
        let (may_begin, may_follow) = match line.kind().as_deref() {
            Some("assistant") => (line.parent.is_some() && is_answer(line), is_answer(line)),
            Some("system" | "attachment") => (line.parent.is_some(), true),
            // What is not known is told where it stands.
            Some(word) => (false, kind::is_known(word)),
            None => (false, false),
        };
        let is_wanted = if self.lines.is_empty() { may_begin } else { may_follow };
        let bytes = self.bytes + record.bytes.len();
        if self.is_over || !is_wanted || self.lines.len() == LINES || bytes > BYTES {
            return false;
        }
        self.time = self.time.or_else(|| line.time());
        self.lines.push((record.span, record.bytes.to_vec()));
        self.bytes = bytes;
        true
    }

    /// Returns the lines that waited: none do any more.
    pub(crate) fn end(&mut self) -> Vec<(Span, Vec<u8>)> {
        self.is_over = !self.lines.is_empty();
        std::mem::take(&mut self.lines)
    }

    /// Returns the first time in them.
    pub(crate) fn time(&self) -> Option<i64> {
        self.time
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
