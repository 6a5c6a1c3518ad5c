//! Any import that is undone leaves the store as if it had never been; imported again, or the undo undone, it is back.
//!
//! `HYP_HISTORIES` chooses histories as in `histories`.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use rusqlite::types::Value;

use super::histories::{self, Reading, differences, import_as, readings, sightings};
use super::history::{Dice, history};
use super::model;
use super::world::{World, world};
use crate::{Reach, RunEnd, RunKind, RunStart, Undone, Upkeep};

/// Ledgers that say what they said before; threads by their names, since numbers are given once.
const LEDGERS: [(&str, &str); 8] = [
    ("sessions", "SELECT sessions.* FROM sessions"),
    (
        "beginnings",
        "SELECT (SELECT thread_id FROM sessions WHERE number = thread), copied, is_certain FROM beginnings",
    ),
    (
        "claims",
        "SELECT key, (SELECT thread_id FROM sessions WHERE number = thread), last_index FROM claims",
    ),
    (
        "kin",
        "SELECT (SELECT thread_id FROM sessions WHERE number = thread),
                (SELECT thread_id FROM sessions WHERE number = other), last_index FROM kin",
    ),
    ("sightings", "SELECT * FROM sightings"),
    ("own_copies", "SELECT * FROM own_copies"),
    ("facts", "SELECT * FROM facts"),
    ("open_facts", "SELECT * FROM open_facts"),
];

pub(super) type Ledgers = BTreeMap<&'static str, Vec<String>>;

