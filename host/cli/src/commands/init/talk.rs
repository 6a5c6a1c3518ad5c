//! What `hyp init` says beside its questions: along their rail, or as plain lines.

use std::fmt::Display;

use cliclack::ProgressBar;

use super::super::say;
use crate::prompt::fold;

/// Something that goes on.
pub(super) struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Leaves these words in its place.
    pub(super) fn stop(self, words: &str) {
        if let Some(spinner) = self.0 {
            spinner.stop(words);
        }
    }
}

/// How it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    /// Between questions, in their look.
    Rail,
    /// Nobody is asked: a line each.
    Plain,
    /// Standard output is for a program, and nobody watches.
    Silent,
}

// A terminal that went away is no reason to stop.
impl Talk {
    /// Begins.
    pub(super) fn begin(self, title: &str) {
        if self == Self::Rail {
            let _ = cliclack::intro(fold(title).replace('\n', "\n│  "));
        }
    }

    /// Shows that something goes on, until it is stopped.
    pub(super) fn wait(self, words: &str) -> Waiting {
        Waiting((self == Self::Rail).then(|| {
            let spinner = cliclack::spinner();
            spinner.start(words);
            spinner
        }))
    }

    /// Says what is so.
    pub(super) fn note(self, words: impl Display) {
        match self {
            Self::Rail => drop(cliclack::log::step(fold(words))),
            Self::Plain => say(&words.to_string()),
            Self::Silent => {}
        }
    }

    /// Says what a person should look at; to programs' users, too.
    pub(super) fn warn(self, words: impl Display) {
        match self {
            Self::Rail => drop(cliclack::log::warning(fold(words))),
            Self::Plain | Self::Silent => say(&format!("warning: {words}")),
        }
    }

    /// Says the last thing before the terminal is the import's.
    pub(super) fn end(self, words: impl Display) {
        match self {
            Self::Rail => drop(cliclack::outro(fold(words).replace('\n', "\n   "))),
            Self::Plain => say(&words.to_string()),
            Self::Silent => {}
        }
    }
}
