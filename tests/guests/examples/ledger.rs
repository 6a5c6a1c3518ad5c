//! A materializer: a row an item, one that asks the store, one that queues, and ways to go wrong by the item's kind.

use hyp_sdk::materializer::{
    Assertion, ColumnType, Dataset, Derived, Description, Materializer, Row, ValueSet, current,
};
use hyp_sdk::{Cells, Datum, Fault, Item, Origin};

struct Ledger;

hyp_sdk::register_materializer!(Ledger);

impl Materializer for Ledger {
    fn description() -> Description {
        let entries = Dataset::append_only("entries", "id")
            .required("id", ColumnType::Text)
            .column("amount", ColumnType::Integer)
            .column("unit", ColumnType::Text);
        let balances = Dataset::newer_wins("balances", &["account"], "at")
            .required("account", ColumnType::Text)
            .column("colour", ColumnType::Text)
            .column("at", ColumnType::Timestamp)
            .reconciles("colour", &["grey"], &[]);
        let moods = Dataset::last_write_wins("moods", &["id"])
            .required("id", ColumnType::Text)
            .column("does", ColumnType::Text)
            .column("noted", ColumnType::Text)
            .column("heard", ColumnType::Text)
            .column("mood", ColumnType::Text)
            .owns("mood")
            .reconciles("heard", &[], &[])
            .reconciles("noted", &[], &[]);
        Description::new("ledger", "0.1.0")
            .kind("guests.entry")
            .kind("guests.colour")
            .kind("guests.asked")
            .kind("guests.trap")
            .kind("guests.lost")
            .kind("guests.stray")
            .kind("guests.odd")
            .kind("guests.mood")
            .kind("guests.told")
            .derives("moods")
            .queues("guests.colour")
            .dataset(entries)
            .dataset(balances)
            .dataset(moods)
            .check("moods", "moods", "select count(*) from moods where mood = 'wrong'", 0)
            .check("amounts", "entries", "select count(*) from entries where amount < 0", 0)
    }

    fn value_sets() -> Vec<ValueSet> {
        vec![ValueSet::new("entries", "unit", &["metres", "feet"])]
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
            let unit = item.get("unit").clone();
            out.append(Row::new("entries", Cells::new().with("amount", amount).with("unit", unit)));
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
        "guests.mood" => out.upsert(Row { dataset: "moods".to_owned(), cells: item.cells.clone() }),
        "guests.told" => out.assert_value(Assertion {
            dataset: "moods".to_owned(),
            key: vec![item.text("of").unwrap_or_default().into()],
            column: item.text("column").unwrap_or_default().to_owned(),
            value: item.get("value").clone(),
            subject: None,
            notes: None,
        }),
        "stored.moods" => mood(item, out),
        "guests.odd" => odd(item.text("does").unwrap_or_default(), out),
        _ => {}
    }
}

/// Derives a mood from what a row does, or does what it may not.
fn mood(item: &Item, out: &mut Derived) {
    let does = item.text("does").unwrap_or_default();
    let mut cells = Cells::new().with("mood", format!("{does}ing"));
    match does {
        "another_column" => cells = cells.with("noted", "changed"),
        "trap" => panic!("on purpose"),
        "wrong" => cells = Cells::new().with("mood", "wrong"),
        _ => {}
    }
    let changed = cells.done();
    let mut cells = item.cells.clone();
    cells.retain(|cell| changed.iter().all(|it| it.column != cell.column));
    cells.extend(changed);
    match does {
        "another_row" => {
            for cell in cells.iter_mut().filter(|cell| cell.column == "id") {
                cell.value = "new".into();
            }
        }
        "another_table" => {
            return out.append(Row::new("entries", Cells::new().with("amount", 1)));
        }
        _ => {}
    }
    out.upsert(Row { dataset: "moods".to_owned(), cells });
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
