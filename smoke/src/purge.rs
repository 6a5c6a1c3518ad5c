//! What is purged is nowhere in the store, and no import brings it back.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::hyp::Hyp;
use crate::left::search;

const SESSION: &str = "0ddba115-0000-4000-8000-000000000001";
const FORK: &str = "0ddba115-0000-4000-8000-000000000002";
const FOLDER: &str = "/home/ada/zanzibar";

/// Words that are said in one session only, each in another place of it.
const SAID: &[&str] =
    &["quibblesnark", "fandangle", "mugwumpery", "brouhaha-torn", "kerfuffled", "hullabaloo"];

/// Returns a transcript: a prompt, an answer with a call, its result, a title, a torn record.
fn transcript(session: &str, more: bool) -> String {
    let line = |number: usize, parent: Option<usize>, kind: &str, message: serde_json::Value| {
        let uuid = |number| format!("0ddba115-0000-4000-8000-0000000001{number:02}");
        json!({
            "type": kind, "sessionId": session, "uuid": uuid(number), "parentUuid": parent.map(uuid),
            "cwd": FOLDER, "version": "2.1.0", "gitBranch": "main", "isSidechain": false,
            "userType": "external", "timestamp": format!("2026-02-01T10:00:{number:02}.000Z"),
            "message": message,
        })
        .to_string()
    };
    let user = |content: serde_json::Value| json!({ "role": "user", "content": content });
    let assistant = |id: &str, content: serde_json::Value| {
        json!({
            "id": id, "type": "message", "role": "assistant", "model": "claude-opus-4-5",
            "content": content, "stop_reason": "end_turn",
            "usage": { "input_tokens": 10, "output_tokens": 20 },
        })
    };
    let call = json!([
        { "type": "text", "text": "about the fandangle" },
        { "type": "tool_use", "id": "toolu_0ddba115", "name": "Bash",
          "input": { "command": "echo mugwumpery" } },
    ]);
    let result = json!([
        { "type": "tool_result", "tool_use_id": "toolu_0ddba115", "content": "it was hullabaloo" },
    ]);
    let mut lines = vec![
        line(1, None, "user", user(json!("tell me of quibblesnark"))),
        line(2, Some(1), "assistant", assistant("msg_0ddba115a1b2", call)),
        line(3, Some(2), "user", user(result)),
        json!({ "type": "ai-title", "sessionId": session, "aiTitle": "All kerfuffled" })
            .to_string(),
        format!(r#"{{"type":"user","sessionId":"{session}","message":"brouhaha-torn"#),
    ];
    if more {
        let answer = json!([{ "type": "text", "text": "once more, quibblesnark" }]);
        lines.push(line(4, Some(3), "assistant", assistant("msg_0ddba115c3d4", answer)));
    }
    lines.join("\n") + "\n"
}

pub(crate) fn check() -> Result<()> {
    let hyp = Hyp::new()?;
    hyp.add("sample", |_| true)?;
    let path = |session: &str| format!(".claude/projects/-home-ada-zanzibar/{session}.jsonl");
    hyp.write(&path(SESSION), &transcript(SESSION, false))?;
    hyp.output("bf-first", &["backfill"])?;
    let others = "select part_id, content_text, is_replay from ai_gateway_messages \
                  where cwd is null or cwd <> '/home/ada/zanzibar' order by part_id";
    let before = hyp.query(others)?;

    // It goes on, and another session begins with a copy of it.
    hyp.write(&path(SESSION), &transcript(SESSION, true))?;
    hyp.write(&path(FORK), &transcript(FORK, false))?;
    hyp.output("bf-second", &["backfill"])?;

    let places: Vec<&str> = SAID.iter().copied().chain([SESSION, FOLDER]).collect();
    let found = search(&hyp.store(), &hyp.trace(), &places)?;
    for word in &places {
        ensure!(found.contains_key(*word), "`{word}` is not found before, so nothing is proved");
    }
    let is_in = |what: &str| found.values().flatten().any(|place| place.contains(what));
    for what in [
        "content_text page",
        "session_id dictionary",
        "session_id bounds",
        ".avro",
        "quarantine unpacked",
        "catalog.db facts",
    ] {
        ensure!(is_in(what), "nothing is found in `{what}`, so nothing is proved: {found:#?}");
    }

    let dry = hyp.run("purge", &["privacy", "purge", "--session", SESSION, "--dry-run"])?;
    ensure!(!search(&hyp.store(), &hyp.trace(), SAID)?.is_empty(), "a dry run removes nothing");
    let done = hyp.run("purge", &["privacy", "purge", "--session", SESSION, "--yes"])?;
    ensure!(dry.replace("would be removed", "removed for good") == done, "{dry}{done}");
    let left = search(&hyp.store(), &hyp.trace(), &places)?;
    ensure!(left.is_empty(), "after the purge, this is left: {left:#?}");
    ensure!(hyp.query(others)? == before, "all other rows are what they were");
    hyp.run("verify", &["cache", "verify"])?;

    // The recordings are still there, and the client goes on with them.
    for (run, args) in [("bf-again", &["backfill"][..]), ("bf-full", &["backfill", "--full"])] {
        hyp.output(run, args)?;
        let left = search(&hyp.store(), &hyp.trace(), SAID)?;
        ensure!(left.is_empty(), "an import brought back: {left:#?}");
        ensure!(hyp.query(others)? == before, "an import changed other rows");
    }
    let report = hyp.import("bf-counts", &["claude", "--full"])?;
    ensure!(report["rows_written"] == 0, "{report:#}");
    ensure!(report["rows_by_reason"]["purged"].as_u64() >= Some(5), "{report:#}");
    let bytes: u64 = report["accounting"]
        .as_object()
        .map(|sums| sums.values().filter_map(serde_json::Value::as_u64).sum())
        .unwrap_or_default();
    ensure!(report["bytes_read"] == bytes, "every byte is accounted for: {report:#}");
    Ok(())
}
