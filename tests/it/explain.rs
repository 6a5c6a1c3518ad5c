//! Where a row comes from, and why it stands.

use std::fs;

use serde_json::{Value, json};

use crate::lines::{Claude, codex};
use crate::sandbox::{Sandbox, files};

const FIRST: &str = "11111111-0000-4000-8000-000000000001";
const SECOND: &str = "22222222-0000-4000-8000-000000000002";

fn explain(sandbox: &Sandbox, id: &str) -> Value {
    let output = sandbox.hyp(["explain", id, "--json"]);
    assert_eq!(output.status, Some(0), "{output}");
    let text = sandbox.hyp(["explain", id]);
    assert_eq!(text.status, Some(0), "{text}");
    output.json()
}

/// Returns the bytes that a sighting points at.
fn record(found: &Value, sighting: &Value) -> String {
    let input = &found["inputs"][sighting["input_id"].as_str().unwrap()];
    let bytes = fs::read(input["path"].as_str().unwrap()).unwrap();
    let at = |name: &str| usize::try_from(sighting[name].as_u64().unwrap()).unwrap();
    let (offset, length) = (at("offset"), at("length"));
    String::from_utf8(bytes[offset..offset + length].to_vec()).unwrap()
}

#[test]
fn a_row_of_one_recording_was_seen_nowhere_else() {
    let sandbox = Sandbox::new();
    Claude::new(FIRST).says("u-1", "How high?").write(&sandbox);
    sandbox.import([]);
    let found = explain(&sandbox, "u-1#0");
    let part = &found["parts"][0];
    assert_eq!(part["rule"], "only_copy");
    assert_eq!(part["sightings"].as_array().unwrap().len(), 1);
    assert!(record(&found, &part["sightings"][0]).contains("How high?"));
    assert_eq!(part["sightings"][0]["accounted_as"], "written");
    let input = &found["inputs"][part["sightings"][0]["input_id"].as_str().unwrap()];
    assert_eq!(input["accounting"]["written"], input["size"]);
}

#[test]
fn a_part_of_two_threads_is_of_the_one_that_began_first() {
    let sandbox = Sandbox::new();
    Claude::new(FIRST).says("u-1", "How high?").write(&sandbox);
    Claude::new(SECOND).says("u-1", "How high?").says("u-2", "And now?").write(&sandbox);
    sandbox.import([]);
    let found = explain(&sandbox, "u-1");
    let part = &found["parts"][0];
    assert_eq!(part["rule"], "earliest_thread", "{part:#}");
    let seen: Vec<_> = part["sightings"].as_array().unwrap().iter().collect();
    let threads: Vec<_> = seen.iter().map(|it| it["thread_id"].as_str().unwrap()).collect();
    assert_eq!(threads, [FIRST, SECOND]);
    assert_eq!(seen[1]["accounted_as"], "stored_already");
    for sighting in seen {
        assert!(record(&found, sighting).contains("u-1"), "{found:#}");
    }
}

#[test]
fn an_original_that_comes_after_its_fork_took_the_row_over() {
    let sandbox = Sandbox::new();
    Claude::new(SECOND).says("u-1", "How high?").says("u-2", "And now?").write(&sandbox);
    sandbox.import([]);
    Claude::new(FIRST).says("u-1", "How high?").write(&sandbox);
    sandbox.import([]);
    let part = &explain(&sandbox, "u-1#0")["parts"][0];
    assert_eq!(part["rule"], "took_over", "{part:#}");
    assert_eq!(part["sightings"][0]["thread_id"], FIRST);
    assert_eq!(part["sightings"][1]["thread_id"], SECOND);
}

#[test]
fn a_copy_under_a_new_id_names_its_original_and_the_other_way_round() {
    let sandbox = Sandbox::new();
    let answer = "msg_01AnswerThatBothHold";
    Claude::old(FIRST)
        .says("a-1", "How high?")
        .answers("a-2", answer, "Nine metres.", 7)
        .write(&sandbox);
    Claude::old(SECOND)
        .says("b-1", "How high?")
        .answers("b-2", answer, "Nine metres.", 7)
        .at(30)
        .says("b-3", "And tomorrow?")
        .write(&sandbox);
    sandbox.import([]);
    let found = explain(&sandbox, answer);
    let of = |id: &str| {
        let parts = found["parts"].as_array().unwrap();
        parts.iter().find(|part| part["part_id"] == id).unwrap().clone()
    };
    let (original, copy) = (of("a-2#0"), of("b-2#0"));
    assert_eq!(original["rule"], "only_copy", "{found:#}");
    assert_eq!(original["copies"][0], json!({"part_id": "b-2#0", "thread_id": SECOND}));
    assert_eq!(copy["rule"], "replay_of");
    assert_eq!(copy["replay_of"], "a-2#0");
    assert_eq!(copy["usage_as_written"]["output_tokens"], 7);
    assert_eq!(found["responses"][0]["tokens_on"], "a-2#0");
    let words = sandbox.hyp(["explain", "b-2#0"]).stdout;
    assert!(
        words.contains("  copy of   a-2#0\n  tokens    none: the original has them"),
        "{words}"
    );
}

