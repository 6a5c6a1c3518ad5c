//! Tests of `times`.

use super::*;

fn times(started_at: Option<i64>, messages: &[Option<i64>]) -> (Vec<i64>, i64, Counts) {
    let head = Thread { started_at, ..thread("t") };
    let messages = messages
        .iter()
        .enumerate()
        .map(|(at, time)| Message { created_at: *time, ..said(&at.to_string(), "user", "x") });
    let (produced, counts) = all(head, messages);
    let times = produced.rows.iter().map(|row| row.message.created_at).collect();
    (times, produced.rows[0].message.thread.started_at, counts)
}

#[test]
fn a_time_that_is_not_believed_gets_a_neighbours() {
    let (early, late) = (START + 1, START + 2);
    #[rustfmt::skip]
    let cases = [
        ("all fine",          Some(START), vec![Some(early), Some(late)],   vec![early, late],  START,  0),
        ("year 1970",         Some(START), vec![Some(early), Some(0)],      vec![early, early], START,  1),
        ("year 5138",         Some(START), vec![Some(early), Some(100_000_000_000_000_000)], vec![early, early], START, 1),
        ("first, with start", Some(START), vec![Some(0), Some(late)],       vec![START, late],  START,  1),
        ("first, no start",   None,        vec![Some(0), Some(late)],       vec![late, late],   late,   1),
        ("start in doubt",    Some(0),     vec![Some(early), Some(late)],   vec![early, late],  early,  1),
        ("no start",          None,        vec![Some(late), Some(early)],   vec![late, early],  late,   0),
        ("none at all",       None,        vec![None, None],                vec![0, 0],         0,      0),
    ];
    for (name, started_at, told, expect, began, doubtful) in cases {
        let (found, started, counts) = times(started_at, &told);
        assert_eq!(found, expect, "{name}");
        assert_eq!(started, began, "{name}");
        assert_eq!(counts.doubtful_times, doubtful, "{name}");
    }
}

#[test]
fn a_missing_time_is_no_doubt_and_gets_the_one_before() {
    let (found, _, counts) = times(Some(START), &[None, Some(START + 3), None]);
    assert_eq!(found, [START, START + 3, START + 3]);
    assert_eq!((counts.missing_times, counts.doubtful_times, counts.timeless), (2, 0, 0));
}

#[test]
fn messages_of_a_thread_without_any_time_are_counted() {
    let (found, started, counts) = times(None, &[None, None]);
    assert_eq!((found, started), (vec![0, 0], 0));
    assert_eq!((counts.missing_times, counts.timeless), (2, 2));
}
