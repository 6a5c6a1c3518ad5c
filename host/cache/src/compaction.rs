//! Puts files of a partition into one, sorted, without the rows that were superseded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use iceberg::spec::{DataFile, Operation};

use crate::encode::Encoder;
use crate::error::StoreError;
use crate::failpoint;
use crate::layout::Dirty;
use crate::merge::{Stretch, merge, stretches};
use crate::publish::Edit;
use crate::table::{LiveData, Partition, Table};
use crate::writer::Writer;

/// Small files, or files of superseded rows, that a partition may have while a run goes on.
const FILES: usize = 8;

/// Size from which on a file is left alone while a run goes on.
pub(crate) const SMALL: u64 = 8 << 20;

/// Bytes that merging may take while a run goes on: workers hold rows at the same time.
const MEMORY: u64 = 64 << 20;

/// Files of one partition that are put into one.
pub(crate) struct Merging {
    pub(crate) partition: Partition,
    /// Locations of the files.
    pub(crate) files: BTreeSet<String>,
    /// Bytes that merging may take. With less than it needs, the new file is sorted in part.
    pub(crate) memory: u64,
}

/// Files, each with the positions of the rows that are left out, in ascending order.
pub(crate) type Sources<'a> = Vec<(&'a LiveData, Vec<u64>)>;

impl Writer {
    /// Compacts the newest partition that has too many files, if there is one.
    pub(crate) fn compact(&mut self) -> Result<(), StoreError> {
        let Some(partition) = crowded(&self.table) else { return Ok(()) };
        let here = self.table.data.iter().filter(|data| data.live.partition == partition);
        let chosen = here
            .filter(|data| data.live.file.file_size_in_bytes() < SMALL || !data.deleted.is_empty());
        let files = chosen.map(|data| data.live.file.file_path().to_owned()).collect();
        self.merge(Merging { partition, files, memory: MEMORY }, &AtomicBool::new(false))?;
        Ok(())
    }

    /// Puts files of a partition into one; false when it was cancelled, which changes nothing.
    pub(crate) fn merge(
        &mut self,
        merging: Merging,
        cancelled: &AtomicBool,
    ) -> Result<bool, StoreError> {
        failpoint::hit("before_compaction")?;
        self.announce()?;
        let Merging { partition, files, memory } = merging;
        let is_own = files.iter().all(|file| self.own.files().contains(file));
        let old = self.table.data.iter().filter(|it| files.contains(it.live.file.file_path()));
        let sources = old.map(|data| (data, data.deleted.to_vec())).collect();
        let mut dirty = Dirty::default();
        let mut edit = Edit::default();
        let Some(file) = self.write_merged(&partition, sources, memory, &mut dirty, cancelled)?
        else {
            return Ok(false);
        };
        edit.data.extend(file);
        edit.remove(&self.table, &partition, files);
        let added: Vec<String> = edit.data.iter().map(|file| file.file_path().to_owned()).collect();
        let next = self.prepare(edit, Operation::Replace, dirty)?;
        self.swap(Some(&next), |_| Ok(()))?;
        self.adopt(next);
        if is_own {
            added.into_iter().for_each(|file| self.own.add_file(file));
        }
        Ok(true)
    }
    /// Writes the rows of some files into one, if any are left; nothing when it was cancelled.
    pub(crate) fn write_merged(
        &self,
        partition: &Partition,
        sources: Sources<'_>,
        memory: u64,
        dirty: &mut Dirty,
        cancelled: &AtomicBool,
    ) -> Result<Option<Option<DataFile>>, StoreError> {
        let left = |(data, gone): &(&LiveData, Vec<u64>)| {
            data.live.file.record_count().saturating_sub(gone.len() as u64)
        };
        let count: u64 = sources.iter().map(left).sum();
        if count == 0 {
            return Ok(Some(None));
        }
        let path = self.new_file(partition, "parquet");
        let mut encoder = Encoder::new(&path, partition.clone(), count, dirty)?;
        let mut sorted = Vec::new();
        for (data, gone) in sources {
            sorted.extend(stretches(data, gone.into_iter())?);
        }
        let groups = within(sorted, memory);
        let is_sorted = groups.len() == 1;
        for group in groups {
            let is_whole = merge(group, |batch| {
                let goes_on = !cancelled.load(Ordering::Relaxed);
                if goes_on {
                    encoder.write(&batch)?;
                }
                Ok(goes_on)
            })?;
            if !is_whole {
                return Ok(None);
            }
        }
        encoder.finish(is_sorted, dirty).map(|file| Some(Some(file)))
    }
}

/// Divides stretches into groups that can be read side by side.
fn within(stretches: Vec<Stretch<'_>>, memory: u64) -> Vec<Vec<Stretch<'_>>> {
    let mut groups: Vec<Vec<Stretch<'_>>> = Vec::new();
    let mut taken = 0;
    for stretch in stretches {
        taken += stretch.memory;
        match groups.last_mut() {
            // Of fewer than two at a time, nothing would ever come into order.
            Some(group) if taken <= memory || group.len() < 2 => group.push(stretch),
            _ => {
                taken = stretch.memory;
                groups.push(vec![stretch]);
            }
        }
    }
    groups
}

/// Returns the newest partition with too many files.
fn crowded(table: &Table) -> Option<Partition> {
    let mut counts: BTreeMap<(i32, &str), (usize, usize)> = BTreeMap::new();
    for data in &table.data {
        let (client, month) = &data.live.partition;
        let is_small = data.live.file.file_size_in_bytes() < SMALL;
        counts.entry((*month, client)).or_default().0 += usize::from(is_small);
    }
    for deletes in &table.deletes {
        let (client, month) = &deletes.live.partition;
        counts.entry((*month, client)).or_default().1 += 1;
    }
    let crowded =
        counts.into_iter().rev().find(|(_, (data, deletes))| *data > FILES || *deletes > FILES);
    crowded.map(|((month, client), _)| (client.to_owned(), month))
}
