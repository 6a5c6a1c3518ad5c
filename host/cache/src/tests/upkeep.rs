//! Upkeep: what it puts together, what it leaves, what a failure in it leaves behind.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::world::{START, Thread, World, batch, chunk, late, thread, world};
use crate::failpoint::{NAMES, arm};
use crate::{Commit, Upkeep, Upkept, Writer};

const ALL: Upkeep =
    Upkeep { budget: None, is_thorough: true, retained_from: None, may_remove_most: false };

pub(super) fn maintain(writer: &mut Writer, upkeep: &Upkeep) -> Upkept {
    writer.maintain(upkeep, &AtomicBool::new(false)).unwrap()
}

/// Returns a thread whose rows are of one month, counted from the first.
pub(super) fn thread_of(month: i64, number: i64) -> Thread {
    let mut thread = thread(&format!("m{month}-{number:02}"), number, 4);
    for line in &mut thread.lines {
        line.at = START
            + month * 31 * 86_400_000_000
            + number * 1_000_000
            + i64::from(line.message_index);
    }
    thread
}

/// Imports threads, each in a commit of its own, with a correction after each.
pub(super) fn import_each(world: &World, threads: &[Thread]) {
    for (number, thread) in threads.iter().enumerate() {
        let mut writer = world.writer(&format!("run-{number}"));
        let rows: Vec<_> = (0..thread.lines.len()).map(|line| (0, line)).collect();
        chunk(&mut writer, std::slice::from_ref(thread), &rows).unwrap();
        let corrections = vec![late(&format!("{}-m1#0", thread.id), 70)];
        writer.commit(Commit { corrections, ..Commit::default() }).unwrap();
    }
}

fn files_by_month(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for file in world.store.snapshot().unwrap().files {
        *counts.entry(file.month).or_default() += 1;
    }
    counts
}

#[test]
fn past_months_become_one_file_each_and_the_newest_few() {
    let world = world();
    let threads: Vec<Thread> =
        (0..3).flat_map(|month| (0..4).map(move |number| thread_of(month, number))).collect();
    import_each(&world, &threads);
    let before = world.table();
    assert_eq!(files_by_month(&world).values().sum::<usize>(), 24);

    let done = maintain(&mut world.writer("upkeep"), &ALL);
    assert_eq!(world.table(), before, "no row changed");
    let files = files_by_month(&world);
    assert_eq!(files.values().copied().collect::<Vec<_>>(), [1, 1, 1], "{files:?}");
    assert_eq!((done.files_merged, done.files_made, done.left), (24, 3, 0));
    let snapshot = world.store.snapshot().unwrap();
    assert!(snapshot.files.iter().all(|file| file.deleted.is_empty()));
    drop(snapshot);

    let again = maintain(&mut world.writer("again"), &ALL);
    assert_eq!((again.files_merged, again.files_made, again.left), (0, 0, 0), "it is all done");
}

#[test]
fn merged_rows_are_sorted_whatever_the_order_of_their_files() {
    let world = world();
    let threads: Vec<Thread> =
        [3, 0, 2, 1].into_iter().map(|number| thread_of(0, number)).collect();
    import_each(&world, &[threads, vec![thread_of(1, 9)]].concat());
    maintain(&mut world.writer("upkeep"), &ALL);
    let writer = world.writer("look");
    let orders: Vec<_> =
        writer.table.data.iter().map(|data| data.live.file.sort_order_id()).collect();
    assert!(orders.iter().all(|order| *order == Some(1)), "{orders:?}");
    assert!(crate::verify(&world.store, &AtomicBool::new(false)).unwrap().problems.is_empty());
}

#[test]
fn without_time_nothing_is_merged_and_the_rest_is_told() {
    let world = world();
    import_each(&world, &[thread_of(0, 0), thread_of(0, 1), thread_of(1, 0)]);
    let upkeep = Upkeep { budget: Some(Duration::ZERO), is_thorough: false, ..ALL };
    let done = maintain(&mut world.writer("upkeep"), &upkeep);
    assert_eq!((done.files_merged, done.left), (0, 2));
}

#[test]
fn upkeep_that_fails_anywhere_leaves_every_row() {
    for name in NAMES.iter().copied() {
        let world = world();
        import_each(&world, &[thread_of(0, 0), thread_of(0, 1), thread_of(1, 0)]);
        let before = world.table();
        let mut writer = world.writer("fails");
        arm(Some((name, 1)));
        let failed = writer.maintain(&ALL, &AtomicBool::new(false));
        arm(None);
        let is_passed = !["before_data_files", "after_data_files", "after_delete_files"]
            .contains(&name)
            && !["after_catalog", "before_expiry", "before_erasing", "after_sweep"].contains(&name);
        assert_eq!(failed.is_err(), is_passed, "{name}: {failed:?}");
        drop(writer);
        assert_eq!(world.table(), before, "{name}");
        maintain(&mut world.writer("again"), &ALL);
        assert_eq!(world.table(), before, "{name}");
        assert_eq!(files_by_month(&world).into_values().sum::<usize>(), 2 + 1, "{name}");
    }
}

#[test]
fn a_cancelled_merge_changes_nothing() {
    let world = world();
    import_each(&world, &[thread_of(0, 0), thread_of(0, 1), thread_of(1, 0)]);
    let before = world.table();
    let done = world.writer("upkeep").maintain(&ALL, &AtomicBool::new(true)).unwrap();
    assert_eq!((done.files_merged, done.left), (0, 2));
    assert_eq!(world.table(), before);
}

