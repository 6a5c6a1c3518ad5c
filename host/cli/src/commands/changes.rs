//! Runs over datasets: what may be asked of them, and how they are told.

mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyp_backfill::{Ask, Changes, Derivation, MaxChanges, Places};
use hyp_model::Exit;
use hyp_model::dataset::MESSAGES;
use jiff::tz::TimeZone;

use super::ask::{self, Lake};
use crate::failure::Failure;
use crate::moment::{self, Edge};

pub(super) use show::{show, show_derived, show_recorded};

/// Where help lists what providers of other things than conversations take.
const HEADING: &str = "For providers of other things than conversations";

/// What providers of other things than messages take, as typed.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ChangesArgs {
    /// Write; without it, a run that can change stored rows only says what it would do
    #[arg(long, help_heading = HEADING)]
    commit: bool,

    /// Write nothing if more stored rows would change: a number, or a share such as 5% [default: 25
    /// where values are reconciled, else no limit]
    #[arg(long, value_name = "N|N%", help_heading = HEADING)]
    max_changes: Option<String>,

    /// Write nothing if a row would change that this file does not list, a key or subject a line
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    expect: Option<PathBuf>,

    /// Set something of the provider's for this run
    #[arg(long, value_name = "NAME=VALUE", help_heading = HEADING)]
    set: Vec<String>,

    /// Commit that many items together
    #[arg(long, value_name = "N", help_heading = HEADING)]
    chunk_size: Option<usize>,

    /// Rest that many milliseconds between two commits
    #[arg(long, value_name = "MS", help_heading = HEADING)]
    sleep_ms: Option<u64>,

    /// Leave out what was over at this time or later [default: since others write]
    #[arg(long, value_name = "TIME", help_heading = HEADING)]
    cutover: Option<String>,

    /// Import what was left out so and nobody recorded
    #[arg(long, help_heading = HEADING)]
    recover_unmatched: bool,
}

impl ChangesArgs {
    /// Refuses what was typed for datasets where all providers import messages, as those do that run without being named.
    pub(super) fn check(
        &self,
        command: &'static str,
        places: &Places,
        named: &[String],
    ) -> Result<(), Failure> {
        let Some(flag) = self.typed() else { return Ok(()) };
        if named.is_empty() {
            let message = format!("{flag} is for providers that fill datasets: name one");
            return Err(Failure::Usage { command, message });
        }
        if named_for(places, named, |datasets| datasets == [MESSAGES])?.len() < named.len() {
            return Ok(());
        }
        let named = named.join(", ");
        let message = format!("{flag} is for providers that fill datasets (got {named})");
        Err(Failure::Usage { command, message })
    }

    /// Refuses a flag that says which messages are meant where a provider fills datasets, and would pass over it.
    pub(super) fn refuse_window(
        command: &'static str,
        places: &Places,
        named: &[String],
        typed: Option<&'static str>,
    ) -> Result<(), Failure> {
        let Some(flag) = typed else { return Ok(()) };
        match named_for(places, named, |datasets| datasets != [MESSAGES])?.first() {
            Some(name) => {
                let message =
                    format!("{flag} is for conversations, and `{name}` reads none: leave it out");
                Err(Failure::Usage { command, message })
            }
            None => Ok(()),
        }
    }

