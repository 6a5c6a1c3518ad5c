//! What a component takes: added up over all of its guests, whichever thread they run in.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::RunError;

/// What a component took since it was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Time of the processor in calls into its guests, the host functions that they called included.
    pub cpu_time: Duration,
    /// Linear memory of the guest that had most, in bytes.
    pub peak_memory: u64,
    /// Bytes that were handed to its guests, unpacked.
    pub bytes_read: u64,
    /// Guests that were started.
    pub guests: u64,
    /// Limits that were met, by name, and how often: `memory`, `deadline`, `output`, `statement`.
    pub limits_hit: BTreeMap<&'static str, u64>,
}

/// Adds up a receipt.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Receipt>);

impl Meter {
    pub(crate) fn receipt(&self) -> Receipt {
        self.open().clone()
    }

    pub(crate) fn started(&self) {
        self.open().guests += 1;
    }

    /// Adds a call into a guest.
    pub(crate) fn called(&self, cpu_time: Duration, memory: usize, bytes_read: u64) {
        let mut receipt = self.open();
        receipt.cpu_time += cpu_time;
        receipt.peak_memory = receipt.peak_memory.max(memory as u64);
        receipt.bytes_read += bytes_read;
    }

    /// Adds the end of a guest, if a limit was its cause.
    pub(crate) fn failed(&self, error: &RunError) {
        let limit = match error {
            RunError::Memory { .. } => "memory",
            RunError::Deadline { .. } => "deadline",
            RunError::OutputBound { .. } => "output",
            RunError::Statement { .. } => "statement",
            _ => return,
        };
        *self.open().limits_hit.entry(limit).or_default() += 1;
    }

    fn open(&self) -> MutexGuard<'_, Receipt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how long the processor has worked for this thread.
#[cfg(unix)]
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Returns how long this program has run: elsewhere, waiting counts as working.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
