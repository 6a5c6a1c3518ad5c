//! Files that no careful writer would leave: they cost their own records, never the run.

use std::fs;
use std::io::Write;

use serde_json::Value;

use crate::lines::Claude;
use crate::sandbox::{Sandbox, assert_same_rows, files, fixtures, total};

const PROJECT: &str = ".claude/projects/-home-ada-weather-station";

/// A user's line of a Claude transcript.
fn said(session: &str, number: u32, text: &str) -> String {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    format!(
        r#"{{"parentUuid":null,"isSidechain":false,"type":"user","message":{{"role":"user","content":"{text}"}},"uuid":"{id}","timestamp":"2026-09-14T08:12:{number:02}.000Z","userType":"external","entrypoint":"cli","cwd":"/home/ada","sessionId":"{session}","version":"2.1.329","gitBranch":"main"}}"#
    )
}

const SESSION: &str = "11111111-1111-4111-8111-111111111111";

/// Imports one transcript beside a sound one, and returns its texts and Claude's report.
fn import(content: &[u8]) -> (Vec<String>, Value) {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.write(&format!("{PROJECT}/{SESSION}.jsonl"), content);
    let report = sandbox.import(["claude"]);
    let sound = sandbox
        .rows(&format!("select count(*) from ai_gateway_messages where session_id <> '{SESSION}'"));
    assert_eq!(sound, ["2"], "the sound transcript is imported: {report:#}");
    let provider = report["providers"][0].clone();
    let sum: u64 =
        provider["accounting"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(sum, provider["bytes_read"].as_u64().unwrap(), "{provider:#}");
    let again = sandbox.import(["claude"]);
    assert_eq!(total(&again, "rows_written"), 0, "{again:#}");
    let texts = sandbox.rows(&format!(
        "select content_text from ai_gateway_messages where session_id = '{SESSION}' order by message_index"
    ));
    (texts, provider)
}

fn failures(provider: &Value) -> u64 {
    let kinds = provider["records_by_kind"].as_object().unwrap();
    kinds
        .iter()
        .filter(|(kind, _)| kind.starts_with("failure."))
        .map(|(_, n)| n.as_u64().unwrap())
        .sum()
}

#[test]
fn half_a_line_in_the_middle_costs_that_line() {
    let [a, b, c] = [said(SESSION, 1, "one"), said(SESSION, 2, "two"), said(SESSION, 3, "three")];
    let content = format!("{a}\n{}\n{c}\n", &b[..b.len() / 2]);
    let (texts, provider) = import(content.as_bytes());
    assert_eq!(texts, ["one", "three"]);
    assert_eq!(failures(&provider), 1, "{provider:#}");
}

#[test]
fn two_objects_on_a_line_are_two_messages() {
    let content = format!("{}{}\n", said(SESSION, 1, "one"), said(SESSION, 2, "two"));
    let (texts, provider) = import(content.as_bytes());
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(failures(&provider), 0, "{provider:#}");
}

#[test]
fn a_last_line_without_a_line_feed_counts() {
    let content = format!("{}\n{}", said(SESSION, 1, "one"), said(SESSION, 2, "two"));
    assert_eq!(import(content.as_bytes()).0, ["one", "two"]);
}

#[test]
fn invalid_utf8_costs_its_line_at_most() {
    let mut content = format!("{}\n", said(SESSION, 1, "one")).into_bytes();
    content.extend_from_slice(&said(SESSION, 2, "\u{1}").into_bytes().replace_byte(1, 0xff));
    content.extend_from_slice(format!("\n{}\n", said(SESSION, 3, "three")).as_bytes());
    let (texts, provider) = import(&content);
    assert_eq!((texts.first(), texts.last()), (Some(&"one".into()), Some(&"three".into())));
    assert!(failures(&provider) == 1 || texts.len() == 3, "{provider:#}");
}

#[test]
fn lone_surrogates_are_text_all_the_same() {
    let content = format!("{}\n{}\n", said(SESSION, 1, r"cut \ud83d off"), said(SESSION, 2, "two"));
    let (texts, provider) = import(content.as_bytes());
    assert_eq!(texts, ["cut \u{fffd} off", "two"]);
    assert_eq!(failures(&provider), 0, "{provider:#}");
}

#[test]
fn files_without_a_record_are_no_failure() {
    for content in ["", "\n", "\n\n  \n", "\r\n"] {
        let (texts, provider) = import(content.as_bytes());
        assert!(texts.is_empty());
        assert_eq!(provider["status"], "ok", "{content:?}: {provider:#}");
    }
}

#[test]
fn a_file_that_holds_something_else_is_named_and_costs_nothing_else() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.write(
        &format!("{PROJECT}/{SESSION}.jsonl"),
        b"PK\x03\x04 this is no transcript\n\0\0\0\n",
    );
    let report = sandbox.import(["claude"]);
    assert_eq!(total(&report, "rows_written"), 2, "{report:#}");
    let notes = report["providers"][0]["notes"].to_string();
    assert!(notes.contains(SESSION), "the file is named: {notes}");
    let status = "select count(*) from inputs where status = 'not_understood'";
    assert_eq!(sandbox.rows(status), ["1"]);
}

