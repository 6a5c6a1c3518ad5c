//! Where a dry run happens that may leave nothing behind, before there is a store.

use std::io;
use std::path::{Path, PathBuf};

use hyp_backfill::Places;
use hyp_model::Explain;
use tempfile::TempDir;

/// Places to look and to import at; a folder of their own goes with them.
pub(super) struct Rehearsal {
    pub(super) places: Places,
    _folder: Option<TempDir>,
}

/// Why there can be no dry run.
#[derive(Debug, thiserror::Error)]
#[error("cannot lay out a dry run in `{}`", path.display())]
pub(super) struct RehearsalError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for RehearsalError {
    fn code(&self) -> &'static str {
        "hyp::init::rehearsal"
    }

    fn help(&self) -> Option<String> {
        Some("set TMPDIR to a folder that can be written to".to_owned())
    }
}

impl Rehearsal {
    /// Returns the places themselves: the store is to be written, or is there to be compared with.
    pub(super) fn none(places: Places) -> Self {
        Self { places, _folder: None }
    }

    /// Returns places whose store is a temporary folder with the providers of the real one, and what it ignores.
    pub(super) fn of(places: &Places) -> Result<Self, RehearsalError> {
        let failed = |source| RehearsalError { path: std::env::temp_dir(), source };
        let folder = tempfile::Builder::new().prefix("hyp-dry-run-").tempdir().map_err(failed)?;
        for name in ["plugins", "plugins.lock", "hypaware"] {
            let from = places.store.join(name);
            if from.exists() {
                lend(&from, &folder.path().join(name)).map_err(failed)?;
            }
        }
        let places = Places { store: folder.path().to_owned(), ..places.clone() };
        Ok(Self { places, _folder: Some(folder) })
    }
}

#[cfg(unix)]
fn lend(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn lend(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
