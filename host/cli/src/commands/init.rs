//! `hyp init`: sees which clients left history here, settles what happens with it, imports it.

mod clients;
mod closing;
mod finale;
mod questions;
mod rehearsal;
mod setup;
mod summary;
mod talk;
mod timer;

use std::path::PathBuf;

use hyp_model::Exit;
use jiff::tz::TimeZone;

use self::setup::Setup;
use self::summary::Summary;
use self::talk::Talk;
use super::{Session, print_json};
use crate::config::{Wish, Wishes};
use crate::failure::Failure;
use crate::moment::{self, Edge};
use crate::{interrupt, prompt};

/// The words before each message.
const COMMAND: &str = "hyp init";

/// Arguments of `hyp init`, as typed.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// Import this client's history; may be given several times [default: every client's]
    #[arg(long = "client", alias = "source", value_name = "NAME", conflicts_with = "from_file")]
    clients: Vec<String>,

    /// Import only what was said from then on: RFC 3339, or a day of the local time zone
    #[arg(long, value_name = "TIME", conflicts_with = "from_file")]
    since: Option<String>,

    /// Keep messages for N days; 0 keeps them for ever [default: for ever]
    #[arg(long, value_name = "N", conflicts_with = "from_file")]
    retention_days: Option<u32>,

    /// Take the settings from a file like config.toml
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,

    /// Ask nothing; what no flag says is as in config.toml, or at its default
    #[arg(long, short)]
    yes: bool,

    /// Do everything but write, settings included
    #[arg(long)]
    dry_run: bool,

    /// Write the settings only
    #[arg(long)]
    no_backfill: bool,

    /// Leave it to me to import what is new: no timer
    #[arg(long, alias = "no-schedule")]
    no_daemon: bool,

    /// Print a summary as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Nothing is asked with --yes, --dry-run, --client or --from-file.

Examples:
  hyp init                                          asks, then imports
  hyp init --dry-run                                what it would import
  hyp init --yes                                    everything, without a question
  hyp init --client codex --since 2026-01-31 --yes  Codex alone, from that day on";

/// Runs `hyp init`.
pub(crate) fn init(session: &Session, args: &InitArgs) -> Result<Exit, Failure> {
    let flags = args.wishes()?;
    let cancelled = interrupt::flag();
    let is_asking = args.asks()?;
    let talk = match (is_asking, args.json) {
        (true, _) => Talk::Rail,
        (false, false) => Talk::Plain,
        (false, true) => Talk::Silent,
    };
    let mut setup = Setup { session, args, talk, cancelled, summary: Summary::new(args.dry_run) };
    let exit = setup.run(&flags)?;
    if args.json {
        print_json(&setup.summary)?;
    }
    Ok(exit)
}

impl InitArgs {
    /// Says whether questions are asked.
    fn asks(&self) -> Result<bool, Failure> {
        let is_told =
            self.yes || self.dry_run || !self.clients.is_empty() || self.from_file.is_some();
        if !is_told && !prompt::is_possible() {
            return Err(Failure::Usage {
                command: COMMAND,
                message: "there is no terminal to ask on; `hyp init --yes` asks nothing".to_owned(),
            });
        }
        Ok(!is_told)
    }

    fn wishes(&self) -> Result<Wishes, Failure> {
        if let Some(since) = &self.since
            && moment::parse(since, Edge::Start, &TimeZone::system()).is_none()
        {
            let message = format!("--since expects a parseable date (got {since})");
            return Err(Failure::Usage { command: COMMAND, message });
        }
        Ok(Wishes {
            clients: match &self.clients[..] {
                [] => Wish::AsItIs,
                names => Wish::Is(once_each(names)),
            },
            since: self.since.clone().map_or(Wish::AsItIs, Wish::Is),
            keep_days: match self.retention_days {
                None => Wish::AsItIs,
                Some(0) => Wish::Default,
                Some(days) => Wish::Is(days),
            },
        })
    }
}

fn once_each(names: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.contains(name) {
            once.push(name.clone());
        }
    }
    once
}
