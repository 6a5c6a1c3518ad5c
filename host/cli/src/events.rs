//! `--progress json`: what happens during a run, a JSON object a line on stderr, for programs.
//!
//! docs/embedding.md is their contract.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use hyp_backfill::{Progress, Report, Request, Status};
use hyp_model::Exit;
use serde::Serialize;

use crate::failure::Failure;
use crate::moment;

/// Version of the events.
const VERSION: u32 = 1;

/// Steps in which a provider's bytes are told: a history of many small files is no flood of lines.
const STEPS: u64 = 200;

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Started {
        run_id: &'a str,
        dry_run: bool,
        since: Option<String>,
        until: Option<String>,
    },
    Discovered {
        provider: &'a str,
        files: u64,
        bytes: u64,
    },
    Read {
        provider: &'a str,
        bytes: u64,
        total_bytes: u64,
    },
    Committed {
        provider: &'a str,
        rows: u64,
    },
    Warning {
        provider: &'a str,
        message: &'a str,
    },
    Finished {
        provider: &'a str,
        status: Status,
        rows: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    Error {
        code: &'a str,
        message: String,
        help: Option<String>,
    },
    Ended {
        exit: u8,
        interrupted: bool,
    },
}

/// What is known of a provider under way.
#[derive(Default)]
struct Counts {
    read: u64,
    total: u64,
    rows: u64,
}

/// The events of a run.
#[derive(Default)]
pub(crate) struct Events {
    counts: Mutex<BTreeMap<String, Counts>>,
}

impl Events {
    /// Tells that a run begins.
    pub(crate) fn start(&self, request: &Request) {
        tell(Event::Started {
            run_id: &request.run_id,
            dry_run: request.dry_run,
            since: request.since.and_then(moment::rfc3339),
            until: request.until.and_then(moment::rfc3339),
        });
    }

    /// Tells what happened.
    pub(crate) fn show(&self, progress: &Progress) {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Discovered { provider, files, bytes } => {
                all.entry(provider.clone()).or_default().total = *bytes;
                tell(Event::Discovered { provider, files: *files, bytes: *bytes });
            }
            // Of nothing there is no part.
            Progress::Read { bytes: 0, .. } => {}
            Progress::Read { provider, bytes } => {
                let Counts { read, total, .. } = all.entry(provider.clone()).or_default();
                let before = step(*read, *total);
                *read += bytes;
                if step(*read, *total) > before || read == total {
                    tell(Event::Read { provider, bytes: *read, total_bytes: *total });
                }
            }
            Progress::Committed { provider, rows } => {
                let counts = all.entry(provider.clone()).or_default();
                counts.rows += rows;
                tell(Event::Committed { provider, rows: counts.rows });
            }
            Progress::Finished { provider, status, error } => {
                let rows = all.entry(provider.clone()).or_default().rows;
                let error = error.as_deref();
                tell(Event::Finished { provider, status: *status, rows, error });
            }
            Progress::Warned { provider, message } => tell(Event::Warning { provider, message }),
            _ => {}
        }
    }

    /// Tells that clients which somebody enabled have no provider, and how the run ended.
    pub(crate) fn end(&self, report: &Report) {
        for provider in &report.without_provider {
            tell(Event::Warning { provider, message: "no provider reads it" });
        }
        tell(Event::Ended { exit: report.exit().status(), interrupted: report.interrupted });
    }

    /// Tells why a run could not begin, or had to end.
    pub(crate) fn fail(&self, failure: Failure) -> Failure {
        let (exit, code, message, help) = failure.parts();
        tell(Event::Error { code, message, help });
        tell(Event::Ended { exit: exit.status(), interrupted: exit == Exit::Interrupted });
        Failure::Told(exit)
    }
}

fn step(read: u64, total: u64) -> u64 {
    read.saturating_mul(STEPS).checked_div(total).unwrap_or(0)
}

fn tell(event: Event<'_>) {
    // All of it can be put as JSON, and a reader that went away is no reason to stop.
    let line = serde_json::to_string(&Line { v: VERSION, event }).unwrap_or_default();
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_steps_and_an_empty_history_has_none() {
        assert_eq!([step(0, 1000), step(4, 1000), step(5, 1000), step(1000, 1000)], [0, 0, 1, 200]);
        assert_eq!(step(0, 0), 0);
        assert_eq!(step(u64::MAX, u64::MAX), 1, "no overflow");
    }
}
