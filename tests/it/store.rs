//! Stores that are held, foreign, moved or damaged.

use std::fs;
use std::time::Duration;

use hyp_cache::Store;

use crate::sandbox::{Sandbox, total};

#[test]
fn a_store_that_another_run_holds_is_refused_with_exit_3() {
    let sandbox = Sandbox::with("claude-one-turn");
    let store = Store::open_or_create(&sandbox.store()).unwrap();
    let holder = store.writer(Duration::ZERO, "another").unwrap();

    let output = sandbox.hyp(["backfill", "--json"]);
    assert_eq!(output.status, Some(3), "{output}");
    assert!(output.stdout.is_empty(), "{output}");
    assert!(output.stderr.starts_with("error: "), "{output}");
    assert!(output.stderr.contains("--wait"), "there is a way out: {output}");
    assert_eq!(sandbox.hyp(["backfill", "--wait", "0.2"]).status, Some(3));

    assert_eq!(sandbox.rows("select count(*) from ai_gateway_messages"), ["0"], "readers go on");
    drop(holder);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 2);
}

#[test]
fn a_folder_of_something_else_is_not_made_a_store() {
    let sandbox = Sandbox::with("claude-one-turn");
    fs::create_dir_all(sandbox.store()).unwrap();
    fs::write(sandbox.store().join("catalog.db"), "SQLite format 3, or so it claims").unwrap();
    let output = sandbox.hyp(["backfill"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.starts_with("error: "), "{output}");
    let content = fs::read_to_string(sandbox.store().join("catalog.db")).unwrap();
    assert_eq!(content, "SQLite format 3, or so it claims", "it is as it was");
}

#[test]
fn a_catalog_that_was_emptied_costs_no_file() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let catalog = sandbox.store().join("catalog.db");
    let whole = fs::read(&catalog).unwrap();
    let stored = || crate::sandbox::files(&sandbox.store().join("warehouse"));
    let before = stored();
    let mark = || fs::write(sandbox.store().join("unswept"), "").unwrap();
    let refused = |what: &str, args: &[&str]| {
        let output = sandbox.hyp(args.iter().copied());
        assert_eq!(output.status, Some(1), "{what} {args:?} {output}");
        assert!(output.stderr.contains("has files of a store"), "{what} {args:?} {output}");
        assert!(output.stderr.contains("put back a copy of `catalog.db`"), "{output}");
        assert_eq!(stored(), before, "{what} {args:?}");
    };
    mark();
    fs::write(&catalog, "").unwrap();
    for args in [
        &["backfill"][..],
        &["cache", "gc"],
        &["cache", "maintain"],
        &["cache", "verify"],
        &["privacy", "purge", "--session", "x", "--yes"],
        &["runs", "undo", "x"],
        &["query", "sql", "select 1 from messages"],
    ] {
        refused("emptied", args);
    }
    let output = sandbox.hyp(["doctor"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("has files of a store"), "{output}");
    fs::remove_file(&catalog).unwrap();
    refused("gone", &["backfill"]);

    fs::write(&catalog, &whole).unwrap();
    let connection = rusqlite::Connection::open(&catalog).unwrap();
    connection.execute("DELETE FROM iceberg_tables", []).unwrap();
    drop(connection);
    mark();
    for args in [&["backfill"][..], &["cache", "gc"], &["cache", "maintain"]] {
        refused("without a pointer", args);
    }
    let output = sandbox.hyp(["cache", "verify"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("nothing points at the files"), "{output}");

    fs::write(&catalog, whole).unwrap();
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0);
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));
}

#[test]
fn nothing_is_written_to_a_folder_that_is_refused() {
    let mut sandbox = Sandbox::with("sample");
    let folder = sandbox.home().join(".claude");
    sandbox.set("HYP_HOME", folder.to_str().unwrap());
    for args in
        [&["backfill"][..], &["backfill", "plan"], &["init", "--yes"], &["backfill", "list"]]
    {
        let output = sandbox.hyp(args.iter().copied());
        let is_list = args.last() == Some(&"list");
        assert_eq!(output.status, Some(i32::from(!is_list)), "{args:?} {output}");
        assert!(is_list || output.stderr.contains("is not a store of hyp"), "{output}");
        let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["projects"], "{args:?}");
    }
}

#[test]
fn a_store_that_is_not_there_is_told_and_not_made() {
    let sandbox = Sandbox::new();
    for args in [&["query", "sql", "select 1 from messages"][..], &["status"], &["sessions"]] {
        let output = sandbox.hyp(args.iter().copied());
        assert_ne!(output.status, Some(2), "{output}");
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(text.contains("hyp backfill"), "the next command is named: {output}");
        assert!(!sandbox.store().join("catalog.db").exists());
    }
}

#[test]
fn a_store_can_be_moved() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let moved = sandbox.beside("moved store");
    fs::rename(sandbox.store(), &moved).unwrap();
    sandbox.set("HYP_HOME", moved.to_str().unwrap());
    assert_eq!(sandbox.all_rows(), before);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0);
    assert_eq!(sandbox.all_rows(), before);
}

#[test]
fn history_is_never_written_to() {
    let sandbox = Sandbox::with("sample");
    let state = || {
        crate::sandbox::files(&sandbox.home())
            .into_iter()
            .map(|path| {
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                (fs::read(&path).unwrap(), changed, path)
            })
            .collect::<Vec<_>>()
    };
    let before = state();
    sandbox.import([]);
    sandbox.import(["--full"]);
    assert_eq!(state(), before);
}
