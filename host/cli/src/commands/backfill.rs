//! `hyp backfill`: imports the history that coding agents left on this machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use hyp_backfill::{Diff, Places, ProviderReport, Report, Request, Status};
use hyp_model::Exit;
use jiff::tz::TimeZone;

use super::cache::maintain;
use super::changes::{self, ChangesArgs};
use super::period::Period;
use super::{Session, print, print_json, say};
use crate::commands::wait::Wait;
use crate::config::{Config, Import};
use crate::events::Events;
use crate::failure::Failure;
use crate::progress::Watch;
use crate::{env, interrupt, moment, terminal, text};

/// The words before each message, whichever way the command was typed.
const COMMAND: &str = "hyp backfill";

/// Arguments of `hyp backfill`, as typed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp backfill
  hyp backfill claude --since 2026-01-01
  hyp backfill --dry-run            what would be written, and a fingerprint of it
  hyp backfill --apply fp-52f1a09c  does that, if nothing moved since

Running it again writes nothing twice, and opens no file that did not change.")]
pub(crate) struct BackfillArgs {
    /// Providers to run [default: every one whose history is here]
    #[arg(value_name = "PROVIDER")]
    pub(crate) providers: Vec<String>,

    #[command(flatten)]
    period: Period,

    /// Only rows of the last N days, fractions allowed; 0 is no limit; --since goes before it
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    retention_days: Option<String>,

    /// Do everything but write
    #[arg(long)]
    dry_run: bool,

    /// Do what a dry run told, with its providers and window; refused if sources or store moved since
    #[arg(
        long,
        value_name = "FINGERPRINT",
        conflicts_with_all = ["providers", "since", "until", "retention_days", "dry_run", "full", "allow_copy"]
    )]
    apply: Option<String>,

    /// Read every file again, changed or not
    #[arg(long)]
    full: bool,

    /// Copy databases of more than 2 GiB too, where they have to be copied to be read
    #[arg(long)]
    allow_copy: bool,

    #[command(flatten)]
    telling: Telling,

    #[command(flatten)]
    changes: ChangesArgs,
}

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Progression {
    /// Bars, where a person watches
    Auto,
    /// A JSON object a line; docs/embedding.md has them
    Json,
    /// Not at all
    None,
}

/// Runs `hyp backfill`.
pub(crate) fn backfill(session: &Session, args: BackfillArgs) -> Result<Exit, Failure> {
    let telling = args.telling.clone();
    import(session, &telling, |config| {
        let places = config.places(&session.places);
        args.changes.check(COMMAND, &places, &args.providers)?;
        let retention = args.retention_days.as_ref().map(|_| "--retention-days");
        let window = args.period.typed().or(retention);
        ChangesArgs::refuse_window(COMMAND, &places, &args.providers, window)?;
        let apply = args.apply.clone();
        let request = Request {
            retained_from: config.retention.from(moment::now()),
            secrets: config.privacy.secrets(),
            ..request(args, config.import.clone(), &TimeZone::system())?
        };
        Ok(match apply {
            Some(fingerprint) => hyp_backfill::applied(&session.places, &fingerprint, request)?,
            None => request,
        })
    })
}

/// How an import begins, and is told of.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Telling {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// How progress is told, on stderr: bars on a terminal, or JSON lines for programs
    #[arg(long, value_name = "HOW", default_value = "auto")]
    progress: Progression,

    #[command(flatten)]
    pub(super) wait: Wait,
}

/// Imports what is asked for, and tells.
pub(super) fn import(
    session: &Session,
    telling: &Telling,
    ask: impl FnOnce(&Config) -> Result<Request, Failure>,
) -> Result<Exit, Failure> {
    let watch = match telling.progress {
        Progression::Auto => Watch::for_terminal(telling.json),
        Progression::Json => Watch::Program(Events::default()),
        Progression::None => Watch::Nobody,
    };
    let asked = || -> Result<_, Failure> {
        let config = session.config()?;
        let places = config.places(&session.places);
        let mut request = ask(&config)?;
        config.settle(&mut request.changes, &places.store);
        request.changes.ask = Some(changes::asker(&places.store));
        Ok((places, request))
    };
    let done =
        asked().and_then(|(places, request)| watched(&places, &request, telling.json, &watch));
    done.map_err(|failure| match &watch {
        Watch::Program(events) => events.fail(failure),
        _ => failure,
    })
}

fn watched(
    places: &Places,
    request: &Request,
    is_json: bool,
    watch: &Watch,
) -> Result<Exit, Failure> {
    let cancelled = interrupt::flag();
    if let Watch::Program(events) = watch {
        events.start(request);
    }
    let show = |progress| watch.show(progress);
    let result = hyp_backfill::run(places, request, &show, &cancelled);
    watch.clear();
    let report = result?;

    if is_json {
        print_json(&report)?;
    } else {
        print(&show_report(&report))?;
    }
    match watch {
        Watch::Program(events) => events.end(&report),
        _ => remark(&report, is_json),
    }
    Ok(report.exit())
}

/// Says what the report does not.
fn remark(report: &Report, is_json: bool) {
    if report.providers.is_empty() && !is_json {
        say("no history was found; `hyp backfill list` says where the providers look");
    }
    for client in &report.without_provider {
        let client = text::line(client);
        say(&format!("skipped `{client}`, which config.toml names: no provider reads it"));
    }
    if report.interrupted {
        let run = text::line(&report.run_id);
        say(&format!(
            "interrupted; run the same command again, or `hyp runs resume {run}`, to go on"
        ));
    } else if let Some(fingerprint) = report.fingerprint.as_ref().filter(|_| !is_json) {
        say(&format!(
            "nothing was written; `hyp backfill --apply {fingerprint}` does it, if nothing moves until then"
        ));
    }
}

