//! What undoing a run refuses, and what it says.

use std::time::Duration;

use super::copies::resumed;
use super::undos::{begin, end, undo};
use super::world::{World, chunk, late, thread, world};
use crate::undo::capture::{self, Shape};
use crate::undo::parcel;
use crate::{
    Commit, InputState, Purge, Quarantined, Reach, RunStart, Selector, UndoError, UnitState, Upkeep,
};

/// Imports threads by a run of its own.
pub(super) fn import(world: &World, run: &str, threads: &[super::world::Thread]) {
    begin(world, run, None);
    let rows: Vec<(usize, usize)> = threads
        .iter()
        .enumerate()
        .flat_map(|(at, thread)| (0..thread.lines.len()).map(move |line| (at, line)))
        .collect();
    chunk(&mut world.writer(run), threads, &rows).unwrap();
    end(world, run);
}

#[test]
fn threads_that_later_runs_worked_on_stay_and_are_told() {
    let world = world();
    let (a, b) = (thread("a", 0, 4), thread("b", 10, 3));
    import(&world, "one", &[a.clone(), b]);
    import(&world, "two", &[thread("a", 0, 6)]);
    let refused = undo(&world, "one", "u", Reach::Whole);
    assert!(!refused.is_done);
    assert_eq!(refused.kept.len(), 1);
    assert_eq!(refused.kept[0].thread_id.as_deref(), Some("a"));
    assert_eq!((refused.kept[0].since.as_str(), refused.kept[0].rows), ("two", 4));
    assert_eq!(world.table().len(), 9);
    let done = undo(&world, "one", "v", Reach::Partial);
    assert_eq!((done.rows_removed, done.rows_kept), (3, 4));
    assert_eq!(world.table().len(), 6);
    // What undid the later one goes out of the way with it.
    undo(&world, "two", "w", Reach::Whole);
    assert_eq!(undo(&world, "one", "x", Reach::Whole).rows_removed, 4);
    assert!(world.table().is_empty());
}

#[test]
fn what_came_again_since_keeps_an_undo_from_being_undone() {
    let world = world();
    let both = [thread("a", 0, 4), thread("b", 10, 3)];
    import(&world, "one", &both);
    undo(&world, "one", "u", Reach::Whole);
    import(&world, "two", &both[..1]);
    let again = world.table();
    let refused = undo(&world, "u", "v", Reach::Whole);
    assert!(!refused.is_done);
    let kept: Vec<_> =
        refused.kept.iter().map(|it| (it.thread_id.as_deref(), it.since.as_str())).collect();
    assert_eq!(kept, [(Some("a"), "two")]);
    assert_eq!(world.table(), again);
    assert_eq!(undo(&world, "u", "w", Reach::Partial).rows_returned, 3);
    assert_eq!(world.table().len(), 7);

    undo(&world, "two", "x", Reach::Whole);
    assert_eq!(world.table().len(), 3);
    // A copy is told from its original however often that came and went.
    import(&world, "three", &both);
    import(&world, "four", &[resumed("c", 100, &both[0])]);
    assert_eq!(world.table()["c-a-m1#0"]["is_replay"], "true");
}

#[test]
fn what_an_undo_undid_stands_as_long_as_the_undo_does_not() {
    let world = world();
    import(&world, "one", &[thread("a", 0, 4)]);
    let mut stands = true;
    for (run, by) in [("one", "u"), ("u", "v"), ("v", "w"), ("w", "x"), ("x", "y")] {
        undo(&world, run, by, Reach::Whole);
        stands = !stands;
        assert_eq!(world.store.check_stands("one").is_ok(), stands, "{by}");
        assert_eq!(world.table().len(), if stands { 4 } else { 0 }, "{by}");
    }
}

#[test]
fn a_row_that_a_run_took_over_goes_back_to_whom_it_was_of() {
    let world = world();
    let mut fork = thread("fork", 50, 4);
    let origin = thread("origin", 0, 4);
    fork.lines[..2].clone_from_slice(&origin.lines[..2]);
    import(&world, "one", &[fork]);
    let before = world.table();
    import(&world, "two", &[origin]);
    assert_eq!(world.table()["origin-m0#0"]["session_id"], "origin");
    let done = undo(&world, "two", "u", Reach::Whole);
    assert_eq!((done.rows_removed, done.rows_restored), (2, 2));
    assert_eq!(world.table(), before);
}

#[test]
fn tokens_that_a_run_corrected_go_back() {
    let world = world();
    import(&world, "one", &[thread("a", 0, 2)]);
    let before = world.table();
    begin(&world, "two", None);
    let corrections = vec![late("a-m1#0", 99)];
    world.writer("two").commit(Commit { corrections, ..Commit::default() }).unwrap();
    end(&world, "two");
    assert_eq!(world.table()["a-m1#0"]["output_tokens"], "99");
    undo(&world, "two", "u", Reach::Whole);
    assert_eq!(world.table(), before);
}

#[test]
fn units_are_as_they_were_and_one_that_was_read_since_is_read_again() {
    let world = world();
    let unit = |unit: &str, fingerprint: &str| UnitState {
        provider: "claude".into(),
        unit_id: unit.into(),
        fingerprint: fingerprint.into(),
        ..UnitState::default()
    };
    for (run, units) in [
        ("one", vec![unit("a", "1"), unit("b", "1")]),
        ("two", vec![unit("a", "2"), unit("b", "2"), unit("c", "2")]),
        ("three", vec![unit("b", "3")]),
    ] {
        begin(&world, run, None);
        world.writer(run).commit(Commit { units, ..Commit::default() }).unwrap();
        end(&world, run);
    }
    let undone = undo(&world, "two", "u", Reach::Whole);
    assert_eq!(undone.units, 3);
    let units = world.store.units("claude").unwrap();
    assert_eq!(units.len(), 1);
    assert_eq!(units["a"].fingerprint, "1");
}

