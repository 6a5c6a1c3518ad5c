//! The command, its report, and what a second run does.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, fixtures, total};

#[test]
fn a_second_run_writes_nothing_and_changes_nothing() {
    let sandbox = Sandbox::with("sample");
    let first = sandbox.import(["claude", "codex"]);
    assert!(total(&first, "rows_written") > 20, "{first:#}");
    let before = sandbox.all_rows();
    assert_eq!(before.len() as u64, total(&first, "rows_written"));

    let second = sandbox.import(["claude", "codex"]);
    assert_eq!(total(&second, "rows_written"), 0, "{second:#}");
    assert_eq!(total(&second, "bytes_read"), 0, "unchanged files are not opened: {second:#}");
    assert_eq!(total(&second, "files_unchanged"), total(&second, "files_seen"));

    let full = sandbox.import(["--full"]);
    assert_eq!(total(&full, "rows_written"), 0, "{full:#}");
    assert!(total(&full, "bytes_read") > 0, "{full:#}");
    assert_eq!(sandbox.all_rows(), before);
}

#[test]
fn the_report_has_the_shape_that_scripts_know() {
    let sandbox = Sandbox::with("sample");
    let report = sandbox.import(["claude", "codex"]);
    assert_eq!(report["dry_run"], false);
    assert!(report["run_id"].as_str().unwrap().starts_with("bf-"));
    let providers = report["providers"].as_array().unwrap();
    let names: Vec<_> = providers.iter().map(|provider| provider["provider"].as_str()).collect();
    assert_eq!(names, [Some("claude"), Some("codex")]);
    for provider in providers {
        assert_eq!(provider["status"], "ok", "{provider:#}");
        assert_eq!(provider["datasets"], serde_json::json!(["ai_gateway_messages"]));
        assert!(provider["plugin"].is_string());
        assert!(provider.get("error").is_none());
        for counter in ["items_seen", "sessions_seen", "rows_written", "bytes_read", "files_seen"] {
            assert!(provider[counter].as_u64().unwrap() > 0, "{counter}: {provider:#}");
        }
        for map in ["rows_by_reason", "accounting", "timings"] {
            assert!(!provider[map].as_object().unwrap().is_empty(), "{map}: {provider:#}");
        }
    }
}

#[test]
fn every_byte_is_accounted_for() {
    let sandbox = Sandbox::with("sample");
    let report = sandbox.import([]);
    for provider in report["providers"].as_array().unwrap() {
        let parts = provider["accounting"].as_object().unwrap().values();
        let sum: u64 = parts.map(|bytes| bytes.as_u64().unwrap()).sum();
        assert_eq!(sum, provider["bytes_read"].as_u64().unwrap(), "{provider:#}");
    }
}

#[test]
fn nothing_of_the_sample_is_left_not_understood() {
    let report = Sandbox::with("sample").import([]);
    for provider in report["providers"].as_array().unwrap() {
        let kinds = provider["records_by_kind"].as_object().unwrap();
        let failures: Vec<_> = kinds.keys().filter(|kind| kind.starts_with("failure.")).collect();
        assert!(failures.is_empty(), "{failures:?}");
        assert_eq!(provider["warnings"].as_array().map(Vec::len), Some(0), "{provider:#}");
    }
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let sandbox = Sandbox::with("sample");
    let dry = sandbox.import(["--dry-run"]);
    assert_eq!(dry["dry_run"], true);
    let rows = |report: &Value| report["providers"][0]["items_seen"].as_u64();
    assert_eq!(sandbox.rows("select count(*) from ai_gateway_messages"), ["0"]);
    let real = sandbox.import([]);
    assert_eq!(rows(&dry), rows(&real));
    assert!(total(&real, "rows_written") > 0);
}

