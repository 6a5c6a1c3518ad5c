//! Panics at the first record.

use hyp_guests::Lines;
use hyp_sdk::{Page, Record, Scan};

struct Trap(Lines);

hyp_guests::guest!("trap", Trap);

impl Scan for Trap {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.start(out);
        if record.span.offset == 0 {
            panic!("guest says hello");
        }
    }
}
