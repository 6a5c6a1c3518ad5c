//! Whether history is imported by itself from now on: settled with the questions, done at the end.

use serde::Serialize;

use super::super::schedule;
use super::super::{Session, say};
use super::InitArgs;
use super::talk::Talk;
use crate::failure::Failure;
use crate::prompt::{self, Unanswered};
use crate::text;

/// What becomes of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Timer {
    /// It is set up at the end.
    Installed,
    /// It is on already.
    Kept,
    /// The person does not want it.
    Declined,
    /// Nothing answers here that could run it.
    Unavailable,
    /// The command line says no.
    Off,
}

impl Timer {
    /// Works out what is wanted, and asks where nobody said so.
    pub(super) fn settle(
        session: &Session,
        args: &InitArgs,
        talk: Talk,
    ) -> Result<Self, Unanswered> {
        if args.no_daemon || args.dry_run {
            return Ok(Self::Off);
        }
        // Without a folder for the timer there is no timer, and that is no reason to stop.
        let Ok(state) = schedule::state(session) else { return Ok(Self::Unavailable) };
        Ok(if state.is_current && state.is_active {
            Self::Kept
        } else if !schedule::is_possible() {
            Self::Unavailable
        } else if talk != Talk::Rail
            || prompt::confirm("Import what is new twice a day, by a timer of systemd?")?
        {
            Self::Installed
        } else {
            Self::Declined
        })
    }

    /// Sets it up where it is wanted, and says what came of it.
    pub(super) fn finish(self, session: &Session, talk: Talk) -> Result<Self, Failure> {
        if self != Self::Installed {
            return Ok(self);
        }
        let (done, words) = match schedule::switch_on(session)? {
            Ok(()) => (
                self,
                "History is imported twice a day from now on; `hyp schedule remove` ends that"
                    .to_owned(),
            ),
            Err(reason) => (
                Self::Unavailable,
                format!("warning: systemd did not take the timer: {}", text::line(&reason)),
            ),
        };
        if talk != Talk::Silent {
            say(&words);
        }
        Ok(done)
    }
}
