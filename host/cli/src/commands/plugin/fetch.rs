//! Brings a component from where a person says that it is.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hyp_model::Explain;

/// A component may have this many bytes.
const LIMIT: u64 = 64 << 20;

/// A component's bytes, and where they are from.
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    /// Where it can be fetched again.
    pub(super) source: String,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum FetchError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds none, or several.
    #[error("`{}` holds {found} `.wasm` files, not one", folder.display())]
    Which {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// It is larger than a component may be.
    #[error("`{source_name}` has more than {} MiB", LIMIT >> 20)]
    TooLarge {
        /// What has.
        source_name: String,
    },
}

impl Explain for FetchError {
    fn code(&self) -> &'static str {
        "hyp::plugin::fetch"
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "name a `.wasm` file, or a folder that holds one".to_owned(),
            Self::Which { .. } => "name the file itself".to_owned(),
            Self::TooLarge { .. } => "strip debug information from the component".to_owned(),
        })
    }
}

/// Brings a component.
pub(super) fn fetch(source: &str) -> Result<Fetched, FetchError> {
    let path = std::path::absolute(source).unwrap_or_else(|_| PathBuf::from(source));
    let read = |source| FetchError::Read { path: path.clone(), source };
    let file = if fs::metadata(&path).map_err(read)?.is_dir() { only_one(&path)? } else { path };
    let read = |source| FetchError::Read { path: file.clone(), source };
    let mut bytes = Vec::new();
    File::open(&file).map_err(read)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > LIMIT {
        return Err(FetchError::TooLarge { source_name: file.display().to_string() });
    }
    Ok(Fetched { bytes, source: file.display().to_string() })
}

fn only_one(folder: &Path) -> Result<PathBuf, FetchError> {
    let read = |source| FetchError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
    let count = found.len();
    found
        .pop()
        .filter(|_| count == 1)
        .ok_or_else(|| FetchError::Which { folder: folder.to_owned(), found: count })
}
