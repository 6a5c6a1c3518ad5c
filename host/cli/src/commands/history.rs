//! `hyp backfill list` and `hyp backfill plan`: what could be read.

use std::fmt::Write;

use hyp_backfill::{ProviderInfo, ProviderPlan};
use hyp_model::Exit;
use serde::Serialize;

use super::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{env, moment, text};

/// Arguments of `hyp backfill list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp backfill list --json")]
pub(crate) struct ListArgs {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `hyp backfill plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp backfill plan claude")]
pub(crate) struct PlanArgs {
    /// Providers to plan for [default: every one whose history is here]
    #[arg(value_name = "PROVIDER")]
    providers: Vec<String>,

    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct List<'a> {
    providers: &'a [ProviderInfo],
}

#[derive(Serialize)]
struct Plan<'a> {
    run_id: String,
    providers: Vec<Planned<'a>>,
}

/// A provider's plan, with times as programs read them.
#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a ProviderPlan,
    oldest: Option<String>,
    newest: Option<String>,
}

impl<'a> Planned<'a> {
    fn new(plan: &'a ProviderPlan) -> Self {
        let [oldest, newest] = [plan.oldest, plan.newest].map(|it| it.and_then(moment::rfc3339));
        Self { plan, oldest, newest }
    }
}

/// Runs `hyp backfill list`.
pub(crate) fn backfill_list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let places = session.config()?.places(&session.places);
    let providers = hyp_backfill::list(&places)?;
    if args.json {
        print_json(&List { providers: &providers })?;
    } else {
        print(&show_list(&providers))?;
    }
    Ok(Exit::Done)
}

/// Runs `hyp backfill plan`.
pub(crate) fn backfill_plan(session: &Session, args: &PlanArgs) -> Result<Exit, Failure> {
    let config = session.config()?;
    let (enabled, secrets) = (config.import.clients.as_deref(), config.privacy.secrets());
    let places = config.places(&session.places);
    let providers = hyp_backfill::plan(&places, &args.providers, enabled, secrets.as_ref())?;
    if args.json {
        let run_id = env::run_id("bf");
        let providers = providers.iter().map(Planned::new).collect();
        print_json(&Plan { run_id, providers })?;
    } else {
        print(&show_plan(&providers))?;
        if providers.is_empty() {
            say("no history was found; `hyp backfill list` says where the providers look");
        }
    }
    Ok(Exit::Done)
}

fn show_list(providers: &[ProviderInfo]) -> String {
    let mut out = String::from("Backfill providers:\n");
    for provider in providers {
        let _ = writeln!(
            out,
            "  {}  ({}, {})  -> {}",
            text::line(&provider.name),
            text::line(&provider.plugin),
            provider.origin,
            text::line(&provider.datasets.join(", "))
        );
        let _ = writeln!(out, "    {}", text::line(&provider.summary));
        for root in &provider.roots {
            let state = match &root.unreadable {
                Some(reason) => text::line(reason),
                None if root.exists => "there".into(),
                None => "not there".into(),
            };
            let path = root.path.display().to_string();
            let _ =
                writeln!(out, "    {}: {} ({state})", text::line(&root.name), text::line(&path));
        }
    }
    out
}

fn show_plan(providers: &[ProviderPlan]) -> String {
    let mut out = String::from("backfill plan\n");
    for plan in providers {
        let _ = writeln!(
            out,
            "  {}  ({})  -> {}",
            text::line(&plan.provider),
            text::line(&plan.plugin),
            text::line(&plan.datasets.join(", "))
        );
        let _ = writeln!(
            out,
            "    units={}  unchanged={}  files={}  size={}  to_read={}",
            plan.units,
            plan.units_unchanged,
            plan.files,
            text::bytes(plan.bytes),
            text::bytes(plan.bytes_to_read)
        );
        if plan.oldest.is_some() {
            let [oldest, newest] = [plan.oldest, plan.newest].map(moment::show);
            let _ = writeln!(out, "    last changed: {oldest} to {newest}");
        }
        for (kind, count) in &plan.ignored {
            let _ = writeln!(out, "    no history in: {}={count}", text::line(kind));
        }
        for path in &plan.not_understood {
            let _ = writeln!(out, "    not understood: {}", text::line(path));
        }
        for note in &plan.notes {
            let _ = writeln!(out, "    note: {}", text::line(note));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_what_a_run_would_open() {
        let plan = ProviderPlan {
            provider: "codex".to_owned(),
            plugin: "hyp-provider-codex 0.1.0".to_owned(),
            datasets: vec!["ai_gateway_messages".to_owned()],
            units: 3,
            units_unchanged: 2,
            files: 3,
            bytes: 4096,
            bytes_to_read: 1024,
            ..ProviderPlan::default()
        };
        insta::assert_snapshot!(show_plan(&[plan]), @r"
        backfill plan
          codex  (hyp-provider-codex 0.1.0)  -> ai_gateway_messages
            units=3  unchanged=2  files=3  size=4.0 KiB  to_read=1.0 KiB
        ");
    }
}
