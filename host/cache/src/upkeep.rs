//! Upkeep: few files, in order, without superseded or expired rows, and no id twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::compaction::Merging;
use crate::due::{Due, due};
use crate::error::StoreError;
use crate::retention::Expired;
use crate::writer::Writer;
use crate::{backup, clock};

/// Bytes that merging may take.
pub(crate) const MEMORY: u64 = 256 << 20;

/// Bytes of files, compressed, that are expected to be merged in a second before any were.
const RATE: f64 = 6.0 * 1024.0 * 1024.0;

/// What upkeep may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Time that merging may take; without one, everything that is due is done.
    pub budget: Option<Duration>,
    /// Looks at the ids of all files, and not only of those that are merged.
    pub is_thorough: bool,
    /// First moment that is kept; without one, everything is.
    pub retained_from: Option<i64>,
    /// Removes what expired even where that is most of the table.
    pub may_remove_most: bool,
}

/// What upkeep did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Upkept {
    /// Rows that expired.
    pub expired: Expired,
    /// Files that were put into others.
    pub files_merged: u64,
    /// Files that they were put into.
    pub files_made: u64,
    /// True when another program had written to the table, so that all ids were checked.
    pub is_foreign: bool,
    /// Ids that more than one row had; all but one of these rows were dropped.
    pub doubles: Vec<String>,
    /// Files that were removed since nothing pointed at them.
    pub files_removed: u64,
    /// Their bytes.
    pub bytes_removed: u64,
    /// Partitions that are left for another time.
    pub left: u64,
    /// Seconds that it took.
    pub seconds: f64,
}

impl Writer {
    /// Keeps the table in order, for as long as it may.
    ///
    /// Each step is a commit of its own: whatever ends it, the table is whole.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written.
    pub fn maintain(
        &mut self,
        upkeep: &Upkeep,
        cancelled: &AtomicBool,
    ) -> Result<Upkept, StoreError> {
        let started = Instant::now();
        let mut done = Upkept {
            doubles: std::mem::take(&mut self.doubles),
            is_foreign: self.is_foreign,
            ..Upkept::default()
        };
        backup::forget(self.store.layout(), Some(clock::now()))?;
        match upkeep.retained_from {
            Some(from) => {
                done.expired = self.expire(from, upkeep.may_remove_most, cancelled)?;
            }
            None => self.keep_all()?,
        }
        if upkeep.is_thorough {
            done.doubles.extend(self.drop_doubles(|_| true)?);
        }
        let mut rate = RATE;
        let mut merged = (0, Duration::ZERO);
        loop {
            let waiting = due(&self.table);
            done.left = waiting.len() as u64;
            let left = upkeep.budget.map(|budget| budget.saturating_sub(started.elapsed()));
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let fits =
                |due: &Due| left.is_none_or(|left| due.bytes as f64 / rate <= left.as_secs_f64());
            let Some(next) = waiting.into_iter().find(fits) else { break };
            if cancelled.load(Ordering::Relaxed) {
                break;
            }
            let before = Instant::now();
            let bytes = next.bytes;
            if !self.merge_due(next, upkeep, &mut done, cancelled)? {
                break;
            }
            merged = (merged.0 + bytes, merged.1 + before.elapsed());
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            if merged.1 > Duration::ZERO {
                rate = merged.0 as f64 / merged.1.as_secs_f64();
            }
        }
        let rubbish = match self.is_marked {
            true => self.collect()?,
            false => std::mem::take(&mut self.swept),
        };
        done.files_removed = rubbish.files;
        done.bytes_removed = rubbish.bytes;
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    fn merge_due(
        &mut self,
        due: Due,
        upkeep: &Upkeep,
        done: &mut Upkept,
        cancelled: &AtomicBool,
    ) -> Result<bool, StoreError> {
        let Due { partition, mut files, .. } = due;
        if !upkeep.is_thorough {
            done.doubles
                .extend(self.drop_doubles(|data| files.contains(data.live.file.file_path()))?);
        }
        files.retain(|file| self.table.data.iter().any(|data| data.live.file.file_path() == file));
        let (count, before) = (files.len() as u64, self.table.data.len() as u64);
        if !self.merge(Merging { partition, files, memory: MEMORY }, cancelled)? {
            return Ok(false);
        }
        done.files_merged += count;
        done.files_made += self.table.data.len() as u64 + count - before;
        Ok(true)
    }
}
