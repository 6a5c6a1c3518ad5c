//! What became of each byte and record of a unit.

use std::collections::BTreeMap;

use hyp_model::event::{Event, FailureClass, Span};

use crate::report::ProviderReport;

/// The records of a unit as they came, before any row is judged.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes of records that are messages.
    pub(crate) message_bytes: u64,
    /// Bytes by reason, for records that are no messages.
    pub(crate) other_bytes: BTreeMap<String, u64>,
    /// Records that gave no row, by kind.
    pub(crate) records: BTreeMap<String, u64>,
    /// Records that were not understood.
    pub(crate) failures: Vec<FailedRecord>,
    /// Failures past what is kept one by one.
    pub(crate) more_failures: u64,
    /// Known records: messages and skips other than blank lines.
    pub(crate) understood: u64,
    last: Option<Span>,
    /// The last record that gave no row, so far.
    skipped: Option<Span>,
}

/// A record that was not understood, and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct FailedRecord {
    pub(crate) span: Span,
    pub(crate) class: FailureClass,
    pub(crate) reason: String,
}

/// Failed records that are told one by one; past that they are counted.
const FAILURES_KEPT: usize = 1_000;

impl Tally {
    /// Counts an event.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Message(message) => {
                self.understood += 1;
                // A record may be of a known kind as well, as a document with its header is: it is the messages'.
                if self.skipped == Some(message.span)
                    && let Some(bytes) = self.other_bytes.get_mut("no_row")
                {
                    *bytes -= message.span.length;
                    self.last = None;
                }
                self.skipped = None;
                self.message_bytes += self.fresh(message.span);
            }
            Event::Skip(skip) => {
                let bytes = self.fresh(skip.span);
                if bytes > 0 {
                    self.skipped = Some(skip.span);
                }
                if skip.kind != "blank" {
                    self.understood += u64::from(skip.count);
                }
                ProviderReport::count(&mut self.other_bytes, "no_row", bytes);
                ProviderReport::count(&mut self.records, &skip.kind, u64::from(skip.count));
            }
            Event::Failure(failure) => {
                let bytes = self.fresh(failure.span);
                ProviderReport::count(&mut self.other_bytes, failure.class.as_str(), bytes);
                let kind = format!("failure.{}: {}", failure.class.as_str(), failure.reason);
                ProviderReport::count(&mut self.records, &kind, 1);
                if self.failures.len() < FAILURES_KEPT {
                    self.failures.push(FailedRecord {
                        span: failure.span,
                        class: failure.class,
                        reason: failure.reason.clone(),
                    });
                } else {
                    self.more_failures += 1;
                }
            }
            _ => {}
        }
    }

    /// Returns how many records failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.len() as u64 + self.more_failures
    }

    /// Returns the bytes of a span that the record before did not have already.
    fn fresh(&mut self, span: Span) -> u64 {
        if self.last == Some(span) {
            return 0;
        }
        self.last = Some(span);
        span.length
    }
}

/// What became of the rows of a unit.
#[derive(Debug, Default)]
pub(crate) struct RowTally {
    pub(crate) rows: BTreeMap<&'static str, u64>,
    pub(crate) bytes: BTreeMap<&'static str, u64>,
    /// Those of `bytes` that lie before the mark.
    pub(crate) before: BTreeMap<&'static str, u64>,
    /// Records of rows whose ids are other messages'.
    pub(crate) taken: Vec<Span>,
    mark: (u32, u64),
    last: Option<Span>,
}

/// Reason of a row that is not written because its id is another message's.
pub(crate) const ID_TAKEN: &str = "id_taken";

impl RowTally {
    /// Counts a row whose id is another message's.
    pub(crate) fn note_taken(&mut self, span: Span) {
        if self.taken.last() != Some(&span) && self.taken.len() < FAILURES_KEPT {
            self.taken.push(span);
        }
        self.note(span, ID_TAKEN);
    }

    /// Counts a row, and its record's bytes when it is the record's first.
    pub(crate) fn note(&mut self, span: Span, reason: &'static str) {
        *self.rows.entry(reason).or_default() += 1;
        if self.last != Some(span) {
            self.last = Some(span);
            *self.bytes.entry(reason).or_default() += span.length;
            if (span.input, span.offset) < self.mark {
                *self.before.entry(reason).or_default() += span.length;
            }
        }
    }

    /// Says whether a row was left out for this reason.
    pub(crate) fn has(&self, reason: &str) -> bool {
        self.rows.contains_key(reason)
    }

    /// Sets the mark, given as input and offset. All rows counted so far lie before it.
    pub(crate) fn set_mark(&mut self, mark: (u32, u64)) {
        self.mark = mark;
        self.before.clone_from(&self.bytes);
    }

    /// Returns the bytes counted so far.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.bytes.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyp_model::event::{Failure, Message, Skip};

    fn span(offset: u64, length: u64) -> Span {
        Span { input: 0, offset, length }
    }

    #[test]
    fn a_record_with_two_messages_counts_its_bytes_once() {
        let mut tally = Tally::default();
        let message =
            || Event::Message(Box::new(Message { span: span(0, 10), ..Message::default() }));
        tally.note(&message());
        tally.note(&message());
        assert_eq!(tally.message_bytes, 10);
        assert_eq!(tally.understood, 2);
    }

    #[test]
    fn a_record_that_is_skipped_and_a_message_counts_once() {
        let mut tally = Tally::default();
        let message = Message { span: span(0, 10), ..Message::default() };
        let skip = |span| Event::Skip(Skip { span, kind: "session".into(), count: 1 });
        tally.note(&skip(span(0, 10)));
        tally.note(&Event::Message(Box::new(message)));
        tally.note(&skip(span(0, 10)));
        tally.note(&skip(span(10, 5)));
        assert_eq!((tally.message_bytes, tally.other_bytes["no_row"]), (10, 5));
    }

    #[test]
    fn rows_are_counted_before_the_last_mark_whenever_they_come() {
        let mut tally = RowTally::default();
        tally.note(span(0, 10), "written");
        tally.set_mark((0, 30));
        tally.note(span(30, 10), "written");
        tally.note(span(10, 10), "outside_window");
        assert_eq!(tally.before, BTreeMap::from([("written", 10), ("outside_window", 10)]));
        tally.set_mark((0, 50));
        tally.note(span(40, 5), "written");
        tally.note(span(50, 5), "written");
        assert_eq!(tally.before, BTreeMap::from([("written", 25), ("outside_window", 10)]));
        assert_eq!(tally.total_bytes(), 40);
    }

    #[test]
    fn blank_lines_are_counted_and_prove_nothing() {
        let mut tally = Tally::default();
        tally.note(&Event::Skip(Skip { span: span(0, 3), kind: "blank".into(), count: 3 }));
        tally.note(&Event::Failure(Failure {
            span: span(3, 4),
            class: FailureClass::Malformed,
            reason: "not JSON".into(),
        }));
        assert_eq!((tally.understood, tally.failed()), (0, 1));
        assert_eq!(tally.other_bytes["malformed"], 4);
    }
}
