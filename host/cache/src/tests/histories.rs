//! Any way to import a history gives the table of reading it at once.
//!
//! `HYP_HISTORIES=1..=10000` tries the histories with these seeds, `HYP_HISTORIES=7..=7` a single one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use arrow::array::AsArray;
use hyp_model::event::{Fact, Subject};

use super::history::{Dice, history};
use super::model::{self, Table};
use super::world::{Thread, World, judged_with, world};
use crate::{PartSet, Telling, Untold};

/// Histories that are tried unless more are asked for.
const FEW: u64 = 16;

/// One reading of a thread: what of it was there or asked for.
pub(super) struct Reading {
    pub(super) thread: Thread,
    /// Its lines that are in the window.
    pub(super) lines: Vec<usize>,
    /// Its origin shows only at its end.
    pub(super) is_fork_told_late: bool,
    /// What it is read from is what earlier readings were made of, and more.
    pub(super) has_last_word: bool,
}

/// Returns the readings of a history, in the order in which they happen.
pub(super) fn readings(dice: &mut Dice, threads: &[Thread]) -> Vec<Reading> {
    let whole = |dice: &mut Dice, thread: Thread| {
        let lines = (0..thread.lines.len()).collect();
        let is_fork_told_late = dice.chance(2);
        Reading { thread, lines, is_fork_told_late, has_last_word: false }
    };
    let mut readings: Vec<Vec<Reading>> = Vec::new();
    for thread in threads {
        let mut of_thread = Vec::new();
        for _ in 0..dice.roll(2) {
            let before = match dice.roll(6) {
                0 => thread.misread(dice),
                1 => thread.without_beginning(),
                2 => thread.cut(dice.roll(thread.lines.len() + 1)),
                3 => thread.unfinished(dice),
                _ => thread.clone(),
            };
            let mut before = whole(dice, before);
            if dice.chance(3) {
                let since = dice.roll(before.lines.len() + 1);
                let until = since + dice.roll(before.lines.len() + 1 - since);
                before.lines = (since..until).collect();
            }
            of_thread.push(before);
        }
        of_thread.push(Reading { has_last_word: true, ..whole(dice, thread.clone()) });
        readings.push(of_thread);
    }
    // Each thread's readings stay in order; those of different threads mix.
    let mut turns: Vec<usize> =
        readings.iter().enumerate().flat_map(|(at, of)| vec![at; of.len()]).collect();
    dice.shuffle(&mut turns);
    let mut left: Vec<_> = readings.into_iter().map(Vec::into_iter).collect();
    turns.into_iter().filter_map(|at| left[at].next()).collect()
}

/// Imports readings in chunks and runs of any size. A run reads a thread once, and once more where its rows were given to
/// another one.
pub(super) fn import(dice: &mut Dice, world: &World, readings: &[Reading]) {
    import_as(dice, world, readings, "run");
}

/// Imports readings under the id of a run.
pub(super) fn import_as(dice: &mut Dice, world: &World, readings: &[Reading], run: &str) {
    let mut writer = Some(world.writer(run));
    let mut in_run: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    let mut threads: Vec<Thread> = Vec::new();
    let mut said: Vec<(String, Fact)> = Vec::new();
    let mut ended: Vec<&Thread> = Vec::new();
    let mut latest: BTreeMap<String, &Reading> = BTreeMap::new();
    for reading in readings {
        let id = reading.thread.id.as_str();
        if in_run.contains(id) || dice.chance(8) {
            let writer = writer.as_mut().unwrap();
            commit(writer, &mut threads, &mut waiting, (&mut said, &mut ended));
            read_again(writer, &latest);
            in_run.clear();
        }
        if in_run.is_empty() {
            writer = None;
        }
        in_run.insert(id);
        latest.insert(reading.thread.input.clone(), reading);
        let writer = writer.get_or_insert_with(|| world.writer(run));
        let mut thread = reading.thread.clone();
        let origin = thread.forked_from.clone().filter(|_| reading.is_fork_told_late);
        if origin.is_some() {
            thread.forked_from = None;
        }
        threads.push(thread.clone());
        for line in &reading.lines {
            waiting.push((threads.len() - 1, *line));
            if dice.chance(24) {
                commit(writer, &mut threads, &mut waiting, (&mut said, &mut ended));
                threads.push(thread.clone());
            }
        }
        ended.extend(reading.has_last_word.then_some(&reading.thread));
        said.push(copied(&thread));
        said.extend(origin.map(|value| (thread.id, fact(Fact::FORKED_FROM, value, 0))));
    }
    let writer = writer.get_or_insert_with(|| world.writer(run));
    commit(writer, &mut threads, &mut waiting, (&mut said, &mut ended));
    read_again(writer, &latest);
}

