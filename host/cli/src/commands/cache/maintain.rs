//! `hyp cache maintain`: what an import does at its end, as far as it goes.

use std::io::{self, BufRead, IsTerminal, Write};

use hyp_cache::{Upkeep, Upkept};
use hyp_model::Exit;

use super::writer;
use crate::commands::wait::{Wait, seconds};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{interrupt, moment, text};

const COMMAND: &str = "hyp cache maintain";

const EXAMPLES: &str = "\
Examples:
  hyp cache maintain                 all that is due
  hyp cache maintain --budget 30     for half a minute at most
  hyp cache maintain --yes           also where most of the store expires";

/// Arguments of `hyp cache maintain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MaintainArgs {
    /// Stop putting files together after that many seconds
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    budget: Option<String>,

    /// Remove what expired without asking, even where that is most of the store
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    wait: Wait,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `hyp cache maintain`.
pub(crate) fn maintain(session: &Session, args: &MaintainArgs) -> Result<Exit, Failure> {
    let budget = seconds(COMMAND, "budget", args.budget.as_deref())?;
    let retained_from = session.config()?.retention.from(moment::now());
    let mut writer = writer(session, &args.wait, COMMAND)?;
    let cancelled = interrupt::flag();
    let mut upkeep = Upkeep { budget, is_thorough: true, retained_from, may_remove_most: args.yes };
    let mut done = writer.maintain(&upkeep, &cancelled)?;
    if done.expired.is_refused && !args.json && asks(&done)? {
        upkeep.may_remove_most = true;
        done = writer.maintain(&upkeep, &cancelled)?;
    }
    if args.json {
        print_json(&done)?;
    } else {
        let told = told(&done);
        match told.is_empty() {
            true => say("nothing to do"),
            false => print(&format!("{}\n", told.join("\n")))?,
        }
        for warning in warnings(&done) {
            say(&format!("warning: {}", text::line(&warning)));
        }
    }
    Ok(if cancelled.load(std::sync::atomic::Ordering::Relaxed) {
        Exit::Interrupted
    } else if done.expired.is_refused {
        Exit::Refused
    } else if done.doubles.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// Asks the person on the terminal; without one, the answer is no.
fn asks(done: &Upkept) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut stderr = io::stderr().lock();
    let (rows, of) = (done.expired.rows, done.expired.of);
    write!(stderr, "remove {rows} of {of} rows for good, since they expired? [y/N] ")
        .and_then(|()| stderr.flush())
        .map_err(Failure::Output)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Returns what was done, each with its number.
pub(crate) fn told(done: &Upkept) -> Vec<String> {
    let expired = if done.expired.is_refused { 0 } else { done.expired.rows };
    let numbers = [
        ("files_merged", done.files_merged),
        ("files_made", done.files_made),
        ("files_removed", done.files_removed),
        ("rows_expired", expired),
        ("rows_dropped", done.doubles.len() as u64),
        ("left", done.left),
    ];
    numbers
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| format!("{name}={number}"))
        .collect()
}

/// Returns what a person should know.
pub(crate) fn warnings(done: &Upkept) -> Vec<String> {
    let mut lines = Vec::new();
    if done.expired.is_refused {
        lines.push(format!(
            "{} of {} rows are older than `[retention]` in config.toml keeps them, which is more than half: \
             nothing was removed; if the clock and the setting are right, run `hyp cache maintain --yes`",
            done.expired.rows, done.expired.of
        ));
    }
    if let Some(first) = done.doubles.first() {
        lines.push(format!(
            "{} ids had more than one row, `{first}` among them; one of each stays: `hyp query sql \"select * \
             from journal where event = 'duplicate_dropped'\"` lists them",
            done.doubles.len()
        ));
    }
    lines
}
