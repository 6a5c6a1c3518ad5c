//! Undoing runs that wrote to datasets.

use std::time::Duration;

use hyp_cache::Store;
use serde_json::json;

use super::record::record;
use super::{Registry, run_id};

/// Everything that the two datasets hold.
fn all(registry: &Registry) -> (Vec<String>, Vec<String>) {
    let runs = "select * from agent_compliance_runs order by id";
    let status = "select * from agent_compliance_status order by agent_url";
    (registry.rows(runs), registry.rows(status))
}

/// Imports the history in chunks of a size; returns the run, and what was there before it.
fn imported(chunk: &str) -> (Registry, String, (Vec<String>, Vec<String>)) {
    let registry = Registry::adopted("compliance.sql");
    let before = all(&registry);
    let output = registry.try_run("registry-history", &["--commit", "--chunk-size", chunk]);
    assert_eq!(output.status, Some(0), "{output}");
    (registry, run_id(&output), before)
}

/// Records a run of an agent that is newer than all of its history.
fn record_newer(registry: &Registry, agent: &str, passed: bool) {
    let live = json!({
        "agent_url": format!("https://{agent}.example/mcp"), "tested_at": "2026-07-20T00:00:00Z", "passed": passed,
        "summary": "newer", "is_owner": true, "triggered_by": "heartbeat", "id": "r-newer",
    });
    assert_eq!(record(registry, "registry.test_run", &live).status, Some(0));
}

#[test]
fn everything_is_as_it_was_once_a_run_is_undone() {
    let (registry, run, before) = imported("7");
    let after = all(&registry);
    let plan = registry.sandbox.hyp(["runs", "undo", &run, "--json"]);
    assert_eq!(plan.status, Some(0), "{plan}");
    assert_eq!(
        plan.json()["removed"],
        json!({ "agent_compliance_runs": 30, "agent_compliance_status": 1 })
    );
    assert_eq!(plan.json()["restored"], json!({ "agent_compliance_status": 3 }));
    assert_eq!(all(&registry), after, "it was only said");

    let undone = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(all(&registry), before);
    assert_eq!((before.0.len(), before.1.len()), (15, 4));

    let by = undone.json()["run_id"].as_str().unwrap().to_owned();
    let redone = registry.sandbox.hyp(["runs", "undo", &by, "--commit"]);
    assert_eq!(redone.status, Some(0), "{redone}");
    assert_eq!(all(&registry), after, "an undo is undone");
}

#[test]
fn what_runs_did_to_datasets_is_told_once_more() {
    let (registry, run, _) = imported("1000");
    let show = |run: &str| {
        let shown = registry.sandbox.hyp(["runs", "show", run]);
        assert_eq!(shown.status, Some(0), "{shown}");
        shown.stdout
    };
    let told = show(&run);
    assert!(told.contains("\nregistry-history  [ok]  -> agent_compliance_runs, "), "{told}");
    assert!(
        told.contains(
            "\n  agent_compliance_runs (append-only): 30 new, 0 changed, 0 as they were; 45 rows\n"
        ),
        "{told}"
    );
    let undone = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]).json();
    let told = show(undone["run_id"].as_str().unwrap());
    assert!(told.contains("\n  agent_compliance_runs: removed=30\n"), "{told}");
    assert!(told.contains("\n  agent_compliance_status: restored=3\n"), "{told}");
}

#[test]
fn an_undone_run_can_be_run_again() {
    let (registry, run, _) = imported("1000");
    registry.sandbox.hyp(["runs", "undo", &run, "--commit"]);
    let told = registry.run("registry-history", &["--commit"]);
    assert_eq!(told["items"]["inserted"], 30);
}

#[test]
fn files_that_were_put_together_change_nothing_for_an_undo() {
    let (registry, run, before) = imported("1");
    let files = registry.rows("select event, detail from journal where event = 'merged'");
    assert_eq!(files, ["merged,agent_compliance_runs"]);
    assert_eq!(registry.sandbox.hyp(["runs", "undo", &run, "--commit"]).status, Some(0));
    assert_eq!(all(&registry), before);
}

