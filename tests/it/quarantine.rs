//! Records that were not understood: listed, shown, and read again.

use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::{Sandbox, total};

const BROKEN: &str = ".claude/projects/-w/broken.jsonl";

/// Returns a home with a session that has one broken line between two good ones, and that line.
fn broken() -> (Sandbox, String) {
    let sandbox = Sandbox::with("claude-one-turn");
    let path = sandbox.home().join(".claude/projects");
    let file = crate::sandbox::files(&path).remove(0);
    let good = fs::read_to_string(file).unwrap();
    let good = good.replace("uuid\":\"", "uuid\":\"x").replace("sessionId\":\"", "sessionId\":\"x");
    let mut lines: Vec<&str> = good.lines().collect();
    let last = lines.pop().unwrap();
    // As long as the good one, so that nothing tells the two files apart by their sizes.
    let wrong = format!("\u{7f}{}", &last[1..]);
    let content = format!("{}\n{wrong}\n", lines.join("\n"));
    sandbox.write(BROKEN, content.as_bytes());
    (sandbox, last.to_owned())
}

/// Mends the broken line so that neither size nor time of the file tell.
fn mend(sandbox: &Sandbox, line: &str) {
    let path = sandbox.home().join(BROKEN);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let content = fs::read_to_string(&path).unwrap();
    let mended = content.replace(&format!("\u{7f}{}", &line[1..]), line);
    assert_eq!((mended.len(), mended == content), (content.len(), false));
    fs::write(&path, mended).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
}

fn records(sandbox: &Sandbox) -> Vec<Value> {
    let list = sandbox.hyp(["quarantine", "list", "--json"]).json();
    list["records"].as_array().unwrap().clone()
}

#[test]
fn what_was_not_understood_is_listed_and_shown_without_its_power_over_the_terminal() {
    let (sandbox, _) = broken();
    sandbox.import([]);
    let records = records(&sandbox);
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&records[0]["provider"], &records[0]["class"]),
        (&"claude".into(), &"malformed".into())
    );
    let id = records[0]["id"].as_str().unwrap();

    let listed = sandbox.hyp(["quarantine", "list", "--provider", "claude"]);
    assert!(listed.stdout.starts_with("claude  malformed  1 record  "), "{listed}");
    assert!(listed.stdout.contains(id), "{listed}");
    let others = sandbox.hyp(["quarantine", "list", "--provider", "codex"]);
    assert_eq!((others.status, others.stdout.as_str()), (Some(0), ""), "{others}");
    assert_eq!(others.stderr, "nothing of `codex` is in quarantine\n");

    let shown = sandbox.hyp(["quarantine", "show", id]);
    assert_eq!(shown.status, Some(0), "{shown}");
    assert!(shown.stdout.contains("path     -w/broken.jsonl"), "{shown}");
    assert!(shown.stdout.contains("\n\\u{7f}\"") && !shown.stdout.contains('\u{7f}'), "{shown}");
    let json = sandbox.hyp(["quarantine", "show", id, "--json"]).json();
    assert!(json["content"].as_str().unwrap().starts_with('\u{7f}'));
    assert_eq!(json["is_whole"], true);
    let none = sandbox.hyp(["quarantine", "show", "0-0"]);
    assert_eq!((none.status, none.stderr.lines().count()), (Some(1), 1), "{none}");
}

#[test]
fn what_is_understood_by_now_becomes_rows_and_leaves_quarantine() {
    let (sandbox, line) = broken();
    sandbox.import([]);
    mend(&sandbox, &line);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0, "nothing tells that it changed");
    assert_eq!(records(&sandbox).len(), 1);

    let output = sandbox.hyp(["quarantine", "replay", "--json"]);
    assert_eq!(output.status, Some(0), "{output}");
    let report = output.json();
    assert_eq!(report["quarantine"]["claude"], serde_json::json!({ "before": 1, "after": 0 }));
    assert_eq!(total(&report, "files_unchanged"), 1, "the other session is left alone");
    assert!(total(&report, "rows_written") > 0, "{report:#}");
    assert!(records(&sandbox).is_empty());

    let fresh = Sandbox::with("claude-one-turn");
    fresh.write(BROKEN, &fs::read(sandbox.home().join(BROKEN)).unwrap());
    fresh.import([]);
    assert_eq!(sandbox.all_rows(), fresh.all_rows(), "as if it had been understood at once");
    let again = sandbox.hyp(["quarantine", "replay"]);
    assert!(again.stderr.contains("nothing to read again"), "{again}");
    let none = sandbox.hyp(["quarantine", "replay", "--provider", "codex"]);
    assert_eq!((none.status, none.stderr.as_str()), (Some(0), "nothing to read again\n"));
    let unknown = sandbox.hyp(["quarantine", "replay", "--provider", "nosuch"]);
    assert_eq!(unknown.status, Some(1), "{unknown}");
    assert!(unknown.stderr.starts_with("error: unknown provider(s): nosuch\n"), "{unknown}");
}

