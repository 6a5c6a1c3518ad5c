//! Which test suites run on schedule.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Registry, counts, expected};

const OVERDUE: &str = "select distinct capability_slug from suites_due
    where due_at is null or due_at < timestamp '2026-06-11T12:00:00Z' order by 1";

const ELIGIBLE: &str =
    "select test_name from test_suites where scheduled_testing_eligible order by 1";

/// Adopts what a fixture holds; returns the run that did, and what was derived by the next one.
fn adopted(fixture: &str) -> (Registry, Value) {
    let registry = Registry::new(fixture);
    let told = registry.try_run("registry-state", &["--commit"]);
    assert_eq!(told.status, Some(0), "{told}");
    (registry, told.json()["derived"].clone())
}

#[test]
fn a_column_that_is_new_is_derived_from_what_suites_cost() {
    let (registry, derived) = adopted("suites.sql");
    assert_eq!(
        (&derived[0]["dataset"], &derived[0]["updated"]),
        (&json!("test_suites"), &json!(14))
    );
    let checks = derived[0]["checks"].as_array().unwrap();
    let found: Vec<&Value> = checks.iter().map(|check| &check["found"]).collect();
    assert_eq!(found, [0, 0], "{derived}");
    let free = "select test_name from test_suites where external_cost_cents = 0 order by 1";
    assert_eq!(registry.rows(ELIGIBLE), registry.rows(free));
    assert_eq!(registry.rows(ELIGIBLE).len(), 14);
    let unknown = "select test_name from suites_skipped where external_cost_cents is null";
    assert_eq!(registry.rows(unknown), ["no-cost-0"], "what costs nobody knows what is listed");
    let again = registry.try_run("registry-state", &["--commit"]);
    assert_eq!(again.json()["derived"], Value::Null, "{again}");
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(told["datasets"]["test_suites"]["updated"], 0);
    assert_eq!(counts(&told["outcomes"]), expected(&[("unknown_cost", 1)]));
}

#[test]
fn the_same_capabilities_are_due_as_by_cost() {
    let registry = Registry::adopted("suites.sql");
    registry.run("test-suites", &["--commit"]);
    let by_cost = "select distinct c.slug from capabilities c join test_suites s on s.capability_slug = c.slug
        where s.active and c.is_active and s.external_cost_cents = 0 and (c.last_tested_at is null or
            c.last_tested_at + case s.test_status when 'upstream_broken' then interval '24 hours'
                when 'quarantined' then interval '168 hours' else interval '1 hour' end < timestamp '2026-06-11T12:00:00Z') order by 1";
    let due = registry.rows(OVERDUE);
    assert_eq!((&due, due.len()), (&registry.rows(by_cost), 10));
    assert_eq!(registry.one("select count(distinct capability_slug) from suites_due"), "12");
    assert_eq!(registry.one("select count(distinct capability_slug) from suites_skipped"), "8");
    assert_eq!(registry.one("select capabilities from suites_skipped_count"), "8");
}

#[test]
fn capabilities_are_counted_that_should_have_been_tested_by_now() {
    let registry = Registry::adopted("suites.sql");
    registry.run("test-suites", &["--commit"]);
    let count = || registry.one("select capabilities from suites_overdue_count");
    assert_eq!(count(), "12");
    registry.change("update capabilities set last_tested_at = '2999-01-01T00:00:00Z' where slug in ('free-0', 'free-1')");
    registry.run("registry-state", &["--commit"]);
    assert_eq!(count(), "10", "what was tested a moment ago is not due yet");
    assert_eq!(registry.one("select count(distinct capability_slug) from suites_due"), "12");
}

