//! What is recorded as it happens follows the rules that imports follow.

use std::fs;

use serde_json::{Value, json};

use super::Registry;
use crate::sandbox::Output;

pub(super) fn record(registry: &Registry, kind: &str, item: &Value) -> Output {
    let path = registry.sandbox.beside("item.json");
    fs::write(&path, item.to_string()).unwrap();
    registry.sandbox.hyp(["record", kind, "--json", path.to_str().unwrap()])
}

fn test(agent: &str, at: &str, passed: bool, more: &Value) -> Value {
    let mut item = json!({
        "agent_url": format!("https://{agent}.example/mcp"), "tested_at": at, "passed": passed, "summary": "live",
        "steps_passed": 1, "steps_failed": 0, "is_owner": true,
    });
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

#[test]
fn the_newest_run_says_what_holds_whoever_wrote_it() {
    for rule in ["newer-wins", "keep", "fill-missing", "last-write-wins"] {
        let registry = Registry::adopted("compliance.sql");
        registry.settle(&format!("[datasets.agent_compliance_status]\non_conflict = \"{rule}\"\n"));
        registry.run("registry-history", &["--commit"]);
        // An agent whose status was adopted, and one that nobody tested before.
        for agent in ["buoy", "far"] {
            for (day, passed, by) in
                [("14", false, "owner_test"), ("15", true, "heartbeat"), ("16", false, "heartbeat")]
            {
                let at = format!("2026-07-{day}T00:00:00Z");
                let item = test(agent, &at, passed, &json!({ "triggered_by": by }));
                let output = record(&registry, "registry.test_run", &item);
                assert_eq!(output.status, Some(0), "{output}");
                let status = registry.one(&format!(
                    "select status || ' ' || last_triggered_by from agent_compliance_status where agent_url like '%{agent}%'"
                ));
                let verdict = if passed { "passing" } else { "failing" };
                assert_eq!(status, format!("{verdict} {by}"), "{rule}, {agent}");
            }
        }
        let older = test("buoy", "2026-07-10T00:00:00Z", true, &json!({}));
        record(&registry, "registry.test_run", &older);
        let expected = match rule {
            "last-write-wins" => "buoy passing live 07-10 07-15 07-16",
            _ => "buoy failing live 07-16 07-15 07-16",
        };
        assert_eq!(registry.status()[0], expected, "{rule}");
    }
}

#[test]
fn a_word_that_is_not_in_a_columns_set_is_refused_by_the_host() {
    let registry = Registry::adopted("compliance.sql");
    let before = (registry.status(), registry.one("select count(*) from agent_compliance_runs"));
    let run = json!({
        "id": "r-1", "agent_url": "https://buoy.example/mcp", "overall_status": "passing",
        "tested_at": "2026-07-14T00:00:00Z", "triggered_by": "martian",
    });
    let status = json!({
        "agent_url": "https://buoy.example/mcp", "status": "splendid", "last_checked_at": "2026-07-14T00:00:00Z",
    });
    let wrong = [
        (
            "registry.compliance_run",
            run,
            "`triggered_by` is one of heartbeat, owner_test, manual, webhook, not `martian`",
        ),
        (
            "registry.compliance_status",
            status,
            "`status` is one of passing, degraded, failing, unknown, not `splendid`",
        ),
    ];
    for (kind, item, told) in wrong {
        let output = record(&registry, kind, &item);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stderr.contains(told), "{output}");
    }
    assert_eq!(
        (registry.status(), registry.one("select count(*) from agent_compliance_runs")),
        before
    );
}

#[test]
fn others_than_owners_and_who_opted_out_leave_the_canonical_state_alone() {
    let registry = Registry::adopted("compliance.sql");
    let before = (registry.one("select count(*) from agent_compliance_runs"), registry.status());
    let stranger =
        test("pier", "2026-07-14T00:00:00Z", false, &json!({ "is_owner": false, "id": "t-1" }));
    assert_eq!(record(&registry, "registry.test_run", &stranger).status, Some(0));
    let opted_out = test("shoal", "2026-07-14T00:00:00Z", false, &json!({ "opted_out": true }));
    assert_eq!(record(&registry, "registry.test_run", &opted_out).status, Some(0));
    assert_eq!(
        (registry.one("select count(*) from agent_compliance_runs"), registry.status()),
        before
    );
    assert_eq!(
        registry.rows("select id, agent_url, passed from agent_test_history"),
        ["t-1,https://pier.example/mcp,false"]
    );
}

#[test]
fn a_test_that_does_not_say_how_it_went_is_refused() {
    let registry = Registry::adopted("compliance.sql");
    let before = registry.status();
    let wrong = [
        (json!({ "passed": 1 }), "`passed` has to be true or false"),
        (json!({ "passed": null }), "`passed` has to be true or false"),
        (json!({ "is_owner": "true" }), "`is_owner` has to be true or false"),
        (json!({ "triggered_by": "martian" }), "`triggered_by` is one of heartbeat"),
    ];
    for (more, told) in wrong {
        let item = test("buoy", "2026-07-14T00:00:00Z", true, &more);
        let output = record(&registry, "registry.test_run", &item);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stderr.contains(told), "{output}");
    }
    assert_eq!(registry.status(), before);
}