#[test]
fn a_folder_with_the_name_of_a_transcript_is_no_transcript() {
    let sandbox = Sandbox::with("claude-one-turn");
    fs::create_dir_all(sandbox.home().join(PROJECT).join("folder.jsonl")).unwrap();
    assert_eq!(total(&sandbox.import(["claude"]), "rows_written"), 2);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_and_a_link_in_a_circle_are_passed_over() {
    let sandbox = Sandbox::with("claude-one-turn");
    let project = sandbox.home().join(PROJECT);
    std::os::unix::fs::symlink("nowhere", project.join("gone.jsonl")).unwrap();
    std::os::unix::fs::symlink(&project, project.join("circle")).unwrap();
    let output = sandbox.hyp(["backfill", "claude", "--json"]);
    assert_eq!(total(&output.json(), "rows_written"), 2, "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_be_read_fails_alone() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::with("claude-one-turn");
    let name = format!("{PROJECT}/{SESSION}.jsonl");
    sandbox.write(&name, said(SESSION, 1, "one").as_bytes());
    let path = sandbox.home().join(&name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let output = sandbox.hyp_without_privilege(["backfill", "claude", "--json"]);
    let report = output.json();
    assert_eq!(output.status, Some(1), "{output}");
    assert_eq!(total(&report, "rows_written"), 2, "{output}");
    let named = format!("`{}`: Permission denied", path.display());
    assert!(report.to_string().contains(&named), "file and cause are told: {report:#}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(total(&sandbox.import(["claude"]), "rows_written"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_folder_that_may_not_be_entered_is_not_taken_for_absent() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::with("sample");
    let folder = sandbox.home().join(".claude");
    let rights = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    rights(0o000);
    let told = "cannot look into `[HOME]/.claude`: Permission denied";
    for args in [
        &["backfill"][..],
        &["backfill", "claude"],
        &["backfill", "list"],
        &["doctor"],
        &["init", "--yes"],
    ] {
        let output = sandbox.hyp_without_privilege(args.iter().copied());
        let text = sandbox.named(&format!("{}{}", output.stdout, output.stderr));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(told), "{args:?} {output}");
        assert_eq!(output.status, Some(i32::from(args[1..] != ["list"])), "{args:?} {output}");
    }
    rights(0o700);
    assert_eq!(sandbox.hyp(["backfill"]).status, Some(0));
    let clients = "select distinct client_name from ai_gateway_messages order by 1";
    assert_eq!(sandbox.rows(clients), ["claude", "codex"]);
}

#[test]
fn a_compressed_file_that_was_cut_gives_what_stands_before_the_cut() {
    let [a, b, c] = [said(SESSION, 1, "one"), said(SESSION, 2, "two"), said(SESSION, 3, "three")];
    let whole = gzip_stored(format!("{a}\n{b}\n{c}\n").as_bytes());
    let sandbox = Sandbox::new();
    let name = format!("{PROJECT}/{SESSION}.jsonl.gz");
    sandbox.write(&name, &whole[..whole.len() - 40]);
    for written in [2, 0] {
        let output = sandbox.hyp(["backfill", "claude", "--json"]);
        assert_eq!(output.status, Some(1), "{output}");
        let report = output.json();
        assert_eq!(total(&report, "rows_written"), written, "{report:#}");
        let provider = &report["providers"][0];
        assert_eq!(failures(provider), 1, "{provider:#}");
        let bytes = provider["accounting"].as_object().unwrap().values();
        let sum: u64 = bytes.map(|bytes| bytes.as_u64().unwrap()).sum();
        assert_eq!(sum, provider["bytes_read"].as_u64().unwrap(), "{provider:#}");
        let told = provider["error"].as_str().unwrap();
        assert!(told.contains(&name) && told.contains(": damaged gzip member: "), "{told}");
    }
    assert_eq!(sandbox.rows("select status from inputs"), ["broken_off"]);
    sandbox.write(&name, &whole);
    assert_eq!(total(&sandbox.import(["claude"]), "rows_written"), 1);
    assert_eq!(sandbox.rows("select status from inputs"), ["ok"]);
    sandbox.write(&format!("{PROJECT}/{}.jsonl.zst", SESSION.replace('1', "2")), b"");
    sandbox.import(["claude"]);
}

#[test]
fn a_damaged_copy_does_not_keep_a_sound_one_out() {
    let sound = Sandbox::with("codex-one-turn");
    sound.import([]);
    let from = fixtures().join("homes/codex-one-turn");
    let source = files(&from).remove(0);
    let below = source.strip_prefix(&from).unwrap().to_str().unwrap();
    let packed = gzip_stored(&fs::read(&source).unwrap());
    let frame = b"\x28\xb5\x2f\xfd no frame at all".repeat(2000);
    for (suffix, content) in
        [("gz", &packed[..packed.len() / 2]), ("gz", b"damage"), ("zst", &frame)]
    {
        let sandbox = Sandbox::with("codex-one-turn");
        sandbox.write(&format!("{below}.{suffix}"), content);
        let output = sandbox.hyp(["backfill"]);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stdout.contains(&format!(".{suffix}` past byte ")), "{output}");
        assert!(output.stdout.contains(": damaged "), "{output}");
        let texts = "select part_id, content_text from ai_gateway_messages order by 1";
        assert_eq!(sandbox.rows(texts), sound.rows(texts), "{suffix}");
    }
}

#[test]
fn a_file_that_grew_gives_the_new_rows_only() {
    let sandbox = Sandbox::new();
    let name = format!("{PROJECT}/{SESSION}.jsonl");
    let mut content = said(SESSION, 1, "one") + "\n";
    sandbox.write(&name, content.as_bytes());
    assert_eq!(total(&sandbox.import([]), "rows_written"), 1);
    for (number, text) in [(2, "two"), (3, "three")] {
        content = format!("{content}{}\n", said(SESSION, number, text));
        sandbox.write(&name, content.as_bytes());
        let report = sandbox.import([]);
        assert_eq!(total(&report, "rows_written"), 1, "{report:#}");
    }
    let whole = Sandbox::new();
    whole.write(&name, content.as_bytes());
    whole.import([]);
    assert_same_rows(&sandbox.all_rows(), &whole.all_rows(), "three runs and one");
}

#[test]
fn a_record_cut_off_at_the_end_is_whole_at_the_next_run() {
    let sandbox = Sandbox::new();
    let name = format!("{PROJECT}/{SESSION}.jsonl");
    let content = format!("{}\n{}\n", said(SESSION, 1, "one"), said(SESSION, 2, "two"));
    sandbox.write(&name, &content.as_bytes()[..content.len() - 40]);
    let output = sandbox.hyp(["backfill", "--json"]);
    assert_eq!(total(&output.json(), "rows_written"), 1, "{output}");
    sandbox.write(&name, content.as_bytes());
    assert_eq!(total(&sandbox.import([]), "rows_written"), 1);
    assert_eq!(sandbox.rows("select content_text from messages order by 1"), ["one", "two"]);
}

#[test]
fn a_file_that_was_deleted_leaves_its_rows() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let before = sandbox.all_rows();
    fs::remove_dir_all(sandbox.home().join(".claude/projects")).unwrap();
    sandbox.import(["claude"]);
    assert_eq!(sandbox.all_rows(), before);
}

#[test]
fn a_rollout_that_was_compressed_or_archived_is_the_same_thread() {
    let sandbox = Sandbox::with("codex-one-turn");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let from = fixtures().join("homes/codex-one-turn");
    let source = files(&from).remove(0);
    let below = source.strip_prefix(&from).unwrap().to_str().unwrap().to_owned();
    let content = fs::read(&source).unwrap();

    fs::remove_file(sandbox.home().join(&below)).unwrap();
    sandbox.write(&format!("{below}.gz"), &gzip_stored(&content));
    let compressed = sandbox.import([]);
    assert_eq!(total(&compressed, "rows_written"), 0, "{compressed:#}");

    fs::remove_file(sandbox.home().join(format!("{below}.gz"))).unwrap();
    let name = source.file_name().unwrap().to_str().unwrap();
    sandbox.write(&format!(".codex/archived_sessions/{name}"), &content);
    let archived = sandbox.import([]);
    assert_eq!(total(&archived, "rows_written"), 0, "{archived:#}");
    assert_eq!(sandbox.all_rows(), before);
}

#[test]
fn a_transcript_that_was_compressed_is_the_same_session() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let from = fixtures().join("homes/claude-one-turn");
    let source = files(&from).remove(0);
    let below = source.strip_prefix(&from).unwrap().to_str().unwrap().to_owned();
    let compressed = gzip_stored(&fs::read(&source).unwrap());

    fs::remove_file(sandbox.home().join(&below)).unwrap();
    sandbox.write(&format!("{below}.gz"), &compressed);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0);
    assert_eq!(sandbox.all_rows(), before);

    let anew = Sandbox::new();
    anew.write(&format!("{below}.gz"), &compressed);
    anew.import([]);
    assert_same_rows(&anew.all_rows(), &before, "compressed alone");
}

