//! A purge, case by case.

use std::path::Path;

use super::crash::files;
use super::world::{World, thread, world};
use crate::failpoint::{NAMES, arm};
use crate::{InputState, Purge, Purged, Selector};

fn session(id: &str) -> Purge {
    Purge { what: Selector::Sessions(vec![id.to_owned()]), keeps_copies: false }
}

fn purge(world: &World, purge: &Purge) -> Purged {
    world.writer("purge").purge(purge).unwrap()
}

/// Returns the files of a store that hold a text as it is.
fn holding(world: &World, text: &str) -> Vec<String> {
    let root = &world.store.layout().root;
    let has = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files(root)
        .into_iter()
        .filter(|path| has(path))
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn a_purge_that_fails_anywhere_is_done_or_undone_and_can_be_repeated() {
    let elsewhere = ["before_compaction", "before_expiry", "after_delete_files"];
    for name in NAMES.iter().copied().filter(|name| !elsewhere.contains(name)) {
        let world = world();
        world.import(&[thread("gone-for-good", 0, 4), thread("stays", 10, 4)]);
        let before = world.table();
        let mut writer = world.writer("fails");
        arm(Some((name, 1)));
        let failed = writer.purge(&session("gone-for-good"));
        arm(None);
        assert!(failed.is_err(), "{name}");
        drop(writer);
        let is_past =
            ["after_catalog", "before_erasing", "in_sweep", "after_sweep"].contains(&name);
        let after = world.table();
        assert_eq!(after.len(), if is_past { 4 } else { before.len() }, "{name}");

        if is_past {
            // Whoever takes the lock next ends what was begun.
            drop(world.writer("next"));
        } else {
            assert_eq!(after, before, "{name}");
            assert!(purge(&world, &session("gone-for-good")).is_erased);
        }
        assert_eq!(holding(&world, "gone-for-good-m"), [""; 0], "{name}");
        assert_eq!(world.table().len(), 4, "{name}");
    }
}

#[test]
fn what_is_purged_waits_for_readers_and_goes_with_the_next_writer() {
    let world = world();
    world.import(&[thread("gone-for-good", 0, 4), thread("stays", 10, 4)]);
    // Leases are taken on a file that the first sweep makes.
    drop(world.writer("sweeps"));
    assert!(!holding(&world, "gone-for-good-m").is_empty());
    let reader = world.store.snapshot().unwrap();
    let done = purge(&world, &session("gone-for-good"));
    assert_eq!((done.rows, done.whole_threads, done.is_erased), (4, 1, false));
    assert_eq!(world.table().len(), 4, "new readers do not see it");
    assert!(reader.files.iter().all(|file| file.path.exists()), "the old one reads on");
    drop(reader);
    drop(world.writer("next"));
    assert_eq!(holding(&world, "gone-for-good-m"), [""; 0]);
}

#[test]
fn a_purge_of_what_is_not_there_keeps_it_from_coming() {
    let world = world();
    world.import(&[thread("a", 0, 4)]);
    let done = purge(&world, &session("b"));
    assert_eq!((done.rows, done.files), (0, 0));
    world.import(&[thread("b", 10, 4)]);
    assert_eq!(world.table().len(), 4);
}

#[test]
fn everything_goes_and_later_messages_come() {
    let world = world();
    world.import(&[thread("a", 0, 4), thread("b", 10, 4)]);
    let all = Purge { what: Selector::All, keeps_copies: false };
    assert_eq!(world.store.plan_purge(&all).unwrap().rows, 8);
    assert_eq!(purge(&world, &all).rows, 8);
    assert_eq!(world.table().len(), 0);
    let done = world.import(&[thread("a", 0, 4), thread("b", 10, 4)]);
    assert_eq!((done.rows, world.table().len()), (0, 0));
    let later = 200 * 365 * 86_400_000_000;
    assert_eq!(world.import(&[thread("c", later, 2)]).rows, 2, "what is said from now on is kept");
}

#[test]
fn bytes_of_purged_rows_stay_accounted_for() {
    let world = world();
    let mut writer = world.writer("import");
    let threads = [thread("a", 0, 4)];
    let mut commit = super::world::judged(&mut writer, &threads, &[(0, 0), (0, 1)]).unwrap();
    commit.inputs = vec![InputState {
        input_id: "input-a".into(),
        provider: "claude".into(),
        unit_id: "a".into(),
        accounting: r#"{"no_row":7,"written":20}"#.into(),
        ..InputState::default()
    }];
    writer.commit(commit).unwrap();
    drop(writer);
    let time = threads[0].lines[1].at;
    let done = purge(&world, &Purge { what: Selector::Before(time), keeps_copies: false });
    assert_eq!(done.rows, 1);
    let inputs = world.store.read_table("inputs").unwrap();
    let accounting = arrow::util::display::array_value_to_string(
        inputs.column_by_name("accounting").unwrap(),
        0,
    );
    assert_eq!(accounting.unwrap(), r#"{"no_row":7,"purged":10,"written":10}"#);
}
