//! What `hyp init --json` prints.

use serde::Serialize;

use super::clients::ClientSummary;
use super::finale::Entry;
use super::timer::Timer;

/// What became of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Settings {
    /// There were none, now there are.
    Written,
    /// Some keys were changed.
    Changed,
    /// They are as they were.
    Kept,
    /// Nothing is written in a dry run.
    DryRun,
}

/// A setup, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) dry_run: bool,
    /// True when the person went away, or interrupted the import.
    pub(super) cancelled: bool,
    /// Clients that providers were looking for, with what was found.
    pub(super) clients: Vec<ClientSummary>,
    /// Clients that were named and that no provider reads.
    pub(super) skipped_clients: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<ConfigSummary>,
    /// What became of the timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Timer>,
    /// Latest moment that was imported: when the finale began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    /// A provider each, in the order in which they ran.
    pub(super) backfill: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct ConfigSummary {
    path: String,
    state: Settings,
}

impl Summary {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            cancelled: false,
            clients: Vec::new(),
            skipped_clients: Vec::new(),
            config: None,
            schedule: None,
            until: None,
            backfill: Vec::new(),
        }
    }

    pub(super) fn settled(&mut self, path: String, state: Settings) {
        self.config = Some(ConfigSummary { path, state });
    }
}
