//! Removes files that nothing points at: what a crash left, and what expired.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::layout::{Layout, create_file, sync_folder};
use crate::table::{Table, live_files, manifest_list};
use crate::writer::Writer;
use crate::{backup, failpoint, lease};

/// Notes that files are about to be written, so that the next holder of the lock looks for left-overs.
pub(crate) fn mark(layout: &Layout) -> Result<(), StoreError> {
    let marker = layout.unswept();
    if !marker.exists() {
        create_file(&marker)?;
        sync_folder(&layout.root)?;
    }
    Ok(())
}

/// Removes files of tables that no kept snapshot has, if something was written since the last time.
///
/// Only the holder of the lock may call this: nobody else is writing files that are not pointed at yet.
pub(crate) fn sweep(
    layout: &Layout,
    catalog: &Catalog,
    table: &Table,
) -> Result<Rubbish, StoreError> {
    let marker = layout.unswept();
    // As long as somebody reads, files of earlier snapshots stay.
    if !marker.exists() || !lease::is_free(&layout.readers())? {
        return Ok(Rubbish::default());
    }
    let found = collect(layout, catalog, table, Fate::Removed)?;
    failpoint::hit("in_sweep")?;
    fs::remove_file(&marker).map_err(StoreError::io(&marker))?;
    Ok(found)
}

/// What becomes of files that nothing points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Counted,
    Removed,
}

/// Files that nothing points at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rubbish {
    /// How many.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// Finds the files of all tables that no kept snapshot has; `messages` is the first of them.
pub(crate) fn collect(
    layout: &Layout,
    catalog: &Catalog,
    messages: &Table,
    fate: Fate,
) -> Result<Rubbish, StoreError> {
    let mut found = Rubbish::default();
    of_table(&layout.table(), &kept(layout, messages)?, fate, &mut found)?;
    for folder in folders(layout)?.into_iter().filter(|folder| *folder != layout.table()) {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // One without a pointer was never committed: all of it is left over.
        let kept = match catalog.pointer_of(name)? {
            Some(location) => kept(layout, &Table::load(layout, &location)?)?,
            None => HashSet::new(),
        };
        of_table(&folder, &kept, fate, &mut found)?;
    }
    Ok(found)
}

/// Returns the folders that tables lie in, or were about to.
fn folders(layout: &Layout) -> Result<Vec<PathBuf>, StoreError> {
    let above = layout.tables();
    let entries = match fs::read_dir(&above) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io(&above))?,
    };
    let paths = entries.map(|entry| Ok(entry.map_err(StoreError::io(&above))?.path()));
    let paths: Vec<PathBuf> = paths.collect::<Result<_, StoreError>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

fn of_table(
    folder: &Path,
    kept: &HashSet<PathBuf>,
    fate: Fate,
    found: &mut Rubbish,
) -> Result<(), StoreError> {
    ["data", "metadata"].iter().try_for_each(|below| others(&folder.join(below), kept, fate, found))
}

fn kept(layout: &Layout, table: &Table) -> Result<HashSet<PathBuf>, StoreError> {
    let mut kept = HashSet::new();
    kept.extend(table.location.as_deref().map(|location| layout.resolve(location)));
    let log = table.metadata.metadata_log().iter();
    kept.extend(log.map(|entry| layout.resolve(&entry.metadata_file)));
    keep(layout, table, &mut kept)?;
    for location in backup::pointers(layout, table.name())? {
        kept.insert(layout.resolve(&location));
        keep(layout, &Table::load(layout, &location)?, &mut kept)?;
    }
    Ok(kept)
}

/// Adds the files of a table's snapshots.
fn keep(layout: &Layout, table: &Table, kept: &mut HashSet<PathBuf>) -> Result<(), StoreError> {
    for snapshot in table.metadata.snapshots() {
        kept.insert(layout.resolve(snapshot.manifest_list()));
        for manifest in manifest_list(layout, snapshot.manifest_list())? {
            if kept.insert(layout.resolve(&manifest.manifest_path)) {
                kept.extend(live_files(layout, &manifest)?.into_iter().map(|live| live.path));
            }
        }
    }
    Ok(())
}

impl Writer {
    /// Removes what nothing points at. As long as somebody reads, that is nothing.
    ///
    /// # Errors
    /// Fails when a file of metadata cannot be read, or a file cannot be removed.
    pub fn collect(&mut self) -> Result<Rubbish, StoreError> {
        self.announce()?;
        let found = sweep(self.store.layout(), &self.catalog, &self.table)?;
        self.is_marked = self.store.layout().unswept().exists();
        let before = std::mem::take(&mut self.swept);
        Ok(Rubbish { files: found.files + before.files, bytes: found.bytes + before.bytes })
    }
}

fn others(
    folder: &Path,
    kept: &HashSet<PathBuf>,
    fate: Fate,
    found: &mut Rubbish,
) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StoreError::io(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(StoreError::io(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(StoreError::io(&path))?;
        if kind.is_dir() {
            others(&path, kept, fate, found)?;
        } else if kind.is_file() && !kept.contains(&path) {
            found.files += 1;
            found.bytes += entry.metadata().map_or(0, |it| it.len());
            if fate == Fate::Removed {
                fs::remove_file(&path).map_err(StoreError::io(&path))?;
            }
        }
    }
    Ok(())
}
