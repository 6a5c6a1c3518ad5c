//! What is wrong with `config.toml`, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hyp_model::{Exit, Explain};

use super::VERSION;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfigError {
    /// It is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no TOML, or holds what no setting is.
    #[error("{place}: {reason}")]
    Wrong {
        /// Where.
        place: Place,
        /// What is wrong there.
        reason: String,
    },
    /// A newer hyp wrote it.
    #[error("{place}: version {found} is newer than this hyp, which knows up to {VERSION}")]
    Newer {
        /// Where it says so.
        place: Place,
        /// What it says.
        found: u32,
    },
}

/// A place in the file, as editors take it: `FILE:LINE:COLUMN`.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
}

impl Place {
    /// Returns the place of a byte; columns are characters, and both count from 1.
    pub(super) fn new(path: &Path, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

impl Explain for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "hyp::config::read",
            Self::Wrong { .. } => "hyp::config::wrong",
            Self::Newer { .. } => "hyp::config::newer",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { path, .. } => {
                format!("make `{}` readable to you, or move it away", path.display())
            }
            Self::Wrong { place, .. } => format!(
                "mend that line, or move `{}` away and run `hyp init`",
                place.path.display()
            ),
            Self::Newer { .. } => "upgrade hyp, or name another store with --store DIR".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
