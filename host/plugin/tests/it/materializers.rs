//! Materializers in the hands of the host: what they are asked, and what they may not answer.

use std::sync::Arc;

use hyp_model::Explain;
use hyp_model::item::{Cell, Datum, Item, Origin, Wish};
use hyp_plugin::{Current, Host, Limits, LoadError, Making, Settled};

use crate::bench::source;

/// A store with one row in each dataset.
struct OneRow;

impl Current for OneRow {
    fn current(
        &self,
        dataset: &str,
        keys: &[Vec<Datum>],
    ) -> Result<Vec<Option<Vec<Cell>>>, String> {
        assert_eq!(dataset, "balances");
        Ok(keys.iter().map(|key| Some(vec![("account".to_owned(), key[0].clone())])).collect())
    }
}

fn making(settings: &[(&str, &str)]) -> Making {
    let host = Host::new(None, Limits::default()).unwrap();
    let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    host.settle(Settled { settings, prober: None });
    host.load_materializer(source("ledger")).unwrap().making()
}

fn item(kind: &str, cells: &[(&str, Datum)]) -> Item {
    Item {
        kind: kind.to_owned(),
        origin: Origin { system: "s".to_owned(), id: "1".to_owned(), ended_at: Some(7) },
        cells: cells.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

#[test]
fn a_materializer_says_which_rows_items_are() {
    let making = making(&[("subject", "the subject")]);
    let description = making.materializer().description();
    assert_eq!(description.name, "ledger");
    assert_eq!(description.datasets[0].name, "entries");
    assert_eq!(description.checks[0].expect, 0);
    let [words] = &description.datasets[0].value_sets[..] else { panic!("{description:?}") };
    assert_eq!((words.column.as_str(), words.values.len()), ("unit", 2));

    let entry = item("guests.entry", &[("amount", Datum::Integer(12))]);
    let colour = item("guests.colour", &[("colour", Datum::Text("red".into()))]);
    let derived = making.materialize(&[&entry, &colour], Arc::new(OneRow)).unwrap();
    let Wish::Append(row) = &derived[0].wishes[0] else { panic!("{derived:?}") };
    let cells = [("amount", Datum::Integer(12)), ("unit", Datum::Null)];
    assert_eq!(row.cells, cells.map(|(column, value)| (column.to_owned(), value)));
    assert_eq!(derived[0].then[0].kind, "guests.colour");
    let Wish::Assert(assertion) = &derived[1].wishes[0] else { panic!("{derived:?}") };
    assert_eq!(assertion.value, Datum::Text("red".into()));
    assert_eq!(assertion.subject.as_deref(), Some("the subject"));
}

#[test]
fn a_materializer_sees_stored_rows() {
    let derived = making(&[]).materialize(&[&item("guests.asked", &[])], Arc::new(OneRow)).unwrap();
    let said = derived[0].outcome.clone().unwrap();
    assert!(said.contains("account") && said.contains("Text(\"a\")"), "{said}");
}

#[test]
fn a_materializer_that_goes_wrong_is_named_and_the_next_call_starts_afresh() {
    let making = making(&[]);
    #[rustfmt::skip]
    let cases = [
        ("guests.trap", "hyp::plugin::trap",      "ledger crashed in `materialize`: "),
        ("guests.stray", "hyp::plugin::forbidden", "ledger broke the contract in `materialize`: it queued an item of a kind that it does not declare"),
        ("guests.lost", "hyp::plugin::forbidden", "ledger broke the contract in `materialize`: it answered about an item that it was not given"),
    ];
    for (kind, code, message) in cases {
        let error = making.materialize(&[&item(kind, &[])], Arc::new(OneRow)).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(message), "{error}");
        let after = making.materialize(&[&item("guests.entry", &[])], Arc::new(OneRow));
        assert_eq!(after.unwrap()[0].wishes.len(), 1, "after {kind}");
    }
}

#[test]
fn a_provider_is_no_materializer_and_the_other_way_round() {
    let host = Host::new(None, Limits::default()).unwrap();
    let error = host.load_materializer(source("good")).unwrap_err();
    assert!(matches!(error, LoadError::World { world: "materializer", .. }), "{error}");
    let error = host.load(source("ledger")).unwrap_err();
    assert!(matches!(error, LoadError::World { world: "provider", .. }), "{error}");
}

#[test]
fn what_a_materializer_said_of_itself_is_kept_with_its_native_code() {
    let folder = tempfile::tempdir().unwrap();
    let load = || {
        let host = Host::new(Some(folder.path().join("c")), Limits::default()).unwrap();
        let description = host.load_materializer(source("ledger")).unwrap().description().clone();
        (host.stats().compiled, description)
    };
    let (first, said) = load();
    let (again, kept) = load();
    assert_eq!((first, again), (1, 0));
    assert_eq!(said, kept);
}
