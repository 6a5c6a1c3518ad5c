//! What upkeep has to do: which files of which partitions are better put into one.

use std::collections::{BTreeMap, BTreeSet};

use crate::compaction::SMALL;
use crate::table::{LiveData, Partition, Table};

/// Small files that the newest month of a client may have: imports of the next days add to it.
const NEWEST: usize = 7;

/// Bytes of files that are put into one, at most.
const LARGE: u64 = 128 << 20;

/// A file with this share of superseded rows is written anew: one row of so many.
const SUPERSEDED: u64 = 5;

/// Files of one partition that are better put into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) partition: Partition,
    /// Locations of the files.
    pub(crate) files: BTreeSet<String>,
    pub(crate) bytes: u64,
}

/// What a partition consists of.
#[derive(Default)]
struct Contents<'a> {
    data: Vec<&'a LiveData>,
    deletes: usize,
}

/// Returns what is due, that which rids the table of most files for a byte first.
pub(crate) fn due(table: &Table) -> Vec<Due> {
    let mut partitions: BTreeMap<&Partition, Contents<'_>> = BTreeMap::new();
    for data in &table.data {
        partitions.entry(&data.live.partition).or_default().data.push(data);
    }
    for deletes in &table.deletes {
        partitions.entry(&deletes.live.partition).or_default().deletes += 1;
    }
    let mut newest: BTreeMap<&str, i32> = BTreeMap::new();
    for (client, month) in partitions.keys() {
        let known = newest.entry(client).or_insert(*month);
        *known = (*known).max(*month);
    }
    let found = partitions.iter().filter_map(|(partition, contents)| {
        let is_newest = newest.get(partition.0.as_str()) == Some(&partition.1);
        of_partition(partition, contents, is_newest)
    });
    let mut found: Vec<Due> = found.collect();
    found.sort_by_key(|due| (due.bytes / due.files.len().max(1) as u64, due.partition.clone()));
    found
}

fn of_partition(partition: &Partition, contents: &Contents<'_>, is_newest: bool) -> Option<Due> {
    let size = |data: &LiveData| data.live.file.file_size_in_bytes();
    let has_small = |most| contents.data.iter().filter(|data| size(data) < SMALL).count() > most;
    let takes_small = has_small(if is_newest { NEWEST } else { 1 });
    // A file of deletes goes once all the files that it names were written anew.
    let takes_deleted = contents.deletes > if is_newest { NEWEST } else { 1 };
    let is_due = |data: &&&LiveData| {
        let (rows, gone) = (data.live.file.record_count(), data.deleted.len() as u64);
        let is_sorted = data.live.file.sort_order_id() == Some(1);
        let is_small = size(data) < SMALL;
        let is_hollow = gone > 0 && (gone * SUPERSEDED >= rows || (is_small && !is_newest));
        !is_sorted || is_hollow || (takes_small && is_small) || (takes_deleted && gone > 0)
    };
    let mut chosen: Vec<&&LiveData> = contents.data.iter().filter(is_due).collect();
    chosen.sort_by_key(|data| size(data));
    let mut bytes = 0;
    let mut files = BTreeSet::new();
    for data in chosen {
        if !files.is_empty() && bytes + size(data) > LARGE {
            break;
        }
        bytes += size(data);
        files.insert(data.live.file.file_path().to_owned());
    }
    (!files.is_empty()).then(|| Due { partition: partition.clone(), files, bytes })
}
