//! Tests of `pi`.

use hyp_sdk::testkit;

use crate::{Pi, session};

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Pi>("manifest.json");
}

/// Every folder below `fixtures/pi` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<Pi>("../../fixtures/pi");
}

#[test]
fn the_session_is_named_in_the_files_name() {
    let name = "--home-ada--/2026-03-01T10-00-00-000Z_5e551047.jsonl";
    assert_eq!(session::id_of(name), Some("5e551047"));
    assert_eq!(session::id_of("notes.jsonl"), None);
}

#[test]
fn a_second_file_of_a_session_is_a_unit_of_its_own_and_the_same_thread() {
    let line = r#"{"type":"message","id":"a1","timestamp":"2026-03-01T10:00:01.000Z","message":{"role":"user","content":"hi"}}"#;
    let run = testkit::run_files::<Pi>(&[("--a--/1_s1.jsonl", line), ("--b--/1_s1.jsonl", line)]);
    let units: Vec<&str> = run.units.iter().map(|unit| unit.id.as_str()).collect();
    assert_eq!(units, ["s1", "--b--/1_s1.jsonl"]);
    assert!(run.units.iter().all(|unit| unit.threads()[0].id == "s1"));
}
