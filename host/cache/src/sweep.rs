//! Removes files that nothing points at: what a crash left, and what expired.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use iceberg::spec::ManifestFile;
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
    of_table(layout, &layout.table(), Some(messages), fate, &mut found)?;
    for folder in folders(layout)?.into_iter().filter(|folder| *folder != layout.table()) {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let location = catalog.pointer_of(name)?;
        let table = location.map(|location| Table::load(layout, &location)).transpose()?;
        of_table(layout, &folder, table.as_ref(), fate, &mut found)?;
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

/// Finds the files in a folder that no kept snapshot of its table has, here or in a copy of the catalog. A table that was
/// never committed has none.
fn of_table(
    layout: &Layout,
    folder: &Path,
    table: Option<&Table>,
    fate: Fate,
    found: &mut Rubbish,
) -> Result<(), StoreError> {
    let mut unknown = Vec::new();
    for below in ["data", "metadata"] {
        files(&folder.join(below), &mut unknown)?;
    }
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let backups = if unknown.is_empty() { Vec::new() } else { backup::tables(layout, name)? };
    let tables = || table.into_iter().chain(&backups);
    let mut kept: HashSet<PathBuf> = tables().flat_map(|table| current(layout, table)).collect();
    unknown.retain(|path| !kept.contains(path));
    if unknown.iter().any(|path| !is_list(path)) {
        let mut manifests = Vec::new();
        tables().try_for_each(|table| keep_manifests(layout, table, &mut kept, &mut manifests))?;
        unknown.retain(|path| !kept.contains(path));
        // Manifests are the dear part: they are read where something is left that they may name.
        if unknown.iter().any(|path| path.starts_with(folder.join("data"))) {
            for manifest in manifests {
                kept.extend(live_files(layout, &manifest)?.into_iter().map(|live| live.path));
            }
            unknown.retain(|path| !kept.contains(path));
        }
    }
    for path in unknown {
        found.files += 1;
        found.bytes += fs::metadata(&path).map_or(0, |it| it.len());
        if fate == Fate::Removed {
            fs::remove_file(&path).map_err(StoreError::io(&path))?;
        }
    }
    Ok(())
}

/// Returns the files of a table's current snapshot, its metadata, the lists of the others, and what the current one knows
/// that these had and it has not.
fn current(layout: &Layout, table: &Table) -> impl Iterator<Item = PathBuf> {
    let log = table.metadata.metadata_log().iter().map(|entry| entry.metadata_file.as_str());
    let lists = table.metadata.snapshots().map(|snapshot| snapshot.manifest_list());
    let manifests = table.manifests.iter().map(|manifest| manifest.manifest_path.as_str());
    let named = table.location.as_deref().into_iter().chain(log).chain(lists).chain(manifests);
    let data = table.data.iter().map(|data| data.live.path.clone());
    let deletes = table.deletes.iter().map(|deletes| deletes.live.path.clone());
    let oldest = table.metadata.snapshots().min_by_key(|snapshot| snapshot.sequence_number());
    let oldest = oldest.map(|snapshot| snapshot.snapshot_id());
    let had_by_others = table
        .removed
        .iter()
        .filter(move |(_, by)| Some(*by) != oldest && table.metadata.snapshot_by_id(*by).is_some());
    let removed = had_by_others.map(|(path, _)| path.clone());
    named.map(|location| layout.resolve(location)).chain(data).chain(deletes).chain(removed)
}

/// Says whether a file is a list of manifests or metadata, which no manifest names.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("snap-") || name.ends_with(".metadata.json")
}

/// Adds the manifests of a table's snapshots, and lists those that were not there.
fn keep_manifests(
    layout: &Layout,
    table: &Table,
    kept: &mut HashSet<PathBuf>,
    more: &mut Vec<ManifestFile>,
) -> Result<(), StoreError> {
    for snapshot in table.metadata.snapshots() {
        let manifests = manifest_list(layout, snapshot.manifest_list())?.into_iter();
        more.extend(manifests.filter(|it| kept.insert(layout.resolve(&it.manifest_path))));
    }
    Ok(())
}

/// Adds the files below a folder, if there is one.
fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StoreError::io(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(StoreError::io(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(StoreError::io(&path))?;
        if kind.is_dir() {
            files(&path, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

impl Writer {
    /// Removes what nothing points at. As long as somebody reads, that is nothing.
    ///
    /// # Errors
    /// Fails when a file of metadata or a copy of the catalog cannot be read, or a file cannot be removed.
    pub fn collect(&mut self) -> Result<Rubbish, StoreError> {
        self.announce()?;
        let found = sweep(self.store.layout(), &self.catalog, &self.table)?;
        self.is_marked = self.store.layout().unswept().exists();
        let before = std::mem::take(&mut self.swept);
        Ok(Rubbish { files: found.files + before.files, bytes: found.bytes + before.bytes })
    }
}
