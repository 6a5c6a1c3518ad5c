//! What other engines are told to open the store; the smoke checks run it.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn the_lines_name_the_files_as_they_are_now() {
    let sandbox = Sandbox::with("sample");
    let before = sandbox.hyp(["attach", "duckdb"]);
    insta::assert_snapshot!(before, @r"
    exit: 1
    -- stderr
    error: nothing is stored in `[HYP_HOME]` yet
      code: hyp::attach::empty
      help: `hyp backfill` imports the history on this machine
    ");
    sandbox.import([]);
    let sql = sandbox.hyp(["attach", "duckdb"]);
    assert_eq!(sql.status, Some(0), "{sql}");
    let path = sql.stdout.split("iceberg_scan('").nth(1).unwrap().split_once("')").unwrap().0;
    assert!(fs::metadata(path).unwrap().is_file(), "{path}");
    assert_eq!(sql.stderr, "the views show the store as it is now; ask again after an import\n");
    insta::assert_snapshot!(sandbox.hyp(["attach", "pyiceberg"]), @r#"
    exit: 0
    -- stdout
    from pyiceberg.catalog.sql import SqlCatalog
    catalog = SqlCatalog("hyp", uri="sqlite:///[HYP_HOME]/catalog.db", warehouse="file://[HYP_HOME]/warehouse")
    messages = catalog.load_table("hyp.ai_gateway_messages")
    "#);
}

#[test]
fn a_store_that_was_moved_is_told_instead_of_lines_that_do_not_work() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let moved = sandbox.beside("moved");
    fs::rename(sandbox.store(), &moved).unwrap();
    let output = sandbox.hyp(["attach", "duckdb", "--store", moved.to_str().unwrap()]);
    insta::assert_snapshot!(output, @r"
    exit: 1
    -- stderr
    error: the store was moved, or is a copy: its files name another place as theirs
      code: hyp::attach::moved
      help: hyp reads it all the same; `hyp cache relocate` makes it whole for other engines
    ");
}