#[test]
fn what_is_still_not_understood_or_gone_stays_in_quarantine() {
    let (sandbox, _) = broken();
    sandbox.import([]);
    let before = records(&sandbox);
    let report = sandbox.hyp(["quarantine", "replay", "--provider", "claude", "--json"]).json();
    assert_eq!(report["quarantine"]["claude"], serde_json::json!({ "before": 1, "after": 1 }));
    assert_eq!(total(&report, "rows_written"), 0);
    fs::remove_file(sandbox.home().join(BROKEN)).unwrap();
    let report = sandbox.hyp(["quarantine", "replay", "--json"]).json();
    assert_eq!(report["quarantine"]["claude"]["after"], 1);
    assert_eq!(records(&sandbox)[0]["id"], before[0]["id"]);
}

/// Returns a home with a thread in two recordings, each with a first line that is broken, and the paths of these.
fn two_broken() -> (Sandbox, [PathBuf; 2]) {
    let sandbox = Sandbox::with("codex-one-turn");
    let first = crate::sandbox::files(&sandbox.home().join(".codex/sessions")).remove(0);
    let name = first.file_name().unwrap().to_str().unwrap();
    let second = first.with_file_name(name.replace("2026-11-05T21-", "2026-11-05T22-"));
    let good = fs::read_to_string(&first).unwrap();
    for (path, wrong) in [(&first, "{\"first\": wrong"), (&second, "{\"second\": wrong")] {
        let (_, rest) = good.split_once('\n').unwrap();
        fs::write(path, format!("{wrong}\n{rest}")).unwrap();
    }
    (sandbox, [first, second])
}

#[test]
fn records_of_two_files_of_a_thread_that_begin_at_the_same_byte_are_both_kept() {
    let (sandbox, [_, second]) = two_broken();
    let report = sandbox.import([]);
    let malformed = &report["providers"][0]["records_by_kind"];
    let kept = records(&sandbox);
    assert_eq!(kept.len(), 2, "{malformed:#}");
    assert!(kept.iter().all(|record| record["offset"] == 0), "{kept:#?}");
    for (record, wrong) in kept.iter().zip(["first", "second"]) {
        let shown = sandbox.hyp(["quarantine", "show", record["id"].as_str().unwrap(), "--json"]);
        let shown = shown.json();
        assert_eq!(shown["path"], record["path"]);
        assert_eq!(shown["content"], format!("{{\"{wrong}\": wrong\n"), "{shown:#}");
    }
    let query = "select path, \"offset\" from quarantine";
    assert_eq!(sandbox.rows(query).len(), 2);

    let report = sandbox.hyp(["quarantine", "replay", "--json"]).json();
    assert_eq!(report["quarantine"]["codex"], serde_json::json!({ "before": 2, "after": 2 }));
    let content = fs::read_to_string(&second).unwrap();
    fs::write(&second, content.split_once('\n').unwrap().1).unwrap();
    sandbox.import([]);
    let left = records(&sandbox);
    assert_eq!((left.len(), &left[0]["id"]), (1, &kept[0]["id"]));
}

#[test]
fn an_undo_brings_back_what_was_kept_of_each_file() {
    let (sandbox, [first, second]) = two_broken();
    sandbox.import([]);
    let kept = records(&sandbox);
    for path in [&first, &second] {
        let content = fs::read_to_string(path).unwrap();
        fs::write(path, content.split_once('\n').unwrap().1).unwrap();
    }
    let mended = sandbox.import([]);
    assert!(records(&sandbox).is_empty());
    let undo = ["runs", "undo", mended["run_id"].as_str().unwrap(), "--commit", "--json"];
    let undone = sandbox.hyp(undo);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(records(&sandbox), kept);
}

#[test]
fn nothing_to_read_again_is_a_document_too() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import([]);
    let replay = sandbox.hyp(["quarantine", "replay", "--json"]);
    assert_eq!(replay.status, Some(0), "{replay}");
    assert_eq!(replay.json()["quarantine"], serde_json::json!({}), "{replay}");
}
