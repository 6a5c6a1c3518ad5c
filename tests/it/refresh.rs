//! Files that say something else than before.

use std::fs;

use crate::sandbox::{Sandbox, total};

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
