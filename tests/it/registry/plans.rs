//! What a dry run told is done, and a killed run is gone on with, as long as all that decided is as it was.

use std::fs;

use super::Registry;
use crate::sandbox::Output;

const REPROBE: &str = "registry-reprobe";
const HISTORY: &str = "registry-history";

/// Everything that these providers read of the fixtures.
const GRANTS: [&str; 7] = [
    "agent_test_history.*",
    "agent_contexts.*",
    "organization_memberships.*",
    "member_profiles.*",
    "agent_registry_metadata.*",
    "agent_compliance_runs.*",
    "agent_compliance_status.*",
];

/// Returns a message as it was before it was wrapped where the line ends.
fn said(output: &Output) -> String {
    assert_eq!(output.status, Some(3), "{output}");
    output.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_is_not_done_once_other_agents_may_be_asked_or_answer_otherwise() {
    let registry = Registry::adopted("agents.sql");
    let answers = registry.sandbox.beside("answers.json");
    let answer = |kind: &str| {
        let answers_text =
            format!("{{\"https://bare-silent.example/mcp\":{{\"inferred_type\":{kind:?}}}}}");
        fs::write(&answers, answers_text).unwrap();
    };
    let allow = |allowed: &str| {
        registry.settle(&format!("[probe]\nallow = [{allowed:?}]\nscript = {answers:?}\n"));
    };
    let (before, apply) = (registry.files(), |fingerprint: &str| {
        registry.sandbox.hyp(["backfill", "--apply", fingerprint])
    });
    answer("sales");
    allow("*");
    let dry = registry.try_run(REPROBE, &["--dry-run"]).json();
    let fingerprint = dry["fingerprint"].as_str().unwrap();

    answer("creative");
    let told = said(&apply(fingerprint));
    assert!(told.contains("the answers of `[probe] script` changed"), "{told}");
    answer("sales");
    allow("https://bare-silent.example");
    let told = said(&apply(fingerprint));
    assert!(told.contains("what `[probe]` allows changed"), "{told}");
    allow("*");
    assert!(registry.files() == before, "nothing was written");
    assert_eq!(apply(fingerprint).status, Some(0), "all is as it was");
}

#[test]
fn a_plan_is_not_done_once_something_else_is_granted() {
    let registry = Registry::adopted("compliance.sql");
    registry.grant(&GRANTS);
    let dry = registry.try_run(HISTORY, &["--dry-run"]).json();
    registry.grant(&[&GRANTS[..], &["other.*"]].concat());
    let applied =
        registry.sandbox.hyp(["backfill", "--apply", dry["fingerprint"].as_str().unwrap()]);
    let told = said(&applied);
    assert!(told.contains("what `[sources.registry]` grants changed"), "{told}");
}

#[test]
fn a_killed_run_is_not_gone_on_with_once_something_else_is_granted() {
    let mut registry = Registry::adopted("compliance.sql");
    registry.grant(&GRANTS);
    registry.sandbox.set("HYP_FAILPOINT", "after_catalog:abort:2");
    let died = registry.try_run(HISTORY, &["--commit", "--chunk-size", "7"]);
    assert_ne!(died.status, Some(0), "{died}");
    registry.sandbox.set("HYP_FAILPOINT", "");
    let run = registry.one("select run_id from runs where status <> 'ok'");
    registry.grant(&[&GRANTS[..], &["other.*"]].concat());
    let told = said(&registry.sandbox.hyp(["runs", "resume", &run]));
    assert!(told.contains("what `[sources.registry]` grants changed"), "{told}");
    registry.grant(&GRANTS);
    assert_eq!(registry.sandbox.hyp(["runs", "resume", &run]).status, Some(0));
}

#[test]
fn a_dry_run_that_failed_is_not_offered_to_be_done() {
    let registry = Registry::adopted("compliance.sql");
    registry.change("drop table agent_test_history");
    let output = registry.sandbox.hyp(["backfill", HISTORY, "--dry-run"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(!output.stdout.contains("fingerprint="), "{output}");
    assert!(!output.stderr.contains("--apply"), "{output}");
}
