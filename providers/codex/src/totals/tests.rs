//! Counts as clients tell them, and the responses that they stand for.

use hyp_sdk::json::Tape;

use super::*;

type Info = Option<(u64, u64, u64)>;

/// Counts infos given as total and last input; a window given as the total's `total_tokens`.
fn counted(infos: &[Info]) -> Vec<u64> {
    read(infos).0
}

fn read(infos: &[Info]) -> (Vec<u64>, Totals) {
    let mut totals = Totals::default();
    let mut tape = Tape::new();
    let mut found = Vec::new();
    for info in infos {
        let text = match info {
            None => "null".to_owned(),
            Some((total, last, window)) => format!(
                r#"{{"total_token_usage":{{"input_tokens":{total},"total_tokens":{window}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
            ),
        };
        let (json, _) = tape.parse(&text, 0).expect("JSON");
        found.extend(totals.count(Some(json), None, None).map(|tokens| tokens.input));
    }
    (found, totals)
}

#[test]
fn the_totals_of_a_thread_are_its_own() {
    #[rustfmt::skip]
    let cases: &[(&str, &[Info], bool, Option<u64>)] = &[
        ("none",              &[None],                                                false, None),
        ("one process",       &[Some((10, 10, 0)), Some((15, 5, 0))],                 false, Some(15)),
        ("window full",       &[Some((10, 10, 0)), Some((10, 10, 258_400))],          false, Some(10)),
        ("starts again",      &[Some((30, 10, 0)), None, Some((7, 7, 0))],            false, Some(37)),
        ("starts again, and higher", &[Some((30, 30, 0)), Some((40, 40, 0))],         false, Some(70)),
        ("a fork goes on",    &[Some((1_000, 10, 0)), Some((1_005, 5, 0))],           true,  Some(15)),
        ("two processes at once", &[Some((10, 10, 0)), Some((30, 20, 0)), Some((10, 10, 0)), Some((35, 25, 0)), Some((30, 20, 0)), Some((36, 6, 0))], false, Some(61)),
        ("a migration left turns out", &[Some((10, 10, 0)), Some((30, 0, 0)), Some((40, 10, 0))], false, Some(40)),
        ("goes back, and on", &[Some((10, 10, 0)), Some((30, 20, 0)), Some((25, 15, 0)), Some((31, 6, 0))], false, Some(51)),
    ];
    for (name, infos, is_fork, expect) in cases {
        let own = read(infos).1.own(*is_fork).map(|own| own.input);
        assert_eq!(own, *expect, "{name}");
    }
    let (_, mut totals) = read(&[Some((30, 10, 0))]);
    totals.begin_own(1);
    let mut tape = Tape::new();
    let json = r#"{"total_token_usage":{"input_tokens":34},"last_token_usage":{"input_tokens":4}}"#;
    totals.count(Some(tape.parse(json, 0).expect("JSON").0), None, None);
    assert_eq!(totals.own(true).map(|own| own.input), Some(4));
}

#[test]
fn a_compaction_that_no_count_tells_of_is_added() {
    let tokens = |input| Tokens { input, ..Tokens::default() };
    let mut tape = Tape::new();
    let mut tell = |totals: &mut Totals, total: u64, last: u64, recorded: Option<u64>| {
        let text = format!(
            r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
        );
        let info = tape.parse(&text, 0).expect("JSON").0;
        totals.count(Some(info), None, recorded.map(tokens)).map(|tokens| tokens.input)
    };
    for (counted, expect) in [((10, 0), 15), ((15, 5), 15), ((17, 7), 22)] {
        let mut totals = Totals::default();
        assert_eq!(tell(&mut totals, 10, 10, Some(10)), Some(10));
        totals.compacted(Some(tokens(5)));
        tell(&mut totals, counted.0, counted.1, None);
        assert_eq!(totals.own(false), Some(tokens(expect)), "{counted:?}");
    }
    let mut totals = Totals::default();
    tell(&mut totals, 10, 10, Some(10));
    tell(&mut totals, 14, 4, Some(4));
    assert_eq!(tell(&mut totals, 10, 10, None), None, "the point that it went back to");
    assert_eq!(tell(&mut totals, 14, 4, Some(4)), Some(4), "another response of as many tokens");
    assert_eq!(totals.own(false), Some(tokens(18)));
}

