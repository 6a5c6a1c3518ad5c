//! Emits notes without end, and never reads a byte.

use hyp_guests::Lines;
use hyp_sdk::bindings::hyp::backfill::sink;
use hyp_sdk::{Event, Note, Page, Reading, Record, Scan};

struct Flood(Lines);

hyp_guests::guest!("flood", Flood);

impl Scan for Flood {
    fn reading(&self, _: u32) -> Reading {
        let note = Note::new("flood").attribute("path", self.0.path.as_str());
        let page = vec![Event::Note(note); 100];
        loop {
            sink::emit(&page);
        }
    }

    fn record(&mut self, _: &Record<'_>, _: &mut Page) {}
}
