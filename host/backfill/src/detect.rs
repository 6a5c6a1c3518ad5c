//! Which clients left history here, told without reading any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use hyp_plugin::{Limits, Plugin, Purpose};

use crate::components::{Components, name_of, origin_of};
use crate::discover::{Found, discover, terms};
use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::grants::Lending;

/// What a provider's client left on this machine.
#[derive(Debug, Default)]
pub struct Detected {
    /// Name of the provider.
    pub provider: String,
    /// Name of the client for people.
    pub title: String,
    /// How the provider came here: `bundled` or `installed`.
    pub origin: &'static str,
    /// Places of history that are there.
    pub roots: Vec<PathBuf>,
    /// Places where it would be, the likeliest first.
    pub candidates: Vec<PathBuf>,
    /// Sessions, newest first.
    pub sessions: Vec<DetectedSession>,
    /// Files that are read.
    pub files: u64,
    /// Why nothing, or not everything, can be told.
    pub error: Option<String>,
    /// True where there may be history that cannot be read.
    pub is_unreadable: bool,
}

/// A session on disk, sub-agents included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectedSession {
    /// Name of the root that it lies below.
    pub root: String,
    /// Size of its files.
    pub bytes: u64,
    /// Time of the last change, in microseconds.
    pub changed: i64,
}

impl Detected {
    /// Returns the size of all sessions.
    pub fn bytes(&self) -> u64 {
        self.sessions.iter().map(|session| session.bytes).sum()
    }

    /// Returns the times of change of the oldest and the newest session, in microseconds.
    pub fn span(&self) -> Option<(i64, i64)> {
        let changed = || self.sessions.iter().map(|session| session.changed);
        changed().min().zip(changed().max())
    }
}

/// Looks for the history of every provider that this machine has, by name.
///
/// No component sees content beyond what its plan peeks at, and nothing is written. What goes wrong
/// with one provider is told in its entry.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn detect(places: &Places) -> Result<Vec<Detected>, BackfillError> {
    let components = Components::load(places, Limits::default(), &[])?;
    let mut all: Vec<Detected> = components
        .registry
        .iter()
        .filter(|plugin| plugin.description().emits_messages())
        .map(|plugin| detected(plugin, &components.lending(plugin), places))
        .collect();
    all.extend(components.refused.iter().map(|(name, error)| Detected {
        provider: name.clone(),
        title: name.clone(),
        origin: "installed",
        error: Some(crate::explain(error)),
        ..Detected::default()
    }));
    all.sort_by(|a, b| a.provider.cmp(&b.provider));
    Ok(all)
}

fn detected(plugin: &Plugin, lending: &Lending, places: &Places) -> Detected {
    let description = plugin.description();
    let histories = description.roots.iter().filter(|root| root.purpose == Purpose::History);
    let mut candidates: Vec<PathBuf> = Vec::new();
    for path in histories.flat_map(|root| places.resolve(&root.candidates)) {
        if !candidates.contains(&path) {
            candidates.push(path);
        }
    }
    let mut detected = Detected {
        provider: name_of(plugin).to_owned(),
        title: description.title.clone(),
        origin: origin_of(plugin),
        roots: candidates.iter().filter(|path| path.exists()).cloned().collect(),
        candidates,
        ..Detected::default()
    };
    match discover(description, lending, places, &terms(&places.store, false)) {
        Ok(found) => detected.look(plugin, &found),
        Err(error) => detected.error = Some(crate::explain(&error)),
    }
    detected
}

impl Detected {
    fn look(&mut self, plugin: &Plugin, found: &Found) {
        self.error = found.unreadable.first().cloned();
        self.is_unreadable = self.error.is_some();
        // A component takes time to bring up, and of nothing it can tell nothing.
        if found.files.is_empty() {
            return;
        }
        let plan = match plugin.plan(&found.files, &mut Vec::new()) {
            Ok(plan) => plan,
            Err(error) => {
                self.error = Some(crate::explain(&error));
                return;
            }
        };
        let mut sessions: BTreeMap<&str, DetectedSession> = BTreeMap::new();
        let ids: BTreeSet<&str> = plan.units.iter().map(|unit| unit.id.as_str()).collect();
        let mut read = BTreeSet::new();
        for unit in &plan.units {
            let session = sessions.entry(session_of(&unit.id, &ids)).or_default();
            for at in unit.inputs.iter().filter(|at| read.insert(**at)) {
                let Some(lent) = found.files.get(*at as usize) else { continue };
                session.bytes += lent.entry.size;
                session.changed = session.changed.max(lent.entry.modified);
                session.root.clone_from(&lent.entry.root);
            }
        }
        self.files = read.len() as u64;
        self.sessions = sessions.into_values().collect();
        self.sessions.sort_by_key(|session| (std::cmp::Reverse(session.changed), session.bytes));
    }
}

/// Returns the unit that a unit is a part of: `a/b` is one of `a`, where there is such a unit.
fn session_of<'a>(id: &'a str, ids: &BTreeSet<&str>) -> &'a str {
    let above = id.match_indices('/').map(|(at, _)| &id[..at]);
    above.into_iter().find(|above| ids.contains(above)).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_agent_is_a_part_of_its_session_while_that_is_there() {
        let ids = ["a", "a/agent-1", "b/agent-2", "c/d", "c/d/agent-3"].into();
        let cases = [("a/agent-1", "a"), ("b/agent-2", "b/agent-2"), ("c/d/agent-3", "c/d")];
        for (id, expected) in cases {
            assert_eq!(session_of(id, &ids), expected);
        }
    }
}
