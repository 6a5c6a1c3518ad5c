//! Tests of `claude`.

use hyp_sdk::testkit::{self, Run};
use hyp_sdk::{Content, Event, Part, ThreadKind};

use crate::Claude;

const SESSION: &str = "0b5c1f9e-6a77-4f0e-9d0a-1f2e3d4c5b6a";

#[test]
fn the_manifest_says_what_the_component_says() {
    testkit::manifest::<Claude>("manifest.json");
}

/// Every folder below `fixtures/claude` is a case.
#[test]
fn every_fixture_gives_the_events_it_should() {
    testkit::golden::<Claude>("../../fixtures/claude");
}

#[test]
fn whatever_a_file_holds_nothing_fails_and_nothing_is_invented() {
    testkit::vary::<Claude>("../../fixtures/claude");
}

#[test]
fn copies_of_a_folder_are_units_of_their_own_and_one_thread() {
    let path = format!("-src/{SESSION}.jsonl");
    let run = run(&[(&path, USER), (&path, USER), (&path, USER)]);
    let ids: Vec<&str> = run.units.iter().map(|unit| unit.id.as_str()).collect();
    let placed = format!("{SESSION} in -src");
    assert_eq!(ids, [SESSION, &placed, &format!("{placed} (2)")]);
    assert!(run.units.iter().all(|unit| unit.threads()[0].id == SESSION));
}

#[test]
fn each_copy_of_a_sub_agent_has_its_own_note() {
    let path = format!("-src/{SESSION}/subagents/agent-a1");
    let (transcript, meta) = (format!("{path}.jsonl"), format!("{path}.meta.json"));
    let orphan = "-src/x/subagents/agent-a2.meta.json";
    let run = run(&[
        (&transcript, USER),
        (&meta, META),
        (&transcript, USER),
        (&meta, META),
        (orphan, "{}"),
    ]);
    assert!(run.not_planned.is_empty());
    assert_eq!(run.ignored.len(), 1, "the note without a transcript");
    for unit in &run.units {
        let thread = unit.threads()[0];
        assert_eq!(thread.kind, ThreadKind::Subagent);
        assert_eq!(thread.session_id, SESSION);
        assert_eq!(thread.spawned_by_call.as_deref(), Some("toolu_1"));
    }
}

#[test]
fn a_broken_note_beside_a_sub_agent_says_nothing() {
    let path = format!("-src/{SESSION}/subagents/agent-a1");
    let run = run(&[(&format!("{path}.jsonl"), USER), (&format!("{path}.meta.json"), "{\"ag")]);
    let thread = run.units[0].threads()[0];
    assert_eq!((&thread.spawned_by_call, &thread.attributes), (&None, &None));
}

#[test]
fn the_clients_own_requests_are_side_threads() {
    for (agent, kind) in [
        ("agent-acompact-1f", ThreadKind::Side),
        ("agent-aprompt_suggestion-1f", ThreadKind::Side),
        ("agent-aside_question-1f", ThreadKind::Side),
        ("agent-a1f", ThreadKind::Subagent),
    ] {
        let run = run(&[(&format!("-src/{SESSION}/subagents/{agent}.jsonl"), USER)]);
        assert_eq!(run.units[0].threads()[0].kind, kind, "{agent}");
    }
}

#[test]
fn times_that_no_clock_shows_are_no_times() {
    for time in ["1e20", "\"soon\"", "null", "{}"] {
        let line = USER.replace("\"2026-03-01T10:00:00Z\"", time);
        let run = run(&[("-src/s.jsonl", &line)]);
        let message = run.units[0].messages()[0];
        assert_eq!(message.created_at, None, "{time}");
        assert!(matches!(message.parts[0].content, Content::Text(_)));
    }
}

#[test]
fn a_long_result_is_read_as_far_as_a_record_may_be_and_noted_beyond() {
    let transcript = format!("-src/{SESSION}.jsonl");
    let beside = format!("-src/{SESSION}/tool-results/b1.txt");
    let texts = |length: usize| {
        let run = run(&[(&transcript, RESULT), (&beside, &"x".repeat(length))]);
        let unit = &run.units[0];
        let text = |part: &Part| match &part.content {
            Content::Other(Some(text)) => Some(text.value.len()),
            _ => None,
        };
        let lengths: Vec<usize> = unit
            .messages()
            .iter()
            .flat_map(|message| message.parts.iter().filter_map(text))
            .collect();
        let note = |event: &Event| match event {
            Event::Note(note) => Some(note.event.clone()),
            _ => None,
        };
        let notes: Vec<String> = unit.events.iter().filter_map(note).collect();
        (lengths, notes)
    };
    assert_eq!(texts(32 << 20), (vec![32 << 20], vec![]));
    assert_eq!(texts((32 << 20) + 1), (vec![], vec!["result_too_long_to_read".to_owned()]));
}

const RESULT: &str = concat!(
    r#"{"type":"user","uuid":"u2","timestamp":"2026-03-01T10:00:00Z","message":{"role":"user","#,
    r#""content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"<persisted-output>\nOutput "#,
    r#"too large (33MB). Full output saved to: /home/ada/tool-results/b1.txt\n\nPreview"}]}}"#,
    "\n"
);
const USER: &str = concat!(
    r#"{"type":"user","uuid":"u1","timestamp":"2026-03-01T10:00:00Z","#,
    r#""message":{"role":"user","content":"Hello"}}"#,
    "\n"
);
const META: &str = r#"{"agentType":"Explore","toolUseId":"toolu_1"}"#;

fn run(files: &[(&str, &str)]) -> Run {
    testkit::run_files::<Claude>(files)
}
