//! Files that say something else than before.

use std::fs;

use crate::sandbox::{Sandbox, assert_same_rows, files, fixtures, total};

const TRANSCRIPT: &str =
    ".claude/projects/-home-ada-weather-station/ddaf126d-3279-4c16-a191-59a55ac5e5f3.jsonl";

#[test]
fn a_record_that_was_edited_in_place_reaches_its_row() {
    let sandbox = Sandbox::with("sample");
    sandbox.import(["claude"]);
    let before = sandbox.all_rows();
    let text = fs::read_to_string(sandbox.home().join(TRANSCRIPT)).unwrap();
    let edited = text.replace("The rain gauge reports negative", "The rain gauge reports peculiar");
    sandbox.write(TRANSCRIPT, edited.as_bytes());

    let refreshed = |report: &serde_json::Value| {
        report["providers"][0]["rows_by_reason"]["refreshed"].as_u64().unwrap_or_default()
    };
    let dry = sandbox.import(["claude", "--dry-run"]);
    assert!(refreshed(&dry) > 0, "{dry:#}");
    assert_eq!(sandbox.all_rows(), before, "a dry run counts and changes nothing");
    let real = sandbox.import(["claude"]);
    assert_eq!(refreshed(&real), refreshed(&dry), "{real:#}");
    assert_eq!(total(&real, "rows_written"), refreshed(&real), "{real:#}");

    let anew = Sandbox::with("sample");
    anew.write(TRANSCRIPT, edited.as_bytes());
    anew.import(["claude"]);
    assert_eq!(sandbox.all_rows(), anew.all_rows());
    let again = sandbox.import(["claude", "--full"]);
    assert_eq!(total(&again, "rows_written"), 0, "{again:#}");
}

#[test]
fn what_a_file_no_longer_holds_stays() {
    let sandbox = Sandbox::with("sample");
    sandbox.import(["claude"]);
    let before = sandbox.all_rows();
    let text = fs::read_to_string(sandbox.home().join(TRANSCRIPT)).unwrap();
    let half: Vec<&str> = text.lines().take(4).collect();
    sandbox.write(TRANSCRIPT, (half.join("\n") + "\n").as_bytes());
    sandbox.import(["claude"]);
    sandbox.write(TRANSCRIPT, text.as_bytes());
    sandbox.import(["claude"]);
    assert_eq!(sandbox.all_rows(), before);
}

/// A rollout of which the first five lines end with a count whose answer comes with the sixth: where it lies below a
/// home, and its text.
fn rollout() -> (String, String) {
    let recorded = fixtures().join("codex/calls_at_the_same_time_are_one_response/in");
    let file = &files(&recorded)[0];
    let name = file.file_name().unwrap().to_str().unwrap();
    (format!(".codex/sessions/{name}"), fs::read_to_string(file).unwrap())
}

fn first_lines(text: &str, lines: usize) -> String {
    text.split_inclusive('\n').take(lines).collect()
}

fn withdrawn(report: &serde_json::Value) -> u64 {
    report["providers"][0]["diff"]["corrected"]["withdrawn"].as_u64().unwrap_or_default()
}

#[test]
fn what_an_unfinished_end_was_taken_for_is_withdrawn_and_comes_back_with_an_undo() {
    let (place, text) = rollout();
    let sandbox = Sandbox::new();
    sandbox.write(&place, first_lines(&text, 5).as_bytes());
    sandbox.import(["codex"]);
    let before = sandbox.all_rows();
    sandbox.write(&place, text.as_bytes());
    let dry = sandbox.import(["codex", "--dry-run"]);
    assert_eq!(withdrawn(&dry), 1, "{dry:#}");
    assert_eq!(sandbox.all_rows(), before, "a dry run counts and changes nothing");
    let real = sandbox.import(["codex"]);
    assert_eq!(withdrawn(&real), 1, "{real:#}");

    let anew = Sandbox::new();
    anew.write(&place, text.as_bytes());
    anew.import(["codex"]);
    assert_same_rows(&sandbox.all_rows(), &anew.all_rows(), "cut, then whole");
    let run = real["run_id"].as_str().unwrap();
    let undone = sandbox.hyp(["runs", "undo", run, "--commit"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_same_rows(&sandbox.all_rows(), &before, "undone");
    assert_eq!(withdrawn(&sandbox.import(["codex"])), 1);
    assert_same_rows(&sandbox.all_rows(), &anew.all_rows(), "imported again");
}

#[test]
fn rows_of_bytes_that_are_gone_are_never_withdrawn() {
    let (place, text) = rollout();
    let sandbox = Sandbox::new();
    sandbox.write(&place, text.as_bytes());
    sandbox.import(["codex"]);
    let before = sandbox.all_rows();
    // Written anew with less in it, and then gone on with from there.
    for lines in [3, 4] {
        sandbox.write(&place, first_lines(&text, lines).as_bytes());
        assert_eq!(withdrawn(&sandbox.import(["codex"])), 0);
        assert_same_rows(&sandbox.all_rows(), &before, "what is gone from the file");
    }
}
