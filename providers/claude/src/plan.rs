//! Units: every transcript is one, with what the client and the session hook noted beside it.

use std::collections::{HashMap, HashSet, VecDeque};

use hyp_sdk::json::{Object, Tape, Value};
use hyp_sdk::{Entry, Ignored, Peek, PlanResult, Unit};

use crate::path::Place;
use crate::{HOOKS, PROJECTS};

/// How much of the hook's records is looked at: the newest are at the end.
const HOOK_TAIL: u32 = 512 << 10;
/// How large a note beside a sub-agent's transcript may be.
const META_HEAD: u32 = 64 << 10;
/// Files with the transcripts' suffix that hold none.
const OTHERS: [(&str, &str); 3] = [
    ("journal.jsonl", "workflow-journal"),
    ("history.jsonl", "prompt-history"),
    ("session-context.jsonl", "session-context"),
];

/// Groups what was found.
pub(crate) fn plan(entries: &[Entry], peek: &mut dyn Peek) -> PlanResult {
    // Two copies of a folder have the same paths, so a path may stand for several files.
    let mut metas: HashMap<(&str, &str), VecDeque<u32>> = HashMap::new();
    let mut transcripts = Vec::new();
    let mut ignored = Vec::new();
    let mut hooks = Hooks::default();
    for (index, entry) in (0..).zip(entries) {
        let path = entry.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        if entry.root == HOOKS {
            hooks.learn(&peek.tail(index, HOOK_TAIL).unwrap_or_default());
            ignored.push(Ignored { entry: index, kind: "session-context".to_owned() });
        } else if let Some(stem) = path.strip_suffix(".meta.json") {
            metas.entry((entry.root.as_str(), stem)).or_default().push_back(index);
        } else if let Some((_, kind)) = OTHERS.iter().find(|(other, _)| *other == name) {
            ignored.push(Ignored { entry: index, kind: (*kind).to_owned() });
        } else if path.ends_with(".jsonl") {
            transcripts.push(index);
        }
    }

    // What a person uses every day comes first, and the rest does not depend on the order of a folder.
    let at = |index: u32| &entries[index as usize];
    transcripts.sort_by_key(|&index| {
        let entry = at(index);
        (entry.root != PROJECTS, entry.root.as_str(), entry.path.as_str(), index)
    });
    let mut taken = HashSet::new();
    let mut units = Vec::with_capacity(transcripts.len());
    for index in transcripts {
        let entry = at(index);
        let mut inputs = vec![index];
        let stem = entry.path.strip_suffix(".jsonl").unwrap_or(&entry.path);
        let meta = metas.get_mut(&(entry.root.as_str(), stem)).and_then(VecDeque::pop_front);
        inputs.extend(meta);
        let meta = meta.and_then(|index| peek.head(index, META_HEAD));
        let id = identity(&entry.path, &mut taken);
        units.push(Unit { id, inputs, context: hooks.context(&entry.path, meta.as_deref()) });
    }
    let mut orphans: Vec<u32> = metas.into_values().flatten().collect();
    orphans.sort_unstable();
    ignored.extend(orphans.into_iter().map(|entry| Ignored { entry, kind: "agent-meta".into() }));
    PlanResult { units, ignored }
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

/// What the session hook noted: where a session worked, as git and the client saw it.
#[derive(Debug, Default)]
struct Hooks {
    /// The newest record of each transcript, by its name, with its whole path.
    by_name: HashMap<String, Vec<(String, Object)>>,
    by_session: HashMap<String, Object>,
}

impl Hooks {
    /// Reads the end of the channel. Its first line may be cut off, and is then passed over.
    fn learn(&mut self, tail: &[u8]) {
        let mut tape = Tape::new();
        for line in tail.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(record) = tape.parse_document(line) {
                self.add(record);
            }
        }
    }

    fn add(&mut self, record: Value<'_>) {
        let mut object = Object::new();
        for key in ["cwd", "git_branch", "git_remote", "head_sha", "repo_root"] {
            object.maybe_text(key, record.get(key).and_then(Value::non_empty).as_deref());
        }
        if let Some(path) = record.get("transcript_path").and_then(Value::non_empty) {
            let path = path.replace('\\', "/");
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let known = self.by_name.entry(name).or_default();
            known.retain(|(other, _)| *other != path);
            known.push((path, object.clone()));
        }
        if let Some(session) = record.get("session_id").and_then(Value::non_empty) {
            self.by_session.insert(session, object);
        }
    }

    /// Returns the record for a transcript: the newest that names its path, else the newest of its session.
    fn of(&self, path: &str) -> Option<&Object> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let named = self.by_name.get(name).and_then(|known| {
            let is_at = |whole: &str| {
                whole
                    .strip_suffix(path)
                    .is_some_and(|above| above.is_empty() || above.ends_with('/'))
            };
            known.iter().rev().find(|(whole, _)| is_at(whole))
        });
        named.map(|(_, object)| object).or_else(|| match Place::of(path) {
            Place::Session { session } | Place::Agent { session, .. } => {
                self.by_session.get(session)
            }
            Place::Stray { .. } => None,
        })
    }

    fn context(&self, path: &str, meta: Option<&[u8]>) -> Vec<u8> {
        let mut context = Object::new();
        if let Some(hook) = self.of(path) {
            context.object("hook", hook.clone());
        }
        let mut tape = Tape::new();
        if let Some(meta) = meta.and_then(|meta| tape.parse_document(meta).ok()) {
            let mut object = Object::new();
            for key in ["agentType", "description", "toolUseId"] {
                object.maybe_text(key, meta.get(key).and_then(Value::non_empty).as_deref());
            }
            context.object("meta", object);
        }
        context.finish().map(String::into_bytes).unwrap_or_default()
    }
}
