//! Why a run over datasets could not go on.

use hyp_cache::StoreError;
use hyp_model::Explain;
use hyp_plugin::{LoadError, RunError};

/// Why a run over datasets could not go on. What is committed stays; of the chunk at hand, nothing is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("no materializer takes items of kind `{kind}`")]
    NoMaterializer { kind: String },
    #[error("materializer `{materializer}`: {reason}")]
    Bad { materializer: String, reason: String },
    #[error("materializers queue items for one another without end")]
    Endless,
    #[error("interrupted")]
    Interrupted,
}

impl Explain for EngineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::NoMaterializer { .. } => "hyp::dataset::no_materializer",
            Self::Bad { .. } | Self::Endless => "hyp::dataset::materializer",
            Self::Interrupted => "hyp::dataset::interrupted",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Run(error) => error.help(),
            Self::Load(error) => error.help(),
            _ => None,
        }
    }
}
