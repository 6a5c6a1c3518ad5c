//! Behaves: a message a line.

use hyp_guests::Lines;
use hyp_sdk::{Page, Record, Scan};

struct Good(Lines);

hyp_guests::guest!("good", Good);

impl Scan for Good {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.message(record, out);
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(self.0.save())
    }

    fn end(&mut self, out: &mut Page) {
        self.0.end(out);
    }
}
