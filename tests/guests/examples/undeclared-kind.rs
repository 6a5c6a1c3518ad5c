//! Emits an item of a kind that its description does not name.

use hyp_guests::Lines;
use hyp_sdk::{Cells, Item, Origin, Page, Record, Scan};

struct UndeclaredKind(Lines);

hyp_guests::guest!("undeclared-kind", UndeclaredKind);

impl Scan for UndeclaredKind {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.message(record, out);
        let origin = Origin::new("guests", record.span.offset.to_string());
        out.item(record.span, Item::new("guests.undeclared", origin, Cells::new().with("id", "1")));
    }

    fn end(&mut self, out: &mut Page) {
        self.0.end(out);
    }
}
