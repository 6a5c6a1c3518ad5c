//! Which messages are counted, in which zone, at which prices.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::ask::{like, quote};
use super::period::Period;
use super::prices::Prices;
use crate::failure::Failure;

/// What a file of prices looks like, for the help of commands that take one.
pub(super) const PRICES_HELP: &str = "\
A file of prices is a table per model, in USD per million tokens; `*` stands for anything, and the
longest name that fits is taken:

  [\"claude-opus-*\"]
  input = 5.0
  output = 25.0
  cache_read = 0.5
  cache_write = 6.25";

/// Flags of commands that count.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ScopeArgs {
    #[command(flatten)]
    period: Period,

    /// Only what that client recorded, such as claude or codex
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Only where the folder or repository has that in its name
    #[arg(long, value_name = "TEXT")]
    repo: Option<String>,

    /// Zone whose days are counted, such as Europe/Berlin or +02:00 [default: that of this machine]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// File of prices, for what the tokens would cost
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// What these flags mean.
#[derive(Debug)]
pub(super) struct Scope {
    /// Conditions on messages, in SQL.
    pub(super) conditions: Vec<String>,
    /// The same in words, where there are any.
    pub(super) words: Vec<String>,
    /// Whose days and hours are counted.
    pub(super) zone: TimeZone,
    /// What tokens cost.
    pub(super) prices: Option<Prices>,
}

impl ScopeArgs {
    /// Returns the client that is asked for.
    pub(super) fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Works out what is meant.
    pub(super) fn read(&self, command: &'static str) -> Result<Scope, Failure> {
        let zone = zone(command, self.timezone.as_deref())?;
        let mut conditions = self.period.conditions(command, &zone)?;
        let mut words = self.period.words();
        if let Some(client) = &self.client {
            conditions.push(format!("client_name = {}", quote(client)));
            words.push(format!("client {client}"));
        }
        if let Some(repo) = &self.repo {
            conditions.push(in_repository(repo));
            words.push(format!("repository {repo}"));
        }
        let prices = self.prices.as_deref().map(|path: &Path| Prices::read(path)).transpose()?;
        Ok(Scope { conditions, words, zone, prices })
    }
}

impl Scope {
    /// Returns how the zone is called: its name, or how far it is from UTC.
    pub(super) fn zone_name(&self) -> String {
        let at = Timestamp::UNIX_EPOCH.to_zoned(self.zone.clone());
        let name = self.zone.iana_name();
        let name = name.map_or_else(|| format!("UTC{}", at.strftime("%:z")), str::to_owned);
        if name == "UTC+00:00" { "UTC".to_owned() } else { name }
    }
}

/// Returns the condition on messages whose folder or repository has a text in its name.
pub(super) fn in_repository(text: &str) -> String {
    let like = like(text);
    format!("(git_remote ilike {like} or repo_root ilike {like} or cwd ilike {like})")
}

fn zone(command: &'static str, name: Option<&str>) -> Result<TimeZone, Failure> {
    let Some(name) = name else { return Ok(TimeZone::system()) };
    DateTimeParser::new().parse_time_zone(name).map_err(|_| Failure::Usage {
        command,
        message: format!(
            "--timezone expects a name such as Europe/Berlin, or an offset such as +02:00 (got {name})"
        ),
    })
}
