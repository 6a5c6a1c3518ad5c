//! Values of a registry as databases write them; what a column cannot hold is counted under its name, and stops nobody.

use std::fs;

use serde_json::json;

use super::{Registry, counts, expected};

const HISTORY: &str = "registry-history";

/// Makes a table again without types and constraints, so that it holds what it is given.
fn loosen(registry: &Registry, table: &str, columns: &str) {
    registry.change(&format!(
        "create table loose as select {columns} from {table}; drop table {table}; alter table loose rename to {table};"
    ));
}

#[test]
fn words_for_truth_values_are_read_and_others_are_counted() {
    let registry = Registry::adopted("suites_drifted.sql");
    loosen(&registry, "test_suites", "*");
    registry.change(
        "update test_suites set active = 'true';
         update test_suites set eligible_declared = 'false' where id = 's-free-2-0';
         update test_suites set eligible_declared = 'ON' where id = 's-paid-2-0';
         update test_suites set eligible_declared = 'perhaps' where id = 's-paid-3-0';",
    );
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(
        counts(&told["failed"]),
        expected(&[("malformed: `eligible_declared` is no truth value", 1)])
    );
    assert_eq!(told["source_rows"], 22);
    assert_eq!(
        registry.rows(
            "select id, active, scheduled_testing_eligible from test_suites
             where id in ('s-free-2-0', 's-paid-2-0') order by id"
        ),
        ["s-free-2-0,true,false", "s-paid-2-0,true,true"]
    );
}

#[test]
fn a_dry_run_that_is_written_as_a_word_is_one() {
    let registry = Registry::new("compliance.sql");
    registry.change("update agent_compliance_runs set dry_run = 'true' where id = 'r-hb-1'");
    registry.run("registry-state", &["--commit"]);
    let dry = "select id from agent_compliance_runs where dry_run";
    assert_eq!(registry.rows(dry), ["r-hb-1"]);
}

#[test]
fn keys_that_are_numbers_join_as_texts_do() {
    let registry = Registry::adopted("compliance.sql");
    registry.change(
        "create table ids as select rowid as number, id from agent_contexts;
         update agent_test_history set agent_context_id = coalesce((select number from ids where id = agent_context_id), 99);",
    );
    let users = "unicode(user_id) as user_id";
    loosen(
        &registry,
        "agent_test_history",
        &format!(
            "id, cast(agent_context_id as integer) as agent_context_id, scenario, overall_passed, steps_passed,
             steps_failed, total_duration_ms, summary, dry_run, {users}, agent_profile_json, started_at, completed_at"
        ),
    );
    loosen(&registry, "agent_contexts", "rowid as id, organization_id, agent_url");
    let members = "workos_organization_id, unicode(workos_user_id) + 0.0 as workos_user_id";
    loosen(&registry, "organization_memberships", members);
    let told = registry.run(HISTORY, &[]);
    Registry::assert_history(&told);
}

#[test]
fn tests_of_an_organization_whose_profile_cannot_be_read_are_told_as_that() {
    let registry = Registry::adopted("compliance.sql");
    registry.change("update member_profiles set agents = '[{\"url\":' where id = 'p-quay'");
    let told = registry.run(HISTORY, &["--commit"]);
    assert_eq!(counts(&told["failed"]), expected(&[("malformed: `agents` is no JSON", 1)]));
    let skipped = counts(&told["skipped"]);
    assert_eq!((skipped["unreadable_profile"], skipped["not_owner"]), (9, 6), "{told}");
    assert_eq!(told["source_rows"], 58, "57 tests, and a profile that is broken");
    let ids = "select count(*) from agent_compliance_runs where agent_url like '%quay%'
        and _hyp_source_system = 'agent_test_history'";
    assert_eq!(registry.one(ids), "0");
}

#[test]
fn what_a_column_cannot_hold_is_never_another_value() {
    let registry = Registry::adopted("compliance.sql");
    loosen(&registry, "agent_test_history", "*");
    registry.change(
        "update agent_test_history set total_duration_ms = 1e300 where id = 'pier-03';
         update agent_test_history set total_duration_ms = 12.7 where id = 'pier-04';
         update agent_test_history set total_duration_ms = 12.0 where id = 'pier-05';
         update agent_test_history set steps_passed = 'three' where id = 'pier-06';
         update agent_test_history set steps_passed = '3' where id = 'pier-07';
         update agent_test_history set summary = x'fffe00' where id = 'pier-08';
         update agent_test_history set agent_profile_json = '{not json' where id = 'pier-09';
         update agent_test_history set overall_passed = null where id = 'pier-10';
         update agent_test_history set overall_passed = 'YES' where id = 'pier-11';
         update agent_test_history set completed_at = 1775000000 where id = 'quay-0';",
    );
    let told = registry.run(HISTORY, &["--commit"]);
    assert_eq!(
        counts(&told["failed"]),
        expected(&[
            ("malformed: `agent_profile_json` is no JSON", 1),
            ("malformed: `completed_at` is no time", 1),
            ("malformed: `overall_passed` is null", 1),
            ("malformed: `steps_passed` is no whole number", 1),
            ("malformed: `summary` is no text", 1),
            ("malformed: `total_duration_ms` is no whole number", 2),
        ])
    );
    assert_eq!((&told["items"]["inserted"], &told["source_rows"]), (&23.into(), &57.into()));
    assert_eq!(
        registry.rows(
            "select _hyp_source_id, total_duration_ms, tracks_passed, overall_status from agent_compliance_runs
             where _hyp_source_id in ('pier-05', 'pier-07', 'pier-11') order by 1"
        ),
        ["pier-05,12,4,passing", "pier-07,1200,3,failing", "pier-11,1200,1,passing"]
    );
}

