//! What imports did, told afterwards.

use crate::sandbox::{Sandbox, total};

#[test]
fn every_run_is_listed_and_shown_as_it_was_reported() {
    let sandbox = Sandbox::with("sample");
    let dry = sandbox.hyp(["backfill", "--dry-run", "--json"]).json();
    let first = sandbox.import([]);
    let second = sandbox.import(["claude"]);
    let runs = sandbox.hyp(["runs", "--json"]).json();
    let runs = runs["runs"].as_array().unwrap();
    let ids: Vec<_> = runs.iter().map(|run| &run["run_id"]).collect();
    assert_eq!(ids, [&second["run_id"], &first["run_id"], &dry["run_id"]]);
    assert_eq!(runs[2]["dry_run"], true);
    assert_eq!(runs[2]["rows_written"], 0);
    assert_eq!(runs[1]["rows_written"], total(&first, "rows_written"));
    assert_eq!(runs[0]["providers"], serde_json::json!(["claude"]));

    let id = first["run_id"].as_str().unwrap();
    let shown = sandbox.hyp(["runs", "show", &id[..12], "--json"]).json();
    assert_eq!(shown["run_id"], id);
    assert_eq!(shown["report"]["providers"], first["providers"]);
    assert!(shown["chunks"].as_u64().unwrap() > 0);
    let words = sandbox.hyp(["runs", "show", id]);
    assert!(words.stdout.contains("claude  [ok]\n"), "{words}");
    let listed = sandbox.hyp(["runs", "--limit", "1"]);
    assert_eq!(listed.stdout.lines().count(), 2, "{listed}");
}

#[test]
fn a_run_that_is_not_there_or_not_one_alone_is_told_in_a_line() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import([]);
    sandbox.import([]);
    for (id, words) in [("none", "no run `none`"), ("bf-", "begins more than one run")] {
        let output = sandbox.hyp(["runs", "show", id]);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stderr.contains(words), "{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
    }
}

#[test]
fn a_run_that_fails_in_the_middle_is_listed_with_what_it_did_until_then() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.set("HYP_FAILPOINT", "after_data_files:error:2");
    let failed = sandbox.hyp(["backfill"]);
    assert_eq!(failed.status, Some(1), "{failed}");
    assert_eq!(failed.stderr.matches("after_data_files").count(), 1, "{failed}");
    sandbox.set("HYP_FAILPOINT", "");

    let run = sandbox.hyp(["runs", "--json"]).json()["runs"][0].clone();
    assert_eq!(run["status"], "failed");
    assert!(run["ended_at"].is_string(), "{run:#}");
    let shown = sandbox.hyp(["runs", "show", run["run_id"].as_str().unwrap(), "--json"]).json();
    let providers = shown["report"]["providers"].as_array().unwrap();
    assert_eq!(providers.len(), 2, "{shown:#}");
    assert_eq!(providers[0]["status"], "ok");
    assert!(providers[0]["rows_written"].as_u64() > Some(0), "{shown:#}");
    assert_eq!(run["rows_written"], providers[0]["rows_written"]);
    assert_eq!(providers[1]["status"], "failed");
    assert!(providers[1]["error"].as_str().unwrap().contains("after_data_files"), "{shown:#}");
    assert_eq!(providers[1]["rows_by_reason"], serde_json::json!({}), "{shown:#}");
    let doctor = sandbox.hyp(["doctor"]);
    assert!(doctor.stdout.contains("it failed, "), "{doctor}");
}
