//! Copies, against a model that reads everything at once.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Line, Thread, chunk, judged, late, thread, world};
use crate::Change;

/// What the model says of a row: its thread, and whether and of what it is a copy.
type Told = BTreeMap<String, (String, bool, String)>;

/// Reads all threads at once, in the order of their start.
fn model(threads: &[Thread]) -> Told {
    let mut threads: Vec<&Thread> = threads.iter().collect();
    threads.sort_by_key(|thread| (thread.started_at, thread.id.clone()));
    let mut told = Told::new();
    for (at, thread) in threads.iter().enumerate() {
        let keys = |thread: &Thread| -> Vec<String> {
            thread.lines.iter().filter_map(|line| line.response_id.clone()).collect()
        };
        let kin: Vec<usize> = (0..at)
            .filter(|other| keys(threads[*other]).iter().any(|key| keys(thread).contains(key)))
            .collect();
        let end = thread.lines.iter().filter(|line| {
            let key = line.response_id.as_ref();
            key.is_some_and(|key| kin.iter().any(|other| keys(threads[*other]).contains(key)))
        });
        let end = end.map(|line| line.message_index).max().unwrap_or(-1);
        for line in &thread.lines {
            if told.contains_key(&line.part_id()) {
                continue;
            }
            let is_replay = line.message_index <= end;
            let original = kin.iter().find_map(|other| {
                threads[*other].lines.iter().find(|theirs| theirs.said_key() == line.said_key())
            });
            let replay_of = original.filter(|_| is_replay).map_or(String::new(), |it| it.part_id());
            told.insert(line.part_id(), (thread.id.clone(), is_replay, replay_of));
        }
    }
    told
}

/// A small generator of numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at + 1));
        }
    }
}

/// Threads that fork (same ids) and resume (new ids) one another.
fn history(dice: &mut Dice) -> Vec<Thread> {
    let mut threads = vec![thread("t0", 0, 4 + dice.roll(8) as i32)];
    for number in 1..2 + dice.roll(5) {
        let id = format!("t{number}");
        let own = thread(&id, number as i64 * 100, 1 + dice.roll(7) as i32);
        if dice.roll(5) == 0 {
            threads.push(own);
            continue;
        }
        let from = threads[dice.roll(threads.len())].clone();
        let is_fork = dice.roll(2) == 0;
        let copied = dice.roll(from.lines.len() + 1);
        let mut lines: Vec<Line> = from.lines[..copied].to_vec();
        for (at, line) in lines.iter_mut().enumerate() {
            if !is_fork {
                line.message_id = format!("{id}-copy{at}");
            }
        }
        lines.extend(own.lines.iter().cloned());
        for (at, line) in lines.iter_mut().enumerate() {
            line.message_index = at as i32;
        }
        threads.push(Thread { lines, ..own });
    }
    threads
}

type Table = BTreeMap<String, BTreeMap<&'static str, String>>;

fn differences(found: &Table, expect: &Table) -> Vec<String> {
    let ids: BTreeSet<&String> = found.keys().chain(expect.keys()).collect();
    let mut told = Vec::new();
    for id in ids {
        let (Some(found), Some(expect)) = (found.get(id), expect.get(id)) else {
            told.push(format!("{id}: on one side only"));
            continue;
        };
        for (column, value) in expect.iter().filter(|(column, value)| found[**column] != **value) {
            told.push(format!("{id}: {column} is `{}`, not `{value}`", found[column]));
        }
    }
    told
}

#[test]
fn any_order_and_any_chunks_give_the_table_of_reading_everything_at_once() {
    for seed in 1..25 {
        let mut dice = Dice(seed * 0x9e37_79b9);
        let mut threads = history(&mut dice);
        let at_once = world();
        at_once.import(&threads);
        let expect = at_once.table();
        let told: Told = expect
            .iter()
            .map(|(id, row)| {
                let is_replay = row["is_replay"] == "true";
                (id.clone(), (row["session_id"].clone(), is_replay, row["replay_of"].clone()))
            })
            .collect();
        assert_eq!(told, model(&threads), "seed {seed}: {threads:#?}");

        dice.shuffle(&mut threads);
        let rows: Vec<(usize, usize)> = threads
            .iter()
            .enumerate()
            .flat_map(|(at, thread)| (0..thread.lines.len()).map(move |line| (at, line)))
            .collect();
        let in_chunks = world();
        let mut writer = in_chunks.writer("a");
        let mut from = 0;
        while from < rows.len() {
            let to = (from + 1 + dice.roll(12)).min(rows.len());
            let (first, last) = (rows[from].0, rows[to - 1].0);
            let here = &threads[first..=last];
            let rows: Vec<_> =
                rows[from..to].iter().map(|(thread, line)| (thread - first, *line)).collect();
            chunk(&mut writer, here, &rows).unwrap();
            if dice.roll(3) == 0 {
                drop(writer);
                writer = in_chunks.writer("b");
            }
            from = to;
        }
        let differences: Vec<String> = differences(&in_chunks.table(), &expect);
        assert!(differences.is_empty(), "seed {seed}: {differences:#?} {threads:#?}");
        drop(writer);
        let again = in_chunks.import(&threads);
        assert_eq!((again.rows, again.superseded), (0, 0), "seed {seed}");
    }
}

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
