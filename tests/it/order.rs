//! The store is the same whatever came first, and however many runs it took.

use crate::sandbox::{Sandbox, assert_same_rows, files, fixtures};

/// The recordings of the sample, below its home.
///
/// What lies beside a sub-agent's transcript belongs to it, and comes with it.
fn sample() -> Vec<String> {
    let from = fixtures().join("homes/sample");
    let below =
        |path: &std::path::PathBuf| path.strip_prefix(&from).unwrap().to_str().unwrap().to_owned();
    files(&from).iter().map(below).filter(|below| below.ends_with(".jsonl")).collect()
}

fn imported_at_once() -> Vec<String> {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.all_rows()
}

fn imported_one_by_one(order: impl Iterator<Item = String>) -> Vec<String> {
    let sandbox = Sandbox::new();
    for file in order {
        let stem = file.trim_end_matches(".jsonl");
        sandbox.add("sample", |below| below == file || below == format!("{stem}.meta.json"));
        sandbox.import([]);
    }
    sandbox.all_rows()
}

#[test]
fn a_file_a_run_gives_the_rows_of_one_run() {
    assert_same_rows(&imported_one_by_one(sample().into_iter()), &imported_at_once(), "in order");
}

#[test]
fn the_last_file_first_gives_the_rows_of_one_run() {
    let reversed = imported_one_by_one(sample().into_iter().rev());
    assert_same_rows(&reversed, &imported_at_once(), "reversed");
}

#[test]
fn a_fork_that_came_before_its_original_hands_the_rows_over() {
    const FORK: &str = "eed2879d";
    let sandbox = Sandbox::new();
    sandbox.add("sample", |below| below.contains(FORK));
    sandbox.import([]);
    let count = "select count(*), count(distinct session_id) from ai_gateway_messages";
    let alone = sandbox.rows(count);
    assert_eq!(alone.len(), 1);
    assert!(alone[0].ends_with(",1"), "{alone:?}");

    sandbox.add("sample", |below| below.contains("tide-tables"));
    sandbox.import([]);
    let owner = sandbox.rows(
        "select count(distinct part_id) = count(*), count(distinct session_id) from ai_gateway_messages",
    );
    assert_eq!(owner, ["true,2"]);
    let at_once = Sandbox::new();
    at_once.add("sample", |below| below.contains("tide-tables"));
    at_once.import([]);
    assert_same_rows(&sandbox.all_rows(), &at_once.all_rows(), "fork first and both at once");
}

#[test]
fn one_provider_at_a_time_gives_the_rows_of_both() {
    let sandbox = Sandbox::with("sample");
    sandbox.import(["codex"]);
    sandbox.import(["claude"]);
    assert_same_rows(&sandbox.all_rows(), &imported_at_once(), "codex, then claude");
}

#[test]
fn two_homes_with_the_same_history_give_it_once() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let copy = Sandbox::with("sample");
    sandbox.import(["--history-home", copy.home().to_str().unwrap()]);
    assert_same_rows(&sandbox.all_rows(), &before, "a copied home");
}