#[test]
fn a_second_row_of_an_id_is_dropped_and_told() {
    let world = world();
    let mut original = thread_of(0, 0);
    original.started_at = START - 5;
    import_each(&world, std::slice::from_ref(&original));
    // Written past the judge, as only a fault or another program would.
    let mut other = original.clone();
    other.id = "later".to_owned();
    other.started_at = START + 50;
    let rows = batch(&[(&other, 2, None), (&other, 3, None)]);
    let mut writer = world.writer("fault");
    let facts = vec![other.facts()];
    writer.commit(Commit { rows: Some(rows), threads: facts, ..Commit::default() }).unwrap();
    let done = maintain(&mut writer, &ALL);
    assert_eq!(done.doubles, ["m0-00-m2#0", "m0-00-m3#0"]);
    drop(writer);
    let table = world.table();
    assert_eq!(table.len(), 4);
    assert!(table.values().all(|row| row["session_id"] == "m0-00"), "the earlier thread's stay");
    let journal = world.store.read_table("journal").unwrap();
    assert_eq!(journal.num_rows(), 2);
    assert!(maintain(&mut world.writer("again"), &ALL).doubles.is_empty());
}

#[test]
fn files_that_somebody_reads_stay_until_they_are_done() {
    let world = world();
    import_each(&world, &[thread_of(0, 0), thread_of(0, 1), thread_of(1, 0)]);
    let reader = world.store.snapshot().unwrap();
    for number in 0..6 {
        import_each(&world, &[thread_of(1, 20 + number)]);
        maintain(&mut world.writer("upkeep"), &ALL);
    }
    assert!(reader.files.iter().all(|file| file.path.exists()), "they are being read");
    let old: Vec<_> = reader.files.iter().map(|file| file.path.clone()).collect();
    drop(reader);
    drop(world.writer("sweeps"));
    assert!(old.iter().any(|path| !path.exists()), "nobody reads them any more");
}

#[test]
fn a_year_of_small_commits_leaves_few_files() {
    let world = world();
    let mut most = 0;
    for number in 0..122 {
        let mut thread = thread(&format!("t{number:04}"), number, 3);
        for line in &mut thread.lines {
            line.at = START + number * 3 * 86_400_000_000 + i64::from(line.message_index);
        }
        let mut writer = world.writer(&format!("run-{number}"));
        chunk(&mut writer, &[thread], &[(0, 0), (0, 1), (0, 2)]).unwrap();
        maintain(&mut writer, &Upkeep { is_thorough: false, ..ALL });
        drop(writer);
        most = most.max(super::crash::files(world.store.dir()).len());
    }
    assert_eq!(world.table().len(), 122 * 3);
    assert!(most <= 45, "{most} files");
}

#[test]
fn what_another_program_wrote_is_taken_in_after_a_look_at_all_ids() {
    let world = world();
    import_each(&world, &[thread_of(0, 0), thread_of(1, 0)]);
    assert!(!world.store.outline().unwrap().is_foreign);
    // As another writer would: a file of metadata of its own, and the pointer moved to it.
    let location = world.store.snapshot().unwrap().metadata_location.unwrap();
    let elsewhere = location.replace(".metadata.json", "-other.metadata.json");
    let path = |location: &str| location.trim_start_matches("file://").to_owned();
    std::fs::copy(path(&location), path(&elsewhere)).unwrap();
    let catalog = rusqlite::Connection::open(world.store.catalog_path()).unwrap();
    catalog.execute("UPDATE iceberg_tables SET metadata_location = ?1", [&elsewhere]).unwrap();
    drop(catalog);
    assert!(world.store.outline().unwrap().is_foreign);
    let found = crate::verify(&world.store, &AtomicBool::new(false)).unwrap();
    assert!(found.problems.iter().any(|it| it.what.contains("another program")), "{found:?}");
    let before = world.table();

    let done = maintain(&mut world.writer("import"), &ALL);
    assert!(done.is_foreign && done.doubles.is_empty(), "{done:?}");
    assert!(!world.store.outline().unwrap().is_foreign);
    assert_eq!(world.table(), before);
    assert!(!maintain(&mut world.writer("next"), &ALL).is_foreign);
}

#[test]
fn a_store_that_was_moved_can_be_relocated_with_its_superseded_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let store = crate::Store::open_or_create(&old).unwrap();
    let mut writer = store.writer(Duration::ZERO, "1").unwrap();
    chunk(&mut writer, &[thread_of(0, 0)], &[(0, 0), (0, 1), (0, 2)]).unwrap();
    let corrections = vec![late("m0-00-m1#0", 70)];
    writer.commit(Commit { corrections, ..Commit::default() }).unwrap();
    drop(writer);
    std::fs::rename(&old, &new).unwrap();
    let store = crate::Store::open(&new).unwrap();
    assert!(store.outline().unwrap().is_moved);
    let live = |store: &crate::Store| {
        let files = store.snapshot().unwrap().files;
        files.iter().map(|file| file.rows - file.deleted.len() as u64).sum::<u64>()
    };
    assert_eq!(live(&store), 3);
    let mut writer = store.writer(Duration::ZERO, "2").unwrap();
    assert!(writer.relocate().unwrap() > 0);
    assert_eq!(writer.relocate().unwrap(), 0, "once is enough");
    drop(writer);
    assert_eq!(live(&store), 3, "what was superseded still is");
    assert!(!store.outline().unwrap().is_moved);
    let found = crate::verify(&store, &AtomicBool::new(false)).unwrap();
    assert!(found.problems.is_empty(), "{found:?}");
}
