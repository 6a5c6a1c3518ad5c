//! Which migrations are applied, and what becomes of a catalog that is not as they made it.

use std::time::Duration;

use super::world::{World, world};
use crate::migrations::{MIGRATIONS, apply, apply_those, due, identity};
use crate::{LockError, StoreError};

#[test]
fn migrations_are_known_by_number_and_name() {
    struct Case {
        name: &'static str,
        known: &'static [&'static str],
        applied: &'static [&'static str],
        expected: Result<&'static [usize], &'static str>,
    }
    let cases = [
        Case {
            name: "ok",
            known: &["0001_base", "0002_more"],
            applied: &[],
            expected: Ok(&[0, 1]),
        },
        Case {
            name: "a gap",
            known: &["0001_base", "0003_late"],
            applied: &[],
            expected: Ok(&[0, 1]),
        },
        Case {
            name: "gone on with",
            known: &["0001_base", "0002_more"],
            applied: &["0001_base"],
            expected: Ok(&[1]),
        },
        Case {
            name: "nothing to do",
            known: &["0001_base", "0002_more"],
            applied: &["0001_base", "0002_more"],
            expected: Ok(&[]),
        },
        Case {
            name: "one number for two",
            known: &["0001_base", "0457_badges", "0457_log"],
            applied: &[],
            expected: Err("0457 is the number of both `0457_badges` and `0457_log`"),
        },
        Case {
            name: "a number that was taken",
            known: &["0001_base", "0472_backfill"],
            applied: &["0001_base", "0472_drop"],
            expected: Err(
                "the migration `0472_backfill` has the number of `0472_drop`, which was applied: it needs another",
            ),
        },
        Case {
            name: "one of the future",
            known: &["0001_base"],
            applied: &["0001_base", "0002_from_the_future"],
            expected: Err(
                "a newer hyp applied `0002_from_the_future`, which this one does not know",
            ),
        },
        Case {
            name: "no number",
            known: &["0001_base", "second"],
            applied: &[],
            expected: Err("the migration `second` is not called `NNNN_name`"),
        },
    ];
    for Case { name, known, applied, expected } in cases {
        let applied: Vec<String> = applied.iter().map(|it| (*it).to_owned()).collect();
        let found = due(known, &applied);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{name}");
    }
}

#[test]
fn the_version_is_how_many_were_applied_whatever_their_numbers() {
    let noted = "CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at INTEGER)";
    let (first, second) = (("0001_base", noted), ("0002_early", "CREATE TABLE early (x)"));
    let (third, fourth) =
        (("0003_more", "CREATE TABLE more (x)"), ("0004_late", "CREATE TABLE late (x)"));
    let mut catalog = rusqlite::Connection::open_in_memory().unwrap();
    let version = |catalog: &rusqlite::Connection| identity(catalog).unwrap().1;
    apply_those(&mut catalog, &[first, third, fourth]).unwrap();
    assert_eq!(version(&catalog), 3);
    apply_those(&mut catalog, &[first, second, third, fourth]).unwrap();
    assert_eq!(version(&catalog), 4);

    catalog.pragma_update(None, "user_version", 2).unwrap();
    apply_those(&mut catalog, &[first, second, third, fourth]).unwrap();
    assert_eq!(version(&catalog), 4, "one that was set too low is put right");
}

