//! Removes files that nothing points at: what a crash left, and what expired.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::failpoint;
use crate::layout::{Layout, create_file, sync_folder};
use crate::table::{Table, live_files, manifest_list};

/// Notes that files are about to be written, so that the next holder of the lock looks for left-overs.
pub(crate) fn mark(layout: &Layout) -> Result<(), StoreError> {
    let marker = layout.unswept();
    if !marker.exists() {
        create_file(&marker)?;
        sync_folder(&layout.root)?;
    }
    Ok(())
}

/// Removes files of the table that no kept snapshot has, if something was written since the last time.
///
/// Only the holder of the lock may call this: nobody else is writing files that are not pointed at yet.
pub(crate) fn sweep(layout: &Layout, table: &Table) -> Result<(), StoreError> {
    let marker = layout.unswept();
    if !marker.exists() {
        return Ok(());
    }
    let kept = kept(layout, table)?;
    for folder in ["data", "metadata"] {
        remove_others(&layout.table().join(folder), &kept)?;
    }
    failpoint::hit("in_sweep")?;
    fs::remove_file(&marker).map_err(StoreError::io(&marker))
}

fn kept(layout: &Layout, table: &Table) -> Result<HashSet<PathBuf>, StoreError> {
    let mut kept = HashSet::new();
    kept.extend(table.location.as_deref().map(|location| layout.resolve(location)));
    let log = table.metadata.metadata_log().iter();
    kept.extend(log.map(|entry| layout.resolve(&entry.metadata_file)));
    for snapshot in table.metadata.snapshots() {
        kept.insert(layout.resolve(snapshot.manifest_list()));
        for manifest in manifest_list(layout, snapshot.manifest_list())? {
            if kept.insert(layout.resolve(&manifest.manifest_path)) {
                kept.extend(live_files(layout, &manifest)?.into_iter().map(|live| live.path));
            }
        }
    }
    Ok(kept)
}

fn remove_others(folder: &Path, kept: &HashSet<PathBuf>) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StoreError::io(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(StoreError::io(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(StoreError::io(&path))?;
        if kind.is_dir() {
            remove_others(&path, kept)?;
        } else if kind.is_file() && !kept.contains(&path) {
            fs::remove_file(&path).map_err(StoreError::io(&path))?;
        }
    }
    Ok(())
}