#[test]
fn every_folder_of_a_list_of_folders_is_read() {
    let mut sandbox = Sandbox::new();
    for (folder, number) in [("work", 1), ("play", 2)] {
        let session = SESSION.replace('1', &number.to_string());
        let name = format!("{folder}/projects/-home-ada/{session}.jsonl");
        sandbox.write(&name, said(&session, number, folder).as_bytes());
    }
    sandbox.set("CLAUDE_CONFIG_DIR", "~/work, ~/play");
    assert_eq!(total(&sandbox.import(["claude"]), "rows_written"), 2);
    assert_eq!(sandbox.rows("select content_text from messages order by 1"), ["play", "work"]);
}

trait ReplaceByte {
    fn replace_byte(self, from: u8, to: u8) -> Vec<u8>;
}

impl ReplaceByte for Vec<u8> {
    fn replace_byte(mut self, from: u8, to: u8) -> Vec<u8> {
        for byte in self.iter_mut().filter(|byte| **byte == from) {
            *byte = to;
        }
        self
    }
}

/// Returns a gzip stream of one stored block.
fn gzip_stored(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    out.write_all(&length.to_le_bytes()).unwrap();
    out.write_all(&(!length).to_le_bytes()).unwrap();
    out.write_all(content).unwrap();
    let mut crc = !0_u32;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    out.write_all(&(!crc).to_le_bytes()).unwrap();
    out.write_all(&u32::from(length).to_le_bytes()).unwrap();
    out
}

