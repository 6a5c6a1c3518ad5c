//! A store that cannot be written to: the run ends with one clear line, and what was committed stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sha2::{Digest, Sha256};

use crate::sandbox::{Output, Sandbox, total};

const TRANSCRIPT: &str =
    ".claude/projects/-home-ada-weather-station/22222222-2222-4222-8222-222222222222.jsonl";

/// A transcript that no compression makes small.
fn long_transcript() -> String {
    let mut lines = String::new();
    for number in 0..1600_u32 {
        let text: String = (0..40_u32)
            .map(|part| {
                format!("{:x}", Sha256::digest([number.to_le_bytes(), part.to_le_bytes()].concat()))
            })
            .collect();
        lines.push_str(&format!(
            r#"{{"parentUuid":null,"isSidechain":false,"type":"user","message":{{"role":"user","content":"{text}"}},"uuid":"00000000-0000-4000-8000-{number:012}","timestamp":"2026-09-14T08:12:00.000Z","cwd":"/home/ada","sessionId":"22222222-2222-4222-8222-222222222222","version":"2.1.329"}}"#
        ));
        lines.push('\n');
    }
    lines
}

fn assert_one_line(output: &Output, cause: &str) {
    assert_eq!(output.status, Some(1), "{output}");
    let errors = output.stderr.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(errors, 1, "{output}");
    assert!(output.stderr.contains(cause), "{output}");
    assert!(output.stderr.contains("help:"), "{output}");
}

#[test]
fn a_full_disk_ends_the_run_and_the_store_is_as_of_its_last_commit() {
    let sandbox = Sandbox::with("claude-one-turn");
    assert_eq!(total(&sandbox.import(["claude"]), "rows_written"), 2);
    sandbox.write(TRANSCRIPT, long_transcript().as_bytes());
    let output = sandbox.hyp_on_a_small_disk(1024, ["backfill", "claude", "--json"]);
    assert_one_line(&output, "free some space");
    let count = "select count(*) from ai_gateway_messages";
    let stored: u64 = sandbox.rows(count)[0].parse().unwrap();
    assert!((2..1602).contains(&stored), "{stored} rows, {output}");
    let report = sandbox.import(["claude"]);
    assert_eq!(total(&report, "rows_written"), 1602 - stored, "{report:#}");
    assert_eq!(sandbox.rows(count), ["1602"]);
}

#[test]
fn a_store_that_may_only_be_read_refuses_an_import_and_answers_questions() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import(["claude"]);
    sandbox.write(TRANSCRIPT, long_transcript().as_bytes());
    let folders =
        [sandbox.store(), sandbox.store().join("lock"), sandbox.store().join("catalog.db")];
    for path in &folders {
        let mode = if path.is_dir() { 0o500 } else { 0o400 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let output = sandbox.hyp_without_privilege(["backfill", "claude", "--json"]);
    assert_one_line(&output, "Permission denied");
    let count = ["query", "sql", "select count(*) from ai_gateway_messages", "--format", "csv"];
    let output = sandbox.hyp_without_privilege(count);
    assert!(output.stdout.ends_with("\n2\r\n") || output.stdout.ends_with("\n2\n"), "{output}");
    fs::set_permissions(sandbox.store(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_place_where_no_store_can_be_made_is_named() {
    let sandbox = Sandbox::with("claude-one-turn");
    let output = sandbox.hyp(["backfill", "claude", "--store", "/sys/hyp"]);
    assert_one_line(&output, "/sys/hyp");
}
