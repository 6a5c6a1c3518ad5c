//! Units: every transcript is one, with what lies beside it.

use std::collections::{HashMap, HashSet, VecDeque};

use hyp_sdk::json::{Object, Tape, Value, quote};
use hyp_sdk::{Entry, Ignored, Peek, PlanResult, Unit};

use crate::hooks::Hooks;
use crate::path::Place;
use crate::{DESKTOP, DESKTOP_CODE, HOOKS, PROJECTS};

/// How much of the hook's records is looked at: the newest are at the end. Notes of the desktop application, which hold
/// the prompt of the system, are looked at whole if they are no longer.
const TAIL: u32 = 1 << 20;
/// How large a note beside a transcript may be.
const NOTE_HEAD: u32 = 64 << 10;
/// Files with the transcripts' suffix that hold none.
const OTHERS: [(&str, &str); 3] = [
    ("journal.jsonl", "workflow-journal"),
    ("history.jsonl", "prompt-history"),
    ("session-context.jsonl", "session-context"),
];

/// A root, and a path below it.
type At<'e> = (&'e str, &'e str);

/// Groups what was found.
pub(crate) fn plan(entries: &[Entry], peek: &mut dyn Peek) -> PlanResult {
    let mut found = Found::default();
    for (index, entry) in (0..).zip(entries) {
        found.sort(index, entry, peek);
    }
    found.units(entries, peek)
}

/// What was found, by what it is.
#[derive(Debug, Default)]
struct Found<'e> {
    transcripts: Vec<u32>,
    /// Notes beside transcripts. Two copies of a folder have the same paths, so a path may stand for several files.
    metas: HashMap<At<'e>, VecDeque<u32>>,
    /// Long results, by the folder of their session: all of its transcripts may speak of them.
    results: HashMap<At<'e>, Vec<u32>>,
    /// Agents that have transcripts, by the folder of their session.
    agents: HashMap<At<'e>, Vec<&'e str>>,
    /// Titles of the desktop application, by session.
    titles: HashMap<String, String>,
    hooks: Hooks,
    ignored: Vec<Ignored>,
}

impl<'e> Found<'e> {
    fn sort(&mut self, index: u32, entry: &'e Entry, peek: &mut dyn Peek) {
        let (root, path) = (entry.root.as_str(), entry.path.as_str());
        let name = path.rsplit('/').next().unwrap_or(path);
        if root == HOOKS {
            self.hooks.learn(&peek.tail(index, TAIL).unwrap_or_default());
            self.ignore(index, "session-context");
        } else if (root == DESKTOP || root == DESKTOP_CODE)
            && name.starts_with("local_")
            && name.ends_with(".json")
        {
            self.title(&peek.tail(index, TAIL).unwrap_or_default());
            self.ignore(index, "desktop-session");
        } else if let Some((folder, _)) = path.rsplit_once("/tool-results/") {
            self.results.entry((root, folder)).or_default().push(index);
        } else if let Some(stem) = path.strip_suffix(".meta.json") {
            self.metas.entry((root, stem)).or_default().push_back(index);
        } else if let Some((_, kind)) = OTHERS.iter().find(|(other, _)| *other == name) {
            self.ignore(index, kind);
        } else if path.ends_with(".jsonl") {
            self.transcripts.push(index);
            if let Some((folder, agent)) = of_agent(path) {
                self.agents.entry((root, folder)).or_default().push(agent);
            }
        }
    }

    /// Learns the title of a session from what the desktop application notes of it.
    fn title(&mut self, note: &[u8]) {
        let mut tape = Tape::new();
        let Ok(note) = tape.parse_document(note) else { return };
        let text = |key: &str| note.get(key).and_then(Value::non_empty);
        if let (Some(session), Some(title)) = (text("cliSessionId"), text("title")) {
            self.titles.insert(session, title);
        }
    }

