//! `hyp schedule`: imports twice a day, so that history is here before its client deletes it.
//!
//! A timer of the person's own systemd, which also makes up for what the machine slept through. For
//! other schedulers the same is printed, to be copied.

mod others;
mod systemd;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use hyp_model::Exit;
use serde::Serialize;

use super::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::{env, text};

const COMMAND: &str = "hyp schedule";

const EXAMPLES: &str = "\
Examples:
  hyp schedule install         import twice a day, by the timer of systemd
  hyp schedule status          whether that is on, and as this hyp would set it up
  hyp schedule print cron      the line for a crontab, to be copied";

/// Arguments of `hyp schedule`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Import twice a day from now on
    #[command(after_help = "Example: hyp schedule install")]
    Install,
    /// Say whether imports are scheduled
    #[command(after_help = "Example: hyp schedule status --json")]
    Status {
        /// Print the status as JSON
        #[arg(long)]
        json: bool,
    },
    /// No longer import by itself
    #[command(after_help = "Example: hyp schedule remove")]
    Remove,
    /// Print the schedule for a scheduler, to be copied
    #[command(after_help = "Example: hyp schedule print cron")]
    Print {
        /// Which one
        scheduler: Scheduler,
    },
}

/// What can run a command at times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// systemd of the person (Linux)
    Systemd,
    /// A crontab
    Cron,
    /// launchd (macOS)
    Launchd,
    /// Task Scheduler (Windows)
    Windows,
}

/// What is to be run, by whichever scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    /// The program and its arguments.
    words: Vec<String>,
    /// Variables that say where clients keep their history, as they are now.
    environment: BTreeMap<String, String>,
}

/// How the schedule is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct State {
    /// The files are there.
    pub(crate) is_installed: bool,
    /// They are as this hyp would write them now.
    pub(crate) is_current: bool,
    /// The scheduler says that the timer is on.
    pub(crate) is_active: bool,
    /// Where the files are, or would be.
    pub(crate) files: Vec<PathBuf>,
}

/// Runs `hyp schedule`.
pub(crate) fn schedule(session: &Session, args: &ScheduleArgs) -> Result<Exit, Failure> {
    match &args.command {
        ScheduleCommand::Install => install(session)?,
        ScheduleCommand::Remove => remove()?,
        ScheduleCommand::Status { json } => status(session, *json)?,
        ScheduleCommand::Print { scheduler } => print(&printed(&Job::new(session)?, *scheduler))?,
    }
    Ok(Exit::Done)
}

/// Says whether a systemd of the person is there to run a timer.
pub(crate) fn is_possible() -> bool {
    cfg!(target_os = "linux") && systemd::answers()
}

/// Writes the files and switches the timer on; the inner error is why systemd did not take it.
pub(crate) fn switch_on(session: &Session) -> Result<Result<(), String>, Failure> {
    let units = systemd::Units::new(&Job::new(session)?, folder()?);
    units.write()?;
    Ok(systemd::enable())
}

/// Sets the schedule up. Where no systemd answers, says what is to be run.
fn install(session: &Session) -> Result<(), Failure> {
    let enabled = switch_on(session)?;
    for file in systemd::Units::placed(folder()?).files() {
        say(&format!("wrote {}", file.display()));
    }
    match enabled {
        Ok(()) => {
            say("history is imported twice a day from now on; `hyp schedule remove` ends that")
        }
        Err(reason) => {
            say(&format!("systemd did not take the timer: {}", text::line(&reason)));
            say(&format!("once it runs for you: {}", systemd::ENABLE));
            say("with another scheduler: hyp schedule print cron");
        }
    }
    Ok(())
}

fn remove() -> Result<(), Failure> {
    let units = systemd::Units::placed(folder()?);
    if !units.files().iter().any(|file| file.exists()) {
        say("no imports are scheduled");
        return Ok(());
    }
    // It may be off already, or systemd not there: the files go in any case.
    let disabled = systemd::disable();
    units.remove()?;
    if disabled.is_ok() {
        let _ = systemd::reload();
    }
    say("history is no longer imported by itself; `hyp backfill` imports it");
    Ok(())
}

/// Returns how the schedule is.
pub(crate) fn state(session: &Session) -> Result<State, Failure> {
    let units = systemd::Units::new(&Job::new(session)?, folder()?);
    let is_installed = units.files().iter().all(|file| file.exists());
    Ok(State {
        is_installed,
        is_current: is_installed && units.are_current(),
        is_active: is_installed && systemd::is_active(),
        files: units.files(),
    })
}

fn status(session: &Session, is_json: bool) -> Result<(), Failure> {
    let state = state(session)?;
    if is_json {
        return print_json(&state);
    }
    if !state.is_installed {
        return print("not scheduled; `hyp schedule install` imports twice a day\n");
    }
    let mut out = String::new();
    for file in &state.files {
        out.push_str(&format!("{}\n", file.display()));
    }
    out.push_str(match (state.is_active, state.is_current) {
        (true, true) => "active\n",
        (true, false) => {
            "active, and set up otherwise than now: run `hyp schedule install` again\n"
        }
        (false, _) => "not active\n",
    });
    if !state.is_active {
        say(&format!("to switch it on: {}", systemd::ENABLE));
    }
    print(&out)
}

impl Job {
    fn new(session: &Session) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::Output)?;
        let places = &session.places;
        let mut words = vec![
            program.display().to_string(),
            "--store".to_owned(),
            places.store.display().to_string(),
        ];
        if env::home().as_deref() != Some(places.history_home.as_path()) {
            words.extend(["--history-home".to_owned(), places.history_home.display().to_string()]);
        }
        words.extend(["backfill", "--wait", "600"].map(str::to_owned));
        Ok(Self { words, environment: hyp_backfill::variables(places)? })
    }
}

/// Returns the folder of the person's own units.
fn folder() -> Result<PathBuf, Failure> {
    let config = env::config_home().ok_or_else(|| Failure::Usage {
        command: COMMAND,
        message: "HOME is not set, so there is no folder for the timer".to_owned(),
    })?;
    Ok(config.join("systemd").join("user"))
}

fn printed(job: &Job, scheduler: Scheduler) -> String {
    match scheduler {
        Scheduler::Systemd => systemd::Units::new(job, PathBuf::new()).printed(),
        Scheduler::Cron => others::cron(job),
        Scheduler::Launchd => others::launchd(job),
        Scheduler::Windows => others::windows(job),
    }
}

#[cfg(test)]
mod tests;
