//! Finds stored rows by their id: bloom filters first, then the ids of the row group that may have it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use hyp_model::dataset::position;
use hyp_model::row::Key;
use parquet::arrow::ProjectionMask;
use parquet::bloom_filter::Sbbf;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::error::StoreError;
use crate::source;
use crate::table::LiveData;
use crate::threads::Owner;

/// Ids that are held in memory at most, over all row groups.
const HELD: usize = 2_000_000;

/// Where a stored row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Location of its file.
    pub(crate) file: String,
    /// Position in the file.
    pub(crate) row: u64,
    /// Number of its owner; see [`Index::owner`].
    pub(crate) owner: u32,
}

struct Entry {
    key: [u8; 16],
    row: u32,
    owner: u32,
}

struct Group {
    first_row: u64,
    bloom: Option<Sbbf>,
    entries: Option<Arc<[Entry]>>,
    used: u64,
}

/// What is known of the files' ids.
#[derive(Default)]
pub(crate) struct Index {
    files: HashMap<String, Vec<Group>>,
    owners: Vec<Owner>,
    owner_numbers: HashMap<Owner, u32>,
    held: usize,
    clock: u64,
    /// Files that had no bloom filter and were read whole.
    pub(crate) without_filter: Vec<String>,
}

impl Index {
    /// Returns the columns that tell whose a row is.
    pub(crate) fn owner(&self, number: u32) -> Option<&Owner> {
        self.owners.get(number as usize)
    }

    /// Forgets files that are gone.
    pub(crate) fn retain(&mut self, data: &[LiveData]) {
        let live: HashSet<&str> = data.iter().map(|data| data.live.file.file_path()).collect();
        self.files.retain(|file, _| live.contains(file.as_str()));
        let entries = self.files.values().flatten().filter_map(|group| group.entries.as_ref());
        self.held = entries.map(|entries| entries.len()).sum();
    }

    /// Finds rows that are stored and not superseded, in files that `skip` does not name.
    pub(crate) fn find(
        &mut self,
        data: &[LiveData],
        skip: &HashSet<String>,
        wanted: &[(Key, &str)],
    ) -> Result<HashMap<Key, Hit>, StoreError> {
        let mut hits = HashMap::new();
        for data in data {
            let file = data.live.file.file_path();
            if skip.contains(file) || wanted.is_empty() {
                continue;
            }
            if !self.files.contains_key(file) {
                let groups = open(&data.live.path)?;
                if groups.iter().any(|group| group.bloom.is_none()) {
                    self.without_filter.push(data.live.path.display().to_string());
                }
                self.files.insert(file.to_owned(), groups);
            }
            let groups = self.files.get(file).map_or(0, Vec::len);
            for group in 0..groups {
                self.find_in_group(data, group, wanted, &mut hits)?;
            }
        }
        Ok(hits)
    }

    fn find_in_group(
        &mut self,
        data: &LiveData,
        at: usize,
        wanted: &[(Key, &str)],
        hits: &mut HashMap<Key, Hit>,
    ) -> Result<(), StoreError> {
        let file = data.live.file.file_path();
        let Some(group) = self.files.get_mut(file).and_then(|groups| groups.get_mut(at)) else {
            return Ok(());
        };
        let may_have = |id: &str| group.bloom.as_ref().is_none_or(|bloom| bloom.check(id));
        let likely: Vec<Key> =
            wanted.iter().filter(|(_, id)| may_have(id)).map(|(key, _)| *key).collect();
        if likely.is_empty() {
            return Ok(());
        }
        self.clock += 1;
        group.used = self.clock;
        let first_row = group.first_row;
        let entries = match &group.entries {
            Some(entries) => Arc::clone(entries),
            None => self.load(data, at)?,
        };
        for key in likely {
            let from = entries.partition_point(|entry| entry.key < key.0);
            for entry in entries[from..].iter().take_while(|entry| entry.key == key.0) {
                let row = first_row + u64::from(entry.row);
                if data.deleted.binary_search(&row).is_err() {
                    hits.insert(key, Hit { file: file.to_owned(), row, owner: entry.owner });
                }
            }
        }
        Ok(())
    }

