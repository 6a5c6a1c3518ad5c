//! Tests of `usage`.

use super::*;
use crate::{as_replay, with_usage};

fn tokens(output: u64) -> Usage {
    Usage { input: Some(4), output: Some(output), ..Usage::default() }
}

fn line(id: &str, response: &str, usage: Option<Usage>) -> Message {
    let response_id = Some(response.to_owned()).filter(|id| !id.is_empty());
    Message { response_id, usage, ..said(id, "assistant", id) }
}

fn outputs(rows: &[Row]) -> Vec<Option<u64>> {
    rows.iter().map(|row| row.usage.and_then(|usage| usage.output)).collect()
}

#[test]
fn the_first_row_of_a_response_carries_the_tokens_of_its_last_line() {
    let mut first = line("a", "r", Some(tokens(1)));
    first.parts.push(text("second part"));
    let messages = [
        first,
        line("x", "q", Some(tokens(7))),
        said("u", "user", "between"),
        line("b", "r", Some(tokens(5))),
        line("c", "r", None),
    ];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(outputs(&produced.rows), [Some(5), None, Some(7), None, None, None]);
    let attributes = produced.rows[0].attributes.as_deref().unwrap();
    assert!(
        attributes.ends_with(r#","usage":{"input_tokens":4,"output_tokens":5}}"#),
        "{attributes}"
    );
    assert!(!produced.rows[1].attributes.as_deref().unwrap().contains("usage"));
    assert!(produced.late.is_empty());
}

#[test]
fn a_response_whose_first_line_is_empty_puts_its_tokens_on_the_next() {
    let mut empty = line("a", "r", Some(tokens(3)));
    empty.parts.clear();
    let (produced, _) = all(thread("t"), [empty, line("b", "r", None)]);
    assert_eq!(outputs(&produced.rows), [Some(3)]);
}

#[test]
fn a_message_without_a_response_carries_its_own_tokens() {
    let messages = [line("a", "", Some(tokens(1))), line("b", "", Some(tokens(2)))];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(outputs(&produced.rows), [Some(1), Some(2)]);
}

#[test]
fn tokens_that_are_all_absent_are_none() {
    let (produced, _) = all(thread("t"), [line("a", "", Some(Usage::default()))]);
    assert_eq!(produced.rows[0].usage, None);
    assert!(!produced.rows[0].attributes.as_deref().unwrap().contains("usage"));
}

#[test]
fn tokens_learnt_after_the_row_was_handed_out_come_late() {
    let between = (0..70).map(|number| said(&format!("u{number}"), "user", "x"));
    let again = [line("b", "r", Some(tokens(1))), line("c", "r", Some(tokens(9)))];
    let messages = [line("a", "r", Some(tokens(1)))].into_iter().chain(between).chain(again);
    let (mut produced, _) = all(thread("t"), messages);
    assert_eq!(produced.late, [("a#0".to_owned(), tokens(9))]);
    assert_eq!(outputs(&produced.rows).iter().flatten().count(), 1);

    let row = &mut produced.rows[0];
    with_usage(row, tokens(9));
    assert_eq!(row.usage, Some(tokens(9)));
    let attributes = row.attributes.as_deref().unwrap();
    assert_eq!(attributes.matches("usage").count(), 1);
    assert!(attributes.ends_with(r#""output_tokens":9}}"#));
}

#[test]
fn a_copy_keeps_its_tokens_to_itself() {
    let usage = Usage { cache_write: Some(6), cache_write_1h: Some(2), ..tokens(1) };
    let copy = Message { is_copy: true, ..line("a", "r", Some(usage)) };
    let (produced, counts) = all(thread("t"), [copy, line("b", "r", Some(tokens(2)))]);
    let [copy, own] = &produced.rows[..] else { panic!("two rows") };
    assert!(copy.is_replay && copy.usage.is_none() && copy.replay_of.is_none());
    let attributes = copy.attributes.as_deref().unwrap();
    let written = concat!(
        r#","usage_as_written":{"input_tokens":4,"output_tokens":1,"#,
        r#""cache_write_tokens":6,"cache_write_1h_tokens":2}}"#
    );
    assert!(attributes.ends_with(written), "{attributes}");
    assert!(!own.is_replay);
    assert_eq!(own.usage, Some(tokens(2)));
    assert_eq!(counts.replays, 1);
}

#[test]
fn a_row_judged_a_copy_keeps_its_tokens_readable() {
    let (mut produced, _) = all(thread("t"), [line("a", "r", Some(tokens(1)))]);
    let row = &mut produced.rows[0];
    as_replay(row, Some("o#0".to_owned()));
    assert!(row.is_replay && row.usage.is_none());
    assert_eq!(row.replay_of.as_deref(), Some("o#0"));
    let attributes = row.attributes.as_deref().unwrap();
    assert!(attributes.contains(r#""usage_as_written":{"input_tokens":4,"output_tokens":1}"#));
    assert!(!attributes.contains(r#""usage":"#));
}

#[test]
fn all_tokens_bear_upstreams_names() {
    let usage = Usage {
        input: Some(1),
        output: Some(2),
        cache_read: Some(3),
        cache_write: Some(4),
        cache_write_1h: Some(5),
        reasoning: Some(6),
        total: Some(7),
    };
    let (produced, _) = all(thread("t"), [line("a", "", Some(usage))]);
    let expect = concat!(
        r#""usage":{"input_tokens":1,"output_tokens":2,"cache_read_tokens":3,"cache_write_tokens":4,"#,
        r#""reasoning_tokens":6,"total_tokens":7}}"#
    );
    assert!(produced.rows[0].attributes.as_deref().unwrap().ends_with(expect));
}

#[test]
fn a_number_of_tokens_that_no_response_has_is_left_out_and_counted() {
    let damaged = Usage { input: Some(4), output: Some(u64::MAX), ..Usage::default() };
    let messages = [line("a", "r", Some(damaged)), line("b", "q", Some(tokens(1 << 39)))];
    let (produced, counts) = all(thread("t"), messages);
    assert_eq!(outputs(&produced.rows), [None, Some(1 << 39)]);
    assert_eq!(produced.rows[0].usage.and_then(|usage| usage.input), Some(4));
    assert_eq!(counts.doubtful_tokens, 1);
}
