//! A chunk of changes: files of every dataset first, then one transaction that makes them the tables.

use std::collections::BTreeMap;

use hyp_model::row::Key;
use iceberg::spec::{Operation, Struct};

use super::files::new_path;
use super::journal::Journal;
use super::stage::Stage;
use super::{
    AuditEntry, DatasetRow, JournalEntry, OpenDataset, Place, SOURCE_ID, SOURCE_SYSTEM, journal,
    origin_key, read,
};
use crate::commit::Committed;
use crate::deletes::{self, Positions};
use crate::error::StoreError;
use crate::failpoint;
use crate::install::Next;
use crate::layout::Dirty;
use crate::publish::Edit;
use crate::undo::mark_undone;
use crate::writer::Writer;

/// Rows of one dataset.
#[derive(Default)]
pub struct DatasetWrite {
    /// New rows that are written already.
    pub staged: Option<Stage>,
    /// Rows that are there from now on, in place of those with the same keys.
    pub rows: Vec<DatasetRow>,
    /// Keys that have no row any more.
    pub removed: Vec<Key>,
    /// The run whose rows these are, if they are: they are journalled as they are read, however many there are.
    pub removed_of: Option<String>,
}

impl DatasetWrite {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.removed.is_empty() && self.staged.is_none()
    }
}

/// What is written together or not at all.
#[derive(Default)]
pub struct DatasetCommit {
    /// Rows, by dataset.
    pub writes: BTreeMap<String, DatasetWrite>,
    /// What is done, for undoing it.
    pub journal: Vec<JournalEntry>,
    /// The run that this undoes, wholly.
    pub undoes: Option<String>,
    /// What people should be able to look up. It may fail where the rest does not.
    pub audit: Vec<AuditEntry>,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatasetCommitted {
    /// Rows written.
    pub rows: u64,
    /// Stored rows that were replaced or removed.
    pub superseded: u64,
    /// Why the audit lacks entries, if it does, and how many.
    pub audit_failed: Option<(String, u64)>,
}

/// A dataset on its way to its next state.
struct Written {
    name: String,
    next: Next,
    /// Keys of the rows in the new file, in their order.
    keys: Vec<Key>,
    /// Where these rows came from.
    origins: Vec<Key>,
    removed: Vec<Key>,
    removed_of: Option<String>,
    location: Option<String>,
}

impl Writer {
    /// Writes a chunk. When this returns, it is on the disk; when it fails, the datasets are as before.
    ///
    /// # Errors
    /// Fails when a file cannot be written or read, or when another program changed a table.
    pub fn commit_datasets(
        &mut self,
        open: &mut BTreeMap<String, OpenDataset>,
        commit: DatasetCommit,
    ) -> Result<DatasetCommitted, StoreError> {
        let mut done = DatasetCommitted::default();
        let DatasetCommit { writes, journal, undoes, audit } = commit;
        self.announce()?;
        let mut written = Vec::new();
        for (name, write) in writes.into_iter().filter(|(_, write)| !write.is_empty()) {
            let Some(dataset) = open.get(&name) else { return Err(StoreError::NoTable { name }) };
            done.rows += write.rows.len() as u64 + write.staged.as_ref().map_or(0, Stage::rows);
            written.push(self.write_dataset(name, dataset, write, &mut done.superseded)?);
        }
        let noted =
            self.swap_datasets(open, &written, (&journal, &audit, undoes.as_deref()), &done)?;
        done.audit_failed = noted.map(|class| (class, audit.len() as u64));
        failpoint::hit("after_catalog")?;
        self.chunks += 1;
        for one in written {
            if let Some(dataset) = open.get_mut(&one.name) {
                dataset.adopt(one);
            }
        }
        Ok(done)
    }

