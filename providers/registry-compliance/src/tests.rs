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
fn words_that_a_column_may_not_hold_are_refused() {
    let refused = |kind: &str, column: &str, word: &str| {
        let cells = Cells::new().with("agent_url", "https://a.example/mcp").with(column, word);
        let item = Item::new(kind, Origin::new("registry", "1"), cells);
        RegistryCompliance::materialize(&[item]).is_err()
    };
    let run = "registry.compliance_run";
    assert!(refused(run, "triggered_by", "martian"));
    assert!(refused(run, "overall_status", "degraded"));
    assert!(!refused(run, "overall_status", "partial"));
    let status = "registry.compliance_status";
    assert!(refused(status, "status", "splendid"));
    assert!(refused(status, "previous_status", "splendid"));
    assert!(!refused(status, "status", "degraded"));
}
