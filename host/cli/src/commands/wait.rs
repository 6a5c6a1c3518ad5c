//! `--wait`: how long a command waits for another one that has the store.

use std::time::Duration;

use super::backfill;
use crate::failure::Failure;

/// The flag.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Wait {
    /// Wait that many seconds for another run to end
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    wait: Option<String>,
}

impl Wait {
    /// Returns how long; where nothing was said, not at all.
    pub(super) fn time(&self, command: &'static str) -> Result<Duration, Failure> {
        Ok(seconds(command, "wait", self.wait.as_deref())?.unwrap_or_default())
    }
}

/// Reads a number of seconds, or says that it is none.
pub(super) fn seconds(
    command: &'static str,
    flag: &str,
    value: Option<&str>,
) -> Result<Option<Duration>, Failure> {
    let number =
        backfill::number(flag, value).map_err(|message| Failure::Usage { command, message })?;
    Ok(number.map(|number| Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX)))
}
