//! What came of a scan.

use std::time::Duration;

use crate::account::Account;

/// What came of reading one unit.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ScanReport {
    /// One for each input of the unit, in its order.
    pub inputs: Vec<InputReport>,
    /// Bytes of events that the guest emitted.
    pub bytes_emitted: u64,
    /// What the guest computed, about an instruction a piece; only where the host [counts](crate::Limits::is_metered) it.
    pub fuel: Option<u64>,
    /// Most bytes of linear memory that the guest had.
    pub memory: u64,
    /// Time spent in the guest itself.
    pub guest_time: Duration,
    /// Totals that the client itself wrote.
    pub counters: Vec<Counter>,
    /// True where the scan ended before the unit did, because it was cancelled or the receiver wanted no more.
    pub stopped: bool,
}

/// What came of reading one input. All bytes are those of the unpacked stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputReport {
    /// Bytes handed to the guest, each counted once.
    pub bytes_read: u64,
    /// Bytes that the guest accounted for.
    pub claimed: u64,
    /// Whether the guest opened it.
    pub opened: bool,
    /// Whether the guest saw its end.
    pub ended: bool,
    /// What the system or the compressed stream said where reading broke off, if it did.
    pub failed: Option<String>,
    /// Lines that were longer than a record may be.
    pub long_lines: Vec<LongLine>,
}

/// A line that was passed over because it is longer than a record may be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/inputs.wit")]
pub struct LongLine {
    pub offset: u64,
    pub length: u64,
    pub head: Vec<u8>,
}

/// A total that the client itself wrote, for reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Counter {
    pub thread_id: String,
    pub name: String,
    pub value: u64,
}

/// The books of one input while its unit is read.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) account: Account,
    pub(crate) opened: bool,
    pub(crate) ended: bool,
    /// Why reading broke off.
    pub(crate) failed: Option<String>,
    pub(crate) long_lines: Vec<LongLine>,
}

impl Books {
    /// Opens the books of an input that is read from a checkpoint on.
    pub(crate) fn from(offset: u64) -> Self {
        Self { account: Account::from(offset), ..Self::default() }
    }

    pub(crate) fn hand(&mut self, offset: u64, length: u64) {
        self.account.hand(offset, length);
    }

    /// Hands out a row of a database, right after those before it; returns where that is.
    pub(crate) fn hand_row(&mut self, length: u64) -> u64 {
        let offset = self.account.bytes_handed();
        self.hand(offset, length);
        offset
    }

    pub(crate) fn close(self) -> InputReport {
        InputReport {
            bytes_read: self.account.bytes_handed(),
            claimed: self.account.bytes_claimed(),
            opened: self.opened,
            ended: self.ended,
            failed: self.failed,
            long_lines: self.long_lines,
        }
    }
}