    fn write_dataset(
        &self,
        name: String,
        dataset: &OpenDataset,
        mut write: DatasetWrite,
        superseded: &mut u64,
    ) -> Result<Written, StoreError> {
        let mut dirty = Dirty::default();
        let mut edit = Edit { schema: dataset.widened.clone(), ..Edit::default() };
        let keys: Vec<Key> = write.rows.iter().map(|row| dataset.key(row)).collect();
        let origins = write.rows.iter().filter_map(|row| dataset.origin(row)).collect();
        if !write.rows.is_empty() {
            let mut stage = Stage::begin(dataset)?;
            write.rows.drain(..).try_for_each(|row| stage.push(row))?;
            edit.data.push(stage.finish(&mut dirty)?);
        }
        let location = edit.data.first().map(|file| file.file_path().to_owned());
        if let Some(stage) = write.staged.take() {
            edit.data.push(stage.finish(&mut dirty)?);
        }
        let mut positions: Positions = BTreeMap::new();
        for key in keys.iter().chain(&write.removed) {
            if let Some(place) = dataset.index.get(key) {
                let file = &dataset.files[place.file as usize];
                let rows = positions.entry(file.location.clone()).or_default();
                *superseded += u64::from(rows.insert(place.row.into()));
            }
        }
        if !positions.is_empty() {
            let path = new_path(&dataset.table, "deletes.parquet");
            edit.deletes.push(deletes::write(&path, Struct::empty(), &positions, &mut dirty)?);
        }
        failpoint::hit("after_delete_files")?;
        let operation = if positions.is_empty() { Operation::Append } else { Operation::Overwrite };
        let next = Next::of(self.store().layout(), &dataset.table, edit, operation, dirty)?;
        let DatasetWrite { removed, removed_of, .. } = write;
        Ok(Written { name, next, keys, origins, removed, removed_of, location })
    }

    /// Makes what is written the datasets, with journal and audit. Returns why the audit could not be written, if so.
    fn swap_datasets(
        &self,
        open: &BTreeMap<String, OpenDataset>,
        written: &[Written],
        (entries, audit, undoes): (&[JournalEntry], &[AuditEntry], Option<&str>),
        done: &DatasetCommitted,
    ) -> Result<Option<String>, StoreError> {
        let failed = |error| self.catalog.error(error);
        let transaction = self.catalog.connection.unchecked_transaction().map_err(failed)?;
        for one in written {
            let from = open.get(&one.name).and_then(|it| it.table.location.as_deref());
            if !one.next.put(&transaction, from).map_err(failed)? {
                return Err(StoreError::Conflict { path: self.catalog.path.clone() });
            }
        }
        let mut journal =
            Journal::new(&transaction, &self.run_id, self.chunks + 1).map_err(failed)?;
        entries.iter().try_for_each(|entry| journal.put(entry)).map_err(failed)?;
        for one in written {
            if let Some((run, dataset)) = one.removed_of.as_ref().zip(open.get(&one.name)) {
                journal.put_removals(dataset, run)?.map_err(failed)?;
            }
        }
        drop(journal);
        let noted = journal::audit(&transaction, &self.run_id, audit);
        let first = written.first();
        let done = Committed {
            snapshot_id: first.and_then(|one| one.next.table.metadata.current_snapshot_id()),
            rows: done.rows,
            superseded: done.superseded,
            files: written.len(),
        };
        let undone = undoes.map(|run| mark_undone(&transaction, run, &self.run_id));
        undone.unwrap_or(Ok(())).map_err(failed)?;
        self.put_chunk(&transaction, &done).map_err(failed)?;
        failpoint::hit("in_catalog")?;
        transaction.commit().map_err(failed)?;
        Ok(noted.err().map(|error| class(&error)))
    }
}

impl OpenDataset {
    /// Goes on with the table that the pointer names now.
    fn adopt(&mut self, written: Written) {
        self.table = written.next.table;
        self.widened = None;
        for key in &written.removed {
            self.index.remove(key);
        }
        self.origins.extend(written.origins);
        let new = written.location.and_then(|location| {
            let is_new = |data: &&crate::table::LiveData| data.live.file.file_path() == location;
            self.table.data.iter().find(is_new).map(read::file_of)
        });
        let Some(new) = new else { return };
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push(new);
        for (row, key) in (0u32..).zip(written.keys) {
            self.index.insert(key, Place { file, row });
        }
    }

    /// Returns what a row is found by that came from somewhere else.
    fn origin(&self, row: &[hyp_model::item::Datum]) -> Option<Key> {
        let text = |name| row.get(self.position(name)?)?.as_text();
        Some(origin_key(text(SOURCE_SYSTEM)?, text(SOURCE_ID)?))
    }
}

/// Returns a word for what is wrong, without what was to be written.
fn class(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => format!("{:?}", failure.code),
        _ => "Other".to_owned(),
    }
}