/// Makes a store, changes its catalog behind its back, and returns what a writer is told.
fn told_after(change: &str) -> (World, StoreError) {
    let world = world();
    drop(world.writer("r1"));
    let catalog = rusqlite::Connection::open(world.store.catalog_path()).unwrap();
    catalog.execute_batch(change).unwrap();
    drop(catalog);
    match world.store.writer(Duration::ZERO, "r2") {
        Err(LockError::Store(error)) => (world, error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_column_that_somebody_removed_stops_the_writer_and_is_told_with_its_migration() {
    let what = "the table `runs` has no column `arguments`, which `0009_runs` makes";
    let (world, error) = told_after("ALTER TABLE runs DROP COLUMN arguments");
    assert!(matches!(&error, StoreError::Damaged { reason, .. } if reason == what), "{error}");
    assert_eq!(world.store.check_catalog().unwrap(), [what]);
}

#[test]
fn an_index_that_somebody_removed_is_told() {
    let (_, error) = told_after("DROP INDEX value_audit_of_time");
    let what = "the index `value_audit_of_time` is not there, which `0008_datasets` makes";
    assert!(matches!(&error, StoreError::Damaged { reason, .. } if reason == what), "{error}");
}

#[test]
fn a_migration_of_another_hyp_stops_the_writer() {
    let (world, error) =
        told_after("UPDATE migrations SET name = '0009_other' WHERE name = '0009_runs'");
    let what = "the migration `0009_runs` has the number of `0009_other`, which was applied: it needs another";
    assert!(matches!(&error, StoreError::Migrations { reason, .. } if reason == what), "{error}");
    assert_eq!(world.store.check_catalog().unwrap(), [""; 0]);
}

#[test]
fn what_was_applied_is_noted_by_name_in_new_stores_and_in_old_ones() {
    let names = |world: &World| -> Vec<String> {
        let catalog = rusqlite::Connection::open(world.store.catalog_path()).unwrap();
        let mut statement = catalog.prepare("SELECT name FROM migrations ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let new = world();
    drop(new.writer("r1"));
    let old = world();
    let catalog = rusqlite::Connection::open(old.store.catalog_path()).unwrap();
    catalog.execute_batch(include_str!("../migrations/0001_create.sql")).unwrap();
    catalog.pragma_update(None, "application_id", crate::migrations::APPLICATION_ID).unwrap();
    catalog.pragma_update(None, "user_version", 1).unwrap();
    drop(catalog);
    drop(old.writer("r1"));
    assert_eq!(names(&new), names(&old));
    assert_eq!(names(&new).len(), usize::try_from(crate::migrations::newest()).unwrap());
}

#[test]
fn what_is_in_quarantine_stays_when_files_of_a_unit_are_told_apart() {
    let mut catalog = rusqlite::Connection::open_in_memory().unwrap();
    let before = MIGRATIONS.iter().position(|(name, _)| *name == "0013_quarantine").unwrap();
    apply_those(&mut catalog, &MIGRATIONS[..before]).unwrap();
    catalog
        .execute_batch(
            "INSERT INTO quarantine VALUES
                 ('i', 'p', 'x/a.jsonl', 0, 5, 'malformed', 'why', x'01', 'r'),
                 ('i', 'p', 'x/a.jsonl', 7, 5, 'malformed', 'why', NULL, 'r'),
                 ('j', 'p', 'x/other.jsonl', 0, 5, 'malformed', 'why', NULL, 'r');
             INSERT INTO inputs (input_id, provider, unit_id, path, size, modified, bytes_read,
                 accounting, status, run_id)
             VALUES ('i', 'p', 'u', '/home/x/a.jsonl', 1, 1, 1, '{}', 'ok', 'r'),
                 ('j', 'p', 'v', '/home/x/b.jsonl', 1, 1, 1, '{}', 'ok', 'r');
             INSERT INTO checkpoints (provider, unit_id, frame, input, size, offset, head, tail,
                 accounting, records, component, host)
             VALUES ('p', 'u', '', 0, 0, 0, x'', x'', '', '', x'', x''),
                 ('p', 'v', '', 0, 0, 0, x'', x'', '', '', x'', x'');",
        )
        .unwrap();
    apply(&mut catalog).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut statement = catalog.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let kept = "SELECT concat_ws(' ', input_id, input, offset, length, class, reason, hex(bytes),
                run_id) FROM quarantine ORDER BY input_id, offset";
    let expected = ["i 0 0 5 malformed why 01 r", "i 0 7 5 malformed why  r"];
    assert_eq!(list(kept), [&expected[..], &["j 0 0 5 malformed why  r"]].concat());
    assert_eq!(list("SELECT unit_id FROM checkpoints"), ["u"], "the other is read whole");
}
