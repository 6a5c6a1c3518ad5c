//! Emits an item of a kind that its description does not name.

use hyp_guests::Lines;
use hyp_sdk::{Cell, Item, Page, Record, Scan};

struct UndeclaredKind(Lines);

hyp_guests::guest!("undeclared-kind", UndeclaredKind);

impl Scan for UndeclaredKind {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.0.message(record, out);
        out.item(Item {
            kind: "guests.undeclared".into(),
            origin_system: "guests".into(),
            origin_id: record.span.offset.to_string(),
            cells: vec![Cell { column: "id".into(), value: "1".into() }],
        });
    }

    fn end(&mut self, out: &mut Page) {
        self.0.end(out);
    }
}
