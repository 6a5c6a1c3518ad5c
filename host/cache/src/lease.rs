//! Leases of readers: as long as somebody reads, no file that an earlier commit named is removed.
//!
//! A reader takes its lease before it looks up the pointer. So whoever finds no lease at one moment may
//! remove what the pointer of that moment does not name: later readers follow that pointer.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use crate::error::StoreError;

/// Keeps the files of a snapshot where they are, until it is dropped.
#[derive(Debug, Clone, Default)]
pub struct Lease {
    _file: Option<Arc<File>>,
}

/// Takes a lease. Where the file is not there, or cannot be locked, nothing is removed either.
pub(crate) fn take(path: &Path) -> Lease {
    let file = OpenOptions::new().read(true).open(path).ok();
    let file = file.filter(|file| file.lock_shared().is_ok());
    Lease { _file: file.map(Arc::new) }
}

/// Says whether nobody reads. For the holder of the writers' lock.
pub(crate) fn is_free(path: &Path) -> Result<bool, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(StoreError::io(path))?;
    Ok(file.try_lock().is_ok())
}
