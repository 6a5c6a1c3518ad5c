//! A materializer: a row an item, one that asks the store, one that queues, and ways to go wrong by the item's kind.

use hyp_sdk::materializer::{
    Assertion, ColumnType, Dataset, Derived, Description, Materializer, Row, current,
};
use hyp_sdk::{Cells, Datum, Fault, Item, Origin};

struct Ledger;

hyp_sdk::register_materializer!(Ledger);

impl Materializer for Ledger {
    fn description() -> Description {
        let entries = Dataset::append_only("entries", "id")
            .required("id", ColumnType::Text)
            .column("amount", ColumnType::Integer);
        let balances = Dataset::newer_wins("balances", &["account"], "at")
            .required("account", ColumnType::Text)
            .column("colour", ColumnType::Text)
            .column("at", ColumnType::Timestamp)
            .reconciles("colour", &["grey"], &[]);
        Description::new("ledger", "0.1.0")
            .kind("guests.entry")
            .kind("guests.colour")
            .kind("guests.asked")
            .kind("guests.trap")
            .kind("guests.lost")
            .kind("guests.stray")
            .kind("guests.odd")
            .queues("guests.colour")
            .dataset(entries)
            .dataset(balances)
            .check("amounts", "entries", "select count(*) from entries where amount < 0", 0)
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        let mut derived = Derived::each(items, one);
        for one in &mut derived {
            if items[one.item as usize].kind == "guests.lost" {
                one.item = 99;
            }
        }
        Ok(derived)
    }
}

fn one(item: &Item, out: &mut Derived) {
    match item.kind.as_str() {
        "guests.entry" => {
            assert_ne!(item.origin.id, "ledger-dies", "on purpose");
            let amount = item.integer("amount").unwrap_or(1);
            out.append(Row::new("entries", Cells::new().with("amount", amount)));
            let colour = Item::new("guests.colour", Origin::new("queued", "1"), Cells::new());
            out.then.push(colour);
        }
        "guests.colour" => out.assert_value(Assertion {
            dataset: "balances".to_owned(),
            key: vec!["a".into()],
            column: "colour".to_owned(),
            value: item.get("colour").clone(),
            subject: hyp_sdk::setting("subject"),
            notes: None,
        }),
        "guests.asked" => {
            let known = current("balances", &[vec![Datum::Text("a".to_owned())]]);
            out.counts_as(&format!("{known:?}"));
        }
        "guests.stray" => {
            out.then.push(Item::new("guests.other", Origin::new("queued", "1"), Cells::new()));
        }
        "guests.trap" => panic!("on purpose"),
        "guests.odd" => odd(item.text("does").unwrap_or_default(), out),
        _ => {}
    }
}

/// Does what it may not, by name.
fn odd(what: &str, out: &mut Derived) {
    match what {
        "another_dataset" => out.append(Row::new("others", Cells::new().with("id", "1"))),
        "another_column" => out.append(Row::new("entries", Cells::new().with("secret", "1"))),
        "a_column_of_the_host" => {
            out.append(Row::new("entries", Cells::new().with("_hyp_run_id", "mine")));
        }
        "another_type" => out.append(Row::new("entries", Cells::new().with("amount", "many"))),
        "a_longer_key" => out.assert_value(Assertion {
            dataset: "balances".to_owned(),
            key: vec!["a".into(), "b".into()],
            column: "colour".to_owned(),
            value: "red".into(),
            subject: None,
            notes: None,
        }),
        "a_look_elsewhere" => {
            let seen = current("agent_compliance_runs", &[vec![Datum::Text("1".to_owned())]]);
            out.counts_as(&format!("{seen:?}"));
        }
        "a_flood" => out.then.extend((0..100).map(|at: u32| {
            Item::new("guests.colour", Origin::new("queued", at.to_string()), Cells::new())
        })),
        "memory" => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 1 << 20]);
                if held.len() > 100_000 {
                    return;
                }
            }
        }
        "no_end" => loop {
            std::hint::black_box(what);
        },
        _ => {}
    }
}