#[test]
fn what_was_changed_since_is_kept_and_listed() {
    let (registry, run, before) = imported("1000");
    // It changes when the agent failed last, which the run had changed, too.
    record_newer(&registry, "quay", false);
    let with_live = all(&registry);
    let refused = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    assert_eq!(refused.status, Some(3), "{refused}");
    assert_eq!(
        refused.json()["kept"],
        json!([{ "dataset": "agent_compliance_status", "key": ["https://quay.example/mcp"],
                 "reason": "`last_failed_at` was changed since" }])
    );
    assert_eq!(all(&registry), with_live, "nothing was undone");
    let partial = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--partial"]);
    assert_eq!(partial.status, Some(0), "{partial}");
    let (runs, status) = all(&registry);
    assert_eq!(runs.len(), 16, "what was there, and the live run");
    for (row, was) in status.iter().zip(&before.1) {
        assert_eq!(row == was, !row.contains("quay"), "{row}");
    }
}

#[test]
fn a_verdict_of_somebody_else_is_never_made_of_two() {
    // The history says that the agent passes, and so does a newer run.
    let (registry, run, _) = imported("1000");
    record_newer(&registry, "buoy", true);
    let status = registry.status();
    let partial = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--partial"]);
    assert_eq!(partial.status, Some(0), "{partial}");
    assert_eq!(registry.status()[0], status[0], "it is the newer run's");
}

#[test]
fn an_undo_finds_the_rows_of_a_dataset_that_was_only_to_be_added_to() {
    let registry = Registry::new("suites.sql");
    registry.settle("[datasets.test_suites]\non_conflict = \"append-only\"\n");
    let output = registry.try_run("registry-state", &["--commit"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(registry.one("select count(*) from test_suites"), "22");
    let undone = registry.sandbox.hyp(["runs", "undo", &run_id(&output), "--commit", "--json"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(undone.json()["removed"], json!({ "capabilities": 21, "test_suites": 22 }));
    assert_eq!(registry.one("select count(*) from test_suites"), "0");
}

#[test]
fn types_that_were_replaced_come_back() {
    let registry = Registry::adopted("agents.sql");
    let types = "select * from member_agents order by profile_id, position";
    let before = registry.rows(types);
    let output = registry.try_run("agent-types", &["--commit"]);
    assert_ne!(registry.rows(types), before);
    let undone = registry.sandbox.hyp(["runs", "undo", &run_id(&output), "--commit"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(registry.rows(types), before);
    assert_eq!(
        registry.one("select count(*) from value_audit"),
        "16",
        "what was done is not denied"
    );
}

#[test]
fn a_run_that_was_undone_is_told_as_such_and_not_undone_again() {
    let (registry, run, _) = imported("1000");
    let undone = registry.sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    let by = undone.json()["run_id"].as_str().unwrap().to_owned();
    let noted = format!("select undone_by from runs where run_id = '{run}'");
    assert_eq!(registry.one(&noted), by);
    let again = registry.sandbox.hyp(["runs", "undo", &run, "--commit"]);
    assert_eq!(again.status, Some(3), "{again}");
    assert!(again.stderr.contains("was undone by"), "{again}");
}

#[test]
fn every_undo_of_an_undo_takes_back_what_the_one_before_did() {
    let (registry, run, before) = imported("1000");
    let after = all(&registry);
    let mut last = run;
    for expected in [&before, &after, &before, &after] {
        let undone = registry.sandbox.hyp(["runs", "undo", &last, "--commit", "--json"]);
        assert_eq!(undone.status, Some(0), "{undone}");
        assert_eq!(&all(&registry), expected);
        last = undone.json()["run_id"].as_str().unwrap().to_owned();
    }
}

#[test]
fn what_would_be_undone_can_be_asked_while_another_run_writes() {
    let (registry, run, _) = imported("1000");
    let store = Store::open(&registry.sandbox.store()).unwrap();
    let _writer = store.writer(Duration::ZERO, "other").unwrap();
    let plan = registry.sandbox.hyp(["runs", "undo", &run, "--json"]);
    assert_eq!(plan.status, Some(0), "{plan}");
}