/// Works out what was meant, or says in one line why it makes no sense.
fn request(args: BackfillArgs, settled: Import, zone: &TimeZone) -> Result<Request, Failure> {
    let (since, until) = args.period.ends(COMMAND, zone)?;
    let number = |flag, value| {
        number(flag, value).map_err(|message| Failure::Usage { command: COMMAND, message })
    };
    let retention_days = number("retention-days", args.retention_days.as_deref())?;
    // A window on the command line goes before the one that was settled, whichever flag says it.
    let settled_since = settled.since.filter(|_| retention_days.is_none());
    let wait = args.telling.wait.time(COMMAND)?;
    let changes = args.changes.meant(COMMAND, zone)?;
    Ok(Request {
        providers: args.providers,
        enabled: settled.clients,
        since: since.or(settled_since.map(|since| since.0)),
        until,
        retention_days,
        retained_from: None,
        dry_run: args.dry_run,
        full: args.full,
        allow_copy: args.allow_copy,
        quarantined_only: false,
        resumes: None,
        sources: None,
        expected: None,
        wait,
        secrets: None,
        changes,
        run_id: env::run_id("bf"),
    })
}

pub(super) fn number(flag: &str, value: Option<&str>) -> Result<Option<f64>, String> {
    let Some(value) = value else { return Ok(None) };
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
        Ok(number) if number.is_finite() => {
            Err(format!("--{flag} expects a number >= 0 (got {value})"))
        }
        _ => Err(format!("--{flag} expects a number (got {value})")),
    }
}

/// Returns the report as people read it.
pub(super) fn show_report(report: &Report) -> String {
    let mut out = String::from("backfill ");
    if report.dry_run {
        out.push_str("(dry-run) ");
    }
    let _ = writeln!(out, "run_id={}", text::line(&report.run_id));
    if let Some(run) = &report.resumes {
        let _ = writeln!(out, "  resumes={}", text::line(run));
    }
    for provider in &report.providers {
        show_provider(&mut out, provider);
        if report.dry_run && provider.changes.is_none() {
            let told = difference(&provider.diff);
            out.push_str(&terminal::wrap("    diff: ", &told, terminal::width()));
        }
    }
    changes::show_derived(&mut out, &serde_json::to_value(report).unwrap_or_default());
    if let Some(fingerprint) = &report.fingerprint {
        let _ = writeln!(out, "  fingerprint={fingerprint}");
    }
    if let Some(upkeep) = &report.upkeep {
        let told = maintain::told(&upkeep.done);
        if !told.is_empty() {
            out.push_str(&terminal::wrap("  upkeep: ", &told, terminal::width()));
        }
        for warning in maintain::warnings(&upkeep.done).iter().chain(&upkeep.error) {
            let _ = writeln!(out, "  warning: {}", text::line(warning));
        }
    }
    out
}

/// Returns what a provider's history would change, as words.
fn difference(diff: &Diff) -> Vec<String> {
    let mut told = vec![format!("insert={}", diff.insert)];
    let counts = |name: &str, counts: &BTreeMap<String, u64>| -> Vec<String> {
        let counts = counts.iter();
        counts.map(|(reason, count)| format!("{name}.{}={count}", text::line(reason))).collect()
    };
    told.extend(counts("changed", &diff.changed));
    told.push(format!("same={}", diff.same));
    told.extend(counts("skipped", &diff.skipped));
    told.extend(counts("failed", &diff.failed));
    told.extend(diff.corrected.iter().map(|(found, count)| format!("corrected.{found}={count}")));
    told
}

fn show_provider(out: &mut String, report: &ProviderReport) {
    if report.changes.is_some() {
        return changes::show(out, &serde_json::to_value(report).unwrap_or_default());
    }
    let status = match report.status {
        Status::Ok => "ok",
        Status::Interrupted => "interrupted",
        _ => "failed",
    };
    let _ = writeln!(out, "  {}  [{status}]", text::line(&report.provider));
    let _ = writeln!(
        out,
        "    items_seen={}  sessions={}  rows_written={}  rows_skipped={}",
        report.items_seen, report.sessions_seen, report.rows_written, report.rows_skipped
    );
    let _ = writeln!(
        out,
        "    files={}  unchanged={}  resumed={}  bytes_read={}",
        report.files_seen, report.files_unchanged, report.units_resumed, report.bytes_read
    );
    for (name, counts) in [
        ("rows", &report.rows_by_reason),
        ("bytes", &report.accounting),
        ("records", &report.records_by_kind),
    ] {
        if !counts.is_empty() {
            let counts: Vec<_> =
                counts.iter().map(|(key, count)| format!("{}={count}", text::line(key))).collect();
            out.push_str(&terminal::wrap(&format!("    {name}: "), &counts, terminal::width()));
        }
    }
    for slow in &report.slowest {
        let _ = writeln!(out, "    {}", slowest(slow.seconds, slow.bytes, &slow.unit));
    }
    for note in &report.notes {
        let _ = writeln!(out, "    note: {}", text::line(note));
    }
    for warning in report.warnings.iter().filter(|line| Some(*line) != report.error.as_ref()) {
        let _ = writeln!(out, "    warning: {}", text::line(warning));
    }
    if let Some(error) = &report.error {
        let _ = writeln!(out, "    error: {}", text::line(error));
    }
}

/// Returns the line of a unit that took long.
pub(super) fn slowest(seconds: f64, bytes: u64, unit: &str) -> String {
    format!("slowest: {seconds:.3} s  {}  {}", text::bytes(bytes), text::line(unit))
}

#[cfg(test)]
mod tests;
