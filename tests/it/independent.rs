//! A second reading of the clients' files, by other means: raw lines through `serde_json`, nothing of ours.
//!
//! Every assistant text and every tool call that it finds must be exactly one row that is no replay.
//! `HYP_HISTORY` names further homes to read, separated by colons: folders that hold `.claude` or `.codex`.

mod cases;
mod records;
mod shown;

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
    /// Calls with shorter ids are passed over.
    telling: usize,
    /// Response and text of every assistant block of Claude, with the lines that hold it.
    claude_texts: BTreeMap<(String, String), BTreeSet<String>>,
    /// Assistant texts of Codex, with the number of times that a single file and that all files hold them.
    codex_texts: BTreeMap<String, (usize, usize)>,
    calls: BTreeSet<String>,
}

impl Said {
    fn is_empty(&self) -> bool {
        self.claude_texts.is_empty() && self.codex_texts.is_empty() && self.calls.is_empty()
    }
}

#[test]
fn another_reading_finds_every_assistant_text_and_tool_call_once() {
    let ours = ["sample", "claude-one-turn", "codex-one-turn"];
    let mut homes = ours.map(|name| fixtures().join("homes").join(name)).to_vec();
    let further = std::env::var_os("HYP_HISTORY").unwrap_or_default();
    homes.extend(std::env::split_paths(&further).filter(|home| !home.as_os_str().is_empty()));
    let mut differences = String::new();
    for home in homes {
        for difference in differences_in(&home, TELLING_ID) {
            differences.push_str(&format!("{}: {difference}\n", home.display()));
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn another_reading_agrees_about_texts_that_are_told_in_unusual_ways() {
    let mut differences = String::new();
    for (cases, home) in cases::unusual() {
        assert!(!read(&home.home(), 1).is_empty(), "{cases}: nothing to compare");
        for difference in differences_in(&home.home(), 1) {
            differences.push_str(&format!("{cases}: {difference}\n"));
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

fn differences_in(home: &Path, telling: usize) -> Vec<String> {
    let said = read(home, telling);
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

fn read(home: &Path, telling: usize) -> Said {
    let mut said = Said { telling, ..Said::default() };
    for file in transcripts(&home.join(".claude/projects")) {
        for record in records(&file) {
            claude(&record, &mut said);
            // What a sub-agent said, as its session noted it.
            claude(&record["data"]["message"], &mut said);
        }
    }
    for folder in ["sessions", "archived_sessions"] {
        for file in transcripts(&home.join(".codex").join(folder)) {
            let mut texts = Texts::default();
            for record in records(&file) {
                codex(&record, &mut texts, &mut said);
            }
            for (text, (items, events)) in texts.counted() {
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
    let line = record["uuid"].as_str().unwrap_or_default();
    let mut text = |text: &str| {
        let key = (response.to_owned(), text.to_owned());
        said.claude_texts.entry(key).or_default().insert(line.to_owned());
    };
    if let Some(whole) = message["content"].as_str().filter(|whole| !whole.is_empty()) {
        text(whole);
    }
    for block in message["content"].as_array().into_iter().flatten() {
        match (block["type"].as_str(), block["text"].as_str(), block["id"].as_str()) {
            (Some("text"), Some(said), _) if !said.is_empty() => text(said),
            (Some("tool_use" | "server_tool_use" | "mcp_tool_use"), _, Some(id))
                if id.len() >= said.telling =>
            {
                said.calls.insert(id.to_owned());
            }
            _ => {}
        }
    }
}

/// Assistant texts of a file of Codex.
#[derive(Default)]
struct Texts {
    /// How often items and events hold each.
    counts: BTreeMap<String, (usize, usize)>,
    /// How often items say what the person saw in other words.
    shown: BTreeMap<String, usize>,
}

impl Texts {
    fn item(&mut self, text: &str) {
        self.counts.entry(text.to_owned()).or_default().0 += 1;
        for shown in shown::of(text) {
            *self.shown.entry(shown).or_default() += 1;
        }
    }

    fn event(&mut self, text: &str) {
        self.counts.entry(text.to_owned()).or_default().1 += 1;
    }

    /// Returns how often items and events hold each text. An event that shows an item in other words tells nothing new.
    fn counted(mut self) -> BTreeMap<String, (usize, usize)> {
        for (text, (_, events)) in &mut self.counts {
            let shown = self.shown.get(text.trim()).copied().unwrap_or(0);
            *events -= shown.min(*events);
        }
        self.counts
    }
}

/// What only an event tells counts for the most that there may be: it may be the same text again.
fn codex(record: &Value, texts: &mut Texts, said: &mut Said) {
    if let Some(items) = record["items"].as_array() {
        return items.iter().for_each(|item| codex(item, texts, said));
    }
    let is_in_envelope = record["payload"].is_object();
    let payload = if is_in_envelope { &record["payload"] } else { record };
    match (payload["type"].as_str(), payload["item"]["type"].as_str()) {
        (Some("message"), _) if payload["role"] == "assistant" => {
            for block in payload["content"].as_array().into_iter().flatten() {
                if let Some(text) = block["text"].as_str().filter(|text| !text.is_empty()) {
                    texts.item(text);
                }
            }
        }
        (Some("transcript_segment"), _) if payload["role"] == "assistant" => {
            texts.item(payload["text"].as_str().unwrap_or_default());
        }
        (Some("agent_message"), _) => {
            payload["message"].as_str().into_iter().for_each(|text| texts.event(text));
        }
        (Some("item_completed"), Some("AgentMessage")) => {
            for block in payload["item"]["content"].as_array().into_iter().flatten() {
                block["text"].as_str().into_iter().for_each(|text| texts.event(text));
            }
        }
        (Some("item_completed"), Some("Plan")) => {
            payload["item"]["text"].as_str().into_iter().for_each(|text| texts.event(text));
        }
        (
            Some(
                "function_call"
                | "custom_tool_call"
                | "local_shell_call"
                | "web_search_call"
                | "tool_search_call"
                | "image_generation_call",
            ),
            _,
        ) => {
            let id = payload["call_id"].as_str().or_else(|| payload["id"].as_str());
            said.calls.extend(id.filter(|id| id.len() >= said.telling).map(str::to_owned));
        }
        _ => {}
    }
}

fn transcripts(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let mut found = files(folder);
    let is_transcript = |name: &str| {
        name.ends_with(".jsonl") || name.starts_with("rollout-") && name.ends_with(".json")
    };
    found.retain(|path| path.file_name().unwrap().to_str().is_some_and(is_transcript));
    found
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