#[test]
fn a_message_whose_id_another_one_has_is_kept_in_quarantine_and_counted_apart() {
    let sandbox = Sandbox::new();
    let tell = |session, minute, text| {
        Claude::new(session)
            .at(minute)
            .says("b", text)
            .answers("c", "msg_1", text, 7)
            .write(&sandbox);
    };
    tell("11111111-aaaa-4aaa-8aaa-000000000001", 1, "The tide is low.");
    tell("11111111-aaaa-4aaa-8aaa-000000000002", 30, "The harbour is closed.");
    let told = |report: &Value| report["providers"][0]["rows_by_reason"]["id_taken"].clone();
    let report = sandbox.import(["claude"]);
    assert_eq!((total(&report, "rows_written"), told(&report)), (2, 2.into()), "{report:#}");
    let full = sandbox.import(["claude", "--full"]);
    assert_eq!((total(&full, "rows_written"), told(&full)), (0, 2.into()), "{full:#}");
    let kept = "select class, count(*), count(bytes) from quarantine group by class";
    assert_eq!(sandbox.rows(kept), ["id_taken,2,2"]);

    // The earlier message has the row, whenever it comes.
    let other = Sandbox::new();
    Claude::new("11111111-aaaa-4aaa-8aaa-000000000002")
        .at(30)
        .says("b", "The harbour is closed.")
        .write(&other);
    other.import(["claude"]);
    Claude::new("11111111-aaaa-4aaa-8aaa-000000000001")
        .at(1)
        .says("b", "The tide is low.")
        .write(&other);
    other.import(["claude"]);
    let stands = "select content_text from ai_gateway_messages";
    assert_eq!(other.rows(stands), ["The tide is low."]);
    let told = "select event, detail from journal where event = 'id_taken'";
    assert_eq!(other.rows(told), ["id_taken,b#0"]);
}