#[test]
fn the_tokens_of_a_grown_response_are_on_its_first_row_and_from_its_last_record() {
    let sandbox = Sandbox::new();
    let answer = "msg_01AnswerInTwoBlocks";
    Claude::new(FIRST)
        .says("u-1", "How high?")
        .answers("a-1", answer, "Let me see.", 1)
        .answers("a-2", answer, "Nine metres.", 40)
        .write(&sandbox);
    sandbox.import([]);
    let found = explain(&sandbox, answer);
    let response = &found["responses"][0];
    assert_eq!(response["tokens_on"], "a-1#0");
    assert_eq!(response["tokens"]["output_tokens"], 40);
    assert_eq!((&response["parts"], &response["records"]), (&json!(2), &json!(2)));
    assert!(record(&found, &response["read_from"]).contains("Nine metres."), "{found:#}");
}

#[test]
fn a_row_of_a_subagent_names_its_own_recording() {
    let sandbox = Sandbox::new();
    Claude::new(FIRST).says("u-1", "How high?").write(&sandbox);
    Claude::subagent(FIRST, "a41c9e07").says("s-1", "Look it up.").write(&sandbox);
    sandbox.import([]);
    let found = explain(&sandbox, "s-1#0");
    let seen = &found["parts"][0]["sightings"][0];
    let thread = seen["thread_id"].as_str().unwrap();
    assert!(thread.contains("a41c9e07"), "{found:#}");
    assert!(record(&found, seen).contains("Look it up."));
}

#[test]
fn a_recording_that_was_moved_is_named_where_it_is_now() {
    let sandbox = Sandbox::new();
    let thread = "019a7798-3179-7677-b54e-498dafd47fb0";
    let name = format!("rollout-2026-03-01T10-00-00-{thread}.jsonl");
    codex(&sandbox, &format!("sessions/2026/03/01/{name}"), thread, 1, (10, 2));
    sandbox.import([]);
    let id = sandbox.rows("select part_id from messages where role = 'assistant'")[0].clone();
    assert_eq!(explain(&sandbox, &id)["parts"][0]["rule"], "only_copy");

    let old = files(&sandbox.home()).remove(0);
    codex(&sandbox, &format!("archived_sessions/{name}"), thread, 1, (10, 2));
    fs::remove_file(&old).unwrap();
    sandbox.import([]);
    let found = explain(&sandbox, &id);
    let input = found["inputs"].as_object().unwrap().values().next().unwrap();
    assert!(input["path"].as_str().unwrap().contains("archived_sessions"), "{found:#}");
    assert_eq!(input["is_gone"], false);
    assert!(record(&found, &found["parts"][0]["sightings"][0]).contains("Answer 1."));
}

#[test]
fn an_unknown_id_is_told_in_one_line() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let output = sandbox.hyp(["explain", "it's-nowhere\u{1b}"]);
    assert_eq!(output.status, Some(1));
    assert_eq!(
        output.stderr,
        "hyp explain: no row has `it's-nowhere\\u{1b}` as its part, message or response; `hyp show SESSION --json` has their ids\n"
    );
}

#[test]
fn an_explanation_reads_like_this() {
    let sandbox = Sandbox::new();
    let answer = "msg_01AnswerOfOneBlock";
    Claude::new(FIRST)
        .says("u-1", "How high?")
        .answers("a-1", answer, "Nine\n\u{1b}[31mmetres.", 7)
        .write(&sandbox);
    sandbox.import([]);
    insta::assert_snapshot!(sandbox.hyp(["explain", "a-1#0"]), @r"
    exit: 0
    -- stdout
    part a-1#0
      is        text of assistant, message 1, 2026-10-02T19:01:00Z
      thread    11111111-0000-4000-8000-000000000001 (claude)
      says      Nine \u{1b}[31mmetres.
      rule      only_copy: it was seen nowhere else
      tokens    here: cache_read_tokens=100  cache_write_tokens=0  input_tokens=10  output_tokens=7
      read from [HOME]/.claude/projects/-home-ada-tide-tables/11111111-0000-4000-8000-000000000001.jsonl
                bytes 296 to 824, counted as written
                thread 11111111-0000-4000-8000-000000000001, begun 2026-10-02T19:00:00Z

    response msg_01AnswerOfOneBlock
      size      rows=1  records=1
      tokens    cache_read_tokens=100  cache_write_tokens=0  input_tokens=10  output_tokens=7
      on        a-1#0, its first row
      read from [HOME]/.claude/projects/-home-ada-tide-tables/11111111-0000-4000-8000-000000000001.jsonl
                bytes 296 to 824, its last record

    input aa9f13678ccb31fb613c63105d3521dd
      file      [HOME]/.claude/projects/-home-ada-tide-tables/11111111-0000-4000-8000-000000000001.jsonl
      size      824 bytes, ok
      bytes     written=824
    ");
}

#[test]
fn a_row_of_a_response_without_an_id_tells_the_tokens_that_it_has() {
    let sandbox = Sandbox::with("codex-one-turn");
    sandbox.import([]);
    let carrier = "select part_id from ai_gateway_messages where input_tokens is not null";
    let found = explain(&sandbox, &sandbox.rows(carrier)[0]);
    assert_eq!(found["responses"], json!([]));
    assert_eq!(found["parts"][0]["tokens"]["input_tokens"], 1200, "{found:#}");
}
