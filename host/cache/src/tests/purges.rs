//! Any way to import a history, purge some of it, and import it again gives the table without that part.
//!
//! `HYP_HISTORIES` chooses histories as in `histories`.

use std::collections::BTreeSet;
use std::fs::File;

use arrow::array::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::histories::{Reading, differences, import, seeds, sightings};
use super::history::{Dice, history};
use super::model::{self, Expected};
use super::world::{Line, START, Thread, World, world};
use crate::{Purge, Selector};

/// Returns the readings of some threads, whole.
fn whole(threads: &[Thread]) -> Vec<Reading> {
    let reading = |thread: &Thread| Reading {
        thread: thread.clone(),
        lines: (0..thread.lines.len()).collect(),
        is_fork_told_late: false,
        has_last_word: true,
    };
    threads.iter().map(reading).collect()
}

fn is_meant(what: &Selector, thread: &Thread, line: &Line) -> bool {
    match what {
        Selector::All => true,
        Selector::Before(time) => line.at < *time,
        Selector::Provider(name) => name == "claude",
        Selector::Sessions(ids) => {
            ids.contains(&thread.id) || thread.parent.as_ref().is_some_and(|id| ids.contains(id))
        }
        Selector::Paths(paths) => {
            paths.iter().any(|path| line.cwd == *path || line.cwd.starts_with(&format!("{path}/")))
        }
    }
}

/// Returns the table of reading everything at once, without what is purged and all copies of it.
fn without_copies(threads: &[Thread], what: &Selector) -> (Expected, BTreeSet<String>) {
    let mut expect = model::read(threads);
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for thread in threads {
        let lines = thread.lines.iter().filter(|line| is_meant(what, thread, line));
        gone.extend(lines.map(Line::part_id));
    }
    loop {
        let before = gone.len();
        for (id, row) in &expect.table {
            let original = &row["replay_of"];
            if !original.is_empty() && (gone.contains(id) || gone.contains(original)) {
                gone.extend([id.clone(), original.clone()]);
            }
        }
        if gone.len() == before {
            break;
        }
    }
    expect.table.retain(|id, _| !gone.contains(id));
    expect.sightings.retain(|(id, _)| !gone.contains(id));
    (expect, gone)
}

/// Returns the table of reading at once what is left when what is purged had never been written. Which thread came from which
/// is known all the same.
fn alone(threads: &[Thread], what: &Selector) -> (Expected, BTreeSet<String>) {
    let mut left = threads.to_vec();
    for thread in &mut left {
        let of = thread.clone();
        thread.lines.retain(|line| !is_meant(what, &of, line));
    }
    left.retain(|thread| !thread.lines.is_empty());
    let expect = model::read_some(&left, threads);
    let all = threads.iter().flat_map(|thread| &thread.lines).map(Line::part_id);
    let gone = all.filter(|id| !expect.table.contains_key(id)).collect();
    (expect, gone)
}

/// Returns the ids of all rows that any file holds, superseded ones included.
fn ids_in_files(world: &World) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for file in world.store.snapshot().unwrap().files {
        let file = File::open(&file.path).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name("part_id").unwrap().as_string::<i32>();
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    ids
}

fn check(seed: u64, keeps_copies: bool) {
    let mut dice = Dice::new(seed);
    let threads = history(&mut dice);
    let one = threads[dice.roll(threads.len())].clone();
    let children = threads.iter().filter(|thread| thread.parent.as_ref() == Some(&one.id));
    let children: BTreeSet<&String> = children.map(|thread| &thread.id).collect();
    // Whose it is shows only once those between are known.
    let has_more =
        threads.iter().any(|it| it.parent.as_ref().is_some_and(|id| children.contains(id)));
    let what = match dice.roll(4).min(if has_more { 1 } else { 3 }) {
        0 => Selector::Paths(vec!["/w/secret".into()]),
        1 => Selector::Before(one.lines.last().map_or(START, |line| line.at)),
        _ => Selector::Sessions(vec![one.id.clone()]),
    };
    let without = if keeps_copies { alone } else { without_copies };
    let world = world();
    let mut first = threads.clone();
    dice.shuffle(&mut first);
    first.truncate(dice.roll(threads.len() + 1));
    import(&mut dice, &world, &whole(&first));

    let purge = Purge { what: what.clone(), keeps_copies };
    let planned = world.store.plan_purge(&purge).unwrap();
    let purged = world.writer("purge").purge(&purge).unwrap();
    assert!(purged.is_erased, "seed {seed}");
    assert_eq!((planned.rows, planned.files), (purged.rows, purged.files), "seed {seed}");
    let (_, gone) = without(&first, &what);
    let seen = ids_in_files(&world);
    let wrong: Vec<_> = seen.intersection(&gone).collect();
    assert!(wrong.is_empty(), "seed {seed} after the purge by {what:?}: {wrong:#?}");

    let (expect, gone) = without(&threads, &what);
    for _ in 0..2 {
        let mut again = threads.clone();
        dice.shuffle(&mut again);
        import(&mut dice, &world, &whole(&again));
        let wrong: Vec<_> = ids_in_files(&world).intersection(&gone).cloned().collect();
        assert!(wrong.is_empty(), "seed {seed} by {what:?}: {wrong:#?}");
    }
    let mut told = differences(&world.table(), &expect.table);
    // Lines that were never written leave no gap in the model.
    told.retain(|told| !told.contains(": input_offset is"));
    assert!(told.is_empty(), "seed {seed} by {what:?}: {told:#?}");
    assert_eq!(sightings(&world), expect.sightings, "seed {seed} by {what:?}");
    let done = world.import(&threads);
    assert_eq!((done.rows, done.superseded), (0, 0), "seed {seed} by {what:?}");
}

#[test]
fn what_is_purged_goes_with_its_copies_and_never_comes_back() {
    seeds().for_each(|seed| check(seed, false));
}

#[test]
fn a_purge_that_keeps_copies_leaves_them_as_if_it_had_never_been_read() {
    seeds().for_each(|seed| check(seed, true));
}
