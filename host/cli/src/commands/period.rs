//! `--since` and `--until` of commands that read the store.

use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::moment::{self, Edge};

/// A stretch of time, as typed.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Period {
    /// Only what was said from then on: RFC 3339, or a day of the local time zone (its start)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) since: Option<String>,

    /// Only what was said until then: RFC 3339, or a day of the local time zone (its end)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) until: Option<String>,
}

impl Period {
    /// Returns the first of its flags that was typed.
    pub(super) fn typed(&self) -> Option<&'static str> {
        let since = self.since.as_ref().map(|_| "--since");
        since.or_else(|| self.until.as_ref().map(|_| "--until"))
    }

    /// Returns its ends in microseconds.
    pub(super) fn ends(
        &self,
        command: &'static str,
        zone: &TimeZone,
    ) -> Result<(Option<i64>, Option<i64>), Failure> {
        let usage = |message: String| Failure::Usage { command, message };
        let time = |flag: &str, value: &Option<String>, edge| match value {
            None => Ok(None),
            Some(value) => moment::parse(value, edge, zone)
                .map(Some)
                .ok_or_else(|| usage(format!("--{flag} expects a parseable date (got {value})"))),
        };
        let ends =
            (time("since", &self.since, Edge::Start)?, time("until", &self.until, Edge::End)?);
        if let (Some(first), Some(last)) = ends
            && first > last
        {
            let [since, until] = [&self.since, &self.until].map(|it| it.as_deref().unwrap_or(""));
            return Err(usage(format!(
                "--since must be before or equal to --until (got {since} > {until})"
            )));
        }
        Ok(ends)
    }

    /// Returns what was typed, as words of a heading.
    pub(super) fn words(&self) -> Vec<String> {
        let since = self.since.as_ref().map(|at| format!("since {at}"));
        since.into_iter().chain(self.until.as_ref().map(|at| format!("until {at}"))).collect()
    }

    /// Returns conditions on messages.
    pub(super) fn conditions(
        &self,
        command: &'static str,
        zone: &TimeZone,
    ) -> Result<Vec<String>, Failure> {
        let (since, until) = self.ends(command, zone)?;
        let time = |sign: &str, micros: i64| {
            let at = moment::rfc3339(micros)?;
            Some(format!("message_created_at {sign} timestamp '{at}'"))
        };
        let first = since.and_then(|micros| time(">=", micros));
        Ok(first.into_iter().chain(until.and_then(|micros| time("<=", micros))).collect())
    }
}

/// Returns conditions as a clause, which is nothing where there is none.
pub(super) fn filter(conditions: &[String]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    format!(" where {}", conditions.join(" and "))
}
