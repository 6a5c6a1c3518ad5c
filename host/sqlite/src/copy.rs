//! Copies of databases that have a log: the state as of the last transaction that was whole.
//!
//! File and log are copied while their owner may write. Pages move from the log into the file at a checkpoint only, so
//! that a copy is good if the file did not change meanwhile and the log was not begun anew: what was appended to the log
//! is a transaction more, or one that is not whole and that SQLite passes over.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::connection;
use crate::database::{Sight, beside};
use crate::error::DatabaseError;

/// How often a copy is tried, and how long is waited before the next try.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Times of files may lag behind by as much: a file that is younger could change again and show the same time.
const GRAIN: Duration = Duration::from_millis(20);

/// Bytes at the start of a log that change when it is begun anew.
const LOG_HEADER: u64 = 32;

/// A copy, deleted when it is dropped.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) file: PathBuf,
    _folder: TempDir,
}

/// Copies a database with its log, and puts the two together in the copy.
pub(crate) fn make(file: &Path, scratch: &Path) -> Result<Copy, DatabaseError> {
    let failed = |source| DatabaseError::Copy { source };
    private_folder(scratch).map_err(failed)?;
    for attempt in 0..TRIES {
        if attempt > 0 {
            thread::sleep(PAUSE);
        }
        let folder = TempDir::with_prefix_in("lent-", scratch).map_err(failed)?;
        let copy = folder.path().join("copy.db");
        if try_copy(file, &copy).map_err(failed)? {
            connection::fold(&copy)?;
            return Ok(Copy { file: copy, _folder: folder });
        }
    }
    Err(DatabaseError::Restless)
}

/// Copies once; says whether the copy is of one moment.
fn try_copy(file: &Path, copy: &Path) -> io::Result<bool> {
    let before = (Sight::of(file)?, log_header(file)?);
    if !is_old_enough(before.0.main.modified) {
        return Ok(false);
    }
    fs::copy(file, copy)?;
    for (suffix, log) in [("-wal", &before.0.wal), ("-journal", &before.0.journal)] {
        if log.is_some() {
            match fs::copy(beside(file, suffix), beside(copy, suffix)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                other => other?,
            };
        }
    }
    let after = (Sight::of(file)?, log_header(file)?);
    Ok(before.0.main == after.0.main && before.0.journal == after.0.journal && before.1 == after.1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "file times are compared with the clock that made them"
)]
fn is_old_enough(modified: Option<SystemTime>) -> bool {
    modified.is_none_or(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > GRAIN))
}

fn log_header(file: &Path) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    match File::open(beside(file, "-wal")) {
        Ok(log) => log.take(LOG_HEADER).read_to_end(&mut header).map(|_| header),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(header),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}
