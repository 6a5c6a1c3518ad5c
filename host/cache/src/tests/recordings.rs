//! Threads that lie in several recordings.

use super::undo::import;
use super::undos::undo;
use super::world::{Thread, World, thread, world};
use crate::{Purge, Reach, Selector};

/// Returns a thread as its two recordings have it: the second, which goes first, holds some of the first's lines and others.
fn halves(id: &str, shared: usize) -> [Thread; 2] {
    let whole = thread(id, 0, 6);
    let first = Thread { lines: whole.lines[..4].to_vec(), ..whole.clone() };
    let lines = whole.lines[4 - shared..].to_vec();
    [first, Thread { input: format!("another-of-{id}"), lines, ..whole }]
}

/// Returns the recordings one at a time, in both orders, each in a run of its own.
fn in_any_order(recordings: &[Thread]) -> [Vec<Thread>; 2] {
    [recordings.to_vec(), recordings.iter().rev().cloned().collect()]
}

fn import_each(world: &World, recordings: &[Thread]) {
    for recording in recordings {
        world.import(std::slice::from_ref(recording));
    }
}

fn session(world: &World, id: &str) -> (i64, i64) {
    let catalog = rusqlite::Connection::open(world.store.layout().root.join("catalog.db")).unwrap();
    let length = "SELECT messages, last_at FROM sessions WHERE thread_id = ?1";
    catalog.query_row(length, [id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn all_of_a_thread_is_purged_whichever_recording_told_it() {
    for recordings in in_any_order(&halves("a", 1)) {
        let world = world();
        import_each(&world, &recordings);
        world.import(&[thread("b", 100, 2)]);
        assert_eq!(world.table().len(), 8);
        let what = Selector::Sessions(vec!["a".into()]);
        let done = world.writer("purge").purge(&Purge { what, keeps_copies: true }).unwrap();
        assert_eq!((done.rows, done.threads), (6, 1));
        assert!(world.table().values().all(|row| row["session_id"] == "b"));
        import_each(&world, &recordings);
        assert_eq!(world.table().len(), 2, "what is purged stays away");
    }
}

#[test]
fn a_thread_is_as_long_as_its_recordings_together() {
    let end = thread("a", 0, 6).lines[5].at;
    for (shared, messages) in [(0, 6), (1, 4)] {
        for recordings in in_any_order(&halves("a", shared)) {
            let world = world();
            import_each(&world, &recordings);
            assert_eq!(session(&world, "a"), (messages, end), "{shared} shared");
        }
    }
}

#[test]
fn an_original_takes_rows_over_from_all_recordings_of_a_fork() {
    let original = thread("a", 0, 6);
    let [first, second] = halves("a", 1);
    let fork = |it: Thread| Thread {
        id: "b".into(),
        input: format!("{}-of-b", it.input),
        started_at: it.started_at + 100,
        ..it
    };
    let (first, second) = (fork(first), fork(second));
    let at_once = world();
    at_once.import(&[original.clone(), first.clone(), second.clone()]);
    for recordings in in_any_order(&[first, second]) {
        let world = world();
        import_each(&world, &recordings);
        world.import(std::slice::from_ref(&original));
        assert_eq!(world.table(), at_once.table());
        assert!(world.table().values().all(|row| row["session_id"] == "a"));
    }
}

#[test]
fn an_undo_takes_the_second_recording_back() {
    let [first, second] = halves("a", 1);
    let world = world();
    world.import(std::slice::from_ref(&first));
    let (table, length) = (world.table(), session(&world, "a"));
    import(&world, "second", std::slice::from_ref(&second));
    assert_ne!(session(&world, "a"), length);
    undo(&world, "second", "undo", Reach::Whole);
    assert_eq!((world.table(), session(&world, "a")), (table, length));
    import(&world, "again", &[second]);
    assert_eq!(world.table().len(), 6);
}
