//! A second reading of the clients' files, by other means: raw lines through `serde_json`, nothing of ours.
//!
//! Every assistant text and every tool call that it finds must be exactly one row that is no replay.
//! `HYP_HISTORY` names further homes to read, separated by colons: folders that hold `.claude` or `.codex`.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::{Sandbox, files, fixtures};
use records::records;

/// Calls with shorter ids are numbered anew by some gateways: they name nothing across files.
const TELLING_ID: usize = 12;

/// What one reading found.
#[derive(Debug, Default)]
struct Said {
    /// Response and text of every assistant block of Claude, with the lines that hold it.
    claude_texts: BTreeMap<(String, String), BTreeSet<String>>,
    /// Assistant texts of Codex, with the number of times that a single file and that all files hold them.
    codex_texts: BTreeMap<String, (usize, usize)>,
    calls: BTreeSet<String>,
}

#[test]
fn another_reading_finds_every_assistant_text_and_tool_call_once() {
    let ours = ["sample", "claude-one-turn", "codex-one-turn"];
    let mut homes = ours.map(|name| fixtures().join("homes").join(name)).to_vec();
    let further = std::env::var_os("HYP_HISTORY").unwrap_or_default();
    homes.extend(std::env::split_paths(&further).filter(|home| !home.as_os_str().is_empty()));
    let mut differences = String::new();
    for home in homes {
        for difference in differences_in(&home) {
            differences.push_str(&format!("{}: {difference}\n", home.display()));
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

fn differences_in(home: &Path) -> Vec<String> {
    let said = read(home);
    let sandbox = Sandbox::new();
    let history = home.to_str().unwrap();
    let output = sandbox.hyp(["backfill", "--json", "--history-home", history]);
    assert_eq!(output.status, Some(0), "{output}");

    let stored = Stored::of(&sandbox);
    let mut found = Vec::new();
    for ((response, text), lines) in &said.claude_texts {
        let is_it = |row: &&[String; 2]| &row[0] == response || lines.contains(&row[1]);
        let rows = stored.texts.get(text).into_iter().flatten().filter(is_it).count();
        if rows != 1 {
            found.push(format!("{rows} rows of response {response}: {}", short(text)));
        }
    }
    for (text, (least, most)) in &said.codex_texts {
        let rows = stored.texts.get(text).map_or(0, Vec::len);
        if rows < *least || rows > *most {
            found.push(format!("{rows} rows, not {least} to {most}: {}", short(text)));
        }
    }
    for call in &said.calls {
        let rows = stored.calls.get(call).copied().unwrap_or(0);
        if rows != 1 {
            found.push(format!("{rows} rows of call {call}"));
        }
    }
    found
}

/// What the store holds, replays left out.
#[derive(Default)]
struct Stored {
    /// Response and message of every row that has this text.
    texts: BTreeMap<String, Vec<[String; 2]>>,
    calls: BTreeMap<String, usize>,
}

impl Stored {
    fn of(sandbox: &Sandbox) -> Self {
        let sql = "select response_id, message_id, part_type, content_text, tool_call_id \
                   from messages where role <> 'user' and part_type in ('text', 'tool_call', 'error')";
        let args =
            ["query", "sql", sql, "--format", "jsonl", "--max-cell", "0", "--max-bytes", "0"];
        let output = sandbox.hyp(args);
        assert_eq!(output.status, Some(0), "{output}");
        let mut stored = Self::default();
        for line in output.stdout.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let cell = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            if row["part_type"] == "tool_call" {
                *stored.calls.entry(cell("tool_call_id")).or_default() += 1;
            } else {
                let ids = [cell("response_id"), cell("message_id")];
                stored.texts.entry(cell("content_text")).or_default().push(ids);
            }
        }
        stored
    }
}

fn read(home: &Path) -> Said {
    let mut said = Said::default();
    for file in transcripts(&home.join(".claude/projects")) {
        for record in records(&file) {
            claude(&record, &mut said);
        }
    }
    for folder in ["sessions", "archived_sessions"] {
        for file in transcripts(&home.join(".codex").join(folder)) {
            let mut texts = BTreeMap::new();
            for record in records(&file) {
                codex(&record, &mut texts, &mut said);
            }
            for (text, (items, events)) in texts {
                let (least, most) = said.codex_texts.entry(text).or_default();
                *least = items.max(*least);
                *most += items.max(events);
            }
        }
    }
    said
}

fn claude(record: &Value, said: &mut Said) {
    let message = &record["message"];
    if record["type"] != "assistant" || message["role"] != "assistant" {
        return;
    }
    let response = message["id"].as_str().or_else(|| record["uuid"].as_str()).unwrap_or_default();
    for block in message["content"].as_array().into_iter().flatten() {
        match (block["type"].as_str(), block["text"].as_str(), block["id"].as_str()) {
            (Some("text"), Some(text), _) if !text.is_empty() => {
                let key = (response.to_owned(), text.to_owned());
                let line = record["uuid"].as_str().unwrap_or_default();
                said.claude_texts.entry(key).or_default().insert(line.to_owned());
            }
            (Some("tool_use"), _, Some(id)) if id.len() >= TELLING_ID => {
                said.calls.insert(id.to_owned());
            }
            _ => {}
        }
    }
}

/// What only an event tells counts for the most that there may be: it may be the same text again.
fn codex(record: &Value, texts: &mut BTreeMap<String, (usize, usize)>, said: &mut Said) {
    let is_in_envelope = record["type"] == "response_item" || record["type"] == "event_msg";
    let payload = if is_in_envelope { &record["payload"] } else { record };
    match payload["type"].as_str() {
        Some("message") if payload["role"] == "assistant" => {
            for block in payload["content"].as_array().into_iter().flatten() {
                if let Some(text) = block["text"].as_str().filter(|text| !text.is_empty()) {
                    texts.entry(text.to_owned()).or_default().0 += 1;
                }
            }
        }
        Some("agent_message") => {
            if let Some(text) = payload["message"].as_str() {
                texts.entry(text.to_owned()).or_default().1 += 1;
            }
        }
        Some("function_call" | "custom_tool_call") => {
            if let Some(id) = payload["call_id"].as_str().filter(|id| id.len() >= TELLING_ID) {
                said.calls.insert(id.to_owned());
            }
        }
        _ => {}
    }
}

fn transcripts(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let mut found = files(folder);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    found
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
