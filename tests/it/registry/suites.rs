//! Which test suites run on schedule.

use super::{Registry, counts, expected};

const OVERDUE: &str = "select distinct capability_slug from suites_due
    where due_at is null or due_at < timestamp '2026-06-11T12:00:00Z' order by 1";

const ELIGIBLE: &str =
    "select test_name from test_suites where scheduled_testing_eligible order by 1";

#[test]
fn a_column_that_is_new_is_derived_from_what_suites_cost() {
    let registry = Registry::adopted("suites.sql");
    assert_eq!(registry.rows(ELIGIBLE), Vec::<String>::new(), "nothing runs before it is derived");
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(told["datasets"]["test_suites"]["updated"], 14);
    assert_eq!(counts(&told["outcomes"]), expected(&[("unknown_cost", 1)]));
    let free = "select test_name from test_suites where external_cost_cents = 0 order by 1";
    assert_eq!(registry.rows(ELIGIBLE), registry.rows(free));
    assert_eq!(registry.rows(ELIGIBLE).len(), 14);
    let unknown = "select test_name from suites_skipped where external_cost_cents is null";
    assert_eq!(registry.rows(unknown), ["no-cost-0"], "what costs nobody knows what is listed");
    assert_eq!(registry.run("test-suites", &["--commit"])["datasets"]["test_suites"]["updated"], 0);
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
    let registry = Registry::adopted("suites_drifted.sql");
    let times = "select id, updated_at from test_suites order by id";
    let before = registry.rows(times);
    let eligible = registry.rows(ELIGIBLE);
    let free = "select test_name from test_suites where external_cost_cents = 0 order by 1";
    let free = registry.rows(free);
    // As many as by what they cost, and yet four are others: sets tell it, counts do not.
    assert_eq!((eligible.len(), free.len()), (14, 14));
    let mut others: Vec<&String> = eligible.iter().filter(|name| !free.contains(name)).collect();
    others.extend(free.iter().filter(|name| !eligible.contains(name)));
    others.sort();
    assert_eq!(others, ["free-0-0", "free-1-0", "paid-0-0", "paid-1-0"]);
    let planned = registry.run("test-suites", &[]);
    let planned = planned["changes"].as_array().unwrap().iter();
    let line = |it: &serde_json::Value| {
        format!("{} {} {}: {} -> {}", it["event"], it["key"], it["column"], it["old"], it["new"])
    };
    let column = "\"scheduled_testing_eligible\"";
    assert_eq!(
        planned.map(line).collect::<Vec<_>>(),
        [
            format!("\"update\" [\"s-free-0-0\"] {column}: false -> true"),
            format!("\"update\" [\"s-free-2-0\"] {column}: true -> false"),
            format!("\"update\" [\"s-paid-0-0\"] {column}: true -> false"),
        ]
    );
    let told = registry.run("test-suites", &["--commit"]);
    assert_eq!(told["datasets"]["test_suites"]["updated"], 3);
    let after = registry.rows(ELIGIBLE);
    let changed: Vec<&String> = eligible
        .iter()
        .filter(|name| !after.contains(name))
        .chain(after.iter().filter(|name| !eligible.contains(name)))
        .collect();
    assert_eq!(changed, ["free-2-0", "paid-0-0", "free-0-0"]);
    assert_eq!(after.len(), 13);
    assert_eq!(told["source_rows"], 22);
    assert_eq!(registry.rows(times), before, "what is derived touches no time");
    assert_eq!(registry.run("test-suites", &["--commit"])["datasets"]["test_suites"]["updated"], 0);
}