/// Rewrites the log as it was before records told which of their unit's files they are in.
fn forget_files(world: &World) {
    let writer = world.writer("older");
    let connection = &writer.catalog.connection;
    let (number, ledger): (i64, Vec<u8>) = connection
        .query_row("SELECT number, ledger FROM undo_log", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let mut entries = parcel::entries(ledger).unwrap();
    for entry in entries.iter_mut().filter(|entry| entry.table == "quarantine") {
        let shape = Shape::of(connection, "quarantine").unwrap();
        assert_eq!(entry.columns.pop().as_deref(), Some("input"));
        let cells = capture::current(connection, entry, &shape).unwrap();
        entry.new = cells.as_deref().map(capture::print);
        if let Some(old) = &mut entry.old {
            old.pop();
        }
        entry.key.remove(1);
    }
    let ledger = parcel::pack_entries(&entries).unwrap();
    connection
        .execute("UPDATE undo_log SET ledger = ?2 WHERE number = ?1", (number, ledger))
        .unwrap();
}

#[test]
fn records_in_quarantine_go_back_whoever_noted_what_a_run_did() {
    for is_older in [false, true] {
        let world = world();
        let read = |run: &str, offsets: &[u64]| {
            let record = |offset: &u64| Quarantined {
                input_id: "i".into(),
                offset: *offset,
                ..Quarantined::default()
            };
            let input = InputState { input_id: "i".into(), ..InputState::default() };
            let quarantine = offsets.iter().map(record).collect();
            let commit = Commit { inputs: vec![input], quarantine, ..Commit::default() };
            world.writer(run).commit(commit).unwrap();
        };
        // Not noted in the log, since no such run began.
        read("unknown", &[3, 7]);
        world.writer("x").catalog.connection.execute("DELETE FROM undo_log", []).unwrap();
        begin(&world, "one", None);
        read("one", &[7, 9]);
        end(&world, "one");
        if is_older {
            forget_files(&world);
        }
        undo(&world, "one", "u", Reach::Whole);
        let kept = world.store.quarantine().unwrap();
        let kept: Vec<_> = kept.iter().map(|it| (it.offset, it.run_id.as_str())).collect();
        assert_eq!(kept, [(3, "unknown"), (7, "unknown")], "{is_older}");
    }
}

#[test]
fn what_cannot_be_undone_says_why() {
    let world = world();
    let plan = |run: &str| world.store.plan_undo(run).map(|_| ()).unwrap_err();
    begin(&world, "dry", None);
    import(&world, "one", &[thread("a", 0, 2)]);
    assert!(matches!(plan("none"), UndoError::Unknown { .. }));
    let start = RunStart { run_id: "dry".into(), dry_run: true, ..RunStart::default() };
    world.writer("dry").begin_run(&start).unwrap();
    assert!(matches!(plan("dry"), UndoError::Dry { .. }));
    begin(&world, "under way", None);
    assert!(matches!(plan("under way"), UndoError::Running { .. }));
    undo(&world, "one", "u", Reach::Whole);
    let UndoError::Undone { by, .. } = plan("one") else { panic!("undone") };
    assert_eq!(by, "u");
    undo(&world, "u", "uu", Reach::Whole);
    let writer = world.store.writer(Duration::ZERO, "x").unwrap();
    let set = |sql: &str| writer.catalog.connection.execute(sql, []).unwrap();
    for (why, sql) in [("older", "NULL"), ("too large", "'too_large'"), ("aged", "'aged'")] {
        set(&format!("UPDATE runs SET undo = {sql} WHERE run_id = 'one'"));
        let error = plan("one");
        let is_told = match why {
            "older" => matches!(error, UndoError::Older { .. }),
            "aged" => matches!(error, UndoError::Aged { .. }),
            _ => matches!(error, UndoError::TooLarge { .. }),
        };
        assert!(is_told, "{why}: {error}");
    }
}

#[test]
fn a_purge_leaves_nothing_that_an_undo_could_bring_back() {
    let world = world();
    import(&world, "one", &[thread("a", 0, 2), thread("b", 5, 2)]);
    undo(&world, "one", "u", Reach::Whole);
    let what = Selector::Sessions(vec!["a".into()]);
    world.writer("purge").purge(&Purge { what, keeps_copies: false }).unwrap();
    let error = world.store.plan_undo("u").unwrap_err();
    assert!(matches!(error, UndoError::Purged { .. }), "{error}");
    let writer = world.writer("x");
    let left: i64 = writer
        .catalog
        .connection
        .query_row("SELECT count(*) FROM undo_log", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn rows_that_expired_since_do_not_come_back() {
    let world = world();
    let (old, young) = (thread("a", 0, 4), thread("b", 1_000_000, 4));
    import(&world, "one", &[old.clone(), young]);
    undo(&world, "one", "u", Reach::Whole);
    // Something has to be there, or everything would expire.
    import(&world, "two", &[thread("c", 1_000_000, 9)]);
    let upkeep =
        Upkeep { retained_from: Some(old.lines[2].at), may_remove_most: true, ..Upkeep::default() };
    world.writer("up").maintain(&upkeep, &std::sync::atomic::AtomicBool::new(false)).unwrap();
    let done = undo(&world, "u", "uu", Reach::Whole);
    assert_eq!(done.rows_returned, 6, "two of the four old ones expired");
    assert!(!world.table().contains_key("a-m0#0"));
}
