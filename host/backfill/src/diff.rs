//! What a run does to the store, or would do: every row that was made is in one of its counts.

use std::collections::BTreeMap;

use hyp_cache::{Change, Correction};
use serde::Serialize;

use crate::report::ProviderReport;

/// Reasons of rows that are added.
const INSERTED: [&str; 2] = ["written", "written_as_replay"];

/// Reasons of rows that replace stored ones.
const CHANGED: [&str; 2] = ["taken_over", "refreshed"];

/// What becomes of the rows that a provider's history holds, and of those that are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Rows that are new.
    pub insert: u64,
    /// Rows that replace stored ones, by reason.
    pub changed: BTreeMap<String, u64>,
    /// Rows that are stored, and say the same.
    pub same: u64,
    /// Rows that are left out, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Records that were not understood, by class: they gave no rows.
    pub failed: BTreeMap<String, u64>,
    /// Stored rows that are corrected since others showed what they are, by what is found.
    pub corrected: BTreeMap<&'static str, u64>,
}

impl Diff {
    /// Counts corrections.
    pub(crate) fn correct(&mut self, corrections: &[Correction]) {
        for correction in corrections {
            let found = match &correction.change {
                Change::MarkReplay { .. } => "copy",
                Change::Original => "original",
                Change::NoOriginal => "no_original",
                Change::Usage(_) => "tokens",
                Change::Forget => "purged",
                Change::Withdraw => "withdrawn",
                _ => "other",
            };
            *self.corrected.entry(found).or_default() += 1;
        }
    }

    /// Takes the rest from the counts of a report.
    pub(crate) fn settle(&mut self, rows: &BTreeMap<String, u64>, records: &BTreeMap<String, u64>) {
        for (reason, rows) in rows {
            match reason.as_str() {
                reason if INSERTED.contains(&reason) => self.insert += rows,
                reason if CHANGED.contains(&reason) => {
                    ProviderReport::count(&mut self.changed, reason, *rows);
                }
                "stored_already" => self.same += rows,
                reason => ProviderReport::count(&mut self.skipped, reason, *rows),
            }
        }
        for (kind, records) in records {
            let class = kind.strip_prefix("failure.").and_then(|kind| kind.split(':').next());
            if let Some(class) = class {
                ProviderReport::count(&mut self.failed, class, *records);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_count() {
        let rows = [
            ("written", 5),
            ("written_as_replay", 2),
            ("refreshed", 1),
            ("stored_already", 7),
            ("outside_window", 3),
        ];
        let rows: BTreeMap<String, u64> =
            rows.iter().map(|(reason, rows)| ((*reason).to_owned(), *rows)).collect();
        let records =
            [("failure.malformed: not JSON", 4), ("failure.malformed: cut", 1), ("mode", 9)];
        let records = records.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let mut diff = Diff::default();
        diff.settle(&rows, &records);
        let sum = diff.insert
            + diff.same
            + diff.changed.values().sum::<u64>()
            + diff.skipped.values().sum::<u64>();
        assert_eq!(sum, rows.values().sum::<u64>());
        assert_eq!((diff.insert, diff.same), (7, 7));
        assert_eq!(diff.failed, [("malformed".to_owned(), 5)].into());
    }
}
