//! What a run over datasets tells: every item once, by what became of it.

use std::collections::BTreeMap;

use hyp_cache::datum_to_json;
use hyp_model::item::Datum;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Changes that are listed one by one.
const LISTED: usize = 10_000;

/// Items that are named as the slowest.
const SLOWEST: usize = 5;

/// What a run did to datasets, or would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangesReport {
    /// False where nothing was written: in a dry run, or because a guard refused.
    pub committed: bool,
    /// Why a guard refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Records of the source; those of `items`, `skipped` and `failed` add up to it.
    pub source_rows: u64,
    /// Items by what became of them.
    pub items: BTreeMap<String, u64>,
    /// Records that are no items, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Records that could not be read, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Items by the words of their materializers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: BTreeMap<String, u64>,
    /// Items that materializers queued for others.
    #[serde(skip_serializing_if = "is_zero")]
    pub queued: u64,
    /// Rows, by dataset.
    pub datasets: BTreeMap<String, DatasetChanges>,
    /// Asserted values by how they met stored ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assertions: BTreeMap<String, u64>,
    /// Changed cells, and values that met others.
    pub changes: Vec<CellChange>,
    /// Where the run left off, as others were writing from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutover: Option<CutoverReport>,
    /// Commits.
    pub chunks: u64,
    /// Rows that are not written, as the run was interrupted between two commits.
    #[serde(skip_serializing_if = "is_zero")]
    pub left: u64,
    /// Changes that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_changes: Option<u64>,
    /// Questions that were asked of the store afterwards.
    pub checks: Vec<CheckReport>,
    /// Items that took longest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowest: Vec<Slow>,
    /// Milliseconds that items took in all, as far as it was told.
    #[serde(skip_serializing_if = "is_zero")]
    pub elapsed_ms: u64,
    /// Entries that the audit lacks, by source and class of error.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub audit_insert_failed: BTreeMap<String, u64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What became of the rows of a dataset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DatasetChanges {
    /// The rule for keys that are there already.
    pub rule: String,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows that are other than they were.
    pub updated: u64,
    /// Rows that were met and stand as they were.
    pub same: u64,
    /// Rows afterwards.
    pub rows: u64,
}

/// A cell that was changed, or a value that met another one.
#[derive(Debug, Clone, Serialize)]
pub struct CellChange {
    /// Name of the dataset.
    pub dataset: String,
    /// Values of the row's key.
    pub key: Vec<Value>,
    /// What the row is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The column.
    pub column: String,
    /// What was there.
    pub old: Value,
    /// What is there since, or what the evidence says.
    pub new: Value,
    /// `update`, `promote`, `flip` or `disagree`.
    pub event: &'static str,
}

/// What was left to those who record as things happen.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CutoverReport {
    /// Since when they do, in microseconds.
    pub at: i64,
    /// Items that were over at that time or later.
    pub left_out: u64,
    /// Those that somebody recorded, with the key of that row.
    pub pairs: Vec<(String, String)>,
    /// Those that nobody did.
    pub unmatched: Vec<String>,
}

/// A question, and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// The answer that it has to have.
    pub expected: i64,
    /// The answer that it had.
    pub found: Option<i64>,
    /// Why it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl CheckReport {
    /// Says whether the answer is as it has to be.
    pub fn is_ok(&self) -> bool {
        self.found == Some(self.expected)
    }
}

/// An item, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// What was worked on.
    pub id: String,
    /// How long.
    pub elapsed_ms: u32,
}

impl ChangesReport {
    pub(crate) fn count(&mut self, outcome: &str) {
        *self.items.entry(outcome.to_owned()).or_default() += 1;
    }

    /// Returns what became of the rows of a dataset.
    pub(crate) fn of(&mut self, dataset: &str) -> &mut DatasetChanges {
        self.datasets.entry(dataset.to_owned()).or_default()
    }

    /// Says whether another change is listed.
    pub(crate) fn has_room(&self) -> bool {
        self.changes.len() < LISTED
    }

    pub(crate) fn list(&mut self, change: CellChange) {
        if self.has_room() {
            self.changes.push(change);
        }
    }

    pub(crate) fn time(&mut self, id: String, elapsed_ms: u32) {
        self.elapsed_ms += u64::from(elapsed_ms);
        self.slowest.push(Slow { id, elapsed_ms });
        self.slowest.sort_by(|a, b| b.elapsed_ms.cmp(&a.elapsed_ms).then_with(|| a.id.cmp(&b.id)));
        self.slowest.truncate(SLOWEST);
    }

    pub(crate) fn add_up(&mut self) {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        self.source_rows = sum(&self.items) + sum(&self.skipped) + sum(&self.failed);
    }

    /// Says whether a question had another answer than it has to have.
    pub fn has_failed_check(&self) -> bool {
        self.checks.iter().any(|check| !check.is_ok())
    }
}

/// Returns a value as people and programs read it: a time is one.
pub(crate) fn told(datum: &Datum) -> Value {
    match datum {
        Datum::Timestamp(at) => Timestamp::from_microsecond(*at)
            .map_or_else(|_| datum_to_json(datum), |at| at.to_string().into()),
        other => datum_to_json(other),
    }
}

/// Returns the values of a key as JSON.
pub(crate) fn key_json(key: &[Datum]) -> Vec<Value> {
    key.iter().map(datum_to_json).collect()
}
