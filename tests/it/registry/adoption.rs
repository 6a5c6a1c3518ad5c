//! What the registry holds already is adopted before anything is added to it.

use super::{Registry, changes};

const HISTORY: &str = "registry-history";

/// Runs a provider, which must be refused, and returns why.
fn refused(registry: &Registry, provider: &str, more: &[&str]) -> String {
    let output = registry.try_run(provider, more);
    assert_eq!(output.status, Some(3), "{output}");
    let told = changes(&output);
    assert_eq!(told["committed"], false, "{output}");
    told["refused"].as_str().unwrap().to_owned()
}

#[test]
fn an_import_waits_for_what_the_registry_holds_already() {
    let registry = Registry::new("compliance.sql");
    for more in [&["--commit"][..], &[], &["--dry-run"]] {
        let told = refused(&registry, HISTORY, more);
        assert!(told.contains("`agent_compliance_runs` of `[sources.registry]`"), "{told}");
        assert!(told.contains("(15, the first is `"), "{told}");
        let then = "first, `hyp backfill registry-state --commit` adopts them; those that it tells as failed have to be mended \
                    in the source";
        assert!(told.ends_with(then), "{told}");
        assert!(!told.contains('\n'), "{told}");
    }
    let dry = registry.try_run(HISTORY, &["--dry-run"]).json();
    assert_eq!(dry.get("fingerprint"), None, "what is refused cannot be applied");
    assert_eq!(registry.sandbox.hyp(["query", "schema", "agent_compliance_runs"]).status, Some(1));
    registry.run("registry-state", &["--commit"]);
    assert_eq!(registry.run(HISTORY, &["--commit"])["items"]["inserted"], 30);
}

#[test]
fn what_the_registry_recorded_since_is_adopted_first_as_well() {
    let registry = Registry::adopted("compliance.sql");
    registry.change(
        "insert into agent_compliance_runs select 'r-since', agent_url, lifecycle_stage, overall_status, headline,
         total_duration_ms, tested_at, tracks_json, tracks_passed, tracks_failed, tracks_skipped, tracks_partial,
         agent_profile_json, observations_json, triggered_by, triggered_org_id, dry_run
         from agent_compliance_runs where id = 'r-live-4'",
    );
    let told = refused(&registry, HISTORY, &["--commit"]);
    assert!(told.contains("(1, the first is `r-since`)"), "{told}");
}

#[test]
fn both_in_one_command_make_no_twins_in_either_order() {
    for order in [["registry-history", "registry-state"], ["registry-state", "registry-history"]] {
        let registry = Registry::new("compliance.sql");
        let output = registry.sandbox.hyp(["backfill", order[0], order[1], "--commit", "--json"]);
        let is_first = order[0] == HISTORY;
        assert_eq!(output.status, Some(if is_first { 3 } else { 0 }), "{output}");
        registry.run(HISTORY, &["--commit"]);
        assert_eq!(registry.one("select count(*) from agent_compliance_runs"), "45", "{order:?}");
    }
}

#[test]
fn a_view_in_the_place_of_a_table_is_told_and_nothing_is_adopted() {
    let registry = Registry::new("compliance.sql");
    registry.change(
        "alter table agent_compliance_runs rename to kept_elsewhere;
         create view agent_compliance_runs as select * from kept_elsewhere;",
    );
    for provider in ["registry-state", HISTORY] {
        let told = refused(&registry, provider, &["--commit"]);
        assert!(
            told.starts_with("`agent_compliance_runs` of `[sources.registry]` is a view"),
            "{told}"
        );
    }
    assert_eq!(registry.rows("select status from runs"), ["refused", "refused"]);
}

#[test]
fn a_table_that_is_not_granted_is_to_be_granted_and_adopted() {
    let registry = Registry::new("compliance.sql");
    registry.grant(&[
        "agent_test_history.*",
        "agent_contexts.*",
        "organization_memberships.*",
        "member_profiles.*",
        "agent_registry_metadata.*",
    ]);
    let told = refused(&registry, HISTORY, &["--commit"]);
    assert!(told.contains("first grant `agent_compliance_runs.*`"), "{told}");
    registry.change("delete from agent_compliance_runs; delete from agent_compliance_status;");
    assert_eq!(registry.run(HISTORY, &["--commit"])["items"]["inserted"], 41, "none is held");
}

#[test]
fn a_run_that_was_imported_and_recorded_fails_the_check() {
    let registry = Registry::adopted("compliance.sql");
    let told = registry.run(HISTORY, &["--commit", "--recover-unmatched"]);
    let check = &told["checks"][1];
    assert_eq!(
        (&check["name"], &check["found"]),
        (&"no live twin among imported runs".into(), &0.into())
    );
    // Whoever says another cutover imports what was recorded live.
    let output = registry.try_run(HISTORY, &["--commit", "--cutover", "2999-01-01T00:00:00Z"]);
    assert_eq!(output.status, Some(1), "{output}");
    let error = output.json()["providers"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("no live twin among imported runs"), "{error}");
}
