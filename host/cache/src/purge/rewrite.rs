//! Files without the rows that are purged: copies of the others, so that no old version of a row stays.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::AtomicBool;

use arrow::array::AsArray;
use hyp_model::row::Key;
use iceberg::spec::{DataFile, Operation};

use crate::error::StoreError;
use crate::gather::Work;
use crate::graves::Grave;
use crate::layout::Dirty;
use crate::publish::Edit;
use crate::purge::thin;
use crate::table::{LiveData, Partition, Table};
use crate::upkeep::MEMORY;
use crate::writer::Writer;
use crate::{purge, rows};

/// Positions by location.
type Rows = BTreeMap<String, BTreeSet<u64>>;

/// Returns the files that hold a row that goes, or an older version of one.
pub(crate) fn victims(
    table: &Table,
    gone: &Rows,
    ids: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let mut victims: BTreeSet<String> = gone.keys().cloned().collect();
    victims.extend(superseded(table, |id| ids.contains(id))?);
    Ok(victims)
}

/// Returns the files that hold a superseded row with one of some ids.
fn superseded(
    table: &Table,
    is_meant: impl Fn(&str) -> bool,
) -> Result<BTreeSet<String>, StoreError> {
    let mut files = BTreeSet::new();
    for data in table.data.iter().filter(|data| !data.deleted.is_empty()) {
        let positions = data.deleted.iter().copied().collect();
        let batch = rows::columns_at(&data.live.path, &positions, &["part_id"])?;
        let ids = batch.column_by_name("part_id").and_then(|ids| ids.as_string_opt::<i32>());
        if ids.is_some_and(|ids| ids.iter().flatten().any(&is_meant)) {
            files.insert(data.live.file.file_path().to_owned());
        }
    }
    Ok(files)
}

impl Writer {
    /// Writes the edit that leaves rows out, old versions with them, and adds what else changes.
    pub(super) fn rewrite(
        &self,
        gone: &Rows,
        victims: &BTreeSet<String>,
        mut work: Work,
        dirty: &mut Dirty,
    ) -> Result<Edit, StoreError> {
        let mut out: Rows = gone.clone();
        for (file, positions) in &work.superseded {
            if victims.contains(file) {
                out.entry(file.clone()).or_default().extend(positions);
            }
        }
        work.superseded.retain(|file, _| !victims.contains(file));
        let mut edit = self.write_files(&work, dirty)?;
        edit.forgets = true;
        let mut removed: BTreeMap<&Partition, BTreeSet<String>> = BTreeMap::new();
        for data in &self.table.data {
            let location = data.live.file.file_path();
            if !victims.contains(location) {
                continue;
            }
            let partition = &data.live.partition;
            removed.entry(partition).or_default().insert(location.to_owned());
            let mut deleted: BTreeSet<u64> = data.deleted.iter().copied().collect();
            deleted.extend(out.get(location).into_iter().flatten());
            edit.data.extend(self.without(
                data,
                &deleted.into_iter().collect::<Vec<_>>(),
                dirty,
            )?);
        }
        for (partition, files) in removed {
            edit.remove(&self.table, partition, files);
        }
        Ok(edit)
    }

    /// Writes the rows of a file but for some; nothing where none are left.
    fn without(
        &self,
        data: &LiveData,
        gone: &[u64],
        dirty: &mut Dirty,
    ) -> Result<Option<DataFile>, StoreError> {
        let partition = &data.live.partition;
        if gone.len() as u64 >= data.live.file.record_count() {
            return Ok(None);
        }
        if thin::is_current(data)? {
            let path = self.new_file(partition, "parquet");
            return thin::thin(data, gone, &path, dirty).map(Some);
        }
        let sources = vec![(data, gone.to_vec())];
        let cancelled = AtomicBool::new(false);
        Ok(self.write_merged(partition, sources, MEMORY, dirty, &cancelled)?.flatten())
    }

    /// Rewrites the files that still hold rows which a commit has just purged.
    pub(crate) fn erase(&mut self, graves: &[Grave]) -> Result<(), StoreError> {
        let parts: HashSet<Key> = graves.iter().map(|grave| grave.part).collect();
        let victims = superseded(&self.table, |id| parts.contains(&Key::of(id.as_bytes())))?;
        if victims.is_empty() {
            return Ok(());
        }
        self.announce()?;
        let mut dirty = Dirty::default();
        let edit = self.rewrite(&Rows::new(), &victims, Work::default(), &mut dirty)?;
        let next = self.prepare(edit, Operation::Replace, dirty)?;
        self.swap(Some(&next), purge::erase::ask)?;
        self.adopt(next);
        self.finish_purge()?;
        Ok(())
    }
}