#[test]
fn a_run_with_the_id_of_another_one_changes_no_status() {
    let registry = Registry::adopted("compliance.sql");
    let first = test("buoy", "2026-07-14T00:00:00Z", true, &json!({ "id": "r-1" }));
    assert_eq!(record(&registry, "registry.test_run", &first).status, Some(0));
    let before = registry.status();
    let other = test("pier", "2026-07-15T00:00:00Z", false, &json!({ "id": "r-1" }));
    assert_eq!(record(&registry, "registry.test_run", &other).status, Some(0));
    assert_eq!(registry.status(), before);
}

#[test]
fn a_run_is_the_same_row_recorded_or_imported() {
    let columns = "select * exclude (id, _hyp_run_id, _hyp_source_system, _hyp_source_id)
        from agent_compliance_runs where headline = 'buoy-3'";
    let imported = Registry::adopted("compliance.sql");
    imported.run("registry-history", &["--commit"]);
    let recorded = Registry::new("compliance.sql");
    let item = json!({
        "agent_url": "https://buoy.example/mcp", "organization": "o-buoy", "user": "di", "passed": false,
        "steps_passed": 1, "steps_failed": 3, "duration_ms": 700, "summary": "buoy-3", "source_dry_run": true,
        "agent_profile": r#"{"agent": "buoy-3"}"#, "tested_at": "2026-07-04T08:00:00Z", "scenario": "nightly", "is_owner": true,
    });
    let output = record(&recorded, "registry.test_run", &item);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(recorded.rows(columns), imported.rows(columns));
    assert_eq!(recorded.rows(columns).len(), 1);
}

#[test]
fn an_import_leaves_out_what_was_recorded_since() {
    let registry = Registry::adopted("compliance.sql");
    let item = test("pier", "2026-06-10T09:00:00Z", true, &json!({}));
    record(&registry, "registry.test_run", &item);
    let told = registry.run("registry-history", &[]);
    assert_eq!(told["cutover"]["at"], 1_781_082_000_000_000_i64, "2026-06-10T09:00:00Z");
    assert!(told["items"]["after_cutover"].as_u64().unwrap() > 8);
}

#[test]
fn what_is_recorded_between_plan_and_commit_moves_the_cutover() {
    let registry = Registry::adopted("compliance.sql");
    let fingerprint = || {
        let dry = registry.try_run("registry-history", &["--dry-run"]);
        dry.json()["fingerprint"].as_str().unwrap().to_owned()
    };
    let (planned, asked) = (registry.run("registry-history", &[]), fingerprint());
    let item = test("pier", "2026-06-10T09:00:00Z", true, &json!({}));
    assert_eq!(record(&registry, "registry.test_run", &item).status, Some(0));
    let stale = registry.sandbox.hyp(["backfill", "--apply", &asked]);
    assert_eq!(stale.status, Some(3), "{stale}");
    let told = registry.run("registry-history", &["--commit"]);
    assert!(told["cutover"]["at"].as_i64() < planned["cutover"]["at"].as_i64(), "{told}");
    let twins = "select count(*) from agent_compliance_runs a join agent_compliance_runs b
        on a.agent_url = b.agent_url and a.tested_at = b.tested_at and a.id < b.id
        and a._hyp_source_system <> b._hyp_source_system where a.tested_at >= timestamp '2026-06-10T09:00:00Z'";
    assert_eq!(registry.one(twins), "0");
}

#[test]
fn what_a_crawler_finds_does_not_replace_a_known_type() {
    let registry = Registry::adopted("agents.sql");
    let item = json!({
        "profile_id": "p-lathe", "position": 0, "agent_url": "https://lathe.example/mcp", "inferred_type": "sales",
    });
    for _ in 0..2 {
        assert_eq!(record(&registry, "registry.agent_type_evidence", &item).status, Some(0));
    }
    let kept = "select type from member_agents where profile_id = 'p-lathe'";
    assert_eq!(registry.one(kept), "buying");
    let log = "select event, source, old_type, new_type from type_reclassification_log";
    assert_eq!(
        registry.rows(log),
        ["disagree,crawler_promote,buying,sales"],
        "seen twice, noted once"
    );
}

#[test]
fn what_cannot_be_recorded_is_told_and_nothing_is_written() {
    let registry = Registry::adopted("compliance.sql");
    let none = record(&registry, "registry.nothing", &json!({}));
    assert_eq!(none.status, Some(1));
    assert!(
        none.stderr.contains("no materializer takes items of kind `registry.nothing`"),
        "{none}"
    );
    let timeless = test("pier", "some day", true, &json!({}));
    let output = record(&registry, "registry.test_run", &timeless);
    assert_eq!(output.status, Some(1));
    let words = "materializer `registry-compliance`: column `tested_at` of dataset `agent_compliance_runs` cannot hold what it was given";
    assert!(output.stderr.contains(words), "{output}");
    assert_eq!(registry.one("select count(*) from agent_compliance_runs"), "15");
}

#[test]
fn a_report_names_its_run_and_its_kind() {
    let registry = Registry::adopted("compliance.sql");
    let path = registry.sandbox.beside("item.json");
    let item = test("buoy", "2026-07-14T00:00:00Z", true, &json!({}));
    fs::write(&path, item.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let args = ["record", "registry.test_run", "--json", path, "--report-json"];
    let told = registry.sandbox.hyp(args).json();
    assert_eq!(told["kind"], "registry.test_run", "{told:#}");
    assert_eq!(told["committed"], true, "{told:#}");
    let run = told["run_id"].as_str().unwrap();
    let kind = registry.one(&format!("select kind from runs where run_id = '{run}'"));
    assert_eq!(kind, "record");
}