fn fact(name: &str, value: String, rank: u32) -> Fact {
    Fact { about: Subject::ThisThread, name: name.to_owned(), value, rank }
}

/// Returns what the recording of a thread shows of how much of it can be copied.
fn copied(thread: &Thread) -> (String, Fact) {
    let (lines, is_certain) = thread.copied;
    (thread.id.clone(), fact(Fact::COPIED_AT_MOST, lines.to_string(), is_certain.into()))
}

/// Reads those recordings again whose rows were given to other threads.
fn read_again(writer: &mut crate::Writer, latest: &BTreeMap<String, &Reading>) {
    let stale = writer.take_stale();
    for reading in stale.iter().filter_map(|input| latest.get(input)) {
        let mut rows = reading.lines.iter().map(|line| (0, *line)).collect();
        let threads = &mut vec![reading.thread.clone()];
        commit(writer, threads, &mut rows, (&mut vec![copied(&reading.thread)], &mut Vec::new()));
    }
}

fn commit(
    writer: &mut crate::Writer,
    threads: &mut Vec<Thread>,
    rows: &mut Vec<(usize, usize)>,
    (said, ended): (&mut Vec<(String, Fact)>, &mut Vec<&Thread>),
) {
    let untold: Vec<Untold> = ended.drain(..).flat_map(|thread| untold(writer, thread)).collect();
    let commit = judged_with(writer, threads, rows, (said, &untold)).unwrap();
    writer.commit(commit).unwrap();
    threads.clear();
    rows.clear();
    said.clear();
}

/// Returns the rows of a thread that its whole recording does not tell.
fn untold(writer: &mut crate::Writer, thread: &Thread) -> Vec<Untold> {
    let mut told = PartSet::default();
    thread.lines.iter().for_each(|line| told.insert(&line.part_id()));
    let telling = Telling {
        input_id: &format!("input-{}", thread.id),
        threads: &[thread.id.clone()].into(),
        first_at: None,
        last_at: None,
        told: &told,
        from: 0,
        late: &[],
    };
    writer.untold(&telling).unwrap().unwrap()
}

pub(super) fn sightings(world: &World) -> BTreeSet<(String, String)> {
    let batch = world.store.read_table("sightings").unwrap();
    let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
    let (parts, threads) = (text("part_id"), text("thread_id"));
    (0..batch.num_rows())
        .map(|at| (parts.value(at).to_owned(), threads.value(at).to_owned()))
        .collect()
}

pub(super) fn differences(found: &Table, expect: &Table) -> Vec<String> {
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

/// Imports one history in one way.
fn check(seed: u64) {
    let mut dice = Dice::new(seed);
    let threads = history(&mut dice);
    let expect = model::read(&threads);
    let world = world();
    let readings = readings(&mut dice, &threads);
    import(&mut dice, &world, &readings);
    let found = world.table();
    let told = differences(&found, &expect.table);
    assert!(told.is_empty(), "seed {seed}: {told:#?} {threads:#?}");
    assert_eq!(sightings(&world), expect.sightings, "seed {seed}: {threads:#?}");

    // Recordings that are gone by now leave their rows behind.
    let mut again = threads.clone();
    dice.shuffle(&mut again);
    again.truncate(dice.roll(again.len() + 1));
    let done = world.import(&again);
    let told = differences(&world.table(), &found);
    assert_eq!((done.rows, done.superseded), (0, 0), "seed {seed}: {told:#?} {threads:#?}");
}

/// Returns the seeds that are asked for.
pub(super) fn seeds() -> RangeInclusive<u64> {
    let asked = std::env::var("HYP_HISTORIES").unwrap_or_default();
    let (first, last) = asked.split_once("..=").unwrap_or(("1", &asked));
    first.parse().unwrap_or(1)..=last.parse().unwrap_or(FEW)
}

#[test]
fn any_order_any_runs_and_any_earlier_readings_give_the_table_of_reading_everything_at_once() {
    seeds().for_each(check);
}

#[test]
fn tokens_count_once_however_often_a_response_is_copied() {
    for seed in 1..200 {
        let threads = history(&mut Dice::new(seed));
        let expect = model::read(&threads);
        let mut counted = BTreeSet::new();
        for row in expect.table.values().filter(|row| !row["output_tokens"].is_empty()) {
            assert!(counted.insert(row["response_id"].clone()), "{seed}: {}", row["response_id"]);
        }
    }
}
