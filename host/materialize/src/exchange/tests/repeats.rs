//! Tests of `repeats`.

use super::*;

fn answer(id: &str, response: &str, value: &str) -> Message {
    let usage = Some(Usage { output: Some(8), ..Usage::default() });
    Message { response_id: Some(response.to_owned()), usage, ..said(id, "assistant", value) }
}

fn replays(rows: &[Row]) -> Vec<(&str, Option<&str>)> {
    rows.iter()
        .filter(|row| row.is_replay)
        .map(|row| (row.part_id.as_str(), row.replay_of.as_deref()))
        .collect()
}

#[test]
fn an_exchange_written_twice_is_a_copy_with_its_prompt() {
    let messages = [
        said("p", "user", "what is this"),
        answer("a", "r", "a square"),
        said("p2", "user", "what is this"),
        answer("a2", "r", "a square"),
        said("q", "user", "and this"),
        answer("b", "r2", "a circle"),
    ];
    let (produced, counts) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), [("p2#0", Some("p#0")), ("a2#0", Some("a#0"))]);
    let carriers: Vec<_> = produced.rows.iter().filter(|row| row.usage.is_some()).collect();
    assert_eq!(carriers.len(), 2);
    assert_eq!(counts.replays, 2);
    let attributes = produced.rows[3].attributes.as_deref().unwrap();
    assert!(attributes.contains("usage_as_written"));
}

#[test]
fn equal_blocks_of_one_response_are_no_copies() {
    let messages = [
        said("p", "user", "x"),
        answer("a", "r", "same"),
        answer("b", "r", "same"),
        Message { parts: vec![result("c")], ..said("u", "user", "") },
        answer("c", "r", "same"),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), []);
}

#[test]
fn the_same_words_in_another_response_are_no_copy() {
    let messages = [
        said("p", "user", "x"),
        answer("a", "r", "same"),
        said("p2", "user", "x"),
        answer("b", "r2", "same"),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), []);
}

#[test]
fn a_prompt_of_other_words_before_a_copy_stays() {
    let messages = [
        said("o", "user", "other"),
        said("p", "user", "x"),
        answer("a", "r", "same"),
        said("o2", "user", "another"),
        said("p2", "user", "x"),
        answer("b", "r", "same"),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), [("p2#0", Some("p#0")), ("b#0", Some("a#0"))]);
}

/// A line behind another one.
fn behind(parent: &str, message: Message) -> Message {
    Message { parent_uuid: Some(parent.to_owned()), ..message }
}

fn gave_back(id: &str, call: &str) -> Message {
    Message { parts: vec![result(call)], ..said(id, "user", "") }
}

const CALL: &str = "toolu_01Bss3WYBVLwbCkx";

#[test]
fn a_history_that_begins_anew_is_a_copy_without_its_prompts() {
    let messages = [
        said("p", "user", "x"),
        behind("p", answer("a", "r", "first")),
        behind("a", gave_back("u", CALL)),
        behind("u", answer("b", "r2", "second")),
        answer("a2", "r", "first"),
        behind("a2", gave_back("u2", CALL)),
        behind("u2", answer("b2", "r2", "second")),
        behind("b2", said("q", "user", "y")),
        behind("q", answer("c", "r3", "third")),
    ];
    let (produced, _) = all(thread("t"), messages);
    let expected = [("a2#0", Some("a#0")), ("u2#0", Some("u#0")), ("b2#0", Some("b#0"))];
    assert_eq!(replays(&produced.rows), expected);
}

#[test]
fn an_answer_that_is_written_again_line_by_line_is_a_copy_of_its_parts() {
    let both = |id: &str| {
        let mut message = behind("p", answer(id, "r", "look"));
        message.parts.extend(said("", "assistant", "on").parts);
        message
    };
    let messages = [
        said("p", "user", "x"),
        both("a"),
        behind("p", answer("a1", "r", "look")),
        behind("a1", answer("a2", "r", "on")),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), [("a1#0", Some("a#0")), ("a2#0", Some("a#1"))]);
}

#[test]
fn equal_lines_of_one_response_that_follow_each_other_are_no_copies() {
    let messages = [
        said("p", "user", "x"),
        behind("p", answer("a", "r", "same")),
        behind("a", answer("b", "r", "other")),
        behind("b", answer("c", "r", "same")),
        behind("c", gave_back("u", CALL)),
        behind("u", gave_back("v", "call_0")),
        behind("v", gave_back("w", "call_0")),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(replays(&produced.rows), []);
}

fn result(call: &str) -> Part {
    let call_id = Some(call.to_owned());
    let result = hyp_model::event::ToolResult { call_id, ..Default::default() };
    Part { block_type: "tool_result".to_owned(), content: Content::ToolResult(result) }
}
