//! One file per command: its arguments, and the function that runs it.

mod ask;
mod attach;
mod backfill;
mod cache;
mod changes;
mod completions;
mod consent;
mod demo;
mod doctor;
mod explain;
mod export;
mod figures;
mod history;
mod init;
mod overview;
mod owners;
mod period;
mod plugin;
mod prices;
mod privacy;
mod prompts;
mod quarantine;
mod query;
mod reconcile;
mod record;
mod report;
mod runs;
mod schedule;
mod scope;
mod search;
mod sessions;
mod short;
mod show;
mod status;
mod typed;
mod version;
mod wait;
mod welcome;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use hyp_backfill::Places;
use serde::Serialize;

pub(crate) use attach::{AttachArgs, attach};
pub(crate) use backfill::{BackfillArgs, backfill};
pub(crate) use cache::{CacheArgs, cache};
pub(crate) use completions::{CompletionsArgs, ManArgs, completions, man};
pub(crate) use demo::{DemoArgs, demo};
pub(crate) use doctor::{DoctorArgs, doctor};
pub(crate) use explain::{ExplainArgs, explain};
pub(crate) use export::{ExportArgs, export};
pub(crate) use history::{ListArgs, PlanArgs, backfill_list, backfill_plan};
pub(crate) use init::{InitArgs, init};
pub(crate) use overview::{OverviewArgs, query_overview};
pub(crate) use plugin::{PluginArgs, plugin};
pub(crate) use privacy::{PrivacyArgs, privacy};
pub(crate) use quarantine::{QuarantineArgs, quarantine};
pub(crate) use query::{SchemaArgs, SqlArgs, query_schema, query_sql};
pub(crate) use reconcile::{ReconcileArgs, reconcile};
pub(crate) use record::{RecordArgs, record};
pub(crate) use report::{ReportArgs, report};
pub(crate) use runs::{RunsArgs, runs};
pub(crate) use schedule::{ScheduleArgs, schedule};
pub(crate) use search::{SearchArgs, search};
pub(crate) use sessions::{SessionsArgs, sessions};
pub(crate) use show::{ShowArgs, show};
pub(crate) use status::{StatusArgs, status};
pub(crate) use version::version;
pub(crate) use welcome::welcome;

use crate::args::Global;
use crate::config::{Config, ConfigError};
use crate::env;
use crate::failure::Failure;

/// What a command may know of the machine.
#[derive(Debug)]
pub(crate) struct Session {
    /// Where history and store lie.
    pub(crate) places: Places,
}

impl Session {
    /// Works out where things lie; touches nothing.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let usage = |message: &str| Failure::Usage { command: "hyp", message: message.to_owned() };
        let home = env::home();
        let history_home =
            global.history_home.clone().or_else(|| home.clone()).ok_or_else(|| {
                usage("HOME is not set; name the home folder with --history-home")
            })?;
        let store = global
            .store
            .clone()
            .or_else(env::store)
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| home.map(|home| home.join(".hyp")))
            .ok_or_else(|| usage("HOME is not set; name the store with --store"))?;
        Ok(Self {
            places: Places {
                history_home: absolute(history_home),
                history_folder: None,
                store: absolute(store),
                // Where the clients of another person keep their history, that person's
                // environment says, and not this one.
                environment: match &global.history_home {
                    Some(_) => BTreeMap::new(),
                    None => env::all(),
                },
                sources: BTreeMap::new(),
            },
        })
    }

    /// Reads what the person settled in the store's `config.toml`.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        Config::read(&self.places.store)
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Prints data.
fn print(data: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Prints data for programs.
fn print_json<T: Serialize>(data: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(data)
        .map_err(|error| Failure::Output(io::Error::other(error)))?;
    print(&format!("{text}\n"))
}

/// Says something to the person; a closed stderr is no failure.
fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}
