//! `hyp reconcile`: whether the tokens that are stored are those that the clients counted themselves.

mod judge;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use hyp_model::Exit;
use serde::Serialize;
use serde_json::{Map, Value};

use self::judge::{Basis, COLUMNS, Cause, Counted, Status, Verdict, judge};
use self::read::Thread;
use super::ask::{Lake, nothing_of};
use super::{Session, print, print_json};
use crate::failure::Failure;
use crate::text;

const COMMAND: &str = "hyp reconcile";

/// Arguments of `hyp reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp reconcile claude

PASS        the client's total agrees with what is stored, to the token
FAIL        it does not, and nothing explains why; exit status 1
UNPROVABLE  the client wrote nothing to prove it by, or not enough; the line says why")]
pub(crate) struct ReconcileArgs {
    /// Providers to check [default: all that are stored]
    #[arg(value_name = "PROVIDER")]
    providers: Vec<String>,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// How every thread fared.
#[derive(Serialize)]
struct Report {
    threads: Vec<Line>,
    summary: Summary,
}

#[derive(Default, Serialize)]
struct Summary {
    pass: usize,
    fail: usize,
    unprovable: usize,
    causes: BTreeMap<Cause, usize>,
}

/// How a thread fared.
#[derive(Serialize)]
struct Line {
    status: Status,
    provider: String,
    thread_id: String,
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    has_side_requests: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// Tokens that rows have, by column.
    stored: Map<String, Value>,
    /// Tokens that the client counted, by column.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<Map<String, Value>>,
}

/// Runs `hyp reconcile`.
pub(crate) fn reconcile(session: &Session, args: &ReconcileArgs) -> Result<Exit, Failure> {
    let lake = Lake::open(session)?;
    let mut threads = read::threads(&lake)?;
    let has_failed = |thread: &&mut Thread| {
        thread.evidence.takes_up && judge(&thread.evidence).status == Status::Fail
    };
    for thread in threads.iter_mut().filter(has_failed) {
        read::sort_by_turn(&lake, thread)?;
    }
    let known: BTreeSet<&str> = threads.iter().map(|thread| thread.provider.as_str()).collect();
    if let Some(name) = args.providers.iter().find(|name| !known.contains(name.as_str())) {
        let known: Vec<_> = known.into_iter().collect();
        return Err(nothing_of(COMMAND, name, &known));
    }
    let is_wanted =
        |thread: &&Thread| args.providers.is_empty() || args.providers.contains(&thread.provider);
    let report = report(threads.iter().filter(is_wanted));
    if args.json {
        print_json(&report)?;
    } else {
        print(&show(&report))?;
    }
    Ok(if report.summary.fail == 0 { Exit::Done } else { Exit::Failed })
}

fn report<'a>(threads: impl Iterator<Item = &'a Thread>) -> Report {
    let judged: Vec<(&Thread, Verdict)> =
        threads.map(|thread| (thread, judge(&thread.evidence))).collect();
    let covers: BTreeSet<&str> = judged
        .iter()
        .filter(|(_, verdict)| verdict.status == Status::Pass && verdict.basis.has_subagents())
        .map(|(thread, _)| thread.thread_id.as_str())
        .collect();
    let mut report = Report { threads: Vec::new(), summary: Summary::default() };
    for (thread, mut verdict) in judged.iter().copied() {
        let is_covered = thread.parent.as_deref().is_some_and(|parent| covers.contains(parent));
        if verdict.cause == Some(Cause::NoCounter) && is_covered {
            let (status, basis) = (Status::Pass, Basis::InParent);
            verdict = Verdict { status, basis, cause: None, ..verdict };
        }
        report.summary.note(&verdict);
        report.threads.push(line(thread, &verdict));
    }
    report.threads.sort_by(|a, b| {
        (a.status, a.cause, &a.provider, &a.thread_id).cmp(&(
            b.status,
            b.cause,
            &b.provider,
            &b.thread_id,
        ))
    });
    report
}

impl Summary {
    fn note(&mut self, verdict: &Verdict) {
        match verdict.status {
            Status::Pass => self.pass += 1,
            Status::Fail => self.fail += 1,
            Status::Unprovable => self.unprovable += 1,
        }
        if let Some(cause) = verdict.cause {
            *self.causes.entry(cause).or_default() += 1;
        }
    }
}

fn line(thread: &Thread, verdict: &Verdict) -> Line {
    let stored = COLUMNS.into_iter().zip(verdict.stored.0);
    let counted = |Counted(counted): Counted| {
        let named = COLUMNS.into_iter().zip(counted);
        named.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    };
    Line {
        status: verdict.status,
        provider: thread.provider.clone(),
        thread_id: thread.thread_id.clone(),
        title: thread.title.clone(),
        basis: (verdict.status == Status::Pass).then_some(verdict.basis),
        has_side_requests: verdict.has_side_requests,
        cause: verdict.cause,
        stored: stored.map(|(name, value)| (name.to_owned(), value.into())).collect(),
        counted: thread.evidence.counted.map(counted),
    }
}

fn show(report: &Report) -> String {
    let mut out = String::new();
    for line in &report.threads {
        let status = match line.status {
            Status::Pass => "PASS",
            Status::Fail => "FAIL",
            Status::Unprovable => "UNPROVABLE",
        };
        let mut why = word(&line.cause).or_else(|| word(&line.basis)).unwrap_or_default();
        if line.has_side_requests {
            why = format!("{why} (but for side requests)").trim_start().to_owned();
        }
        let provider = text::headline(&line.provider, 8);
        let row =
            format!("{status:<10}  {provider:<8}  {:<36}  {why}", text::line(&line.thread_id));
        let _ = writeln!(out, "{}", row.trim_end());
        if line.status == Status::Fail {
            for name in COLUMNS {
                out.push_str(&difference(line, name).unwrap_or_default());
            }
        }
    }
    let Summary { pass, fail, unprovable, .. } = report.summary;
    let _ = writeln!(out, "{pass} pass, {fail} fail, {unprovable} unprovable");
    for (cause, count) in &report.summary.causes {
        let name = word(&Some(*cause)).unwrap_or_default();
        let _ = writeln!(out, "{count:>7} {name}: {}", cause.words());
    }
    out
}

/// Returns a cause or basis by its name; the plainest basis needs none.
fn word<T: Serialize>(value: &Option<T>) -> Option<String> {
    let name = serde_json::to_value(value).ok()?.as_str()?.to_owned();
    (name != "thread").then_some(name)
}

fn difference(line: &Line, name: &str) -> Option<String> {
    let counted = line.counted.as_ref()?.get(name)?.as_i64()?;
    let stored = line.stored.get(name)?.as_i64()?;
    (stored != counted).then(|| {
        let by = stored - counted;
        format!("            {name}: {stored} stored, {counted} counted by the client ({by:+})\n")
    })
}
