//! Rows that expire: whole files, a month in part, and what goes with them.

use super::upkeep::{import_each, maintain, thread_of};
use super::world::{START, World, thread, world};
use crate::failpoint::arm;
use crate::{InputState, Upkeep, Upkept};

/// 2025-12-10, in the third month of the tests' threads.
const LATER: i64 = START + 62 * 86_400_000_000;

fn expire(world: &World, before: i64, may_remove_most: bool) -> Upkept {
    let upkeep =
        Upkeep { retained_from: Some(before), may_remove_most, is_thorough: true, budget: None };
    maintain(&mut world.writer("upkeep"), &upkeep)
}

fn three_months() -> World {
    let world = world();
    let threads: Vec<_> =
        (0..3).flat_map(|month| (0..3).map(move |number| thread_of(month, number))).collect();
    import_each(&world, &threads);
    world
}

#[test]
fn rows_before_a_moment_are_gone_from_table_and_disk() {
    let world = three_months();
    // Of the first month all, of the second the first two threads.
    let before = START + 31 * 86_400_000_000 + 2 * 1_000_000;
    let done = expire(&world, before, true);
    assert_eq!((done.expired.rows, done.expired.of), (20, 36));
    let table = world.table();
    let sessions: std::collections::BTreeSet<_> =
        table.values().map(|row| row["session_id"].as_str()).collect();
    assert_eq!(sessions.into_iter().collect::<Vec<_>>(), ["m1-02", "m2-00", "m2-01", "m2-02"]);
    for path in super::crash::files(&world.store.layout().table().join("data")) {
        let bytes = std::fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has("m0-00") && !has("m1-00"), "{path:?} has an expired session");
    }
    assert_eq!(expire(&world, before, false).expired.rows, 0, "it is done");
}

#[test]
fn most_of_the_table_expires_only_when_somebody_says_so() {
    let world = three_months();
    let done = expire(&world, LATER, false);
    assert!(done.expired.is_refused);
    assert_eq!((done.expired.rows, world.table().len()), (24, 36));
    let done = expire(&world, LATER, true);
    assert!(!done.expired.is_refused);
    assert_eq!(world.table().len(), 12);
}

#[test]
fn an_expiry_that_fails_anywhere_is_done_by_the_next_upkeep() {
    for name in ["before_expiry", "after_manifests", "after_metadata", "in_catalog", "in_sweep"] {
        let world = three_months();
        let mut writer = world.writer("fails");
        arm(Some((name, 1)));
        let upkeep = Upkeep {
            retained_from: Some(LATER),
            may_remove_most: true,
            is_thorough: true,
            budget: None,
        };
        let failed = writer.maintain(&upkeep, &std::sync::atomic::AtomicBool::new(false));
        arm(None);
        assert!(failed.is_err(), "{name}");
        drop(writer);
        expire(&world, LATER, true);
        assert_eq!(world.table().len(), 12, "{name}");
    }
}

#[test]
fn bytes_of_expired_rows_stay_accounted_for() {
    let world = world();
    let threads = [thread("a", 0, 4), thread_of(3, 0)];
    import_each(&world, &threads);
    let input = InputState {
        input_id: "input-a".into(),
        provider: "claude".into(),
        unit_id: "a".into(),
        accounting: r#"{"no_row":5,"written":40}"#.into(),
        records: "{}".into(),
        ..InputState::default()
    };
    let mut writer = world.writer("inputs");
    writer.commit(crate::Commit { inputs: vec![input], ..Default::default() }).unwrap();
    drop(writer);
    expire(&world, LATER, true);
    let connection = rusqlite::Connection::open(world.store.catalog_path()).unwrap();
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let accounting = read("SELECT accounting FROM inputs");
    assert_eq!(accounting, r#"{"expired":40,"no_row":5}"#);
    let journal = read("SELECT detail FROM journal WHERE event = 'expired'");
    assert_eq!(journal, format!(r#"{{"before":{LATER},"rows":4}}"#));
}

#[test]
fn sessions_of_expired_rows_are_no_longer_listed() {
    let world = three_months();
    let count = || world.store.read_table("sessions").unwrap().num_rows();
    assert_eq!(count(), 9);
    expire(&world, LATER, true);
    assert_eq!(count(), 3);
    maintain(&mut world.writer("all"), &Upkeep::default());
    assert_eq!(count(), 9, "what copies are told by is kept");
}