#[test]
fn what_is_declared_stands_and_what_drifted_comes_back() {
    let (registry, derived) = adopted("suites_drifted.sql");
    assert_eq!(derived[0]["updated"], 3, "{derived}");
    let shown = registry.sandbox.hyp([
        "runs",
        "show",
        derived[0]["run_id"].as_str().unwrap(),
        "--changes",
        "--json",
    ]);
    let told = shown.json();
    let line =
        |it: &Value| format!("{} {}: {} -> {}", it["key"], it["column"], it["old"], it["new"]);
    let mut changes: Vec<String> = told["changes"].as_array().unwrap().iter().map(line).collect();
    changes.sort();
    let column = "\"scheduled_testing_eligible\"";
    assert_eq!(
        changes,
        [
            format!("[\"s-free-0-0\"] {column}: false -> true"),
            format!("[\"s-free-2-0\"] {column}: true -> false"),
            format!("[\"s-paid-0-0\"] {column}: true -> false"),
        ]
    );
    // In the registry, as many ran on schedule as cost nothing, and yet four were others: sets tell it, counts do not.
    let source = Connection::open(registry.source()).unwrap();
    let names = |condition: &str| -> Vec<String> {
        let sql = format!("select test_name from test_suites where {condition} order by 1");
        let mut asked = source.prepare(&sql).unwrap();
        asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (before, free) = (names("scheduled_testing_eligible"), names("external_cost_cents = 0"));
    assert_eq!((before.len(), free.len()), (14, 14));
    let mut others: Vec<&String> = before.iter().filter(|name| !free.contains(name)).collect();
    others.extend(free.iter().filter(|name| !before.contains(name)));
    others.sort();
    assert_eq!(others, ["free-0-0", "free-1-0", "paid-0-0", "paid-1-0"]);

    let after = registry.rows(ELIGIBLE);
    assert_eq!(after.len(), 13);
    let left = before.iter().filter(|name| !after.contains(name));
    let changed: Vec<&String> =
        left.chain(after.iter().filter(|name| !before.contains(name))).collect();
    assert_eq!(changed, ["free-2-0", "paid-0-0", "free-0-0"]);
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(
        (&told["source_rows"], &told["datasets"]["test_suites"]["updated"]),
        (&json!(22), &json!(0))
    );
    let times = registry.rows("select id, updated_at from test_suites order by id");
    let known =
        "select id || ',' || replace(updated_at, 'Z', '.000000Z') from test_suites order by id";
    let mut asked = source.prepare(known).unwrap();
    let known: Vec<String> =
        asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(times, known, "what is derived touches no time");
}

#[test]
fn a_plan_is_done_though_columns_have_to_be_derived_first() {
    let mut registry = Registry::new("suites.sql");
    registry.sandbox.set("HYP_FAILPOINT", "after_catalog:abort:1");
    let died = registry.try_run("registry-state", &["--commit"]);
    assert_ne!(died.status, Some(0), "{died}");
    registry.sandbox.set("HYP_FAILPOINT", "");
    assert_eq!(registry.rows(ELIGIBLE), Vec::<String>::new(), "it died before that");
    let planned = registry.try_run("test-suites", &["--dry-run"]).json();
    let fingerprint = planned["fingerprint"].as_str().unwrap().to_owned();
    let args = ["backfill", "--apply", &fingerprint, "--json"];
    let done = registry.sandbox.hyp(args);
    assert_eq!(done.status, Some(0), "{done}");
    assert_eq!(done.json()["derived"][0]["updated"], 14, "{done}");
    assert_eq!(registry.rows(ELIGIBLE).len(), 14);
}

#[test]
fn what_a_suite_costs_now_is_planned_with_what_follows_from_it() {
    let registry = Registry::adopted("suites.sql");
    registry.change("update test_suites set external_cost_cents = 5 where id = 's-free-3-0'");
    let planned = registry.run("test-suites", &[]);
    let line = |it: &Value| {
        format!("{} {} {}: {} -> {}", it["event"], it["key"], it["column"], it["old"], it["new"])
    };
    let planned: Vec<String> = planned["changes"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(
        planned,
        [
            "\"update\" [\"s-free-3-0\"] \"external_cost_cents\": 0 -> 5",
            "\"update\" [\"s-free-3-0\"] \"scheduled_testing_eligible\": true -> false",
        ]
    );
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(told["datasets"]["test_suites"]["updated"], 1);
    assert_eq!(registry.rows(ELIGIBLE).len(), 13);
    assert_eq!(registry.run("test-suites", &["--commit"])["datasets"]["test_suites"]["updated"], 0);
}
