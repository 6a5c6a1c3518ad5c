//! Views over runs, and what the runbook has people ask of the store.

use std::fs;

use serde_json::json;

use super::Registry;
use super::record::record;

#[test]
fn the_verdict_of_an_agent_has_the_source_of_its_newest_run() {
    let registry = Registry::new("compliance.sql");
    registry.change(
        "update agent_compliance_runs set agent_url = 'https://cove.example/mcp', triggered_by = 'manual',
           tested_at = '2026-08-01T00:00:00Z' where id = 'r-live-4';
         update agent_compliance_runs set agent_url = 'https://reef.example/mcp', dry_run = 1,
           tested_at = '2026-08-09T00:00:00Z' where id = 'r-live-3';",
    );
    registry.run("registry-state", &["--commit"]);
    for (agent, by) in
        [("buoy", "owner_test"), ("pier", "heartbeat"), ("quay", "manual"), ("reef", "webhook")]
    {
        let item = json!({
            "agent_url": format!("https://{agent}.example/mcp"), "tested_at": "2026-08-02T00:00:00Z", "passed": true,
            "is_owner": true, "triggered_by": by,
        });
        let output = record(&registry, "registry.test_run", &item);
        assert_eq!(output.status, Some(0), "{output}");
    }
    assert_eq!(
        registry.rows(
            "select substr(agent_url, 9, 4), coalesce(verdict_source, 'null'), label from compliance_latest order by 1"
        ),
        [
            "buoy,owner_test,your test",
            "cove,manual,manual",
            "pier,heartbeat,heartbeat",
            "quay,manual,manual",
            "reef,webhook,webhook",
        ]
    );
}

#[test]
fn the_runbook_says_how_to_export_what_was_imported_and_it_works() {
    let registry = Registry::adopted("compliance.sql");
    registry.run("registry-history", &["--commit"]);
    let runbook =
        fs::read_to_string(crate::sandbox::repository().join("docs/runbook-backfill.md")).unwrap();
    let told =
        runbook.lines().map(str::trim).find(|line| line.starts_with("hyp query sql ")).unwrap();
    let (sql, rest) = told.strip_prefix("hyp query sql \"").unwrap().split_once('"').unwrap();
    let (flags, file) = rest.rsplit_once(' ').unwrap();
    assert_eq!(flags.trim(), "--format csv -o");
    let file = registry.sandbox.beside(file);
    let output = registry.sandbox.hyp([
        "query",
        "sql",
        sql,
        "--format",
        "csv",
        "-o",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.status, Some(0), "{output}");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!((text.lines().next(), text.lines().count()), (Some("id"), 1 + 33), "{text}");
}
