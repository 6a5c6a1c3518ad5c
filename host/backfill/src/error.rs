//! Why a run could not begin, or had to end.

use std::path::PathBuf;

use hyp_cache::{LockError, StoreError};
use hyp_model::{Exit, Explain};
use hyp_plugin::{LoadError, RunError};

/// Why a run could not begin, or had to end as a whole.
///
/// What goes wrong with one provider or one file is in the report instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// A name on the command line is no provider.
    #[error("unknown provider(s): {}", names.join(", "))]
    Unknown {
        /// The names that were asked for.
        names: Vec<String>,
        /// The names that there are.
        known: Vec<String>,
    },

    /// The component or its host refused.
    #[error(transparent)]
    Load(#[from] LoadError),

    /// A component failed where no provider's report can hold it.
    #[error(transparent)]
    Run(#[from] RunError),

    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),

    /// Another run holds the store.
    #[error(transparent)]
    Lock(#[from] LockError),

    /// The list of installed components cannot be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    PluginList {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A provider's description has a glob that cannot be matched.
    #[error("provider `{provider}` has the unusable glob `{pattern}`: {reason}")]
    Glob {
        /// The provider.
        provider: String,
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Explain for BackfillError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "hyp::backfill::unknown_provider",
            Self::Load(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::PluginList { .. } => "hyp::backfill::plugins_lock",
            Self::Glob { .. } => "hyp::backfill::glob",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { known, .. } => Some(format!("known are: {}", known.join(", "))),
            Self::Load(error) => error.help(),
            Self::Run(error) => error.help(),
            Self::Store(error) => error.help(),
            Self::Lock(error) => error.help(),
            Self::PluginList { path, .. } => {
                Some(format!("mend it, or move `{}` away and install again", path.display()))
            }
            Self::Glob { .. } => Some("report this to the component's author".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Load(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Lock(error) => error.exit(),
            Self::PluginList { .. } => Exit::Usage,
            Self::Unknown { .. } | Self::Glob { .. } => Exit::Failed,
        }
    }
}
