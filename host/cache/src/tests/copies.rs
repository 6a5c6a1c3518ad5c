//! Copies, one case at a time.

use hyp_model::event::{Fact, Subject};

use super::world::{Line, Thread, chunk, judged, judged_with, late, thread, world};
use crate::{Change, InputState, Purge, Selector, UnitState};

#[test]
fn an_original_that_arrives_after_its_copy_takes_the_tokens_with_it() {
    let world = world();
    let original = thread("a", 0, 4);
    let mut copy = thread("b", 100, 4);
    for (copy, original) in copy.lines.iter_mut().zip(&original.lines) {
        copy.text.clone_from(&original.text);
        copy.response_id.clone_from(&original.response_id);
        copy.tokens = original.tokens;
    }
    world.import(&[copy]);
    assert_eq!(world.table()["b-m1#0"]["output_tokens"], "11");
    world.import(&[original]);
    let table = world.table();
    let copy = &table["b-m1#0"];
    assert_eq!((copy["is_replay"].as_str(), copy["replay_of"].as_str()), ("true", "a-m1#0"));
    assert_eq!(copy["output_tokens"], "");
    assert_eq!(copy["attributes"], r#"{"a":1,"usage_as_written":{"output_tokens":11}}"#);
    assert_eq!(table["a-m1#0"]["output_tokens"], "11");
}

#[test]
fn an_earlier_thread_takes_a_row_over_and_the_other_is_remembered() {
    let world = world();
    let original = thread("a", 0, 2);
    let fork = Thread { lines: original.lines.clone(), ..thread("b", 100, 0) };
    world.import(&[fork]);
    let done = world.import(std::slice::from_ref(&original));
    assert_eq!((done.rows, done.superseded), (2, 2));
    assert!(world.table().values().all(|row| row["session_id"] == "a"));
    assert_eq!(world.store.read_table("sightings").unwrap().num_rows(), 2);
}

#[test]
fn tokens_that_come_late_reach_the_stored_row() {
    let world = world();
    let mut writer = world.writer("run");
    let threads = [thread("a", 0, 2)];
    chunk(&mut writer, &threads, &[(0, 0), (0, 1)]).unwrap();
    let mut commit = judged(&mut writer, &threads, &[(0, 1)]).unwrap();
    commit.corrections.push(late("a-m1#0", 99));
    assert_eq!(writer.commit(commit.clone()).unwrap().superseded, 1);
    let row = &world.table()["a-m1#0"];
    assert_eq!(row["output_tokens"], "99");
    assert_eq!(row["attributes"], r#"{"a":1,"usage":{"output_tokens":99}}"#);
    assert_eq!(writer.commit(commit).unwrap().superseded, 0, "the same tokens change nothing");
}

#[test]
fn a_dry_run_counts_ids_of_its_earlier_chunks_as_stored() {
    let world = world();
    let mut writer = world.writer("run");
    let threads = [thread("a", 0, 2)];
    let first = judged(&mut writer, &threads, &[(0, 0), (0, 1)]).unwrap();
    let second = judged(&mut writer, &threads, &[(0, 0), (0, 1)]).unwrap();
    assert_eq!(first.rows.map(|rows| rows.num_rows()), Some(2));
    assert!(second.rows.is_none());
    assert!(second.corrections.iter().all(|it| !matches!(it.change, Change::Usage(_))));
    assert!(world.store.snapshot().unwrap().files.is_empty());
}

#[test]
fn short_ids_that_gateways_count_anew_make_nobody_kin() {
    let world = world();
    let mut threads = [thread("a", 0, 4), thread("b", 10, 4)];
    for line in threads.iter_mut().flat_map(|thread| &mut thread.lines) {
        line.response_id = Some("resp_0".into());
    }
    world.import(&threads);
    assert!(world.table().values().all(|row| row["is_replay"] == "false"));
}

#[test]
fn what_stands_between_copies_and_has_ids_of_its_own_is_no_copy() {
    let original = thread("a", 0, 4);
    let mut copy = resumed("b", 100, &original);
    copy.lines[1].response_id = Some("response0-b-only".into());
    for threads in [[original.clone(), copy.clone()], [copy, original]] {
        let world = world();
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        let table = world.table();
        let told = |id: &str| (&*table[id]["is_replay"], &*table[id]["output_tokens"]);
        assert_eq!(told("b-a-m1#0"), ("false", "11"));
        assert_eq!(told("b-a-m3#0"), ("true", ""));
        assert_eq!(told("b-a-m2#0"), ("true", ""), "a prompt between copies is one");
    }
}

#[test]
fn what_is_said_beside_the_last_thing_that_is_shared_is_no_copy() {
    let original = thread("a", 0, 2);
    let mut copy = resumed("b", 100, &original);
    let last = copy.lines.last().unwrap().clone();
    let (text, part_index) = ("do this with it".into(), 1);
    copy.lines.push(Line { part_index, text, response_id: None, tokens: None, ..last });
    for threads in [[original.clone(), copy.clone()], [copy, original]] {
        let world = world();
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        let table = world.table();
        assert_eq!(table["b-a-m1#0"]["is_replay"], "true");
        assert_eq!(table["b-a-m1#1"]["is_replay"], "false");
    }
}

#[test]
fn a_result_is_no_copy_where_the_other_thread_has_its_call_alone() {
    let call = Some("call0000-of-a".to_owned());
    let mut caller = thread("a", 0, 2);
    caller.lines[1].call_id.clone_from(&call);
    let mut other = thread("b", 100, 2);
    other.lines[0].call_id.clone_from(&call);
    for threads in [[caller.clone(), other.clone()], [other.clone(), caller.clone()]] {
        let world = world();
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        let is_replay = |part: &str| world.table()[part]["is_replay"] == "true";
        assert!(!is_replay("b-m0#0") && !is_replay("b-m1#0"));

        // The caller has a result of its own after all.
        let mut caller = caller.clone();
        let result = Line { message_index: 2, ..other.lines[0].clone() };
        caller.lines.push(Line { message_id: "a-m2".into(), ..result });
        world.import(&[caller]);
        assert!(is_replay("b-m0#0") && !is_replay("b-m1#0"));
    }
}

/// A thread that answers once and then is asked again, in vain.
fn asked_in_vain(id: &str, started_at: i64) -> Thread {
    let mut thread = thread(id, started_at, 3);
    thread.lines[2].text = "go on".into();
    thread
}

/// Returns what another thread makes of its lines: new ids, all written at one moment.
pub(super) fn resumed(id: &str, started_at: i64, from: &Thread) -> Thread {
    let mut copy = thread(id, started_at, 0);
    copy.lines = from.lines.clone();
    for line in &mut copy.lines {
        line.message_id = format!("{id}-{}", line.message_id);
        line.at = copy.started_at;
    }
    copy
}

#[test]
fn ids_of_messages_tell_a_copy_where_responses_have_none() {
    for original_first in [true, false] {
        let answer = |at: usize| format!("msg_{at:08}aabbccdd");
        let mut original = thread("a", 0, 4);
        for (at, line) in original.lines.iter_mut().enumerate().filter(|(at, _)| at % 2 == 1) {
            (line.message_id, line.response_id) = (answer(at), None);
        }
        let mut copy = resumed("b", 100, &original);
        for at in [1, 3] {
            copy.lines[at].message_id = answer(at);
        }
        copy.lines.push(Line { message_index: 4, text: "Go on".into(), ..copy.lines[2].clone() });
        copy.lines[4].message_id = "b-new".into();
        let mut threads = [original, copy];
        if !original_first {
            threads.reverse();
        }
        let world = world();
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        let table = world.table();
        let replay_of = |part: &str| table[part]["replay_of"].clone();
        assert_eq!(
            (replay_of("b-a-m0#0"), replay_of("b-a-m2#0")),
            ("a-m0#0".into(), "a-m2#0".into())
        );
        assert_eq!(table["b-new#0"]["is_replay"], "false", "what comes after is its own");
        assert_eq!(table[&format!("{}#0", answer(3))]["session_id"], "a");
    }
}

#[test]
fn what_a_thread_tells_twice_stays_a_copy_of_its_own_rows_and_moves_no_end() {
    let first = thread("a", 0, 2);
    let mut second = resumed("b", 100, &first);
    let own = thread("b", 200, 6).lines;
    second.lines.extend_from_slice(&own[2..4]);
    let again = |line: &Line, message_index: i32| Line {
        message_id: format!("again-{}", line.message_id),
        message_index,
        is_marked: true,
        original: Some(line.part_id()),
        ..line.clone()
    };
    let rewritten: Vec<Line> = (1..4).map(|at| again(&second.lines[at], 3 + at as i32)).collect();
    second.lines.extend(rewritten);
    let mut third = second.clone();
    third.lines.push(Line { message_index: 7, ..own[5].clone() });
    let world = world();
    for threads in [[first.clone(), second], [first, third]] {
        world.import(&threads);
    }
    let table = world.table();
    let of = |part: &str| (table[part]["is_replay"].clone(), table[part]["replay_of"].clone());
    assert_eq!(of("b-m2#0"), ("false".into(), String::new()), "a prompt between two copies");
    assert_eq!(of("again-b-a-m1#0"), ("true".into(), "b-a-m1#0".into()));
    assert_eq!(of("again-b-m3#0"), ("true".into(), "b-m3#0".into()));
}

#[test]
fn what_an_orphan_copied_is_an_original_as_long_as_its_origin_is_not_there() {
    let origin = thread("a", 0, 4);
    let mut orphan = resumed("b", 100, &origin);
    orphan.forked_from = Some("a".into());
    for line in &mut orphan.lines {
        (line.is_marked, line.response_id, line.at) = (true, None, line.at + 7);
    }
    let marked = Line { message_index: 4, ..thread("b", 200, 6).lines.remove(5) };
    orphan.lines.push(marked);
    let world = world();
    let of = |part: &str| {
        let row = &world.table()[part];
        (row["is_replay"] == "true", row["output_tokens"].clone())
    };
    for has_origin in [false, true, false] {
        match has_origin {
            true => world.import(std::slice::from_ref(&origin)),
            false => world.import(std::slice::from_ref(&orphan)),
        };
        let tokens = if has_origin { "" } else { "11" };
        assert_eq!(of("b-a-m0#0"), (has_origin, String::new()));
        assert_eq!(of("b-a-m1#0"), (has_origin, tokens.to_owned()));
        assert_eq!(of("b-m5#0"), (false, "15".to_owned()), "what came after is its own");
        let again = world.import(std::slice::from_ref(&orphan));
        assert_eq!((again.rows, again.superseded), (0, 0), "it says the same as before");
        if has_origin {
            let what = Selector::Sessions(vec!["a".into()]);
            world.writer("purge").purge(&Purge { what, keeps_copies: true }).unwrap();
        }
    }
}

#[test]
fn a_prompt_without_an_answer_is_copied_with_the_answers_before_it() {
    for original_first in [true, false] {
        let world = world();
        let original = asked_in_vain("a", 0);
        let copy = resumed("b", 100, &original);
        let mut threads = [original, copy];
        if !original_first {
            threads.reverse();
        }
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        let table = world.table();
        let prompt = &table["b-a-m2#0"];
        assert_eq!((&*prompt["is_replay"], &*prompt["replay_of"]), ("true", "a-m2#0"));
        assert_eq!(table["a-m2#0"]["is_replay"], "false");
    }
}

#[test]
fn a_prompt_that_is_said_anew_after_a_resume_is_no_copy() {
    let original = asked_in_vain("a", 0);
    let mut anew = resumed("b", 100, &original);
    anew.lines[2].at += 7;
    let mut timeless = [asked_in_vain("c", 200), resumed("d", 300, &asked_in_vain("c", 200))];
    for thread in &mut timeless {
        thread.lines.iter_mut().for_each(|line| line.at = thread.started_at);
    }
    for (threads, prompt) in [([original, anew], "b-a-m2#0"), (timeless, "d-c-m2#0")] {
        let world = world();
        world.import(&threads);
        assert_eq!(world.table()[prompt]["is_replay"], "false", "{prompt}");
    }
}

fn fact_of_origin(thread: &str, origin: &str) -> (String, Fact) {
    let about = Subject::Thread(thread.into());
    let (name, value) = (Fact::FORKED_FROM.into(), origin.into());
    (String::new(), Fact { about, name, value, rank: 0 })
}

#[test]
fn of_threads_that_began_together_the_fork_comes_second() {
    let origin = thread("z", 0, 2);
    let fork = |origin: Option<&str>| Thread {
        lines: thread("z", 0, 2).lines,
        forked_from: origin.map(str::to_owned),
        ..thread("a", 0, 0)
    };
    for (threads, owner) in [
        ([origin.clone(), fork(Some("z"))], "z"),
        ([fork(Some("z")), origin.clone()], "z"),
        ([origin, fork(None)], "a"),
    ] {
        let world = world();
        for thread in &threads {
            world.import(std::slice::from_ref(thread));
        }
        assert!(world.table().values().all(|row| row["session_id"] == owner), "{owner}");
    }
}

#[test]
fn the_origin_of_a_fork_of_a_fork_is_the_one_that_is_told_last() {
    let world = world();
    let first = thread("c", 0, 2);
    let fork = |id, lines: &[Line]| Thread {
        lines: lines.to_vec(),
        forked_from: Some("c".into()),
        ..thread(id, 0, 0)
    };
    let mut own = thread("b", 0, 4).lines;
    own.splice(..2, first.lines.iter().cloned());
    let (second, third) = (fork("b", &own), fork("a", &own));
    world.import(&[first.clone(), third.clone()]);
    let nearer = [fact_of_origin("a", "b")];
    let mut writer = world.writer("told");
    let commit = judged_with(&mut writer, &[], &[], (&nearer, &[])).unwrap();
    writer.commit(commit).unwrap();
    drop(writer);
    world.import(&[second]);
    let owner = |part: &str| world.table()[part]["session_id"].clone();
    assert_eq!((owner("c-m1#0"), owner("b-m3#0")), ("c".to_owned(), "b".to_owned()));
    assert_eq!(world.import(&[third]).superseded, 0, "its head does not make it another's");
}

#[test]
fn a_fork_that_says_late_where_it_comes_from_gives_the_tokens_back() {
    let world = world();
    let origin = thread("z", 0, 2);
    let mut fork = resumed("a", 0, &origin);
    fork.lines.iter_mut().for_each(|line| line.at += 1);
    world.import(&[fork.clone(), origin]);
    assert_eq!(world.table()["z-m1#0"]["is_replay"], "true");

    let mut writer = world.writer("later");
    let told = [fact_of_origin("a", "z")];
    let commit = judged_with(&mut writer, &[], &[], (&told, &[])).unwrap();
    writer.commit(commit).unwrap();
    let table = world.table();
    assert_eq!(
        (&*table["z-m1#0"]["is_replay"], &*table["z-m1#0"]["output_tokens"]),
        ("false", "11")
    );
    assert_eq!(
        (&*table["a-z-m1#0"]["replay_of"], &*table["a-z-m1#0"]["output_tokens"]),
        ("z-m1#0", "")
    );
    drop(writer);
    assert_eq!(world.import(&[fork]).superseded, 0, "it is known in later runs");
}

#[test]
fn a_thread_whose_beginning_turns_out_earlier_is_the_original() {
    let world = world();
    let original = thread("a", 0, 4);
    let copy = resumed("b", 100, &original);
    let unknown = Thread { started_at: original.started_at + 1000, ..original.clone() };
    world.import(&[unknown, copy]);
    assert_eq!(world.table()["a-m1#0"]["is_replay"], "true");
    world.import(&[original]);
    let table = world.table();
    assert_eq!(
        (&*table["a-m1#0"]["is_replay"], &*table["a-m1#0"]["output_tokens"]),
        ("false", "11")
    );
    assert_eq!(table["b-a-m1#0"]["replay_of"], "a-m1#0");
}

#[test]
fn a_fork_of_a_fork_moves_with_the_beginning_of_the_first() {
    let world = world();
    let first = |at| thread("a", at, 2);
    let second = Thread { forked_from: Some("a".into()), ..thread("b", 0, 2) };
    let third = Thread { forked_from: Some("b".into()), ..thread("c", 50, 4) };
    let copy = resumed("d", 70, &third);
    world.import(&[first(100), second, third, copy]);
    let is_replay = |part: &str| world.table()[part]["is_replay"] == "true";
    assert!(
        is_replay("c-m1#0") && !is_replay("d-c-m1#0"),
        "nothing begins before what it comes from"
    );
    world.import(&[first(10)]);
    assert!(!is_replay("c-m1#0") && is_replay("d-c-m1#0"));
}

#[test]
fn a_copy_of_what_turns_out_later_is_told_as_one_of_nothing() {
    let world = world();
    let first = |at| {
        let mut thread = thread("a", at, 2);
        let answer = thread.lines[1].clone();
        let before = Line { message_index: 0, text: "before".into(), tokens: None, ..answer };
        thread.lines[0] = Line { message_id: "a-m0".into(), ..before };
        thread
    };
    let whole = resumed("b", 50, &first(0));
    let half =
        Thread { lines: resumed("c", 10, &first(0)).lines[..1].into(), ..thread("c", 10, 0) };
    world.import(&[first(0), whole, half]);
    let copy = |part: &str| {
        let row = world.table()[part].clone();
        (row["is_replay"] == "true", row["replay_of"].clone())
    };
    assert_eq!(copy("b-a-m1#0"), (true, "a-m1#0".to_owned()));
    world.import(&[first(100)]);
    assert_eq!(copy("b-a-m0#0"), (true, "c-a-m0#0".to_owned()));
    assert_eq!(copy("b-a-m1#0"), (true, String::new()), "the response is older than both");
}

#[test]
fn a_recording_that_saw_a_prompt_is_read_again_once_it_is_the_earliest() {
    let world = world();
    let origin = |at| thread("o", at, 2);
    let fork = Thread { forked_from: Some("o".into()), ..thread("a", 10, 1) };
    let other = Thread { lines: fork.lines.clone(), ..thread("b", 50, 0) };
    world.import(&[origin(100), fork, other]);
    assert_eq!(world.table()["a-m0#0"]["session_id"], "b");
    let mut writer = world.writer("later");
    chunk(&mut writer, &[origin(5)], &[(0, 0), (0, 1)]).unwrap();
    assert_eq!(writer.take_stale(), ["input-a".to_owned()].into());
}

#[test]
fn a_recording_whose_rows_were_given_away_in_a_tie_is_read_again() {
    let world = world();
    let first = thread("c", 0, 2);
    let fork = |id, origin: &str| Thread {
        lines: first.lines.clone(),
        forked_from: Some(origin.into()),
        ..thread(id, 0, 0)
    };
    let unit = UnitState {
        provider: "claude".into(),
        unit_id: "u".into(),
        fingerprint: "f".into(),
        ..UnitState::default()
    };
    let input = InputState {
        input_id: "input-c".into(),
        provider: "claude".into(),
        unit_id: "u".into(),
        ..InputState::default()
    };
    let mut writer = world.writer("run");
    let threads = [first.clone(), fork("a", "b")];
    let mut commit = judged(&mut writer, &threads, &[(0, 0), (0, 1), (1, 0), (1, 1)]).unwrap();
    (commit.units, commit.inputs) = (vec![unit], vec![input]);
    writer.commit(commit).unwrap();
    drop(writer);
    assert_eq!(world.table()["c-m0#0"]["session_id"], "a", "it names a thread that is not known");
    assert_eq!(world.store.units("claude").unwrap()["u"].fingerprint, "f");

    world.import(&[fork("b", "c")]);
    assert_eq!(world.store.units("claude").unwrap()["u"].fingerprint, "");
    world.import(&[first]);
    assert_eq!(world.table()["c-m0#0"]["session_id"], "c");
}

#[test]
fn what_a_thread_said_before_it_took_in_another_one_is_its_own() {
    let resumed = thread("a", 0, 4);
    let mut within = thread("b", 10, 6);
    for (line, copied) in within.lines[2..4].iter_mut().zip(&resumed.lines) {
        let Line { message_id, text, response_id, .. } = copied.clone();
        (line.message_id, line.text, line.response_id) = (message_id, text, response_id);
    }
    for order in [[&resumed, &within], [&within, &resumed]] {
        let world = world();
        for thread in order {
            world.import(std::slice::from_ref(thread));
        }
        let table = world.table();
        let place = |id: &str| (table[id]["session_id"].clone(), table[id]["is_replay"].clone());
        assert_eq!(place("b-m0#0"), ("b".to_owned(), "false".to_owned()));
        assert_eq!(place("a-m0#0").0, "a");
        assert_eq!(table.len(), 8);
    }
}
