//! The catalog as it was before an upgrade, and the way back to it.
//!
//! Files of the table are never changed, so a copy of the catalog is a copy of the store, as long as the
//! files that it names stay: the sweep leaves them alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::Catalog;
use crate::clock;
use crate::error::{LockError, StoreError};
use crate::layout::{Layout, create_file, make_folder, sync_folder};
use crate::lock;
use crate::migrations;
use crate::store::Store;
use crate::table::Table;

/// How long a copy is kept, in microseconds: thirty days.
const KEPT: i64 = 30 * 86_400_000_000;

/// A copy of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// Version of the store that it is of.
    pub version: i64,
    /// Where it lies.
    pub path: PathBuf,
    /// When it was made, in microseconds.
    pub made_at: i64,
}

/// Copies the catalog beside the store, and returns where the copy lies. Earlier ones of other versions stay.
pub(crate) fn make(layout: &Layout, catalog: &Catalog) -> Result<PathBuf, StoreError> {
    let failed = |error| catalog.error(error);
    let version = version(catalog)?;
    let folder = layout.backups();
    make_folder(&folder)?;
    let path = folder.join(format!("catalog-v{version}.db"));
    let copy = begun(layout);
    remove(&copy)?;
    // Made here, so that it gets the rights of ours.
    drop(create_file(&copy)?);
    let target = copy.display().to_string();
    catalog.connection.execute("VACUUM INTO ?1", [target]).map_err(failed)?;
    fs::File::open(&copy).and_then(|file| file.sync_all()).map_err(StoreError::io(&copy))?;
    fs::rename(&copy, &path).map_err(StoreError::io(&path))?;
    sync_folder(&folder)?;
    Ok(path)
}

/// Removes all copies but one.
pub(crate) fn keep_only(layout: &Layout, path: &Path) -> Result<(), StoreError> {
    let others = list(layout)?.into_iter().filter(|backup| backup.path != path);
    others.into_iter().try_for_each(|other| remove(&other.path))
}

fn version(catalog: &Catalog) -> Result<i64, StoreError> {
    let identity = migrations::identity(&catalog.connection);
    identity.map(|(_, version)| version).map_err(|error| catalog.error(error))
}

/// Returns where a copy lies until it is whole.
fn begun(layout: &Layout) -> PathBuf {
    layout.backups().join("copy.db")
}

/// Returns where a copy lies until it takes the place of the catalog.
fn back(layout: &Layout) -> PathBuf {
    layout.root.join("catalog.back")
}

/// Returns the copies that there are, that of the newest version last.
pub(crate) fn list(layout: &Layout) -> Result<Vec<Backup>, StoreError> {
    let folder = layout.backups();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io(&folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io(&folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let version = name.strip_prefix("catalog-v").and_then(|name| name.strip_suffix(".db"));
        let Some(version) = version.and_then(|version| version.parse().ok()) else { continue };
        let made =
            entry.metadata().and_then(|it| it.modified()).map_err(StoreError::io(&folder))?;
        found.push(Backup { version, path: entry.path(), made_at: clock::micros(made) });
    }
    found.sort_by_key(|backup| backup.version);
    Ok(found)
}

/// Removes copies that were made long ago, or all, and what a crash left of one.
pub(crate) fn forget(layout: &Layout, now: Option<i64>) -> Result<(), StoreError> {
    remove(&begun(layout))?;
    remove(&back(layout))?;
    for backup in list(layout)? {
        if now.is_none_or(|now| now.saturating_sub(backup.made_at) > KEPT) {
            remove(&backup.path)?;
        }
    }
    Ok(())
}

/// Returns a table as the copies have it, of whatever version they are.
///
/// # Errors
/// [`StoreError::Copy`] when one of them cannot be read: nobody knows then which files it names.
pub(crate) fn tables(layout: &Layout, name: &str) -> Result<Vec<Table>, StoreError> {
    let mut found = Vec::new();
    for backup in list(layout)? {
        let table = || match Catalog::read_copy(&backup.path)?.pointer_of(name)? {
            Some(location) => Table::load(layout, &location).map(Some),
            None => Ok(None),
        };
        let wrapped = |source| StoreError::Copy { path: backup.path.clone(), source };
        found.extend(table().map_err(|error| wrapped(Box::new(error)))?);
    }
    Ok(found)
}

impl Store {
    /// Returns the copies of the catalog that upgrades made.
    ///
    /// # Errors
    /// Fails when their folder cannot be read.
    pub fn backups(&self) -> Result<Vec<Backup>, StoreError> {
        list(self.layout())
    }

    /// Puts the catalog back as it was before the last upgrade; the present one becomes the copy.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process is writing, [`StoreError::NoBackup`] when there is no copy.
    pub fn roll_back(&self, wait: Duration, run_id: &str) -> Result<Backup, LockError> {
        let _lock = lock::take(&self.layout().lock(), wait, run_id)?;
        let path = self.catalog_path();
        let catalog = Catalog::write(&path)?;
        let present = version(&catalog)?;
        // One of the present version is there where going back was interrupted.
        let no_backup = || StoreError::NoBackup { path: self.dir().to_owned() };
        let mut others = list(self.layout())?.into_iter().filter(|it| it.version != present);
        let backup = others.next_back().ok_or_else(no_backup)?;
        let back = back(self.layout());
        remove(&back)?;
        let mut file = create_file(&back)?;
        let mut from = fs::File::open(&backup.path).map_err(StoreError::io(&backup.path))?;
        std::io::copy(&mut from, &mut file)
            .and_then(|_| file.sync_all())
            .map_err(StoreError::io(&back))?;
        drop(Catalog::read(&back)?);
        let copy = make(self.layout(), &catalog)?;
        // Nothing of the present catalog may be left in the log when its file is replaced.
        catalog
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| catalog.error(error))?;
        drop(catalog);
        for log in ["catalog.db-wal", "catalog.db-shm"] {
            remove(&self.layout().root.join(log))?;
        }
        fs::rename(&back, &path).map_err(StoreError::io(&path))?;
        sync_folder(&self.layout().root)?;
        keep_only(self.layout(), &copy)?;
        Ok(backup)
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(path)(error))
        }
        _ => Ok(()),
    }
}
