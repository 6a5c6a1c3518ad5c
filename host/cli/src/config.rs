//! `config.toml` in the store's folder: what a person settled once, for every command.
//!
//! Only the command line reads it; libraries are handed values. What a flag says goes before what
//! the file says. A key that is not known, or that is known to a newer hyp only, is an error with
//! its line and column: a setting that is read over in silence would be one that nobody keeps.

mod edit;
mod error;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::Arc;

use hyp_backfill::{Changes, NamedSource, Places, Probing, Secrets};
use hyp_model::item::ConflictRule;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

pub(crate) use error::{ConfigError, Place};
pub(crate) use write::{Wish, Wishes, save};

use crate::agents::Agents;
use crate::moment::{self, Edge};

/// Name of the file.
const FILE: &str = "config.toml";

/// The layout of the file that this hyp knows.
pub(crate) const VERSION: u32 = 1;

/// What the file says; what it leaves out is at its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Layout of the file.
    #[serde(rename = "version")]
    pub(crate) _version: u32,
    /// What `hyp backfill` imports when it is not told.
    pub(crate) import: Import,
    /// How long the store keeps what it has.
    pub(crate) retention: Retention,
    /// What does not get into the store as it was written.
    pub(crate) privacy: Privacy,
    /// What providers may read beside the histories of clients, by name.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Rules of datasets in place of those that are declared, by name.
    pub(crate) datasets: BTreeMap<String, DatasetRules>,
    /// What may be asked of remote agents.
    pub(crate) probe: Probe,
}

/// `[sources.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Source {
    /// Where it lies.
    path: PathBuf,
    /// What may be read of it: `table.column`, or `table.*`.
    grants: Vec<String>,
}

/// `[datasets.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatasetRules {
    /// What happens when a key is there already.
    on_conflict: Option<ConflictRule>,
}

/// `[probe]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Probe {
    /// Beginnings of addresses that may be asked.
    allow: Vec<String>,
    /// A file that has the answers: nobody is asked.
    script: Option<PathBuf>,
}

impl Config {
    /// Returns where things lie, with what was named here.
    pub(crate) fn places(&self, places: &Places) -> Places {
        let named = |source: &Source| NamedSource {
            path: if source.path.as_os_str().is_empty() {
                PathBuf::new()
            } else {
                places.store.join(&source.path)
            },
            grants: source.grants.clone(),
        };
        let sources = self.sources.iter().map(|(name, source)| (name.clone(), named(source)));
        Places { sources: sources.collect(), ..places.clone() }
    }

    /// Adds what is settled here to what is asked of a run over datasets.
    pub(crate) fn settle(&self, changes: &mut Changes, store: &Path) {
        let rules = self.datasets.iter();
        let rules = rules.filter_map(|(name, rules)| Some((name.clone(), rules.on_conflict?)));
        changes.rules.extend(rules);
        let script = self.probe.script.as_ref().map(|script| store.join(script));
        changes.probe = Probing { allow: self.probe.allow.clone(), script };
        changes.prober = Some(Arc::new(Agents::new(changes.probe.clone())));
    }
}

/// `[import]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Import {
    /// Clients whose history is imported; none means every one that left some here.
    pub(crate) clients: Option<Vec<String>>,
    /// Earliest message to import.
    pub(crate) since: Option<Moment>,
}

/// `[retention]`: days by dataset; what is not named is kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Days that messages are kept, by their own time.
    pub(crate) ai_gateway_messages: Option<Days>,
}

impl Retention {
    /// Returns the first moment of messages that are kept; none when all are.
    pub(crate) fn from(&self, now: i64) -> Option<i64> {
        self.ai_gateway_messages.and_then(|days| hyp_cache::retained_from(days.0, now))
    }
}

/// `[privacy]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Privacy {
    /// Likely secrets that are replaced while they are imported.
    pub(crate) redact: Redact,
}

/// Kinds of likely secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Which")]
pub(crate) enum Redact {
    /// None.
    #[default]
    Nothing,
    /// All.
    Everything,
    /// Those with these names.
    Kinds(Vec<String>),
}

/// Kinds as written.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected true, false, or a list of kinds such as [\"github-token\"]"
)]
enum Which {
    All(bool),
    Kinds(Vec<String>),
}

impl TryFrom<Which> for Redact {
    type Error = String;

    fn try_from(which: Which) -> Result<Self, String> {
        match which {
            Which::All(false) => Ok(Self::Nothing),
            Which::All(true) => Ok(Self::Everything),
            Which::Kinds(kinds) => match Secrets::of(&kinds) {
                Ok(_) => Ok(Self::Kinds(kinds)),
                Err(other) => {
                    let known: Vec<&str> = Secrets::kinds().into_iter().collect();
                    Err(format!("`{other}` is no kind of secret; there are: {}", known.join(", ")))
                }
            },
        }
    }
}

impl Privacy {
    /// Returns the rules by which likely secrets are replaced.
    pub(crate) fn secrets(&self) -> Option<Secrets> {
        match &self.redact {
            Redact::Nothing => None,
            Redact::Everything => Some(Secrets::all()),
            Redact::Kinds(kinds) => Secrets::of(kinds).ok(),
        }
    }
}

/// A time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "When")]
pub(crate) struct Moment(pub(crate) i64);

/// A time as written: in quotes or not.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a time, such as 2026-01-31 or 2026-01-31T09:00:00Z")]
enum When {
    Text(String),
    Literal(Datetime),
}

impl TryFrom<When> for Moment {
    type Error = String;

    fn try_from(when: When) -> Result<Self, String> {
        let text = match when {
            When::Text(text) => text,
            When::Literal(time) => time.to_string(),
        };
        moment::parse(&text, Edge::Start, &TimeZone::system())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no time; 2026-01-31 and 2026-01-31T09:00:00Z are"))
    }
}

/// A number of whole days, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct Days(pub(crate) u32);

impl TryFrom<i64> for Days {
    type Error = &'static str;

    fn try_from(days: i64) -> Result<Self, &'static str> {
        u32::try_from(days).ok().filter(|days| *days > 0).map(Self).ok_or(
            "expected a number of days from 1 to 4294967295; without the key, messages are kept for ever",
        )
    }
}

/// Returns where the file lies.
pub(crate) fn path(store: &Path) -> PathBuf {
    store.join(FILE)
}

impl Config {
    /// Reads the file of a store; without one, everything is at its default.
    pub(crate) fn read(store: &Path) -> Result<Self, ConfigError> {
        let path = path(store);
        match hyp_backfill::read_small(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// Reads a file's text; errors name `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let at = |span: Option<Range<usize>>| Place::new(path, text, span.map_or(0, |it| it.start));
        let wrong = |error: toml::de::Error| ConfigError::Wrong {
            place: at(error.span()),
            reason: error.message().replace('\n', ", ").replace("unknown field", "unknown key"),
        };
        // The version first: of a newer file, nothing else can be judged.
        let layout: Layout = toml::from_str(text).map_err(wrong)?;
        if let Some(version) = layout.version.filter(|version| *version.get_ref() > VERSION) {
            let found = *version.get_ref();
            return Err(ConfigError::Newer { place: at(Some(version.span())), found });
        }
        toml::from_str(text).map_err(wrong)
    }
}

#[derive(Deserialize)]
struct Layout {
    version: Option<Spanned<u32>>,
}

#[cfg(test)]
mod tests;