    /// Returns the first flag that was typed and that an import of messages would pass over.
    fn typed(&self) -> Option<&'static str> {
        // Settings of their own are something that providers of messages may have, too.
        let sets_mode = self.set.iter().any(|set| set.starts_with("mode="));
        let flags = [
            ("--commit", self.commit),
            ("--max-changes", self.max_changes.is_some()),
            ("--expect", self.expect.is_some()),
            ("--set mode", sets_mode),
            ("--chunk-size", self.chunk_size.is_some()),
            ("--sleep-ms", self.sleep_ms.is_some()),
            ("--cutover", self.cutover.is_some()),
            ("--recover-unmatched", self.recover_unmatched),
        ];
        flags.into_iter().find(|(_, is_typed)| *is_typed).map(|(flag, _)| flag)
    }

    /// Works out what was meant, or says in one line why it makes no sense.
    pub(super) fn meant(self, command: &'static str, zone: &TimeZone) -> Result<Changes, Failure> {
        let usage = |message: String| Failure::Usage { command, message };
        let cutover = match self.cutover {
            None => None,
            Some(text) => Some(
                moment::parse(&text, Edge::Start, zone)
                    .ok_or_else(|| usage(format!("--cutover expects a time (got {text})")))?,
            ),
        };
        if self.chunk_size == Some(0) {
            return Err(usage("--chunk-size expects a number >= 1 (got 0)".to_owned()));
        }
        Ok(Changes {
            commit: self.commit,
            max_changes: self.max_changes.as_deref().map(max_changes).transpose().map_err(usage)?,
            expect: self.expect.as_deref().map(expected).transpose().map_err(usage)?,
            settings: settings(&self.set).map_err(usage)?,
            chunk_size: self.chunk_size.unwrap_or(Changes::CHUNK),
            rest: Duration::from_millis(self.sleep_ms.unwrap_or_default()),
            cutover,
            recover_unmatched: self.recover_unmatched,
            ..Changes::default()
        })
    }
}

/// Returns those of the named providers that are for such datasets.
fn named_for<'n>(
    places: &Places,
    named: &'n [String],
    is_such: impl Fn(&[String]) -> bool,
) -> Result<Vec<&'n String>, Failure> {
    let known = hyp_backfill::list(places)?;
    let is_meant =
        |name: &&String| known.iter().any(|it| it.name == **name && is_such(&it.datasets));
    Ok(named.iter().filter(is_meant).collect())
}

fn max_changes(text: &str) -> Result<MaxChanges, String> {
    let wrong = || format!("--max-changes expects a number, or a share such as 5% (got {text})");
    match text.strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.parse().map_err(|_| wrong())?;
            if (0.0..=100.0).contains(&share) {
                Ok(MaxChanges::Percent(share))
            } else {
                Err(wrong())
            }
        }
        None => text.parse().map(MaxChanges::Rows).map_err(|_| wrong()),
    }
}

/// Reads a list of keys: a line each; blank lines and those with `#` in front are passed over.
fn expected(path: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("--expect cannot read `{}`: {error}", path.display()))?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

fn settings(set: &[String]) -> Result<BTreeMap<String, String>, String> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("--set expects NAME=VALUE (got {text})")),
    };
    set.iter().map(pair).collect()
}

/// Returns how a command ends after which columns were derived anew.
pub(super) fn exit(derived: &[Derivation]) -> Exit {
    let is_failed = derived.iter().any(|it| it.error.is_some());
    if is_failed { Exit::Failed } else { Exit::Done }
}

/// Returns who asks the store what has to hold after a run.
pub(super) fn asker(store: &Path) -> Ask {
    let store = store.to_owned();
    Arc::new(move |sql| {
        let rows = Lake::beside(&store).and_then(|lake| lake.rows(sql));
        let rows = rows.map_err(|failure| failure.parts().2)?;
        let answer = rows.first().and_then(|row| ask::long(row, row.keys().next()?));
        answer.ok_or_else(|| "it has no answer".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_shares() {
        #[rustfmt::skip]
        let cases = [
            ("25",   Ok(MaxChanges::Rows(25))),
            ("0",    Ok(MaxChanges::Rows(0))),
            ("5%",   Ok(MaxChanges::Percent(5.0))),
            ("0.5%", Ok(MaxChanges::Percent(0.5))),
            ("101%", Err(())),
            ("-1",   Err(())),
            ("many", Err(())),
        ];
        for (text, expected) in cases {
            assert_eq!(max_changes(text).map_err(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn settings_have_a_name_and_a_value() {
        let set = |text: &str| settings(&[text.to_owned()]);
        assert_eq!(set("a=b=c").unwrap()["a"], "b=c");
        assert_eq!(set("a"), Err("--set expects NAME=VALUE (got a)".to_owned()));
        assert_eq!(set("=b"), Err("--set expects NAME=VALUE (got =b)".to_owned()));
    }
}
