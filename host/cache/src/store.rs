//! A store's folder, opened.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::RecordBatch;

use crate::catalog::Catalog;
use crate::checkpoint::Checkpoint;
use crate::error::{LockError, StoreError};
use crate::forgotten::Forgotten;
use crate::layout::{Layout, make_folder};
use crate::ledger::{self, Asked, Listing, UnitState};
use crate::lock::Holder;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::writer::Writer;
use crate::{backup, catalog, checkpoint, crashed, lease, lock, tables};

/// Names that may lie in a store's folder before there is a catalog.
const OURS: &[&str] = &[
    "backups",
    "cache",
    "compiled",
    "components",
    "config.toml",
    "hypaware",
    "lock",
    "log",
    "logs",
    "plugins",
    "plugins.lock",
    "readers",
    "tmp",
    "unswept",
];

/// An opened store. Cheap to clone; nothing is held open.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
}

impl Store {
    /// Opens a store to read. Nothing is changed in it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none, [`StoreError::Newer`] when a newer hyp wrote it,
    /// [`StoreError::Foreign`] when the folder belongs to something else, [`StoreError::Lost`] when the catalog was emptied.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let root = std::path::absolute(dir).map_err(StoreError::io(dir))?;
        let layout = Layout { root };
        let path = layout.catalog();
        if !path.try_exists().map_err(StoreError::io(&path))? {
            if layout.warehouse().join(catalog::NAME).is_dir() {
                refuse_lost(&layout, "is not there")?;
            }
            return Err(StoreError::Missing { path: layout.root });
        }
        if Catalog::read(&layout.catalog())?.is_blank()? {
            refuse_lost(&layout, "is empty")?;
        }
        Ok(Self { layout })
    }

    /// Opens a store, or makes an empty one that only its owner may read.
    ///
    /// # Errors
    /// As [`Store::open`]; a folder with other things in it is refused.
    pub fn open_or_create(dir: &Path) -> Result<Self, StoreError> {
        match Self::open(dir) {
            Err(StoreError::Missing { path }) => Self::create(path),
            opened => opened,
        }
    }

    /// Looks whether a store is at a folder, or could be made there. Nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when the folder belongs to something else, [`StoreError::Lost`] when its catalog is gone.
    pub fn check(dir: &Path) -> Result<(), StoreError> {
        match Self::open(dir) {
            Err(StoreError::Missing { path }) => check_vacant(&path),
            Err(error @ (StoreError::Foreign { .. } | StoreError::Lost { .. })) => Err(error),
            _ => Ok(()),
        }
    }

    fn create(root: PathBuf) -> Result<Self, StoreError> {
        check_vacant(&root)?;
        if !root.exists() {
            make_folder(&root)?;
        }
        let layout = Layout { root };
        make_folder(&layout.warehouse())?;
        Ok(Self { layout })
    }

    /// Takes the lock and everything that only its holder may do: migrating, sweeping, writing.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process still has it after `wait`.
    pub fn writer(&self, wait: Duration, run_id: &str) -> Result<Writer, LockError> {
        let lock = lock::take(&self.layout.lock(), wait, run_id)?;
        let path = self.layout.catalog();
        if !path.exists() {
            // Made here, so that SQLite's files get the rights of ours.
            drop(crate::layout::create_file(&path)?);
        }
        let mut catalog = Catalog::write(&path)?;
        let is_current = catalog.is_current()?;
        // Whatever the catalog does not name is swept: nothing may be, where that is everything.
        if catalog.is_blank()? {
            refuse_lost(&self.layout, "is empty")?;
        } else if catalog.lost_its_tables()? {
            refuse_lost(&self.layout, "names no table")?;
        }
        if catalog.is_behind()? {
            let copy = backup::make(&self.layout, &catalog)?;
            backup::keep_only(&self.layout, &copy)?;
        }
        catalog.bring_up_to_date()?;
        if !is_current {
            crate::layout::sync_folder(&self.layout.root)?;
        }
        Ok(Writer::new(self.clone(), lock, catalog, run_id)?)
    }

    /// Returns who is writing to the store, if anybody is.
    pub fn holder(&self) -> Option<Holder> {
        lock::held(&self.layout.lock())
    }

    /// Has SQLite look at the catalog; returns what is wrong with it.
    ///
    /// # Errors
    /// Fails when the catalog cannot be opened or read.
    pub fn check_catalog(&self) -> Result<Vec<String>, StoreError> {
        let catalog = Catalog::read(&self.catalog_path())?;
        catalog.check()
    }

    /// Returns what a reader sees now.
    ///
    /// # Errors
    /// Fails when the catalog, or a file of metadata that it points at, cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let lease = lease::take(&self.layout.readers());
        let Some(catalog) = self.reader()? else { return Ok(Snapshot::empty()) };
        match catalog.pointer()? {
            Some(location) => Ok(Snapshot::new(&Table::load(&self.layout, &location)?, lease)),
            None => Ok(Snapshot::empty()),
        }
    }

    /// Returns what is known of a provider's units.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn units(&self, provider: &str) -> Result<HashMap<String, UnitState>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(HashMap::new()) };
        ledger::units(&catalog, provider)
    }

    /// Returns what was asked of every run, the latest first; nothing where an older hyp wrote the store.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn asked(&self) -> Result<Vec<Asked>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Vec::new()) };
        if catalog.is_behind()? {
            return Ok(Vec::new());
        }
        ledger::asked(&catalog.connection).map_err(|error| catalog.error(error))
    }

    /// Returns what stands for all that was written so far, and the run that wrote last. Merging files changes neither.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn written(&self) -> Result<(String, Option<String>), StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Default::default()) };
        ledger::written(&catalog.connection).map_err(|error| catalog.error(error))
    }

    /// Returns where a unit can be gone on with.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn checkpoint(
        &self,
        provider: &str,
        unit_id: &str,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(None) };
        checkpoint::get(&catalog, provider, unit_id)
    }

    /// Returns what a provider's source looked like when it was last imported whole.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn listing(&self, provider: &str) -> Result<Option<Listing>, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(None) };
        ledger::listing(&catalog, provider)
    }

    /// Returns all rows of one of [`TABLES`](crate::TABLES), with the schema of
    /// [`table_schema`](crate::table_schema).
    ///
    /// # Errors
    /// Fails when there is no such table, or the catalog cannot be read.
    pub fn read_table(&self, name: &str) -> Result<RecordBatch, StoreError> {
        let catalog = self.reader()?;
        let crashed = match &catalog {
            // What is wrong with the catalog, the reading itself tells.
            Some(catalog) if name == tables::RUNS => {
                crashed::unnoted(&catalog.connection, self).unwrap_or_default()
            }
            _ => BTreeSet::new(),
        };
        tables::read(catalog.as_ref(), name, &crashed)
    }

    /// Returns where the catalog lies.
    pub fn catalog_path(&self) -> PathBuf {
        self.layout.catalog()
    }

    /// Returns the store's folder.
    pub fn dir(&self) -> &Path {
        &self.layout.root
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns what was purged and is not to be imported again.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn forgotten(&self) -> Result<Forgotten, StoreError> {
        let Some(catalog) = self.reader()? else { return Ok(Forgotten::default()) };
        if catalog.is_behind()? {
            return Ok(Forgotten::default());
        }
        Forgotten::load(&catalog.connection).map_err(|error| catalog.error(error))
    }

    /// Opens the catalog to read; none when nothing was ever written to it.
    pub(crate) fn reader(&self) -> Result<Option<Catalog>, StoreError> {
        if !self.layout.catalog().exists() {
            return Ok(None);
        }
        let catalog = Catalog::read(&self.layout.catalog())?;
        // One that is behind is read as it is: only the lock's holder may change it.
        let has_tables = catalog.is_current()? || catalog.is_behind()?;
        Ok(has_tables.then_some(catalog))
    }
}

/// Refuses a store whose catalog knows of nothing, where files of tables lie beside it.
fn refuse_lost(layout: &Layout, what: &'static str) -> Result<(), StoreError> {
    match layout.has_files()? {
        true => {
            Err(StoreError::Lost { path: layout.catalog(), warehouse: layout.warehouse(), what })
        }
        false => Ok(()),
    }
}

/// Refuses a folder without a catalog where other things lie than those that may come before one.
fn check_vacant(root: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StoreError::io(root))?,
    };
    for entry in entries {
        let name = entry.map_err(StoreError::io(root))?.file_name();
        let name = name.to_string_lossy();
        // An empty one was made when the store was, and then nothing came of it.
        let is_empty = || fs::read_dir(root.join(&*name)).is_ok_and(|it| it.count() == 0);
        let is_begun = name == "warehouse" && is_empty();
        if !is_begun && !name.starts_with("catalog.db") && !OURS.contains(&name.as_ref()) {
            let found = format!("it holds `{name}`");
            return Err(StoreError::Foreign { path: root.to_owned(), found });
        }
    }
    Ok(())
}
