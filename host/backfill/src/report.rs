//! What a run tells: per provider, in numbers that add up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyp_cache::Upkept;
use hyp_model::Exit;
use hyp_plugin::Plugin;
use serde::Serialize;

use crate::diff::Diff;
use crate::engine::{ChangesReport, Derivation};

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Id of the run, stamped on every row that it wrote.
    pub run_id: String,
    /// True when nothing was written.
    pub dry_run: bool,
    /// True when the run was stopped before its end; the same command goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The run that this one went on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// Of a dry run: what stands for all that it was worked out from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// One entry per provider, in the order in which they ran.
    pub providers: Vec<ProviderReport>,
    /// Columns that were worked out anew before and after, by dataset, and what went wrong there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derivation>,
    /// What was done to keep the store in order; nothing in a dry run, or in one that was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upkeep: Option<UpkeepReport>,
    /// Names that are enabled and that no provider has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_provider: Vec<String>,
}

impl Report {
    /// Returns how the command ends.
    pub fn exit(&self) -> Exit {
        if self.interrupted {
            Exit::Interrupted
        } else if self.providers.iter().any(|provider| provider.status == Status::Failed)
            || self.upkeep.as_ref().is_some_and(UpkeepReport::is_alarming)
            || self.derived.iter().any(|it| it.error.is_some())
            // Of what the settings name, nothing can be read.
            || (self.providers.is_empty() && !self.without_provider.is_empty())
        {
            Exit::Failed
        } else if self.providers.iter().any(ProviderReport::is_refused) {
            Exit::Refused
        } else {
            Exit::Done
        }
    }
}

/// What became of the store's upkeep.
#[derive(Debug, Default, Serialize)]
pub struct UpkeepReport {
    /// What was done.
    #[serde(flatten)]
    pub done: Upkept,
    /// Why it ended early; the store is as of its last commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl UpkeepReport {
    /// Says whether something came to light that must not be.
    fn is_alarming(&self) -> bool {
        self.error.is_some() || !self.done.doubles.is_empty()
    }
}

/// How a provider ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Everything that could be read was.
    #[default]
    Ok,
    /// Something could not be read, or the component was stopped.
    Failed,
    /// The run was stopped while it read; the same command goes on.
    Interrupted,
}

/// What became of one provider's history.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProviderReport {
    /// Name of the provider.
    pub provider: String,
    /// Component that it runs in, with its version.
    pub plugin: String,
    /// Datasets that it fills.
    pub datasets: Vec<String>,
    /// How it ended.
    pub status: Status,
    /// Threads that were read.
    pub items_seen: u64,
    /// Threads with at least one new row.
    pub sessions_seen: u64,
    /// Rows committed.
    pub rows_written: u64,
    /// Rows that were made and not written: stored already, or outside the window.
    pub rows_skipped: u64,
    /// The first thing that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Bytes read of the inputs, decompressed.
    pub bytes_read: u64,
    /// Files found.
    pub files_seen: u64,
    /// Files that were not opened, as they are what the last run saw.
    pub files_unchanged: u64,
    /// Units that only grew, and were gone on with where the last run had been.
    pub units_resumed: u64,
    /// What it does to the store, or would do.
    pub diff: Diff,
    /// Rows by what became of them.
    pub rows_by_reason: BTreeMap<String, u64>,
    /// Bytes by what became of them; the values add up to `bytes_read`.
    pub accounting: BTreeMap<String, u64>,
    /// Records that gave no row, by kind; `failure.…` for those that were not understood.
    pub records_by_kind: BTreeMap<String, u64>,
    /// Notes of the provider, by event.
    pub notes: Vec<String>,
    /// What a person should know, a line each.
    pub warnings: Vec<String>,
    /// Seconds by stage; the stages of several workers add up.
    pub timings: BTreeMap<String, f64>,
    /// The units that took longest, the slowest first.
    pub slowest: Vec<SlowUnit>,
    /// What the component took; nothing where it was not started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// What was done to datasets; nothing where the provider emits messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesReport>,
}

impl ProviderReport {
    /// Says whether a guard refused what it would have written.
    pub(crate) fn is_refused(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.refused.is_some())
    }

    /// Notes whether the run was stopped by then, if nothing worse happened, and tells how the provider ended.
    pub(crate) fn finished(&mut self, is_stopped: bool) -> Progress {
        if is_stopped && self.status == Status::Ok {
            self.status = Status::Interrupted;
        }
        Progress::Finished {
            provider: self.provider.clone(),
            status: self.status,
            error: self.error.clone(),
        }
    }

    pub(crate) fn fail(&mut self, reason: String) {
        self.status = Status::Failed;
        self.warnings.push(reason.clone());
        self.error.get_or_insert(reason);
    }

    pub(crate) fn count(map: &mut BTreeMap<String, u64>, key: &str, by: u64) {
        if by == 0 {
            return;
        }
        match map.get_mut(key) {
            Some(value) => *value += by,
            None => {
                map.insert(key.to_owned(), by);
            }
        }
    }

    /// Takes note of a unit that may be one of the slowest.
    pub(crate) fn note_slow(&mut self, unit: SlowUnit) {
        let at = self.slowest.partition_point(|other| other.seconds >= unit.seconds);
        self.slowest.insert(at, unit);
        self.slowest.truncate(SLOWEST);
    }

    pub(crate) fn time(&mut self, stage: &str, seconds: f64) {
        *self.timings.entry(stage.to_owned()).or_default() += seconds;
    }
}

