//! Totals that lack some of the responses, and some that are simply wrong.

use super::super::{Status, judge};
use super::*;

/// What each prompt set off: tokens of responses, of which the input falls out of step with the output.
const TURNS: [&[u64]; 6] = [&[11, 13], &[29, 31, 37], &[53], &[101, 103], &[211], &[401, 409]];

fn tokens(output: u64) -> Tokens {
    Tokens([output * output % 97 + 5, output, output * 7, 3, 0])
}

fn responses(turns: &[&[u64]]) -> Vec<Response> {
    let of = |turn: &&[u64]| {
        let response = |(at, output): (usize, &u64)| Response {
            tokens: tokens(*output),
            begins_turn: at == 0,
            is_finished: true,
        };
        turn.iter().enumerate().map(response).collect::<Vec<_>>()
    };
    turns.iter().flat_map(of).collect()
}

/// A session of Claude Code with a total that has just these of its responses.
fn counting(outputs: &[u64]) -> Evidence {
    let total = sum(outputs.iter().map(|output| tokens(*output)));
    Evidence {
        counted: Some(Counted(
            [total.0.map(Some)[..4].to_vec(), vec![None]].concat().try_into().unwrap(),
        )),
        responses: responses(&TURNS),
        takes_up: true,
        ..Evidence::default()
    }
}

/// The same, with some of the responses interrupted.
fn interrupted(outputs: &[u64], evidence: Evidence) -> Evidence {
    let is_finished = |it: &Response| !outputs.iter().any(|output| tokens(*output) == it.tokens);
    let responses = evidence.responses.iter();
    let responses = responses.map(|it| Response { is_finished: is_finished(it), ..*it }).collect();
    Evidence { responses, ..evidence }
}

fn told(evidence: &Evidence) -> String {
    let verdict = judge(evidence);
    match verdict.cause {
        Some(cause) => format!("{cause:?}"),
        None => format!("{:?}", verdict.status),
    }
}

#[test]
fn what_processes_left_uncounted_is_found() {
    #[rustfmt::skip]
    let cases = [
        ("all of them",           vec![11, 13, 29, 31, 37, 53, 101, 103, 211, 401, 409], "Pass"),
        ("not the last",          vec![11, 13, 29, 31, 37, 53, 101, 103, 211, 401], "CounterBehind"),
        ("not an older version's", vec![53, 101, 103, 211, 401, 409],         "CounterBehind"),
        ("not a process's",       vec![11, 13, 29, 31, 37, 53, 211, 401, 409], "CounterBehind"),
        ("not its last",          vec![11, 13, 29, 53, 101, 103, 211, 401, 409], "CounterBehind"),
        ("not two processes'",    vec![29, 31, 37, 53, 211, 401, 409],        "CounterBehind"),
        ("one that still runs",   vec![11, 13, 53, 101, 103, 211, 401],       "CounterBehind"),
        ("two, and one that runs", vec![29, 31, 37, 101, 103, 211, 401],      "CounterBehind"),
        ("two, and the last turns", vec![29, 31, 37, 101, 103],               "CounterBehind"),
        ("three, and one that runs", vec![29, 31, 37, 101, 103, 401],         "Fail"),
        ("not one within a turn", vec![11, 13, 29, 37, 53, 101, 103, 211, 401, 409], "Fail"),
        ("nor the first of one",  vec![11, 13, 31, 37, 53, 101, 103, 211, 401, 409], "Fail"),
        ("two, one not whole",    vec![13, 29, 31, 37, 101, 103, 211, 401, 409], "Fail"),
        ("every other one",       vec![13, 31, 53, 103, 401],                 "Fail"),
    ];
    for (name, outputs, expected) in cases {
        assert_eq!(told(&counting(&outputs)), expected, "{name}");
    }
}

#[test]
fn interrupted_answers_are_left_out_beside_a_stretch() {
    #[rustfmt::skip]
    let cases = [
        ("only that",             vec![11, 13, 29, 37, 53, 101, 103, 211, 401, 409], "InterruptedResponses"),
        ("and what runs",         vec![11, 13, 29, 37, 53, 101, 103, 211, 401], "CounterBehind"),
        ("and a process's",       vec![29, 37, 53, 101, 103, 211, 401, 409],  "CounterBehind"),
        ("and two, and what runs", vec![29, 37, 53, 211, 401],                "CounterBehind"),
        ("and half a turn",       vec![13, 29, 37, 53, 101, 103, 211, 401, 409], "Fail"),
    ];
    for (name, outputs, expected) in cases {
        assert_eq!(told(&interrupted(&[31], counting(&outputs))), expected, "{name}");
    }
}