    fn load(&mut self, data: &LiveData, at: usize) -> Result<Arc<[Entry]>, StoreError> {
        let path = &data.live.path;
        let mut entries = Vec::new();
        let builder = source::open(path)?;
        let names = ["part_id", "session_id", "conversation_id", "input_id"];
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let reader = builder
            .with_row_groups(vec![at])
            .with_projection(mask)
            .build()
            .map_err(StoreError::parquet(path))?;
        let mut row = 0u32;
        let mut last: Option<(Owner, u32)> = None;
        for batch in reader {
            let batch = batch.map_err(StoreError::arrow(path))?;
            let column = |name| {
                let column = batch.column_by_name(name).and_then(|it| it.as_string_opt::<i32>());
                column.ok_or_else(|| StoreError::damaged(path, format!("no column `{name}`")))
            };
            let [ids, sessions, conversations, inputs] =
                [column(names[0])?, column(names[1])?, column(names[2])?, column(names[3])?];
            for at in 0..batch.num_rows() {
                let text = |column: &arrow::array::StringArray| {
                    column.is_valid(at).then(|| column.value(at).to_owned())
                };
                let input = if inputs.is_valid(at) { inputs.value(at) } else { "" };
                let owner = match &last {
                    Some((owner, number))
                        if owner.0 == sessions.value(at)
                            && owner.1.as_deref()
                                == conversations.is_valid(at).then(|| conversations.value(at))
                            && owner.2 == input =>
                    {
                        *number
                    }
                    _ => {
                        let owner: Owner = (
                            text(sessions).unwrap_or_default(),
                            text(conversations),
                            input.to_owned(),
                        );
                        let number = self.owner_number(&owner);
                        last = Some((owner, number));
                        number
                    }
                };
                let key = Key::of(ids.value(at).as_bytes()).0;
                entries.push(Entry { key, row, owner });
                row += 1;
            }
        }
        entries.sort_unstable_by_key(|entry| entry.key);
        let entries: Arc<[Entry]> = entries.into();
        self.hold(data.live.file.file_path(), at, &entries);
        Ok(entries)
    }

    fn owner_number(&mut self, owner: &Owner) -> u32 {
        if let Some(number) = self.owner_numbers.get(owner) {
            return *number;
        }
        let number = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        self.owners.push(owner.clone());
        self.owner_numbers.insert(owner.clone(), number);
        number
    }

    fn hold(&mut self, file: &str, at: usize, entries: &Arc<[Entry]>) {
        while self.held + entries.len() > HELD {
            let groups = self.files.values_mut().flatten();
            let held = groups.filter(|group| group.entries.is_some());
            let Some(oldest) = held.min_by_key(|group| group.used) else { break };
            self.held -= oldest.entries.take().map_or(0, |entries| entries.len());
        }
        if let Some(group) = self.files.get_mut(file).and_then(|groups| groups.get_mut(at)) {
            group.entries = Some(Arc::clone(entries));
            self.held += entries.len();
        }
    }
}

fn open(path: &Path) -> Result<Vec<Group>, StoreError> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    let again = file.try_clone().map_err(StoreError::io(path))?;
    let reader = SerializedFileReader::new(file).map_err(StoreError::parquet(path))?;
    let column = position("part_id").expect("the dataset has ids");
    let mut first_row = 0;
    let mut groups = Vec::new();
    for group in reader.metadata().row_groups() {
        let bloom = Sbbf::read_from_column_chunk(group.column(column), &again)
            .map_err(StoreError::parquet(path))?;
        groups.push(Group { first_row, bloom, entries: None, used: 0 });
        first_row += u64::try_from(group.num_rows()).unwrap_or_default();
    }
    Ok(groups)
}
