//! Never returns from its first record.

use hyp_guests::Lines;
use hyp_sdk::{Page, Record, Scan};

struct Spin(Lines);

hyp_guests::guest!("spin", Spin);

impl Scan for Spin {
    fn record(&mut self, _: &Record<'_>, out: &mut Page) {
        self.0.start(out);
        let mut turns = 0_u64;
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }
}
