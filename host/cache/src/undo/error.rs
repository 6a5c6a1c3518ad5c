//! Why a run cannot be undone.

use hyp_model::{Exit, Explain};

use crate::error::{LockError, StoreError};

/// Why a run cannot be undone, or not at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UndoError {
    /// No run has this id.
    #[error("no run `{run_id}`")]
    Unknown {
        /// The id.
        run_id: String,
    },

    /// It wrote nothing.
    #[error("run `{run_id}` was a dry one, and wrote nothing")]
    Dry {
        /// The run.
        run_id: String,
    },

    /// It is under way.
    #[error("run `{run_id}` is under way")]
    Running {
        /// The run.
        run_id: String,
    },

    /// It was undone already.
    #[error("run `{run_id}` was undone by `{by}`")]
    Undone {
        /// The run.
        run_id: String,
        /// The one that undid it.
        by: String,
    },

    /// An older hyp made it, which did not keep what it replaced.
    #[error("run `{run_id}` was made by an older hyp, which did not keep what it replaced")]
    Older {
        /// The run.
        run_id: String,
    },

    /// Rows were purged since, and what runs before that replaced went with them.
    #[error("run `{run_id}` is from before a purge, which left nothing of what it replaced")]
    Purged {
        /// The run.
        run_id: String,
    },

    /// It replaced more than is kept of one run.
    #[error("run `{run_id}` replaced more than is kept of one run")]
    TooLarge {
        /// The run.
        run_id: String,
    },

    /// Later runs needed the room.
    #[error("run `{run_id}` is so long ago that what it replaced is no longer kept")]
    Aged {
        /// The run.
        run_id: String,
    },

    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),

    /// The store cannot be written to.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Explain for UndoError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "hyp::runs::unknown",
            Self::Dry { .. } => "hyp::runs::dry",
            Self::Running { .. } => "hyp::runs::running",
            Self::Undone { .. } => "hyp::runs::undone",
            Self::Older { .. } => "hyp::runs::older",
            Self::Purged { .. } => "hyp::runs::purged",
            Self::TooLarge { .. } => "hyp::runs::too_large",
            Self::Aged { .. } => "hyp::runs::aged",
            Self::Store(error) => error.code(),
            Self::Lock(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => Some("`hyp runs --limit 0` lists them all".to_owned()),
            Self::Dry { .. } => None,
            Self::Running { .. } => Some("wait for it to end, or interrupt it".to_owned()),
            Self::Undone { by, .. } => Some(format!("`hyp runs undo {by}` brings it back")),
            Self::TooLarge { .. } => Some(
                "`hyp backfill` brings back what an undo removed; `hyp privacy purge` removes rows for good".to_owned(),
            ),
            Self::Older { .. } | Self::Purged { .. } | Self::Aged { .. } => Some(
                "`hyp privacy purge` removes rows for good, whichever run wrote them".to_owned(),
            ),
            Self::Store(error) => error.help(),
            Self::Lock(error) => error.help(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } => Exit::Failed,
            Self::Store(error) => error.exit(),
            Self::Lock(error) => error.exit(),
            _ => Exit::Refused,
        }
    }
}
