//! Folders, locks, files.

use std::time::Duration;

use super::world::{START, chunk, judged, late, thread, world};
use crate::failpoint::arm;
use crate::{Bound, LockError, Store, StoreError, messages_schema};

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "hi").unwrap();
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Missing { .. })));
    assert!(matches!(Store::open_or_create(folder.path()), Err(StoreError::Foreign { .. })));
    std::fs::remove_file(folder.path().join("letter.txt")).unwrap();
    std::fs::write(folder.path().join("config.toml"), "").unwrap();
    assert!(Store::open_or_create(folder.path()).is_ok());
    std::fs::write(folder.path().join("catalog.db"), "this is no database, it is a letter")
        .unwrap();
    assert!(Store::open(folder.path()).is_err());
}

#[test]
fn a_store_without_its_catalog_is_lost_and_not_missing() {
    let world = world();
    world.import(&[thread("a", 0, 2)]);
    std::fs::remove_file(world.store.catalog_path()).unwrap();
    let opened = Store::open(world.store.dir());
    assert!(matches!(opened, Err(StoreError::Lost { .. })), "{opened:?}");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let world = world();
    drop(world.writer("run"));
    let catalog = rusqlite::Connection::open(world.store.catalog_path()).unwrap();
    catalog.pragma_update(None, "user_version", 99).unwrap();
    drop(catalog);
    assert!(matches!(Store::open(world.store.dir()), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock() {
    let world = world();
    let _first = world.writer("first");
    match world.store.writer(Duration::from_millis(60), "second") {
        Err(LockError::Held { holder }) => {
            assert_eq!((holder.pid, holder.run_id.as_str()), (std::process::id(), "first"));
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    world.import(&[thread("a", 0, 2)]);
    let mut folders = vec![world.store.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{:?} {mode:o}", entry.path());
            if entry.metadata().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
}

#[test]
fn a_reader_sees_files_with_bounds_and_partitions() {
    let world = world();
    let mut late = thread("b", 0, 3);
    late.client = String::new();
    late.started_at = START + 40 * 86_400_000_000;
    late.lines.iter_mut().for_each(|line| line.at = late.started_at);
    world.import(&[thread("a", 0, 4), late]);
    let mut files = world.store.snapshot().unwrap().files;
    files.sort_by_key(|file| file.month.clone());
    let found: Vec<_> =
        files.iter().map(|file| (file.client.as_str(), file.month.as_str(), file.rows)).collect();
    assert_eq!(found, [("claude", "2025-10", 4), ("unknown", "2025-11", 3)]);
    let first = &files[0];
    let bounds = (Some(Bound::Text("a".into())), Some(Bound::Text("a".into())));
    assert_eq!(first.bounds["session_id"], bounds);
    assert_eq!(first.bounds["message_index"], (Some(Bound::Int(0)), Some(Bound::Int(3))));
    assert_eq!(first.bounds["message_created_at"].0, Some(Bound::Timestamp(START)));
    assert!(!first.bounds.contains_key("content_text"), "content has no bounds");
    assert_eq!(first.null_counts["response_id"], 2);
    assert_eq!(world.store.snapshot().unwrap().schema, messages_schema());
}

#[test]
fn many_small_commits_are_compacted_and_old_snapshots_expire() {
    let world = world();
    let mut writer = world.writer("run");
    for number in 0..40 {
        let threads = [thread(&format!("t{number}"), number, 4)];
        let rows: Vec<_> = (0..4).map(|line| (0, line)).collect();
        chunk(&mut writer, &threads, &rows).unwrap();
    }
    assert!(writer.table.data.len() <= 9, "{}", writer.table.data.len());
    assert!(writer.table.metadata.snapshots().len() <= 20);
    assert_eq!(world.table().len(), 160);
    drop(writer);
    drop(world.writer("sweeps"));
    let metadata = world.store.layout().table().join("metadata");
    let files = std::fs::read_dir(metadata).unwrap().count();
    assert!(files < 130, "{files} files of metadata");
    assert_eq!(world.table().len(), 160);
}

#[test]
fn a_store_that_was_moved_is_read_and_written_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let store = Store::open_or_create(&old).unwrap();
    let threads = [thread("a", 0, 2), thread("b", 1, 2)];
    chunk(&mut store.writer(Duration::ZERO, "1").unwrap(), &threads, &[(0, 0), (0, 1)]).unwrap();
    std::fs::rename(&old, &new).unwrap();
    let store = Store::open(&new).unwrap();
    assert_eq!(store.snapshot().unwrap().files[0].rows, 2);
    let mut writer = store.writer(Duration::ZERO, "2").unwrap();
    let done = chunk(&mut writer, &threads, &[(0, 0), (0, 1), (1, 0), (1, 1)]).unwrap();
    assert_eq!(done.rows, 2);
    assert_eq!(store.snapshot().unwrap().files.len(), 2);
    assert!(!old.exists());
}

#[test]
fn rows_of_very_many_months_are_written_in_several_snapshots() {
    let world = world();
    let mut threads = [thread("a", 0, 70)];
    for (month, line) in (0..).zip(&mut threads[0].lines) {
        line.at = START + month * 31 * 86_400_000_000;
    }
    let rows: Vec<_> = (0..70).map(|line| (0, line)).collect();
    let mut writer = world.writer("run");
    let mut commit = judged(&mut writer, &threads, &rows).unwrap();
    commit.corrections.push(late("a-m1#0", 99));
    let done = writer.commit(commit).unwrap();
    assert_eq!((done.rows, done.superseded), (70, 0));
    assert_eq!(writer.table.metadata.snapshots().len(), 2);
    assert_eq!(world.table()["a-m1#0"]["output_tokens"], "99");
    drop(writer);

    threads[0].lines.iter_mut().for_each(|line| line.text.push('!'));
    let done = world.import(&threads);
    assert_eq!((done.rows, done.superseded), (70, 70));
    assert!(world.table().values().all(|row| row["content_text"].ends_with('!')));
}

#[test]
fn what_a_crash_between_two_snapshots_left_is_made_good() {
    let mut origin = thread("a", 0, 70);
    for (month, line) in (0..).zip(&mut origin.lines) {
        line.at = START + month * 31 * 86_400_000_000;
    }
    let mut fork = thread("b", 1, 4);
    fork.forked_from = Some("a".to_owned());
    for (line, copied) in fork.lines.iter_mut().zip(&origin.lines) {
        (line.text, line.response_id) = (copied.text.clone(), copied.response_id.clone());
    }
    let whole = world();
    whole.import(&[origin.clone(), fork.clone()]);

    let world = world();
    world.import(std::slice::from_ref(&fork));
    let threads = [origin];
    let rows: Vec<_> = (0..70).map(|line| (0, line)).collect();
    arm(Some(("after_catalog", 1)));
    assert!(chunk(&mut world.writer("fails"), &threads, &rows).is_err());
    arm(None);
    let left = world.table();
    assert!((5..74).contains(&left.len()), "{} rows", left.len());
    assert_eq!(left["b-m1#0"]["is_replay"], "true");
    world.import(&threads);
    assert_eq!(world.table(), whole.table());
}
