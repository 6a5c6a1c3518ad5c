//! One writer at a time: an advisory lock of the system, with its holder written inside.
//!
//! The system drops the lock when its process ends, however it ends, so there are no stale locks.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::clock;
use crate::error::{LockError, StoreError};

/// Who holds the lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Process.
    pub pid: u32,
    /// Run.
    pub run_id: String,
    /// When it was taken, in microseconds.
    pub since: i64,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "process {} (run {})", self.pid, self.run_id)
    }
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock, waiting at most `wait` for another holder.
pub(crate) fn take(path: &Path, wait: Duration, run_id: &str) -> Result<Lock, LockError> {
    let mut file = options().open(path).map_err(StoreError::io(path))?;
    // Who only looks whether it is held has it for a moment.
    let mut left = wait.max(PAUSE);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if left.is_zero() => {
                return Err(LockError::Held { holder: holder(&mut file) });
            }
            Err(TryLockError::WouldBlock) => {
                let pause = PAUSE.min(left);
                std::thread::sleep(pause);
                left -= pause;
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::io(path)(source).into());
            }
        }
    }
    let text = format!("{}\n{run_id}\n{}\n", std::process::id(), clock::now());
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(StoreError::io(path))?;
    Ok(Lock { _file: file })
}

/// Returns who holds the lock, if anybody does.
pub(crate) fn held(path: &Path) -> Option<Holder> {
    let mut file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder(&mut file)),
        _ => None,
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    if read.is_err() {
        return Holder::default();
    }
    let mut lines = text.lines();
    Holder {
        pid: lines.next().and_then(|pid| pid.parse().ok()).unwrap_or_default(),
        run_id: lines.next().unwrap_or_default().to_owned(),
        since: lines.next().and_then(|at| at.parse().ok()).unwrap_or_default(),
    }
}
