//! What a run did, told afterwards: each cell, and what was left to others.

use serde_json::Value;

use super::{Registry, run_id};

const HISTORY: &str = "registry-history";

#[test]
fn cells_that_a_run_changed_are_listed_with_what_was_there() {
    let registry = Registry::adopted("compliance.sql");
    let run = run_id(&registry.try_run(HISTORY, &["--commit"]));
    let plain = registry.sandbox.hyp(["runs", "show", &run]);
    let shown = registry.sandbox.hyp(["runs", "show", &run, "--changes"]);
    assert!(shown.stdout.starts_with(&plain.stdout), "{shown}");
    let listed: Vec<&str> = shown.stdout[plain.stdout.len()..].lines().collect();
    let new = "changes    insert agent_compliance_status https://cove.example/mcp";
    assert!(listed.contains(&new), "{shown}");
    assert!(
        listed.iter().any(|line| line.starts_with(
            "changes    update agent_compliance_status https://quay.example/mcp  last_"
        ) && line.ends_with(" -> 2026-06-09T10:30:00Z")),
        "times are told as such: {shown}"
    );
    assert!(!shown.stdout.contains("_hyp_"), "{shown}");
    let json = registry.sandbox.hyp(["runs", "show", &run, "--changes", "--json"]).json();
    let cells = json["changes"].as_array().unwrap();
    assert_eq!(cells.len(), listed.len());
    let updated = cells.iter().find(|it| it["operation"] == "update").unwrap();
    for field in ["dataset", "key", "column", "old", "new"] {
        assert!(updated.get(field).is_some(), "{field}: {updated}");
    }
    let plain = registry.sandbox.hyp(["runs", "show", &run, "--json"]).json();
    assert_eq!((plain.get("changes"), plain.get("unmatched")), (None, None));
}

#[test]
fn ids_that_were_left_out_and_that_nobody_recorded_are_listed() {
    let registry = Registry::adopted("compliance.sql");
    let output = registry.try_run(HISTORY, &["--commit"]);
    let run = run_id(&output);
    let ids = super::changes(&output)["cutover"]["unmatched"].clone();
    assert_eq!(ids.as_array().map(Vec::len), Some(2), "{output}");
    let json = registry.sandbox.hyp(["runs", "show", &run, "--unmatched", "--json"]).json();
    assert_eq!(json["unmatched"], ids);
    let shown = registry.sandbox.hyp(["runs", "show", &run, "--unmatched"]);
    for id in ids.as_array().unwrap() {
        let line = format!("\nunmatched  {}\n", id.as_str().unwrap());
        assert!(shown.stdout.contains(&line), "{shown}");
    }
    let state = registry.one("select run_id from runs where providers like '%state%'");
    let none = registry.sandbox.hyp(["runs", "show", &state, "--unmatched"]);
    assert!(none.stdout.ends_with("\nunmatched  none\n"), "{none}");
}

#[test]
fn a_killed_run_names_its_provider() {
    let mut registry = Registry::adopted("compliance.sql");
    registry.sandbox.set("HYP_FAILPOINT", "after_catalog:abort:2");
    assert_ne!(registry.try_run(HISTORY, &["--commit", "--chunk-size", "7"]).status, Some(0));
    registry.sandbox.set("HYP_FAILPOINT", "");
    let list = registry.sandbox.hyp(["runs", "--json"]).json();
    let killed: &Value = &list["runs"][0];
    assert_eq!(killed["providers"], serde_json::json!([HISTORY]), "{killed}");
    let shown = registry.sandbox.hyp(["runs", "show", killed["run_id"].as_str().unwrap()]);
    assert!(shown.stdout.contains("\nof         registry-history\n"), "{shown}");
}

#[test]
fn times_in_a_report_are_times() {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run(HISTORY, &[]);
    let changes = told["changes"].as_array().unwrap();
    let mut times = changes.iter().filter(|it| it["column"] == "last_checked_at");
    assert!(times.clone().count() > 0, "{told:#}");
    assert!(times.all(|it| it["new"].as_str().is_some_and(|at| at.ends_with('Z'))), "{told:#}");
}