#[test]
fn what_sub_agents_answered_is_left_out_with_the_turn_that_they_were_at_work_in() {
    let with_agents = |outputs: &[u64]| {
        let agents = |outputs: &'static [u64]| {
            let one = |output: &u64| Response {
                tokens: tokens(*output),
                begins_turn: false,
                is_finished: *output != 23,
            };
            outputs.iter().map(one)
        };
        let own = responses(&TURNS);
        let (first, rest) = own.split_at(1);
        let (most, last) = rest.split_at(rest.len() - 1);
        let (early, late) = (agents(&[7]), agents(&[17, 19, 23]));
        let all = first.iter().copied().chain(early.clone()).chain(most.iter().copied());
        Evidence {
            subagents: sum(early.chain(late.clone()).map(|it| it.tokens)),
            with_subagents: all.chain(late).chain(last.iter().copied()).collect(),
            ..counting(outputs)
        }
    };
    #[rustfmt::skip]
    let cases = [
        ("all of them",          vec![11, 7, 13, 29, 31, 37, 53, 101, 103, 211, 401, 17, 19, 23, 409], "Pass"),
        ("not the last turn",    vec![11, 7, 13, 29, 31, 37, 53, 101, 103, 211],              "CounterBehind"),
        ("not what broke off",   vec![11, 7, 13, 29, 31, 37, 53, 101, 103, 211, 401, 17, 19, 409], "InterruptedResponses"),
        ("not the first turn",   vec![29, 31, 37, 53, 101, 103, 211, 401, 17, 19, 23, 409],  "CounterBehind"),
        ("not one within it",    vec![11, 7, 13, 29, 31, 37, 53, 101, 103, 211, 401, 17, 23, 409], "Fail"),
    ];
    for (name, outputs, expected) in cases {
        assert_eq!(told(&with_agents(&outputs)), expected, "{name}");
    }
}

#[test]
fn only_who_goes_on_from_a_total_leaves_out_stretches() {
    let with = |outputs: &[u64]| Evidence { takes_up: false, ..counting(outputs) };
    assert_eq!(told(&with(&[53, 101, 103, 211, 401, 409])), "Fail");
    assert_eq!(told(&with(&[11, 13, 29, 31])), "CounterBehind");
}

#[test]
fn a_response_that_is_stored_twice_is_a_mistake() {
    let all = [11, 13, 29, 31, 37, 53, 101, 103, 211, 401, 409];
    let twice = |turns: &[&[u64]]| Evidence { responses: responses(turns), ..counting(&all) };
    let [first, second, rest @ ..] = TURNS;
    let within = [&[first, &[29, 31, 31, 37]], &rest[..]].concat();
    assert_eq!(told(&twice(&within)), "Fail");
    let far_apart = [&[first, &[29, 31, 11, 37]], &rest[..]].concat();
    assert_eq!(told(&twice(&far_apart)), "Fail");
    // A whole turn that is there twice looks like one that was not counted.
    let turn = [&[first, first, second], &rest[..]].concat();
    assert_eq!(told(&twice(&turn)), "CounterBehind");
}

#[test]
fn a_response_that_is_missing_is_a_mistake() {
    // Of 31 there is no row: alone, beside a process's, and beside what runs.
    let missing = |outputs: &[u64]| {
        let [first, _, rest @ ..] = TURNS;
        let responses = responses(&[&[first, &[29, 37]], &rest[..]].concat());
        Evidence { responses, ..counting(outputs) }
    };
    for outputs in [
        &[11, 13, 29, 31, 37, 53, 101, 103, 211, 401, 409][..],
        &[11, 13, 29, 31, 37, 53, 211, 401, 409],
        &[11, 13, 29, 31, 37, 53, 101, 103, 211],
    ] {
        assert_eq!(told(&missing(outputs)), "Fail", "{outputs:?}");
    }
}

#[test]
fn a_token_more_or_less_is_a_mistake_in_any_column() {
    let evidence = counting(&[29, 31, 37, 53, 211, 401, 409]);
    for column in 0..4 {
        for by in [-1, 1] {
            let mut counted = evidence.counted.unwrap();
            counted.0[column] = counted.0[column].map(|it| it.saturating_add_signed(by));
            let off = Evidence { counted: Some(counted), ..evidence.clone() };
            assert_eq!(told(&off), "Fail", "{column} {by}");
        }
    }
}

#[test]
fn ten_thousand_responses_are_judged_at_once() {
    let outputs: Vec<Vec<u64>> = (0..1_000_u64)
        .map(|turn| (0..10).map(|at| (turn * 7_919 + at * 104_729) % 50_021 + 1).collect())
        .collect();
    let turns: Vec<&[u64]> = outputs.iter().map(Vec::as_slice).collect();
    let counted = |turns: &[&[u64]]| Evidence {
        counted: counting(&turns.concat()).counted,
        responses: responses(&outputs.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        takes_up: true,
        ..Evidence::default()
    };
    let two = [&turns[..100], &turns[140..600], &turns[700..]].concat();
    assert_eq!(told(&counted(&two)), "CounterBehind");
    let none: Vec<&[u64]> = turns.iter().map(|turn| &turn[1..]).collect();
    assert_eq!(judge(&counted(&none)).status, Status::Fail);
}
