//! Stores that an older hyp wrote, brought up to date by the first that writes.

use std::fs;
use std::time::Instant;

use rusqlite::Connection;

use crate::sandbox::{Sandbox, total};

/// Marks a catalog as hyp's.
const APPLICATION_ID: i64 = 0x6879_7063;

/// A home with a transcript, and a store of the first version.
fn older() -> (Sandbox, Connection) {
    let sandbox = Sandbox::with("claude-one-turn");
    fs::create_dir_all(sandbox.store()).unwrap();
    let catalog = Connection::open(sandbox.store().join("catalog.db")).unwrap();
    let first = include_str!("../../host/cache/src/migrations/0001_create.sql");
    catalog.pragma_update(None, "journal_mode", "wal").unwrap();
    catalog.execute_batch(first).unwrap();
    catalog.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    catalog.pragma_update(None, "user_version", 1).unwrap();
    (sandbox, catalog)
}

#[test]
fn two_that_start_on_an_older_store_at_once_both_come_up() {
    for _ in 0..50 {
        let (sandbox, catalog) = older();
        drop(catalog);
        let args = ["backfill", "--json", "--wait", "60"];
        let both = [sandbox.start_talking(args), sandbox.start_talking(args)];
        let written = both.map(|child| {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            total(&serde_json::from_slice(&output.stdout).unwrap(), "rows_written")
        });
        assert_eq!(written.iter().sum::<u64>(), 2, "one after the other: {written:?}");
        let runs = sandbox.rows("select count(*) from runs where status = 'ok'");
        assert_eq!(runs, ["2"]);
    }
}

#[test]
fn an_older_store_that_another_program_locks_is_left_as_it_is_after_five_seconds() {
    let (sandbox, catalog) = older();
    let path = sandbox.store().join("catalog.db");
    catalog.execute_batch("PRAGMA wal_checkpoint(truncate)").unwrap();
    let before = fs::read(&path).unwrap();
    catalog.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = Instant::now();
    let refused = sandbox.hyp(["backfill"]);
    let took = started.elapsed();
    catalog.execute_batch("ROLLBACK").unwrap();
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.starts_with("error: "), "{refused}");
    assert!(refused.stderr.contains("locked"), "{refused}");
    assert!((5..15).contains(&took.as_secs()), "{took:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 2);
}
