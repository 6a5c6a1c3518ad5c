//! A unit that was read to its end: its accounting, its ledger entry, its quarantine.

use std::path::{Path, PathBuf};

use hyp_cache::{Checkpoint, ClientTotal, InputState, Quarantined, UnitState};
use hyp_materialize::Window;
use hyp_plugin::UnitInputs;

use crate::policy::{IGNORED, PURGED};
use crate::quarantine::bytes_at;
use crate::report::{ProviderReport, SlowUnit};
use crate::resume::{self, Before, Bytes};
use crate::secrets::Secrets;
use crate::tally::{ID_TAKEN, RowTally};
use crate::work::Work;
use crate::worker::{UnitEnd, input_id};

/// A unit that came to its end.
pub(crate) struct Ended {
    /// Index of the unit in the agenda.
    pub(crate) unit: usize,
    provider: String,
    id: String,
    end: UnitEnd,
    rows: RowTally,
    /// Bytes that were read now, by what became of them.
    accounting: Bytes,
    bytes_read: u64,
    paths: Vec<String>,
    files: Vec<PathBuf>,
    file: PathBuf,
    /// Those of its files whose offsets are those of what is in them.
    is_plain: Vec<bool>,
    is_part: bool,
    size: u64,
    modified: i64,
}

impl Ended {
    pub(crate) fn new(
        provider: &str,
        unit: usize,
        work: &Work,
        end: UnitEnd,
        rows: RowTally,
    ) -> Self {
        let mut accounting = end.tally.other_bytes.clone();
        for (reason, bytes) in &rows.bytes {
            ProviderReport::count(&mut accounting, reason, *bytes);
        }
        // Messages that gave no row: empty ones, and the same id again in one thread.
        let rowless = end.tally.message_bytes.saturating_sub(rows.total_bytes());
        ProviderReport::count(&mut accounting, "no_row", rowless);
        let main = work.inputs.inputs.first();
        let bytes_read = end.inputs.iter().map(|input| input.bytes_read).sum();
        Self {
            unit,
            provider: provider.to_owned(),
            id: work.inputs.id.clone(),
            bytes_read,
            paths: work.inputs.inputs.iter().map(|lent| lent.entry.path.clone()).collect(),
            file: main.map_or_else(Default::default, |lent| lent.file.clone()),
            files: work.inputs.inputs.iter().map(|lent| lent.file.clone()).collect(),
            is_plain: work.inputs.inputs.iter().map(resume::is_plain).collect(),
            is_part: work.is_part,
            size: if work.is_part { bytes_read } else { work.size },
            modified: work.newest,
            end,
            rows,
            accounting,
        }
    }

    /// Says whether the unit was gone on with.
    pub(crate) fn is_resumed(&self) -> bool {
        self.end.before.is_some()
    }

    /// Adds the unit's numbers to its provider's.
    pub(crate) fn add_to(&self, report: &mut ProviderReport) {
        let counts = &self.end.counts;
        report.items_seen += self.end.times.threads.len() as u64;
        report.bytes_read += self.bytes_read;
        for (reason, bytes) in &self.accounting {
            ProviderReport::count(&mut report.accounting, reason, *bytes);
        }
        for (reason, rows) in &self.rows.rows {
            ProviderReport::count(&mut report.rows_by_reason, reason, *rows);
            const SKIPPED: [&str; 6] =
                ["stored_already", "outside_window", "expired", ID_TAKEN, IGNORED, PURGED];
            if SKIPPED.contains(reason) {
                report.rows_skipped += rows;
            }
        }
        for (kind, records) in &self.end.tally.records {
            ProviderReport::count(&mut report.records_by_kind, kind, *records);
        }
        let messages = [
            ("message.malformed", counts.malformed),
            ("message.empty", counts.empty),
            ("message.same_id_again", counts.duplicates),
            ("message.doubtful_time", counts.doubtful_times),
            ("message.doubtful_tokens", counts.doubtful_tokens),
            ("message.without_time", counts.timeless),
        ];
        for (kind, number) in messages {
            ProviderReport::count(&mut report.records_by_kind, kind, number);
        }
        report.notes.extend(self.end.notes.iter().cloned());
        if self.is_foreign() {
            let failed = self.end.tally.failed();
            let records = match failed {
                1 => "the only record".to_owned(),
                _ => format!("all {failed} records"),
            };
            report.notes.push(format!("not understood: {records} of {}", self.file.display()));
        }
        let path = self.path_of(0);
        report.note_slow(SlowUnit {
            unit: if self.is_part { format!("{path} {}", self.id) } else { path },
            seconds: self.end.guest_seconds + self.end.row_seconds,
            bytes: self.bytes_read,
        });
        report.time("guest", self.end.guest_seconds);
        report.time("rows", self.end.row_seconds);
    }

    /// Says whether rows are left out because of their folders: as soon as these are allowed, they are to be read.
    pub(crate) fn has_ignored(&self) -> bool {
        self.rows.has(IGNORED)
    }

    /// Says whether the unit holds what may not be kept.
    fn is_withheld(&self) -> bool {
        self.has_ignored() || self.rows.has(PURGED)
    }

    /// Says whether nothing in the unit was understood.
    fn is_foreign(&self) -> bool {
        self.end.tally.understood == 0 && self.end.tally.failed() > 0 && !self.is_resumed()
    }

