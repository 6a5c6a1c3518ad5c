//! The trace: spans and events of the libraries as JSON lines in a file, off unless asked for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use hyp_model::{Exit, Explain};
use tracing::Level;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;

/// Why no trace can be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    /// The file cannot be written.
    #[error("cannot write the trace to `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else collects already.
    #[error("a trace is being kept already")]
    Taken(#[from] SetGlobalDefaultError),
}

impl Explain for TelemetryError {
    fn code(&self) -> &'static str {
        "hyp::telemetry::open"
    }

    fn help(&self) -> Option<String> {
        Some("HYP_LOG names a file in a folder that exists; unset it to keep no trace".to_owned())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Keeps a trace in `path` from now on, behind what the file holds already.
pub(crate) fn start(path: Option<&Path>) -> Result<(), TelemetryError> {
    let Some(path) = path else { return Ok(()) };
    let file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|source| TelemetryError::Open { path: path.to_path_buf(), source })?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_span_list(false)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(Mutex::new(file))
        .with_filter(filter_fn(|metadata| {
            metadata.target().starts_with("hyp") && *metadata.level() <= Level::INFO
        }));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines))?;
    Ok(())
}
