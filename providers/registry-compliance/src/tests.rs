//! Tests of `registry-compliance`.

use hyp_sdk::materializer::{Change, Derived, Materializer};
use hyp_sdk::{Cells, Datum, Item, Origin};

use crate::RegistryCompliance;

fn derived(kind: &str, cells: Cells) -> Derived {
    let item = Item::new(kind, Origin::new("agent_test_history", "1"), cells);
    RegistryCompliance::materialize(&[item]).unwrap().remove(0)
}

fn test(passed: bool) -> Cells {
    let cells = Cells::new().with("agent_url", "https://a.example/mcp").with("passed", passed);
    cells.time("tested_at", Some(1_000_000)).with("steps_passed", 3_i64).with("steps_failed", 2_i64)
}

fn datasets(derived: &Derived) -> Vec<&str> {
    let name = |change| match change {
        &Change::Append(ref row) | &Change::Upsert(ref row) => row.dataset.as_str(),
        Change::AssertValue(assertion) => assertion.dataset.as_str(),
    };
    derived.changes.iter().map(name).collect()
}

#[test]
fn an_import_and_a_live_run_of_an_owner_give_the_same_rows() {
    let imported = derived("registry.owner_test", test(false));
    let live = derived("registry.test_run", test(false).with("is_owner", true));
    assert_eq!(imported.changes, live.changes);
    assert_eq!(datasets(&imported), ["agent_compliance_runs", "agent_compliance_status"]);
}

#[test]
fn others_than_owners_leave_the_canonical_state_alone() {
    assert_eq!(datasets(&derived("registry.test_run", test(true))), ["agent_test_history"]);
    let opted_out =
        derived("registry.test_run", test(true).with("is_owner", true).with("opted_out", true));
    assert_eq!((opted_out.changes.len(), opted_out.outcome.as_deref()), (0, Some("opted_out")));
}

#[test]
fn a_failed_test_says_when_it_failed_and_not_when_it_passed() {
    let derived = derived("registry.owner_test", test(false));
    let Change::Upsert(status) = &derived.changes[1] else { panic!("{derived:?}") };
    let cell = |name: &str| &status.cells.iter().find(|cell| cell.column == name).unwrap().value;
    assert_eq!(*cell("status"), Datum::from("failing"));
    assert_eq!(*cell("last_failed_at"), Datum::Timestamp(1_000_000));
    assert_eq!(*cell("last_passed_at"), Datum::Null);
}

#[test]
fn a_test_whose_trigger_is_none_is_refused_whosever_it_was() {
    let given = |owner: bool, by: &str| {
        let cells = test(true).with("is_owner", owner).with("triggered_by", by);
        let item = Item::new("registry.test_run", Origin::new("record", "1"), cells);
        RegistryCompliance::materialize(&[item]).is_ok()
    };
    for owner in [true, false] {
        assert!(given(owner, "webhook") && !given(owner, "martian"));
    }
}

#[test]
fn value_sets_are_of_columns_that_are_there() {
    let datasets = RegistryCompliance::description().datasets;
    for set in RegistryCompliance::value_sets() {
        let dataset = datasets.iter().find(|it| it.name == set.dataset).unwrap();
        assert!(dataset.columns.iter().any(|it| it.name == set.column), "{set:?}");
    }
}
