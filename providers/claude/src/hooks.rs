//! What the session hook noted, and what becomes known of a transcript that way.

use std::collections::HashMap;

use hyp_sdk::json::{Object, Tape, Value};

use crate::path::Place;

/// What the session hook noted: where a session worked, as git and the client saw it.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    /// The newest record of each transcript, by its name, with its whole path.
    by_name: HashMap<String, Vec<(String, Object)>>,
    by_session: HashMap<String, Object>,
}

impl Hooks {
    /// Reads the end of the channel. Its first line may be cut off, and is then passed over.
    pub(crate) fn learn(&mut self, tail: &[u8]) {
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
    pub(crate) fn of(&self, path: &str) -> Option<&Object> {
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
}