    fn units(mut self, entries: &'e [Entry], peek: &mut dyn Peek) -> PlanResult {
        // What a person uses every day comes first, and the rest does not depend on the order of a folder.
        let at = |index: u32| &entries[index as usize];
        let mut transcripts = std::mem::take(&mut self.transcripts);
        transcripts.sort_by_key(|&index| {
            let entry = at(index);
            (entry.root != PROJECTS, entry.root.as_str(), entry.path.as_str(), index)
        });
        let mut taken = HashSet::new();
        let mut units = Vec::with_capacity(transcripts.len());
        for index in transcripts {
            let entry = at(index);
            let root = entry.root.as_str();
            let stem = entry.path.strip_suffix(".jsonl").unwrap_or(&entry.path);
            let meta = self.metas.get_mut(&(root, stem)).and_then(VecDeque::pop_front);
            let folder = of_agent(&entry.path).map_or(stem, |(folder, _)| folder);
            let mut results = self.results.get(&(root, folder)).cloned().unwrap_or_default();
            results.sort_by_key(|&index| at(index).path.as_str());
            let note = meta.and_then(|index| peek.head(index, NOTE_HEAD));
            let inputs = [index].into_iter().chain(meta).chain(results).collect();
            let context = self.context(&entry.path, (root, folder), note.as_deref());
            units.push(Unit::new(identity(&entry.path, &mut taken), inputs).context(context));
        }
        self.ignore_rest(&units);
        PlanResult { units, ignored: self.ignored }
    }

    /// Returns what a transcript's scan is told; `folder` is its session's.
    fn context(&self, path: &str, folder: At<'_>, note: Option<&[u8]>) -> Vec<u8> {
        let mut context = Object::new();
        if let Some(hook) = self.hooks.of(path) {
            context.object("hook", hook.clone());
        }
        let mut tape = Tape::new();
        if let Some(note) = note.and_then(|note| tape.parse_document(note).ok()) {
            let mut object = Object::new();
            for key in ["agentType", "description", "toolUseId"] {
                object.maybe_text(key, note.get(key).and_then(Value::non_empty).as_deref());
            }
            context.object("meta", object);
        }
        if let Some(agents) = self.agents.get(&folder) {
            let agents: Vec<String> = agents.iter().map(|agent| quote(agent)).collect();
            context.raw("agents", &format!("[{}]", agents.join(",")));
        }
        if let Place::Session { session } = Place::of(path) {
            context.maybe_text("title", self.titles.get(session).map(String::as_str));
        }
        context.finish().map(String::into_bytes).unwrap_or_default()
    }

    /// Notes what is beside no transcript.
    fn ignore_rest(&mut self, units: &[Unit]) {
        let read: HashSet<u32> = units.iter().flat_map(|unit| &unit.inputs).copied().collect();
        let metas = self.metas.values().flatten().map(|&index| (index, "agent-meta"));
        let results = self.results.values().flatten().map(|&index| (index, "tool-result"));
        let mut rest: Vec<_> = metas.chain(results).filter(|it| !read.contains(&it.0)).collect();
        rest.sort_unstable();
        rest.into_iter().for_each(|(index, kind)| self.ignore(index, kind));
    }

    fn ignore(&mut self, entry: u32, kind: &str) {
        self.ignored.push(Ignored { entry, kind: kind.to_owned() });
    }
}

/// Returns the folder of the session and the id of the agent, for the transcript of a sub-agent in its place.
fn of_agent(path: &str) -> Option<(&str, &str)> {
    let Place::Agent { stem, .. } = Place::of(path) else { return None };
    let (folder, _) = path.split_once("/subagents/")?;
    Some((folder, stem.strip_prefix("agent-").unwrap_or(stem)))
}

/// Returns the identity of a transcript: its thread, and its path where another file is of that thread too.
fn identity(path: &str, taken: &mut HashSet<String>) -> String {
    let plain = Place::of(path).id();
    if taken.insert(plain.clone()) {
        return plain;
    }
    let placed = format!("{plain} in {}", path.rsplit_once('/').map_or("", |(folder, _)| folder));
    if taken.insert(placed.clone()) {
        return placed;
    }
    let mut number = 2u32;
    loop {
        let counted = format!("{placed} ({number})");
        if taken.insert(counted.clone()) {
            return counted;
        }
        number += 1;
    }
}
