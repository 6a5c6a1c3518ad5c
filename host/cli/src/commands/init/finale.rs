//! The finale of `hyp init`: the first import, after the settings are written.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use hyp_backfill::{Progress, Report, Request, Secrets, Status};
use hyp_model::Exit;
use serde::Serialize;
use tracing::field::Empty;
use tracing::info_span;

use super::rehearsal::Rehearsal;
use crate::failure::Failure;
use crate::{env, text};

/// Whether the import was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Asked, and yes.
    Given,
    /// Nobody was asked: the command line says so.
    Implied,
    /// Asked, and no.
    Declined,
    /// Asked, and the person went away.
    Cancelled,
    /// The command line says no.
    Unwanted,
}

/// What the finale imports.
pub(super) struct Finale {
    /// Where it happens.
    pub(super) stage: Rehearsal,
    /// Names of providers, in the order in which they run.
    pub(super) picked: Vec<String>,
    pub(super) since: Option<i64>,
    /// When the finale began: what is said from then on is for the next import.
    pub(super) until: i64,
    /// First moment of messages that the store keeps.
    pub(super) retained_from: Option<i64>,
    /// Rules by which likely secrets are replaced, if they are.
    pub(super) secrets: Option<Secrets>,
    pub(super) keep_days: Option<u32>,
    pub(super) is_dry_run: bool,
    pub(super) is_asking: bool,
    pub(super) consent: Consent,
}

/// How one provider's import went.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) provider: String,
    pub(super) dry_run: bool,
    pub(super) ok: bool,
    /// Threads that were read.
    pub(super) scanned: u64,
    pub(super) rows_written: u64,
    /// Rows that were made and not written.
    pub(super) skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// True when it was stopped, or did not begin: the next import goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancelled: bool,
}

impl Entry {
    /// Returns the line that says so.
    pub(super) fn line(&self) -> String {
        let dry = if self.dry_run { "(dry-run) " } else { "" };
        let status = match (self.ok, self.cancelled) {
            (true, _) => "ok",
            (false, true) => "cancelled",
            (false, false) => "failed",
        };
        let Self { scanned, rows_written, skipped, .. } = self;
        let provider = text::line(&self.provider);
        format!(
            "{dry}backfill {provider}: {status} (scanned {scanned}, wrote {rows_written}, skipped {skipped})"
        )
    }
}

/// What came of the finale.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) entries: Vec<Entry>,
    pub(super) is_cancelled: bool,
    /// Rows that are later than the start of the finale, or earlier than what is imported.
    pub(super) outside_window: u64,
    /// Files that are read, or were.
    pub(super) files: u64,
    /// Rows that a dry run would have written.
    pub(super) would_write: u64,
    /// Why nothing could be imported at all.
    pub(super) failure: Option<Failure>,
}

impl Finale {
    /// Imports what was picked, if that was agreed to.
    pub(super) fn run(
        &self,
        progress: &(dyn Fn(Progress) + Sync),
        cancelled: &AtomicBool,
    ) -> Outcome {
        let run_id = env::run_id("bf");
        let consented = matches!(self.consent, Consent::Given | Consent::Implied);
        let span = info_span!(
            "walkthrough.backfill",
            hyp_component = "walkthrough",
            dev_run_id = run_id,
            provider_count = self.picked.len(),
            providers = self.picked.join(","),
            dry_run = self.is_dry_run,
            interactive = self.is_asking,
            consent = consented,
            consent_cancelled = self.consent == Consent::Cancelled,
            retention_days = self.keep_days,
            since = self.since,
            until = self.until,
            providers_run = Empty,
            rows_written = Empty,
            exit_code = Empty,
            status = Empty,
        );
        let outcome = span.in_scope(|| {
            if !consented || self.picked.is_empty() {
                return Outcome {
                    is_cancelled: self.consent == Consent::Cancelled,
                    ..Outcome::default()
                };
            }
            match hyp_backfill::run(&self.stage.places, &self.request(run_id), progress, cancelled)
            {
                Ok(report) => self.outcome(&report),
                Err(error) => Outcome {
                    entries: self.picked.iter().map(|name| self.entry(name)).collect(),
                    failure: Some(error.into()),
                    ..Outcome::default()
                },
            }
        });
        span.record("providers_run", outcome.entries.len());
        span.record("rows_written", outcome.entries.iter().map(|it| it.rows_written).sum::<u64>());
        span.record("exit_code", outcome.exit().status());
        span.record("status", self.status(&outcome));
        outcome
    }

    fn request(&self, run_id: String) -> Request {
        Request {
            providers: self.picked.clone(),
            since: self.since,
            until: Some(self.until),
            retained_from: self.retained_from,
            dry_run: self.is_dry_run,
            secrets: self.secrets.clone(),
            run_id,
            ..Request::default()
        }
    }

    fn entry(&self, provider: &str) -> Entry {
        Entry { provider: provider.to_owned(), dry_run: self.is_dry_run, ..Entry::default() }
    }

    fn outcome(&self, report: &Report) -> Outcome {
        let reports: BTreeMap<&str, _> =
            report.providers.iter().map(|it| (it.provider.as_str(), it)).collect();
        // The one that ran when the interrupt came is the last one that has a report.
        let stopped = report.providers.last().filter(|_| report.interrupted);
        let entries = self.picked.iter().map(|name| {
            let Some(report) = reports.get(name.as_str()) else {
                return Entry { cancelled: true, ..self.entry(name) };
            };
            let cancelled = stopped.is_some_and(|stopped| stopped.provider == *name);
            Entry {
                ok: report.status == Status::Ok && !cancelled,
                scanned: report.items_seen,
                rows_written: report.rows_written,
                skipped: report.rows_skipped,
                error: report.error.clone(),
                cancelled,
                ..self.entry(name)
            }
        });
        Outcome {
            entries: entries.collect(),
            is_cancelled: report.interrupted,
            files: report.providers.iter().map(|it| it.files_seen).sum(),
            outside_window: rows(report, "outside_window"),
            would_write: if self.is_dry_run { rows(report, "written") } else { 0 },
            failure: None,
        }
    }

    fn status(&self, outcome: &Outcome) -> &'static str {
        match (self.consent, outcome.exit()) {
            (_, Exit::Interrupted) => "cancelled",
            (Consent::Declined, _) => "declined",
            (Consent::Unwanted, _) => "unwanted",
            (_, Exit::Done) => "ok",
            _ => "failed",
        }
    }
}

fn rows(report: &Report, reason: &str) -> u64 {
    report.providers.iter().filter_map(|it| it.rows_by_reason.get(reason)).sum()
}

impl Outcome {
    /// Returns how the command ends.
    pub(super) fn exit(&self) -> Exit {
        if self.is_cancelled {
            Exit::Interrupted
        } else if self.entries.iter().all(|entry| entry.ok) {
            Exit::Done
        } else {
            Exit::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_a_provider_ended() {
        let entry = Entry {
            provider: "codex\u{1b}".to_owned(),
            ok: true,
            scanned: 3,
            rows_written: 40,
            skipped: 1,
            ..Entry::default()
        };
        let failed = Entry { ok: false, dry_run: true, ..Entry::default() };
        let lines = [entry.line(), failed.line(), Entry { cancelled: true, ..failed }.line()];
        insta::assert_snapshot!(lines.join("\n"), @r"
        backfill codex\u{1b}: ok (scanned 3, wrote 40, skipped 1)
        (dry-run) backfill : failed (scanned 0, wrote 0, skipped 0)
        (dry-run) backfill : cancelled (scanned 0, wrote 0, skipped 0)
        ");
    }
}
