//! What may be asked of a run over datasets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyp_model::item::ConflictRule;
use hyp_plugin::Prober;
use serde::{Deserialize, Serialize};

/// Asks the store one question in SQL that has one number for an answer.
pub type Ask = Arc<dyn Fn(&str) -> Result<i64, String> + Send + Sync>;

/// How a run over datasets goes about it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// Writes; without it, nothing is, where rows that are there could be changed.
    pub commit: bool,
    /// Changed rows past which nothing is written.
    pub max_changes: Option<MaxChanges>,
    /// Keys or subjects of rows that may be changed; others refuse the run.
    pub expect: Option<BTreeSet<String>>,
    /// Values of settings, by name.
    pub settings: BTreeMap<String, String>,
    /// Items that are committed together.
    pub chunk_size: usize,
    /// How long to rest between two commits.
    pub rest: Duration,
    /// Items that were over at this time or later are left out, whatever the store says.
    pub cutover: Option<i64>,
    /// Imports what was left out because of the cutover and nobody recorded.
    pub recover_unmatched: bool,
    /// Rules for keys that are there already, by dataset, in place of those that are declared.
    #[serde(skip)]
    pub rules: BTreeMap<String, ConflictRule>,
    /// What may be asked of remote agents.
    #[serde(skip)]
    pub probe: Probing,
    /// Who asks them, where no file answers; without one, nobody does.
    #[serde(skip)]
    pub prober: Option<Arc<dyn Prober>>,
    /// Who asks the store what materializers want to know after a run; without one, nothing is asked.
    #[serde(skip)]
    pub ask: Option<Ask>,
}

/// What may be asked of remote agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probing {
    /// Beginnings of addresses that may be asked.
    pub allow: Vec<String>,
    /// A file that has the answers: nobody is asked.
    pub script: Option<std::path::PathBuf>,
}

impl Probing {
    /// Says whether an address may be asked.
    pub fn allows(&self, url: &str) -> bool {
        self.allow.iter().any(|allowed| is_below(url, allowed))
    }
}

/// Says whether an address is below an allowed one: `https://a.example` allows no `https://a.example.net`.
fn is_below(url: &str, allowed: &str) -> bool {
    let allowed = allowed.trim_end_matches('/');
    match url.strip_prefix(allowed) {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '?', '#']),
        None => allowed == "*",
    }
}

/// How many rows may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxChanges {
    /// So many.
    Rows(u64),
    /// So many in a hundred of those that there are.
    Percent(f64),
}

impl Changes {
    /// Items that are committed together, where nothing else is asked.
    pub const CHUNK: usize = 50_000;
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            commit: false,
            max_changes: None,
            expect: None,
            settings: BTreeMap::new(),
            chunk_size: Self::CHUNK,
            rest: Duration::ZERO,
            cutover: None,
            recover_unmatched: false,
            rules: BTreeMap::new(),
            probe: Probing::default(),
            prober: None,
            ask: None,
        }
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("commit", &self.commit)
            .field("max_changes", &self.max_changes)
            .field("settings", &self.settings)
            .field("chunk_size", &self.chunk_size)
            .finish_non_exhaustive()
    }
}
