//! What is stored against what the clients counted themselves.

use crate::lines::codex;
use crate::sandbox::Sandbox;

const THREAD: &str = "019a7798-3179-7677-b54e-498dafd47fb0";

/// Returns how one thread fared: status, then basis or cause.
fn verdict(sandbox: &Sandbox, thread: &str) -> (String, Option<String>) {
    let report = sandbox.hyp(["reconcile", "--json"]).json();
    let threads = report["threads"].as_array().unwrap();
    let found = threads.iter().find(|line| line["thread_id"] == thread).unwrap();
    let word = |name: &str| found[name].as_str().map(str::to_owned);
    (word("status").unwrap(), word("cause").or_else(|| word("basis")))
}

fn is(status: &str, why: &str) -> (String, Option<String>) {
    (status.to_owned(), Some(why.to_owned()))
}

/// Writes the thread.
fn thread(sandbox: &Sandbox, answers: u32, total: (u64, u64)) {
    let path = format!("sessions/2026/03/01/rollout-2026-03-01T10-00-00-{THREAD}.jsonl");
    codex(sandbox, &path, THREAD, answers, total);
}

#[test]
fn totals_that_agree_pass_and_where_there_are_none_nothing_is_proved() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let output = sandbox.hyp(["reconcile"]);
    assert_eq!(output.status, Some(0), "{output}");
    let last: Vec<_> = output.stdout.lines().rev().take(2).collect();
    assert_eq!(last[1], "2 pass, 0 fail, 4 unprovable", "{output}");
    assert_eq!(last[0], "      4 no_counter: the client wrote no total of it");

    let codex = sandbox.hyp(["reconcile", "codex"]);
    assert!(codex.stdout.ends_with("2 pass, 0 fail, 0 unprovable\n"), "{codex}");
    let unknown = sandbox.hyp(["reconcile", "cursor"]);
    assert_eq!(unknown.status, Some(1));
    assert_eq!(
        unknown.stderr,
        "hyp reconcile: nothing of `cursor` is stored; stored: claude, codex\n"
    );
}

#[test]
fn a_total_that_does_not_agree_fails_and_says_by_how_much() {
    let sandbox = Sandbox::new();
    thread(&sandbox, 3, (30, 6));
    sandbox.import([]);
    assert_eq!(verdict(&sandbox, THREAD), is("PASS", "thread"));

    thread(&sandbox, 3, (31, 6));
    sandbox.import(["--full"]);
    let output = sandbox.hyp(["reconcile"]);
    assert_eq!(output.status, Some(1), "{output}");
    insta::assert_snapshot!(output, @r"
    exit: 1
    -- stdout
    FAIL        codex     019a7798-3179-7677-b54e-498dafd47fb0
                input_tokens: 30 stored, 31 counted by the client (-1)
    0 pass, 1 fail, 0 unprovable
    ");
}

#[test]
fn a_window_cannot_be_proved() {
    let sandbox = Sandbox::new();
    thread(&sandbox, 3, (30, 6));
    sandbox.import(["--since", "2026-03-01T10:02:00Z"]);
    assert_eq!(verdict(&sandbox, THREAD), is("UNPROVABLE", "partial_import"));
    sandbox.import([]);
    assert_eq!(verdict(&sandbox, THREAD), is("PASS", "thread"));
}

#[test]
fn without_a_store_the_way_to_one_is_said() {
    let output = Sandbox::new().hyp(["reconcile"]);
    assert_eq!(output.status, Some(1));
    assert!(output.stderr.contains("help: run `hyp backfill` to make one"), "{output}");
}
