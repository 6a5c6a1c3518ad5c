//! Imports that are taken back, and come again.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, total};

fn undo(sandbox: &Sandbox, run: &Value, more: &[&str]) -> Value {
    let run = run["run_id"].as_str().unwrap();
    let args = ["runs", "undo", run, "--json"].into_iter().chain(more.iter().copied());
    let output = sandbox.hyp(args);
    assert_eq!(output.status, Some(0), "{output}");
    output.json()
}

/// Returns what the ledgers say, without the runs that said it.
fn ledgers(sandbox: &Sandbox) -> Vec<Vec<String>> {
    [
        "select * from sessions order by thread_id",
        "select * except (run_id) from inputs order by input_id",
        "select * from sightings order by thread_id, part_id",
        "select * from counters order by provider, unit_id, thread_id, name",
        "select * except (run_id) from quarantine order by input_id, \"offset\"",
    ]
    .map(|sql| sandbox.rows(sql))
    .to_vec()
}

#[test]
fn an_undone_import_is_gone_and_the_next_one_brings_the_very_same_rows() {
    let sandbox = Sandbox::with("sample");
    let codex = sandbox.import(["codex"]);
    let before = (sandbox.all_rows(), ledgers(&sandbox));
    let claude = sandbox.import(["claude"]);
    let after = (sandbox.all_rows(), ledgers(&sandbox));

    let dry = undo(&sandbox, &claude, &[]);
    assert_eq!(dry["dry_run"], true);
    assert_eq!(dry["rows_removed"], total(&claude, "rows_written"));
    assert_eq!((sandbox.all_rows(), ledgers(&sandbox)), after, "nothing was changed");

    let done = undo(&sandbox, &claude, &["--commit"]);
    assert_eq!(done["rows_removed"], dry["rows_removed"]);
    assert_eq!((sandbox.all_rows(), ledgers(&sandbox)), before, "as if it had never been");

    let again = sandbox.import([]);
    assert_eq!(total(&again, "rows_written"), total(&claude, "rows_written"));
    assert_eq!((sandbox.all_rows(), ledgers(&sandbox)), after, "and back");

    let runs = sandbox.hyp(["runs"]);
    assert!(runs.stdout.contains("ok (undone)"), "{runs}");
    assert!(runs.stdout.contains("undo of bf-"), "{runs}");
    undo(&sandbox, &codex, &["--commit"]);
    let again = sandbox.import(["codex"]);
    assert_eq!(total(&again, "rows_written"), total(&codex, "rows_written"));
    assert_eq!(sandbox.all_rows(), after.0);
}

#[test]
fn an_undo_is_undone_after_files_were_merged() {
    let sandbox = Sandbox::with("sample");
    let run = sandbox.import([]);
    let before = (sandbox.all_rows(), ledgers(&sandbox));
    let undone = undo(&sandbox, &run, &["--commit"]);
    assert!(sandbox.all_rows().is_empty());
    assert_eq!(sandbox.hyp(["cache", "maintain", "--yes"]).status, Some(0));
    undo(&sandbox, &undone, &["--commit"]);
    assert_eq!((sandbox.all_rows(), ledgers(&sandbox)), before);
    let again = sandbox.import([]);
    assert_eq!(total(&again, "rows_written"), 0, "and the ledger knows: {again}");
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));
}

#[test]
fn a_session_that_grew_goes_back_to_where_it_was() {
    let sandbox = Sandbox::with("claude-one-turn");
    let first = sandbox.import([]);
    let (rows, known) = (sandbox.all_rows(), ledgers(&sandbox));
    let path = sandbox.rows("select path from inputs").remove(0);
    let content = fs::read_to_string(&path).unwrap();
    let last = content.lines().last().unwrap();
    let mut line: Value = serde_json::from_str(last).unwrap();
    line["parentUuid"] = line["uuid"].take();
    line["uuid"] = "later-uuid".into();
    line["message"]["id"] = "msg_later".into();
    line["requestId"] = "req_later".into();
    let below = std::path::Path::new(&path).strip_prefix(sandbox.home()).unwrap().to_owned();
    sandbox.write(below.to_str().unwrap(), format!("{content}{line}\n").as_bytes());
    let second = sandbox.import([]);
    assert!(total(&second, "rows_written") > 0, "{second}");

    let refused = sandbox.hyp(["runs", "undo", first["run_id"].as_str().unwrap(), "--commit"]);
    assert_eq!(refused.status, Some(3), "{refused}");
    let by = second["run_id"].as_str().unwrap();
    assert!(refused.stdout.contains(&format!("built on by {by}")), "{refused}");
    undo(&sandbox, &second, &["--commit"]);
    assert_eq!((sandbox.all_rows(), ledgers(&sandbox)), (rows, known));
    assert_eq!(total(&sandbox.import([]), "rows_written"), total(&second, "rows_written"));
}

#[test]
fn what_cannot_be_undone_is_refused_with_a_reason() {
    let sandbox = Sandbox::with("claude-one-turn");
    let dry = sandbox.hyp(["backfill", "--dry-run", "--json"]).json();
    let run = sandbox.import([]);
    let id = |run: &Value| run["run_id"].as_str().unwrap().to_owned();
    let refused = |run: &str, code: &str| {
        let output = sandbox.hyp(["runs", "undo", run, "--commit"]);
        assert_eq!(output.status, Some(3), "{output}");
        assert!(output.stderr.contains(code), "{output}");
    };
    refused(&id(&dry), "hyp::runs::dry");
    undo(&sandbox, &run, &["--commit"]);
    refused(&id(&run), "hyp::runs::undone");
    let run = sandbox.import([]);
    let purged = sandbox.hyp(["privacy", "purge", "--all", "--yes"]);
    assert_eq!(purged.status, Some(0), "{purged}");
    refused(&id(&run), "hyp::runs::purged");
}
