//! `hyp query overview`: what the store holds, on one screen.

mod prices;
mod read;
mod show;

use std::path::PathBuf;

use hyp_model::Exit;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::ask::Lake;
use super::period::Period;
use super::{Session, print, print_json};
use crate::failure::Failure;
use crate::terminal;

const COMMAND: &str = "hyp query overview";

/// Arguments of `hyp query overview`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp query overview --since 2026-01-01 --prices prices.toml

A file of prices is a table per model, in USD per million tokens; `*` stands for anything, and the
longest name that fits is taken:

  [\"claude-opus-*\"]
  input = 5.0
  output = 25.0
  cache_read = 0.5
  cache_write = 6.25")]
pub(crate) struct OverviewArgs {
    #[command(flatten)]
    period: Period,

    /// Zone whose days are counted, such as Europe/Berlin or +02:00 [default: that of this machine]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// File of prices, for what the tokens would cost
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Print the overview as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `hyp query overview`.
pub(crate) fn query_overview(session: &Session, args: &OverviewArgs) -> Result<Exit, Failure> {
    let zone = zone(args.timezone.as_deref())?;
    let conditions = args.period.conditions(COMMAND, &zone)?;
    let prices = args.prices.as_deref().map(prices::Prices::read).transpose()?;
    let lake = Lake::open_or_empty(session)?;
    let overview = read::read(&lake, &conditions, &zone, prices.as_ref())?;
    if args.json {
        print_json(&overview)?;
    } else {
        print(&show::show(&overview, terminal::is_styled()))?;
    }
    Ok(Exit::Done)
}

fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    let Some(name) = name else { return Ok(TimeZone::system()) };
    DateTimeParser::new().parse_time_zone(name).map_err(|_| Failure::Usage {
        command: COMMAND,
        message: format!(
            "--timezone expects a name such as Europe/Berlin, or an offset such as +02:00 (got {name})"
        ),
    })
}
