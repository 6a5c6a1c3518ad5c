//! Columns that a materializer derives: when that is done, what it may change, and what becomes of the rest when it fails.
//!
//! The component is another's: it derives `mood` from `does`, in dataset `moods`.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::materializers::installed;
use crate::sandbox::{Output, Sandbox};

/// Records what somebody does.
fn record(sandbox: &Sandbox, id: &str, does: &str) -> Output {
    record_items(sandbox, "guests.mood", &json!({"id": id, "does": does}))
}

/// Records what `a` does, with another cell.
fn write(sandbox: &Sandbox, does: &str, (column, value): (&str, &str)) -> Output {
    record_items(sandbox, "guests.mood", &json!({"id": "a", "does": does, column: value}))
}

/// Records one item, or several.
fn record_items(sandbox: &Sandbox, kind: &str, items: &Value) -> Output {
    let file = sandbox.beside("items.json");
    fs::write(&file, items.to_string()).unwrap();
    let by = ["--policy", "server-authoritative", "--report-json"];
    sandbox.hyp(["record", kind, "--json", file.to_str().unwrap()].into_iter().chain(by))
}

fn moods(sandbox: &Sandbox) -> Vec<String> {
    sandbox.rows("select id || '|' || does || '|' || coalesce(noted, '') || '|' || coalesce(mood, '') from moods order by id")
}

fn catalog(sandbox: &Sandbox) -> Connection {
    Connection::open(sandbox.store().join("catalog.db")).unwrap()
}

/// Returns the run that an output tells of.
fn run_id(output: &Output) -> String {
    output.json()["run_id"].as_str().unwrap().to_owned()
}

/// Forgets that anything was derived, as a store of an older hyp has it, or one whose writer died.
fn forget(sandbox: &Sandbox) {
    catalog(sandbox).execute_batch("delete from derivations").unwrap();
}