/// Units that are told as the slowest.
const SLOWEST: usize = 5;

/// How long a unit took.
#[derive(Debug, Clone, Serialize)]
pub struct SlowUnit {
    /// Path of its first file below its root; of a database, with the name of the unit.
    pub unit: String,
    /// Seconds in the component and in making rows, on one worker.
    pub seconds: f64,
    /// Bytes that were read of it.
    pub bytes: u64,
}

/// What a component took in a run.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// SHA-256 of the component.
    pub digest: String,
    /// Time of the processor in its code, and in what the host did for it.
    pub cpu_seconds: f64,
    /// Memory of the guest that had most.
    pub peak_memory_bytes: u64,
    /// Bytes that it was handed, unpacked.
    pub bytes_read: u64,
    /// Rows that were made of what it gave, written or not.
    pub rows: u64,
    /// Guests that were started: one a worker, and one more after each that failed.
    pub guests: u64,
    /// Limits that it met, and how often.
    pub limits_hit: BTreeMap<&'static str, u64>,
}

impl Receipt {
    /// Returns what a component took, if it was started at all.
    pub(crate) fn of(plugin: &Plugin, rows: u64) -> Option<Self> {
        let taken = plugin.receipt();
        (taken.guests > 0).then(|| Self {
            digest: plugin.digest().to_owned(),
            cpu_seconds: taken.cpu_time.as_secs_f64(),
            peak_memory_bytes: taken.peak_memory,
            bytes_read: taken.bytes_read,
            rows,
            guests: taken.guests,
            limits_hit: taken.limits_hit,
        })
    }
}

/// What `backfill list` tells of a provider.
#[derive(Debug, Serialize)]
pub struct ProviderInfo {
    /// Name on the command line.
    pub name: String,
    /// Component and version.
    pub plugin: String,
    /// Name for people.
    pub title: String,
    /// Version of the component.
    pub version: String,
    /// Datasets that it fills.
    pub datasets: Vec<String>,
    /// What it does.
    pub summary: String,
    /// `bundled` or `installed`.
    pub origin: &'static str,
    /// Where it looks.
    pub roots: Vec<RootInfo>,
}

/// A folder that a provider reads.
#[derive(Debug, Serialize)]
pub struct RootInfo {
    /// Name of the root.
    pub name: String,
    /// Where it was looked for.
    pub path: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// Why nobody can say whether it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// What `backfill plan` tells of a provider.
#[derive(Debug, Default, Serialize)]
pub struct ProviderPlan {
    /// Name on the command line.
    pub provider: String,
    /// Component and version.
    pub plugin: String,
    /// Datasets that it fills.
    pub datasets: Vec<String>,
    /// Units found.
    pub units: u64,
    /// Units that a run would not open.
    pub units_unchanged: u64,
    /// Files found.
    pub files: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// Size on disk of what a run would open.
    pub bytes_to_read: u64,
    /// Oldest time of change, in microseconds.
    #[serde(skip)]
    pub oldest: Option<i64>,
    /// Newest time of change, in microseconds.
    #[serde(skip)]
    pub newest: Option<i64>,
    /// Files that hold no history, by kind.
    pub ignored: BTreeMap<String, u64>,
    /// Files that the provider does not know.
    pub not_understood: Vec<String>,
    /// What was seen beside.
    pub notes: Vec<String>,
}

/// What happens while a run goes on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress {
    /// A provider's files are known.
    Discovered {
        /// The provider.
        provider: String,
        /// Files that will be read.
        files: u64,
        /// Their size on disk.
        bytes: u64,
    },
    /// More was read.
    Read {
        /// The provider.
        provider: String,
        /// Size on disk of what was read since the last word.
        bytes: u64,
    },
    /// Rows can be queried.
    Committed {
        /// The provider.
        provider: String,
        /// How many since the last word.
        rows: u64,
    },
    /// A provider is done.
    Finished {
        /// The provider.
        provider: String,
        /// How it ended.
        status: Status,
        /// Why it failed.
        error: Option<String>,
    },
    /// Something a person should know now.
    Warned {
        /// The provider.
        provider: String,
        /// One line.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_was_stopped_says_so_unless_it_failed() {
        let status = |report: &mut ProviderReport, is_stopped| match report.finished(is_stopped) {
            Progress::Finished { status, .. } => status,
            other => panic!("{other:?}"),
        };
        assert_eq!(status(&mut ProviderReport::default(), false), Status::Ok);
        assert_eq!(status(&mut ProviderReport::default(), true), Status::Interrupted);
        let mut failed = ProviderReport::default();
        failed.fail("it broke".to_owned());
        assert_eq!(status(&mut failed, true), Status::Failed);
    }

    #[test]
    fn the_slowest_units_are_five_and_in_order() {
        let mut report = ProviderReport::default();
        for seconds in [3.0, 1.0, 7.0, 2.0, 9.0, 4.0, 0.5] {
            report.note_slow(SlowUnit { unit: format!("{seconds}"), seconds, bytes: 1 });
        }
        let units: Vec<&str> = report.slowest.iter().map(|slow| slow.unit.as_str()).collect();
        assert_eq!(units, ["9", "7", "4", "3", "2"]);
    }
}
