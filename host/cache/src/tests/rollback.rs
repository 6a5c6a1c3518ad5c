//! Copies of the catalog: what they keep, and the way back to one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::crash::files;
use super::world::{World, thread, world};
use crate::catalog::{Catalog, NAME};
use crate::{LockError, StoreError, backup, migrations};

/// Copies the catalog as that of another version.
fn copy_as(world: &World, version: i64) -> PathBuf {
    let layout = world.store.layout();
    let made = backup::make(layout, &Catalog::write(&layout.catalog()).unwrap()).unwrap();
    let catalog = rusqlite::Connection::open(&made).unwrap();
    catalog.pragma_update(None, "user_version", version).unwrap();
    drop(catalog);
    let path = layout.backups().join(format!("catalog-v{version}.db"));
    fs::rename(made, &path).unwrap();
    path
}

/// Returns a store with a thread, and a copy of a newer version that has another one, too.
fn gone_back() -> (World, PathBuf) {
    let world = world();
    let threads = [thread("a", 0, 4), thread("b", 10, 4)];
    world.import(&threads[..1]);
    let before = copy_as(&world, migrations::newest() + 1);
    let kept = world.store.dir().join("before.db");
    fs::rename(before, &kept).unwrap();
    world.import(&threads[1..]);
    let copy = copy_as(&world, migrations::newest() + 1);
    let catalog = rusqlite::Connection::open(&kept).unwrap();
    catalog.pragma_update(None, "user_version", migrations::newest()).unwrap();
    drop(catalog);
    fs::rename(kept, world.store.catalog_path()).unwrap();
    assert_eq!(world.table().len(), 4);
    (world, copy)
}

fn below(world: &World) -> Vec<PathBuf> {
    let mut found = files(&world.store.layout().tables());
    found.sort();
    found
}

fn collect(world: &World) -> Result<u64, StoreError> {
    world.writer("gc").collect().map(|rubbish| rubbish.files)
}

#[test]
fn what_only_a_copy_of_a_newer_version_names_stays() {
    let (world, copy) = gone_back();
    let before = below(&world);
    assert_eq!(collect(&world).unwrap(), 0);
    assert_eq!(below(&world), before);
    assert_eq!(world.store.rubbish().unwrap().files, 0);

    fs::remove_file(copy).unwrap();
    assert!(collect(&world).unwrap() > 0);
}

#[test]
fn a_copy_that_cannot_be_read_stops_the_sweep_and_nothing_else() {
    for content in ["", "no catalog, and long enough to be taken for one at first sight"] {
        let (world, copy) = gone_back();
        let before = below(&world);
        fs::write(&copy, content).unwrap();
        let error = collect(&world).unwrap_err();
        assert!(matches!(&error, StoreError::Copy { path, .. } if *path == copy), "{error}");
        assert!(matches!(world.store.rubbish(), Err(StoreError::Copy { .. })));
        assert_eq!(below(&world), before);
        // An import that was cut short leaves a note that there are files to look for.
        world.import(&[thread("c", 20, 4)]);
        assert_eq!(world.table().len(), 8);
        assert!(before.iter().all(|path| path.exists()));
    }
}

#[test]
fn what_is_in_a_folder_that_only_a_copy_knows_stays() {
    let world = world();
    world.import(&[thread("a", 0, 4)]);
    let location = world.store.snapshot().unwrap().metadata_location.unwrap();
    let path = world.store.layout().resolve(&location);
    let folder = world.store.layout().dataset("other").join("metadata");
    fs::create_dir_all(&folder).unwrap();
    let (named, left) = (folder.join(path.file_name().unwrap()), folder.join("left.avro"));
    fs::copy(&path, &named).unwrap();
    fs::write(&left, "x").unwrap();
    let copy = copy_as(&world, migrations::newest() + 1);
    let catalog = rusqlite::Connection::open(&copy).unwrap();
    let entry = "INSERT INTO iceberg_tables VALUES (?1, ?1, 'other', ?2, NULL, 'TABLE')";
    catalog.execute(entry, [NAME, &format!("file://{}", named.display())]).unwrap();
    drop(catalog);

    assert_eq!(collect(&world).unwrap(), 1);
    assert_eq!((named.exists(), left.exists()), (true, false));
}

fn versions(world: &World) -> Vec<i64> {
    world.store.backups().unwrap().into_iter().map(|backup| backup.version).collect()
}

fn roll_back(world: &World) -> Result<i64, LockError> {
    let backup = world.store.roll_back(Duration::ZERO, "back")?;
    Ok(backup.version)
}

/// Makes a copy that this hyp can go back to: one of an older version.
fn older_copy(world: &World) -> i64 {
    world.import(&[thread("a", 0, 4)]);
    let older = migrations::newest() - 1;
    copy_as(world, older);
    world.import(&[thread("b", 10, 4)]);
    older
}

#[test]
fn going_back_keeps_what_it_replaces() {
    let world = world();
    let (older, newest) = (older_copy(&world), migrations::newest());
    assert_eq!(roll_back(&world).unwrap(), older);
    assert_eq!((versions(&world), world.table().len()), (vec![newest], 4));
    assert_eq!(roll_back(&world).unwrap(), newest);
    assert_eq!((versions(&world), world.table().len()), (vec![older], 8));
}

#[test]
fn going_back_that_was_interrupted_goes_back_the_next_time() {
    let world = world();
    let older = older_copy(&world);
    let layout = world.store.layout();
    backup::make(layout, &Catalog::write(&layout.catalog()).unwrap()).unwrap();
    fs::write(layout.root.join("catalog.back"), "half").unwrap();
    assert_eq!(versions(&world), [older, migrations::newest()]);
    assert_eq!(roll_back(&world).unwrap(), older);
    assert_eq!((versions(&world), world.table().len()), (vec![migrations::newest()], 4));
    assert!(!Path::exists(&layout.root.join("catalog.back")));
}

#[test]
fn a_copy_of_the_present_version_is_no_way_back() {
    let world = world();
    world.import(&[thread("a", 0, 4)]);
    copy_as(&world, migrations::newest());
    let error = roll_back(&world).unwrap_err();
    assert!(matches!(error, LockError::Store(StoreError::NoBackup { .. })), "{error}");
}
