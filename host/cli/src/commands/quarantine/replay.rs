//! `hyp quarantine replay`: reads again what was not understood.

use std::collections::{BTreeMap, BTreeSet};

use hyp_backfill::{BackfillError, Report, Request};
use hyp_cache::Store;
use hyp_model::Exit;
use serde::Serialize;

use crate::commands::wait::Wait;
use crate::commands::{Session, backfill, print, print_json, say};
use crate::failure::Failure;
use crate::{env, interrupt, moment, text};

const COMMAND: &str = "hyp quarantine replay";

/// Arguments of `hyp quarantine replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp quarantine replay
  hyp quarantine replay --provider claude --json

Worth it after an update of hyp or of a plugin. Records whose files are gone stay where they are.")]
pub(super) struct ReplayArgs {
    /// Only records of that provider
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    #[command(flatten)]
    wait: Wait,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// Records in quarantine, by provider.
    quarantine: BTreeMap<&'a str, Change>,
}

/// Records of a provider before and after.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
struct Change {
    before: u64,
    after: u64,
}

/// Runs `hyp quarantine replay`.
pub(super) fn replay(session: &Session, args: &ReplayArgs) -> Result<Exit, Failure> {
    let wait = args.wait.time(COMMAND)?;
    let store = Store::open(&session.places.store)?;
    let before = counts(&store)?;
    if let Some(name) = args.provider.as_ref().filter(|name| !before.contains_key(*name)) {
        known(session, name)?;
    }
    let is_meant = |name: &&String| args.provider.as_ref().is_none_or(|wanted| wanted == *name);
    let (known, unknown) =
        hyp_backfill::readable(&session.places, before.keys().filter(is_meant).cloned())?;
    for name in unknown {
        say(&format!("skipped `{}`: no provider of that name is here", text::line(&name)));
    }
    if known.is_empty() {
        say("nothing to read again");
        if args.json {
            let (report, quarantine) = (&Report::default(), BTreeMap::new());
            print_json(&Answer { report, quarantine })?;
        }
        return Ok(Exit::Done);
    }
    let config = session.config()?;
    let request = Request {
        providers: known.clone(),
        since: config.import.since.map(|since| since.0),
        retained_from: config.retention.from(moment::now()),
        secrets: config.privacy.secrets(),
        quarantined_only: true,
        wait,
        run_id: env::run_id("bf"),
        ..Request::default()
    };
    let cancelled = interrupt::flag();
    let report = hyp_backfill::run(&session.places, &request, &|_| {}, &cancelled)?;
    let after = counts(&store)?;
    let count = |counts: &BTreeMap<String, u64>, name| counts.get(name).copied().unwrap_or(0);
    let changes: BTreeMap<&str, Change> = known
        .iter()
        .map(|name| {
            let change = Change { before: count(&before, name), after: count(&after, name) };
            (name.as_str(), change)
        })
        .collect();
    if args.json {
        print_json(&Answer { report: &report, quarantine: changes })?;
        return Ok(report.exit());
    }
    print(&backfill::show_report(&report))?;
    let lines = changes.iter().map(|(name, change)| {
        let Change { before, after } = change;
        format!("  quarantine {}: before={before}  after={after}\n", text::line(name))
    });
    print(&lines.collect::<String>())?;
    Ok(report.exit())
}

/// Refuses the name of a provider that is nowhere.
fn known(session: &Session, name: &str) -> Result<(), BackfillError> {
    let installed = hyp_backfill::installed(&session.places)?.into_iter().map(|it| it.name);
    let loaded = hyp_backfill::list(&session.places)?.into_iter().map(|it| it.name);
    let known: BTreeSet<String> = loaded.chain(installed).collect();
    if known.contains(name) {
        return Ok(());
    }
    let known = known.into_iter().collect();
    Err(BackfillError::Unknown { names: vec![name.to_owned()], known })
}

fn counts(store: &Store) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counts = BTreeMap::new();
    for kept in store.quarantine()? {
        *counts.entry(kept.provider).or_default() += 1;
    }
    Ok(counts)
}