#[test]
fn times_of_databases_are_times() {
    let registry = Registry::adopted("compliance.sql");
    registry.change(
        "update agent_test_history set started_at = '2026-06-05 09:00:00', completed_at = '2026-06-05 09:00:20.5'
             where id = 'pier-04';
         update agent_test_history set started_at = '2026-06-06T09:00:00', completed_at = null where id = 'pier-05';
         update agent_test_history set started_at = '2026-06-07 11:00:00+02' where id = 'pier-06';
         update agent_test_history set started_at = '2026-06-08 09:00:00+0000' where id = 'pier-07';",
    );
    let told = registry.run(HISTORY, &["--commit"]);
    assert_eq!(counts(&told["failed"]), expected(&[]));
    let times = "select to_char(tested_at, '%m-%d %H:%M:%S') from agent_compliance_runs
        where _hyp_source_id in ('pier-04', 'pier-05', 'pier-06', 'pier-07') order by tested_at";
    assert_eq!(
        registry.rows(times),
        ["06-05 09:00:00", "06-06 09:00:00", "06-07 09:00:00", "06-08 09:00:00"]
    );
}

#[test]
fn rows_without_what_they_need_are_counted_and_the_rest_is_adopted() {
    let registry = Registry::new("compliance.sql");
    loosen(&registry, "agent_compliance_runs", "*");
    loosen(&registry, "agent_compliance_status", "*");
    registry.change(
        "update agent_compliance_runs set tested_at = null where id = 'r-hb-0';
         update agent_compliance_runs set agent_url = null where id = 'r-hb-1';
         update agent_compliance_runs set triggered_by = null where id = 'r-hb-2';
         update agent_compliance_runs set triggered_by = 'martian' where id = 'r-hb-3';
         update agent_compliance_runs set overall_status = 'splendid' where id = 'r-manual';
         update agent_compliance_status set status = null where agent_url like '%quay%';
         update agent_compliance_status set status = 'splendid' where agent_url like '%reef%';",
    );
    let told = registry.run("registry-state", &["--commit"]);
    assert_eq!(
        counts(&told["failed"]),
        expected(&[
            ("malformed: `agent_url` is null", 1),
            ("malformed: `overall_status` is none of the words that it may be", 1),
            ("malformed: `status` is none of the words that it may be", 1),
            ("malformed: `status` is null", 1),
            ("malformed: `tested_at` is null", 1),
            ("malformed: `triggered_by` is none of the words that it may be", 1),
            ("malformed: `triggered_by` is null", 1),
        ])
    );
    assert_eq!(registry.one("select count(*) from agent_compliance_runs"), "10");
    assert_eq!(registry.one("select count(*) from agent_compliance_status"), "2");
}

#[test]
fn an_answer_without_a_class_leaves_an_agent_to_be_asked_again() {
    let registry = Registry::new("agents.sql");
    registry.change(
        "update agent_capabilities_snapshot set inferred_type = 'unknown' where agent_url like '%bare-silent%';
         update agent_capabilities_snapshot set inferred_type = '' where agent_url like '%void-silent%';",
    );
    registry.run("registry-state", &["--commit"]);
    let answer = |class: &str| json!({ "inferred_type": class, "elapsed_ms": 5 });
    let answers = json!({
        "https://bare-silent.example/mcp": answer("sales"),
        "https://void-silent.example/mcp": answer("unknown"),
        "https://old-silent.example/mcp": answer(""),
        "https://bare-unseen.example/mcp": answer("gadget"),
    });
    let script = registry.sandbox.beside("answers.json");
    fs::write(&script, answers.to_string()).unwrap();
    registry.settle(&format!("[probe]\nallow = [\"*\"]\nscript = {script:?}\n"));
    let told = registry.run("registry-reprobe", &["--commit"]);
    assert_eq!(told["source_rows"], 14);
    let outcomes = expected(&[("newly_classified.sales", 1), ("still_unknown", 3)]);
    assert_eq!(counts(&told["outcomes"]), outcomes);
    let stored = "select inferred_type from agent_capabilities_snapshot where agent_url in
        ('https://bare-silent.example/mcp', 'https://void-silent.example/mcp', 'https://old-silent.example/mcp',
         'https://bare-unseen.example/mcp') order by agent_url";
    assert_eq!(registry.rows(stored), ["sales", "", "", ""]);
    let none = "select count(*) from agent_capabilities_snapshot
        where inferred_type in ('', 'unknown') or inferred_type = 'gadget' and agent_url like '%unseen%'";
    assert_eq!(registry.one(none), "0");
}

#[test]
fn an_answer_that_names_no_protocol_leaves_the_one_that_is_known() {
    let registry = Registry::adopted("agents.sql");
    let url = "https://old-silent.example/mcp";
    let answer = json!({ "agent_url": url, "inferred_type": "signals" });
    let output = super::record::record(&registry, "registry.probe_result", &answer);
    assert_eq!(output.status, Some(0), "{output}");
    let row = format!(
        "select protocol, inferred_type from agent_capabilities_snapshot where agent_url = '{url}'"
    );
    assert_eq!(registry.rows(&row), ["mcp,signals"]);
}