/// Returns how many datasets are noted as derived.
fn derived(sandbox: &Sandbox) -> i64 {
    let count = "select count(*) from derivations";
    catalog(sandbox).query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_derived_follows_the_rows_and_is_a_run_of_its_own() {
    let sandbox = installed();
    let told = record(&sandbox, "a", "sing");
    assert_eq!(told.status, Some(0), "{told}");
    let run = run_id(&told);
    let by = format!("{run}-derive-1");
    let expected = json!([{
        "materializer": "ledger", "dataset": "moods", "run_id": by, "updated": 1,
        "checks": [{"name": "moods", "expected": 0, "found": 0}],
    }]);
    assert_eq!(told.json()["derived"], expected, "{told}");
    assert_eq!(moods(&sandbox), ["a|sing||singing"]);
    assert_eq!(sandbox.rows("select _hyp_run_id from moods")[0], run, "the row is its own");
    let kinds = "select kind || '|' || status || '|' || rows_written from runs order by started_at";
    assert_eq!(sandbox.rows(kinds), ["record|ok|1", "derive|ok|1"]);

    let again = record(&sandbox, "a", "sing");
    assert_eq!(again.json()["derived"], Value::Null, "nothing was left to derive: {again}");
    assert_eq!(sandbox.rows(kinds).len(), 3);

    let undone = sandbox.hyp(["runs", "undo", &run, "--commit"]);
    assert_eq!(undone.status, Some(0), "what is derived keeps no row: {undone}");
    assert_eq!(moods(&sandbox), Vec::<String>::new());
}

#[test]
fn what_is_derived_comes_back_whoever_takes_it_away() {
    let sandbox = installed();
    let run = run_id(&record(&sandbox, "a", "sing"));
    let undone = sandbox.hyp(["runs", "undo", &format!("{run}-derive-1"), "--commit", "--json"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(undone.json()["restored"], json!({"moods": 1}));
    assert_eq!(undone.json()["derived"][0]["updated"], 1, "{undone}");
    assert_eq!(moods(&sandbox), ["a|sing||singing"]);
}

#[test]
fn whoever_is_about_to_write_derives_first_and_who_reads_does_not() {
    let sandbox = installed();
    record(&sandbox, "a", "sing");
    forget(&sandbox);
    for reading in [
        &["query", "select count(*) from moods"][..],
        &["runs"],
        &["doctor"],
        &["cache", "status"],
        &["backfill", "--dry-run"],
    ] {
        sandbox.hyp(reading.iter().copied());
        assert_eq!(derived(&sandbox), 0, "{reading:?}");
    }
    let told = sandbox.hyp(["backfill", "--json"]);
    assert_eq!(told.status, Some(0), "{told}");
    assert_eq!((derived(&sandbox), &told.json()["derived"]), (1, &Value::Null), "{told}");
}

#[test]
fn a_derivation_that_does_what_it_may_not_changes_nothing_and_stops_nobody() {
    for (does, line) in [
        ("another_column", "it changes `noted` of `moods`, which it does not own"),
        ("another_row", "of the rows of `moods` it made new ones in `moods`"),
        ("another_table", "of the rows of `moods` it made rows of another dataset"),
        ("trap", "on purpose"),
    ] {
        let sandbox = installed();
        let told = record(&sandbox, "a", does);
        assert_eq!(told.status, Some(1), "{does}: {told}");
        let error = told.json()["derived"][0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains(line), "{does}: {error}");
        assert_eq!(moods(&sandbox), [format!("a|{does}||")], "what was recorded is stored");
        assert_eq!(sandbox.rows("select 1 from runs where kind = 'derive'"), Vec::<String>::new());

        sandbox.add("claude-one-turn", |_| true);
        let told = sandbox.hyp(["backfill", "claude"]);
        assert_eq!(told.status, Some(1), "{does}: {told}");
        assert_eq!(told.stdout.matches(line).count(), 1, "{does}: {told}");
        assert_ne!(
            sandbox.rows("select part_id from messages"),
            Vec::<String>::new(),
            "others go on"
        );
    }
}

#[test]
fn a_derivation_that_fails_its_check_is_told_until_it_holds() {
    let sandbox = installed();
    let told = record(&sandbox, "a", "wrong");
    assert_eq!(told.status, Some(1), "{told}");
    let line = "check `moods`: expected 0, found 1";
    assert_eq!(told.json()["derived"][0]["error"], line, "{told}");
    assert_eq!(sandbox.rows("select status from runs where kind = 'derive'"), ["failed"]);
    let next = sandbox.hyp(["backfill"]);
    assert_eq!(next.status, Some(1), "{next}");
    assert!(next.stdout.contains(line), "{next}");
    let mended = record(&sandbox, "a", "sing");
    assert_eq!(mended.status, Some(0), "{mended}");
    assert_eq!(mended.json()["derived"][0]["updated"], 1, "{mended}");
    assert_eq!(sandbox.hyp(["backfill"]).status, Some(0));
}

#[test]
fn an_undo_takes_back_those_cells_of_a_row_that_nobody_changed_since() {
    let sandbox = installed();
    record(&sandbox, "a", "sing");
    let told = |column: &str, value: &str| json!({"of": "a", "column": column, "value": value});
    let both = json!([told("heard", "a song"), told("noted", "first")]);
    let first = record_items(&sandbox, "guests.told", &both);
    assert_eq!(first.status, Some(0), "{first}");
    record_items(&sandbox, "guests.told", &told("noted", "second"));
    let cells = || sandbox.rows("select coalesce(heard, '-') || ' ' || noted from moods");
    assert_eq!(cells(), ["a song second"]);
    let run = run_id(&first);
    let refused = sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    assert_eq!(refused.status, Some(3), "{refused}");
    let kept = json!([{"dataset": "moods", "key": ["a"], "reason": "`noted` was changed since"}]);
    assert_eq!(refused.json()["kept"], kept);
    assert_eq!(cells(), ["a song second"], "nothing was undone");
    let partial = sandbox.hyp(["runs", "undo", &run, "--commit", "--partial", "--json"]);
    assert_eq!(partial.status, Some(0), "{partial}");
    assert_eq!(
        (&partial.json()["kept"], &partial.json()["restored"]),
        (&kept, &json!({"moods": 1}))
    );
    assert_eq!(cells(), ["- second"]);
    let again = sandbox.hyp(["runs", "undo", &run, "--commit", "--partial", "--json"]);
    assert_eq!(again.json()["restored"], json!({}), "there is nothing left of it: {again}");
}

#[test]
fn a_row_that_was_written_anew_since_is_kept_as_that_version() {
    let sandbox = installed();
    write(&sandbox, "sing", ("noted", "first"));
    let second = write(&sandbox, "dance", ("noted", "second"));
    // Who wrote last says again what one cell holds.
    write(&sandbox, "dance", ("noted", "third"));
    let run = run_id(&second);
    let partial = sandbox.hyp(["runs", "undo", &run, "--commit", "--partial", "--json"]);
    assert_eq!(partial.json()["kept"][0]["reason"], "`noted` was changed since", "{partial}");
    assert_eq!(moods(&sandbox), ["a|dance|third|danceing"]);
}

#[test]
fn what_hyp_derived_keeps_nothing_from_being_undone() {
    let sandbox = installed();
    write(&sandbox, "sing", ("mood", "mine"));
    let second = write(&sandbox, "dance", ("mood", "mine"));
    assert_eq!(moods(&sandbox), ["a|dance||danceing"]);
    let run = run_id(&second);
    let undone = sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    assert_eq!((undone.status, &undone.json()["kept"]), (Some(0), &json!([])), "{undone}");
    assert_eq!(moods(&sandbox), ["a|sing||singing"]);
}

#[test]
fn runs_of_one_id_tell_all_that_was_derived_for_them() {
    let mut sandbox = installed();
    sandbox.set("DEV_RUN_ID", "same");
    record(&sandbox, "a", "sing");
    record(&sandbox, "b", "dance");
    let chunks = "select number from chunks where run_id = 'same-derive-1' order by 1";
    assert_eq!(sandbox.rows(chunks), ["1", "2"]);
    let shown = sandbox.hyp(["runs", "show", "same-derive-1"]);
    assert!(shown.stdout.contains("of         ledger\n"), "{shown}");
    assert!(shown.stdout.contains("check: moods ok\n"), "{shown}");
}