#[test]
fn an_unknown_provider_stops_the_run_before_it_begins() {
    let sandbox = Sandbox::with("sample");
    let output = sandbox.hyp(["backfill", "claude", "nosuch", "neither"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("unknown provider(s): nosuch, neither"), "{output}");
    assert!(output.stdout.is_empty());
    assert!(!sandbox.store().join("catalog.db").exists(), "nothing was written");
}

#[test]
fn a_provider_named_twice_runs_once() {
    let report = Sandbox::with("sample").import(["claude", "claude"]);
    assert_eq!(report["providers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_home_without_history_is_no_failure() {
    let sandbox = Sandbox::new();
    let output = sandbox.hyp(["backfill"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stdout.starts_with("backfill run_id=bf-"), "{output}");
    assert!(output.stderr.contains("hyp backfill list"), "{output}");
    let report = sandbox.import([]);
    assert_eq!(report["providers"], serde_json::json!([]));
}

#[test]
fn the_run_id_can_come_from_outside() {
    let mut sandbox = Sandbox::with("claude-one-turn");
    sandbox.set("DEV_RUN_ID", "bf-from-outside");
    assert_eq!(sandbox.import([])["run_id"], "bf-from-outside");
    assert_eq!(
        sandbox.rows("select distinct run_id from ai_gateway_messages"),
        ["bf-from-outside"]
    );
}

#[test]
fn only_the_client_that_is_here_runs() {
    let report = Sandbox::with("codex-one-turn").import([]);
    let providers = report["providers"].as_array().unwrap();
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0]["provider"], "codex");
}

#[test]
fn another_home_is_read_without_the_variables_of_this_one() {
    let theirs = Sandbox::with("claude-one-turn");
    let mut mine = Sandbox::with("sample");
    mine.set("CLAUDE_CONFIG_DIR", mine.home().join(".claude").to_str().unwrap());
    let report = mine.import(["--history-home", theirs.home().to_str().unwrap()]);
    assert_eq!(total(&report, "files_seen"), 1, "{report:#}");
}

#[test]
fn the_report_for_people_keeps_its_first_lines() {
    let mut sandbox = Sandbox::with("claude-one-turn");
    sandbox.set("DEV_RUN_ID", "bf-1");
    let output = sandbox.hyp(["backfill"]);
    let first: Vec<_> = output.stdout.lines().take(3).collect();
    assert_eq!(
        first,
        [
            "backfill run_id=bf-1",
            "  claude  [ok]",
            "    items_seen=1  sessions=1  rows_written=2  rows_skipped=0",
        ],
        "{output}"
    );
    assert!(output.stderr.is_empty(), "{output}");
}

#[test]
fn list_names_the_bundled_providers_and_their_folders() {
    let sandbox = Sandbox::with("claude-one-turn");
    let list = sandbox.hyp(["backfill", "list", "--json"]).json();
    let providers = list["providers"].as_array().unwrap();
    let names: Vec<_> = providers.iter().map(|provider| provider["name"].as_str()).collect();
    #[rustfmt::skip]
    let bundled = [
        "agent-types", "claude", "codex", "cursor", "gemini", "opencode", "pi", "qwen",
        "registry-history", "registry-reprobe", "registry-state", "test-suites",
    ];
    assert_eq!(names, bundled.map(Some));
    for provider in providers {
        assert_eq!(provider["origin"], "bundled");
        assert!(!provider["summary"].as_str().unwrap().is_empty());
    }
    let text = sandbox.hyp(["backfill", "list"]);
    assert!(text.stdout.starts_with("Backfill providers:\n  agent-types  ("), "{text}");
    assert!(!sandbox.store().join("catalog.db").exists());
}

#[test]
fn plan_counts_what_a_run_would_open() {
    let sandbox = Sandbox::with("sample");
    let before = sandbox.hyp(["backfill", "plan", "claude", "--json"]).json();
    let plan = &before["providers"][0];
    assert!(plan["bytes_to_read"].as_u64().unwrap() > 0, "{before:#}");
    assert_eq!(plan["units_unchanged"], 0);
    let newest = plan["newest"].as_str().unwrap();
    assert!(newest.parse::<jiff::Timestamp>().is_ok(), "{newest}");
    sandbox.import([]);
    let after = sandbox.hyp(["backfill", "plan", "claude", "--json"]).json();
    let plan = &after["providers"][0];
    assert_eq!(plan["bytes_to_read"], 0, "{after:#}");
    assert_eq!(plan["units_unchanged"], plan["units"]);
    assert_eq!(sandbox.hyp(["backfill", "plan", "nosuch"]).status, Some(1));
}

#[test]
fn a_prompt_that_only_the_queue_holds_says_where_that_shows() {
    let sandbox = Sandbox::new();
    let below = "projects/-home-ada-engine/5e551047-0000-4000-8000-000000000001.jsonl";
    let case = fixtures().join("claude/queued_prompt_is_only_in_the_queue/in").join(below);
    sandbox.write(&format!(".claude/{below}"), &fs::read(case).unwrap());
    sandbox.import([]);
    let lost = "select count(*) from messages where provider_subtype = 'remove'";
    assert_ne!(sandbox.rows(lost), ["0"]);
    let placeless = "select count(*) from messages where input_offset is null";
    assert_eq!(sandbox.rows(placeless), ["0"]);
}