#[test]
fn a_count_that_goes_on_from_before_a_record_is_of_another_response() {
    let mut tape = Tape::new();
    let (_, totals) = read(&[Some((10, 10, 0)), Some((15, 5, 0))]);
    let mut is_of_another = |total: u64, last: u64| {
        let text = format!(
            r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
        );
        let info = tape.parse(&text, 0).expect("JSON").0;
        totals.is_of_another(Some(info), Tokens { input: 7, ..Tokens::default() })
    };
    assert!(is_of_another(23, 8));
    assert!(!is_of_another(22, 7), "it is the one");
    assert!(!is_of_another(22, 5), "told late, of the response before");
    assert!(!is_of_another(15, 0), "told again");
}

#[test]
fn what_is_counted_before_the_first_answer_is_the_forks_own() {
    let mut tape = Tape::new();
    let mut tell = |totals: &mut Totals, total: u64, last: u64| {
        let text = format!(
            r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
        );
        totals.count(Some(tape.parse(&text, 0).expect("JSON").0), None, None);
    };
    for (first, expect) in [(3, 7), (0, 17), (9, 0)] {
        let mut totals = Totals::default();
        tell(&mut totals, 10, 10);
        totals.mark(3);
        tell(&mut totals, 17, 7);
        totals.begin_own(first);
        assert_eq!(totals.own(true).map(|own| own.input), Some(expect), "{first}");
    }
}

#[test]
fn what_a_fork_tells_before_its_first_answer_is_its_parents() {
    let tell = |totals: &mut Totals, total: u64| {
        let text = format!(
            r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":10}}}}"#
        );
        let mut tape = Tape::new();
        let (json, _) = tape.parse(&text, 0).expect("JSON");
        totals.count(Some(json), None, None).map(|tokens| tokens.input)
    };
    let mut totals = Totals::default();
    totals.begin_fork();
    assert_eq!((tell(&mut totals, 20), tell(&mut totals, 20)), (Some(10), None), "in doubt");
    assert!(matches!(totals.fork, First::Doubted(Said::Nothing, _)));
    totals.fork = First::Known;
    totals.disown(Tokens { input: 10, ..Tokens::default() });
    assert_eq!((tell(&mut totals, 20), tell(&mut totals, 30)), (None, Some(10)));
    assert_eq!(totals.own(true).map(|own| own.input), Some(10));
}

#[test]
fn what_another_thread_costs_that_reviews_is_its_own() {
    let mut totals = Totals::default();
    let tell = |totals: &mut Totals, info: Info| {
        let mut tape = Tape::new();
        let text = info.map_or("null".to_owned(), |(total, last, _)| {
            format!(r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#)
        });
        totals.count(Some(tape.parse(&text, 0).expect("JSON").0), None, None).map(|it| it.input)
    };
    assert_eq!(tell(&mut totals, Some((60, 60, 0))), Some(60));
    totals.begin_review();
    assert_eq!(tell(&mut totals, None), None);
    assert_eq!(tell(&mut totals, Some((20, 20, 0))), None);
    assert_eq!(tell(&mut totals, Some((45, 25, 0))), None);
    totals.end_review();
    assert_eq!(tell(&mut totals, Some((60, 60, 0))), None, "told again");
    assert_eq!(tell(&mut totals, Some((90, 30, 0))), Some(30));
    // Earlier clients reviewed in the thread itself.
    totals.begin_review();
    assert_eq!(tell(&mut totals, Some((100, 10, 0))), Some(10));
}

#[test]
fn a_response_is_where_the_totals_move() {
    #[rustfmt::skip]
    let cases: &[(&str, &[Info], &[u64])] = &[
        ("told again",              &[Some((10, 10, 0)), Some((10, 10, 0)), Some((15, 5, 0))],  &[10, 5]),
        ("window full",             &[Some((10, 10, 0)), Some((10, 10, 258_400))],              &[10]),
        ("compacted",               &[Some((10, 10, 0)), Some((10, 0, 0))],                     &[10]),
        ("starts again lower",      &[Some((30, 10, 0)), None, Some((7, 7, 0))],                &[10, 7]),
        ("starts again equal",      &[Some((7, 7, 0)), None, Some((7, 7, 0))],                  &[7, 7]),
        ("goes on after a restart", &[Some((30, 10, 0)), None, Some((30, 10, 0))],              &[10]),
        ("a fork goes on",          &[Some((1_000, 10, 0)), Some((1_005, 5, 0))],               &[10, 5]),
    ];
    for (name, infos, expect) in cases {
        assert_eq!(counted(infos), *expect, "{name}");
    }
}

#[test]
fn input_is_net_of_what_the_cache_gave() {
    let tokens = Tokens { input: 100, cached: 80, output: 5, total: 105, ..Tokens::default() };
    let usage = tokens.usage();
    assert_eq!((usage.input, usage.cache_read, usage.total), (Some(20), Some(80), Some(105)));
    assert_eq!(usage.cache_write, None);
}
