//! Why a unit cannot be materialized on.

use hyp_model::Explain;

/// Why a unit cannot be materialized on. The unit fails, not the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A thread outgrows the memory that is kept for one.
    #[error("thread `{thread}` of `{path}` has more than {limit} messages")]
    TooBig {
        /// Identity of the thread.
        thread: String,
        /// Path of the unit below its root.
        path: String,
        /// Messages that a thread may have.
        limit: u64,
    },
}

impl Explain for Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::TooBig { .. } => "hyp::materialize::too_big",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::TooBig { .. } => Some(
                "the provider should give each conversation a thread of its own; the unit is left out"
                    .to_owned(),
            ),
        }
    }
}
