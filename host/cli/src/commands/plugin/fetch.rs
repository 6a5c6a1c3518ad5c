//! Brings a component from where a person says that it is.
//!
//! This is the one place of hyp that opens a socket, and [`fetch`] the one way to it: `hyp plugin install` and
//! `hyp plugin update` call it, nothing else does.

mod error;
mod oci;
mod web;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) use error::FetchError;
use oci::Reference;
use web::Web;

/// A component may have this many bytes.
const LIMIT: u64 = 64 << 20;

/// A component's bytes, and where they are from.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    /// Where it can be fetched again.
    pub(super) source: String,
}

/// Says whether bringing a component means to ask another machine, or another program of this one.
pub(super) fn is_remote(source: &str) -> bool {
    ["https://", "http://", "oci://"].iter().any(|scheme| source.starts_with(scheme))
}

/// Brings a component: a file, a folder that holds one, an address, or an artifact of a registry.
pub(super) fn fetch(source: &str) -> Result<Fetched, FetchError> {
    if !is_remote(source) {
        return fetch_local(source);
    }
    let web = Web::new();
    let bytes = if source.starts_with("oci://") {
        oci::pull(&web, &Reference::parse(source)?)?
    } else {
        web::download(&web, source)?
    };
    Ok(Fetched { bytes, source: source.to_owned() })
}

/// Brings a component that is on this machine.
pub(super) fn fetch_local(source: &str) -> Result<Fetched, FetchError> {
    if is_remote(source) {
        return Err(FetchError::Remote { source_name: source.to_owned() });
    }
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