/// Returns all entries of the ledgers, sorted.
pub(super) fn ledgers(world: &World) -> Ledgers {
    let writer = world.writer("look");
    let entries = |sql: &str| {
        let mut statement = writer.catalog.connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let is_number = |at: &usize| sql.contains("sessions.*") && *at == 0;
        let rows = statement.query_map([], |row| {
            (0..columns)
                .filter(|at| !is_number(at))
                .map(|at| row.get::<_, Value>(at))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut rows: Vec<String> =
            rows.unwrap().map(|row| format!("{:?}", row.unwrap())).collect();
        rows.sort();
        rows
    };
    LEDGERS.into_iter().map(|(table, sql)| (table, entries(sql))).collect()
}

pub(super) fn begin(world: &World, run: &str, undoes: Option<&str>) {
    let kind = if undoes.is_some() { RunKind::Undo } else { RunKind::Import };
    let undoes = undoes.map(str::to_owned);
    let start = RunStart { run_id: run.into(), kind, undoes, ..RunStart::default() };
    world.writer(run).begin_run(&start).unwrap();
}

pub(super) fn end(world: &World, run: &str) {
    let end = RunEnd { run_id: run.into(), status: "ok".into(), ..RunEnd::default() };
    world.writer(run).end_run(&end).unwrap();
}

/// Undoes a run by another one, which does what was said before.
pub(super) fn undo(world: &World, run: &str, by: &str, reach: Reach) -> Undone {
    begin(world, by, Some(run));
    let planned = world.store.plan_undo(run).unwrap();
    let undone = world.writer(by).undo(run, reach).unwrap();
    assert_eq!(planned, Undone { is_done: false, can_be_undone: true, ..undone.clone() });
    end(world, by);
    undone
}

fn import(dice: &mut Dice, world: &World, readings: &[Reading], run: &str) {
    begin(world, run, None);
    import_as(dice, world, readings, run);
    end(world, run);
}

fn merge_all(world: &World) {
    let upkeep = Upkeep { is_thorough: true, ..Upkeep::default() };
    world.writer("upkeep").maintain(&upkeep, &AtomicBool::new(false)).unwrap();
}

/// Imports, imports more, and takes the latter back.
fn check(seed: u64) {
    let mut dice = Dice::new(seed);
    let threads = history(&mut dice);
    let all = readings(&mut dice, &threads);
    let world = world();
    let (first, second) = all.split_at(dice.roll(all.len()));
    import(&mut dice, &world, first, "a");
    let (table_a, ledgers_a) = (world.table(), ledgers(&world));
    let again = dice.clone();
    import(&mut dice, &world, second, "b");
    let (table_b, ledgers_b) = (world.table(), ledgers(&world));
    if dice.chance(3) {
        merge_all(&world);
    }

    let undone = undo(&world, "b", "u", Reach::Whole);
    assert!(undone.is_done && undone.kept.is_empty(), "seed {seed}: {undone:?}");
    let told = differences(&world.table(), &table_a);
    assert!(told.is_empty(), "seed {seed}, undone: {told:#?}");
    assert_eq!(ledgers(&world), ledgers_a, "seed {seed}, undone");

    if dice.chance(2) {
        if dice.chance(3) {
            merge_all(&world);
        }
        undo(&world, "u", "uu", Reach::Whole);
        let told = differences(&world.table(), &table_b);
        assert!(told.is_empty(), "seed {seed}, the undo undone: {told:#?}");
        assert_eq!(ledgers(&world), ledgers_b, "seed {seed}, the undo undone");
        undo(&world, "b", "u2", Reach::Whole);
        assert_eq!(ledgers(&world), ledgers_a, "seed {seed}, undone again");
    }
    import(&mut again.clone(), &world, second, "c");
    let told = differences(&world.table(), &table_b);
    assert!(told.is_empty(), "seed {seed}, imported again: {told:#?}");
    assert_eq!(ledgers(&world), ledgers_b, "seed {seed}, imported again");

    undo(&world, "c", "u3", Reach::Whole);
    undo(&world, "a", "u4", Reach::Whole);
    assert!(world.table().is_empty(), "seed {seed}: nothing is left");
    assert!(ledgers(&world).values().all(Vec::is_empty), "seed {seed}: {:#?}", ledgers(&world));
}

/// Takes an import back that others came after, as far as that goes, and reads everything again.
fn check_between(seed: u64) {
    let mut dice = Dice::new(seed);
    let threads = history(&mut dice);
    let all = readings(&mut dice, &threads);
    let world = world();
    let (first, rest) = all.split_at(dice.roll(all.len()));
    let (second, third) = rest.split_at(dice.roll(rest.len()));
    for (readings, run) in [(first, "a"), (second, "b"), (third, "c")] {
        import(&mut dice, &world, readings, run);
    }
    let before = (world.table(), ledgers(&world));
    let whole = undo(&world, "b", "u", Reach::Whole);
    if whole.kept.is_empty() {
        assert!(whole.is_done, "seed {seed}");
    } else {
        assert!(!whole.is_done, "seed {seed}");
        assert_eq!((world.table(), ledgers(&world)), before, "seed {seed}: nothing was changed");
        undo(&world, "b", "p", Reach::Partial);
    }
    let reading = |thread: &super::world::Thread| Reading {
        thread: thread.clone(),
        lines: (0..thread.lines.len()).collect(),
        is_fork_told_late: false,
        has_last_word: true,
    };
    let mut again: Vec<Reading> = threads.iter().map(reading).collect();
    dice.shuffle(&mut again);
    import(&mut dice, &world, &again, "d");
    let expect = model::read(&threads);
    let told = differences(&world.table(), &expect.table);
    assert!(told.is_empty(), "seed {seed}: {told:#?} {threads:#?}");
    assert_eq!(sightings(&world), expect.sightings, "seed {seed}: {threads:#?}");
}

/// Returns the seeds that are asked for; each takes many imports, so there are fewer unless more are.
fn seeds() -> impl Iterator<Item = u64> {
    let is_asked = std::env::var("HYP_HISTORIES").is_ok();
    histories::seeds().step_by(if is_asked { 1 } else { 5 })
}

#[test]
fn an_import_that_is_undone_was_never_there_and_can_come_back() {
    seeds().for_each(check);
}

#[test]
fn an_import_that_is_undone_between_others_does_no_harm() {
    seeds().for_each(check_between);
}