    /// Returns a line for each file that could not be read to its end.
    pub(crate) fn broken_off(&self) -> Vec<String> {
        let inputs = self.end.inputs.iter().zip(&self.files);
        inputs
            .enumerate()
            .filter_map(|(at, (input, file))| {
                let cause = input.failed.as_ref()?;
                let start = self.start().filter(|(of, _)| *of as usize == at);
                let byte = input.bytes_read + start.map_or(0, |(_, offset)| offset);
                Some(format!("cannot read `{}` past byte {byte}: {cause}", file.display()))
            })
            .collect()
    }

    /// Returns the input that the unit was gone on with, and from where.
    fn start(&self) -> Option<(u32, u64)> {
        self.end.before.as_ref().map(Before::end)
    }

    /// Returns what the unit was like, and where the next run may go on with it.
    pub(crate) fn checkpoint(mut self, unit: &UnitInputs) -> Option<Checkpoint> {
        // What is gone on with holds content.
        if !self.broken_off().is_empty() || self.is_withheld() {
            return None;
        }
        let before = self.end.before.as_ref();
        let retold = std::mem::take(&mut self.end.retold);
        let prints = retold.prints?;
        let end = prints.1.clone();
        let checkpoint = match (self.end.point.take(), before) {
            (Some(point), _) => point.checkpoint(unit, before, &self.rows.before),
            (None, Some(before)) => before.again(unit),
            (None, None) => resume::ending(unit, prints),
        }?;
        Some(Checkpoint {
            provider: self.provider,
            unit_id: self.id,
            end,
            told: retold.again,
            late: retold.late,
            has_strays: retold.has_strays,
            ..checkpoint
        })
    }

    /// Returns the unit's entry in the ledger.
    pub(crate) fn state(&self, work: &Work, component_digest: &str, window: &Window) -> UnitState {
        let times = &self.end.times;
        let before = work.grown_from.as_ref().filter(|_| self.is_resumed());
        let first_at = before.and_then(|before| before.first_at).into_iter().chain(times.first_at);
        let last_at = before.and_then(|before| before.last_at).into_iter().chain(times.last_at);
        UnitState {
            provider: self.provider.clone(),
            unit_id: self.id.clone(),
            // A file that may change without its time changing matches nothing.
            fingerprint: if work.is_settled && self.broken_off().is_empty() && !self.has_ignored() {
                work.fingerprint.clone()
            } else {
                String::new()
            },
            component_digest: component_digest.to_owned(),
            first_at: first_at.min(),
            last_at: last_at.max(),
            since: window.since,
            until: window.until,
        }
    }

    /// Returns what `inputs` tells of the unit's main file.
    pub(crate) fn input_state(&self) -> InputState {
        let mut accounting = self.accounting.clone();
        for (reason, bytes) in self.end.before.iter().flat_map(|before| &before.accounting) {
            ProviderReport::count(&mut accounting, reason, *bytes);
        }
        let mut records = self.end.tally.records.clone();
        for (kind, number) in self.end.before.iter().flat_map(|before| &before.records) {
            ProviderReport::count(&mut records, kind, *number);
        }
        InputState {
            input_id: input_id(&self.provider, &self.id),
            provider: self.provider.clone(),
            unit_id: self.id.clone(),
            path: self.file.display().to_string(),
            size: self.size,
            modified: self.modified,
            bytes_read: accounting.values().sum(),
            accounting: serde_json::to_string(&accounting).unwrap_or_default(),
            records: serde_json::to_string(&records).unwrap_or_default(),
            read_from: self.start().unwrap_or_default(),
            status: self.status().to_owned(),
        }
    }

    fn status(&self) -> &'static str {
        if self.end.inputs.iter().any(|input| input.failed.is_some()) {
            return "broken_off";
        }
        if self.is_foreign() { "not_understood" } else { "ok" }
    }

    /// Returns what the client counted itself.
    pub(crate) fn totals(&self) -> impl Iterator<Item = ClientTotal> + '_ {
        self.end.counters.iter().map(|counter| ClientTotal {
            provider: self.provider.clone(),
            unit_id: self.id.clone(),
            thread_id: counter.thread_id.clone(),
            name: counter.name.clone(),
            value: counter.value,
        })
    }

    /// Returns the path of one of the unit's files below its root.
    fn path_of(&self, input: u32) -> String {
        self.paths.get(input as usize).cloned().unwrap_or_default()
    }

    /// Returns one of the unit's files, if offsets in it are those of what is in it.
    fn plain_file(&self, input: u32) -> Option<&Path> {
        let at = input as usize;
        self.is_plain.get(at).filter(|is_plain| **is_plain)?;
        self.files.get(at).map(PathBuf::as_path)
    }

    /// Returns the records that gave no row and should have, with their bytes where they can be had.
    pub(crate) fn quarantined(&self, secrets: Option<&Secrets>) -> Vec<Quarantined> {
        let failures = self.end.tally.failures.iter();
        let failures =
            failures.map(|failed| (failed.span, failed.class.as_str(), failed.reason.as_str()));
        let taken = self.rows.taken.iter();
        let taken = taken.map(|span| (*span, ID_TAKEN, "an earlier message has this id"));
        failures
            .chain(taken)
            .map(|(span, class, reason)| Quarantined {
                input_id: input_id(&self.provider, &self.id),
                input: span.input,
                provider: self.provider.clone(),
                path: self.path_of(span.input),
                offset: span.offset,
                length: span.length,
                class: class.to_owned(),
                reason: reason.to_owned(),
                bytes: self
                    .plain_file(span.input)
                    .filter(|_| !self.is_withheld())
                    .and_then(|file| bytes_at(file, span, secrets)),
            })
            .collect()
    }
}
