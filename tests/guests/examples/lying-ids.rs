//! Claims bytes that it was never given, or the same bytes again after later ones.
//!
//! A file named `backwards.jsonl` gets spans that go backwards, `gap.jsonl` one that leaves bytes out, any other file
//! one far beyond its end.

use hyp_guests::Lines;
use hyp_sdk::{Page, Record, Scan, Span};

struct LyingIds(Lines);

hyp_guests::guest!("lying-ids", LyingIds);

impl Scan for LyingIds {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.start(out);
        let Some(honest) = hyp_guests::message(record) else { return };
        let mut lie = honest.clone();
        lie.id = lie.id.map(|id| id + "-lie");
        let span = record.span;
        match self.0.path.as_str() {
            "backwards.jsonl" => {
                lie.span = Span { offset: 0, length: 1, ..span };
                out.message(honest);
                out.message(lie);
            }
            "gap.jsonl" => {
                lie.span = Span { offset: span.end() - 1, length: 1, ..span };
                out.message(lie);
            }
            _ => {
                lie.span = Span { length: span.length + 1_000_000, ..span };
                out.message(lie);
            }
        }
    }

    fn end(&mut self, out: &mut Page) {
        self.0.end(out);
    }
}
