//! What a failure leaves behind.

use std::path::{Path, PathBuf};

use super::world::{chunk, judged, late, thread, world};
use crate::failpoint::{NAMES, arm};

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_commit_that_fails_anywhere_leaves_the_store_as_it_was_or_as_it_should_be() {
    let elsewhere = ["in_sweep", "before_erasing", "after_sweep"];
    for name in NAMES.iter().copied().filter(|name| !elsewhere.contains(name)) {
        let world = world();
        let threads = [thread("a", 0, 4), thread("b", 10, 4)];
        world.import(&threads[..1]);
        let before = world.table();
        let mut writer = world.writer("fails");
        let rows: Vec<_> = (0..4).map(|line| (1, line)).collect();
        let mut commit = judged(&mut writer, &threads, &rows).unwrap();
        commit.corrections.push(late("a-m1#0", 77));
        arm(Some((name, 1)));
        let failed = writer.commit(commit.clone());
        arm(None);
        let is_past = name == "after_catalog";
        if ["before_compaction", "before_expiry"].contains(&name) {
            assert!(failed.is_ok(), "there is nothing to compact, and nothing expires");
        } else {
            assert!(failed.is_err(), "{name}");
            let expect = if is_past { 8 } else { before.len() };
            assert_eq!(world.table().len(), expect, "{name}");
        }
        drop(writer);

        let mut writer = world.writer("again");
        let mut commit = judged(&mut writer, &threads, &rows).unwrap();
        commit.corrections.push(late("a-m1#0", 77));
        writer.commit(commit).unwrap();
        let table = world.table();
        assert_eq!(table.len(), 8, "{name}");
        assert_eq!(table["a-m1#0"]["output_tokens"], "77", "{name}");
        drop(writer);

        drop(world.writer("sweeps"));
        let data = files(&world.store.layout().table().join("data"));
        let live = world.store.snapshot().unwrap().files;
        let deletes =
            data.iter().filter(|path| path.to_string_lossy().contains(".deletes.")).count();
        assert_eq!(data.len() - deletes, live.len(), "{name}: {data:?}");
    }
}

#[test]
fn a_sweep_that_fails_is_done_again() {
    let world = world();
    world.import(&[thread("a", 0, 2)]);
    let rubbish = world.store.layout().table().join("data/left-over.parquet");
    std::fs::write(&rubbish, "x").unwrap();
    arm(Some(("in_sweep", 1)));
    assert!(world.store.writer(std::time::Duration::ZERO, "fails").is_err());
    arm(None);
    std::fs::write(&rubbish, "x").unwrap();
    let mut writer = world.writer("works");
    assert!(!rubbish.exists());
    let threads = [thread("a", 0, 2)];
    chunk(&mut writer, &threads, &[(0, 0), (0, 1)]).unwrap();
    assert_eq!(world.table().len(), 2);
}

#[test]
fn a_data_file_that_cannot_be_read_is_an_error_and_no_room_for_duplicates() {
    let world = world();
    let threads = [thread("a", 0, 2)];
    world.import(&threads);
    let file = world.store.snapshot().unwrap().files.remove(0);
    std::fs::write(&file.path, "broken").unwrap();
    let mut writer = world.writer("run");
    let failed = judged(&mut writer, &threads, &[(0, 0)]).unwrap_err();
    assert!(failed.to_string().contains(&file.path.display().to_string()), "{failed}");
}
