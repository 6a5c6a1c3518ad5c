//! Emits an item a line, for the materializer that takes `guests.entry`.

use hyp_guests::Lines;
use hyp_sdk::{
    Cells, Description, Entry, FailureClass, Fault, Item, Origin, Page, Provider, Record, Scan,
};

struct Tides(Lines);

hyp_sdk::register!(Tides);

impl Provider for Tides {
    type Scan = Self;

    fn description() -> Description {
        hyp_guests::description("tides").kinds(&["guests.entry"])
    }

    fn open(_: &str, entries: &[Entry], _: &[u8]) -> Result<Self, Fault> {
        Ok(Self(Lines::new(entries)))
    }
}

impl Scan for Tides {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let Some(id) = record.json.get("id").and_then(|id| id.non_empty()) else {
            return out.failure(record.span, FailureClass::Malformed, "a line without an id");
        };
        assert_ne!(id, "tides-dies", "on purpose");
        let amount = record.json.get("amount").and_then(|amount| amount.i64());
        let origin = Origin::new(format!("tides:{}", self.0.path), id);
        out.item(
            record.span,
            Item::new("guests.entry", origin, Cells::new().with("amount", amount)),
        );
    }
}
