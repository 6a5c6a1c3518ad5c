//! Takes memory without end.

use hyp_guests::Lines;
use hyp_sdk::{Page, Record, Scan};

struct Hog(Lines);

hyp_guests::guest!("hog", Hog);

impl Scan for Hog {
    fn record(&mut self, _: &Record<'_>, out: &mut Page) {
        self.0.start(out);
        let mut kept: Vec<Vec<u8>> = Vec::new();
        loop {
            kept.push(std::hint::black_box(vec![1; 1 << 20]));
        }
    }
}
