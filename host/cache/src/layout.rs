//! Where things lie in a store's folder, and how files get there to stay.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use hyp_model::dataset::MESSAGES;

use crate::catalog;
use crate::error::StoreError;

/// What stands before the part of a location that is the same wherever the store lies.
const WAREHOUSE: &str = "/warehouse/";

/// Paths of a store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
}

impl Layout {
    pub(crate) fn catalog(&self) -> PathBuf {
        self.root.join("catalog.db")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Copies of the catalog from before upgrades.
    pub(crate) fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The file that readers hold a lease on.
    pub(crate) fn readers(&self) -> PathBuf {
        self.root.join("readers")
    }

    /// The marker that files without a pointer may lie about.
    pub(crate) fn unswept(&self) -> PathBuf {
        self.root.join("unswept")
    }

    pub(crate) fn warehouse(&self) -> PathBuf {
        self.root.join("warehouse")
    }

    /// Says whether the folder of all tables has a file, at whatever depth.
    pub(crate) fn has_files(&self) -> Result<bool, StoreError> {
        let mut folders = vec![self.warehouse()];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries.map_err(StoreError::io(&folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(StoreError::io(&folder))?;
                match entry.file_type().map_err(StoreError::io(&folder))?.is_dir() {
                    true => folders.push(entry.path()),
                    false => return Ok(true),
                }
            }
        }
        Ok(false)
    }

    /// The folder of the messages' table.
    pub(crate) fn table(&self) -> PathBuf {
        self.dataset(MESSAGES)
    }

    /// The folder of a table.
    pub(crate) fn dataset(&self, name: &str) -> PathBuf {
        self.tables().join(name)
    }

    /// The folder of all tables.
    pub(crate) fn tables(&self) -> PathBuf {
        self.warehouse().join(catalog::NAME)
    }

    /// Returns the name of a file of the table. No two have the same, and it stays when the store moves.
    pub(crate) fn name_of(location: &str) -> &str {
        location.rsplit_once('/').map_or(location, |(_, name)| name)
    }

    /// Returns the location of a path, as metadata holds it.
    pub(crate) fn uri(path: &Path) -> String {
        format!("file://{}", path.display())
    }

    /// Returns the path of a location, wherever the store was when it was written.
    pub(crate) fn resolve(&self, uri: &str) -> PathBuf {
        let tables = format!("{WAREHOUSE}{}/", catalog::NAME);
        match uri.rfind(&tables) {
            Some(at) => self.warehouse().join(&uri[at + WAREHOUSE.len()..]),
            None => PathBuf::from(uri.strip_prefix("file://").unwrap_or(uri)),
        }
    }
}

/// Files and folders that were made and must reach the disk before a pointer to them does.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    folders: BTreeSet<PathBuf>,
    /// Checksums of data files, by their names.
    pub(crate) sums: Vec<(String, u32)>,
}

impl Dirty {
    /// Makes a folder and those above it.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<(), StoreError> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
            self.folders.insert(parent.to_owned());
        }
        make_folder(path)
    }

    /// Makes a file that is not there yet.
    pub(crate) fn file(&mut self, path: &Path) -> Result<File, StoreError> {
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
            self.folders.insert(parent.to_owned());
        }
        create_file(path)
    }

    /// Notes a data file that was written and synced.
    pub(crate) fn sum(&mut self, path: &Path, sum: u32) {
        self.sums.push((Layout::name_of(&Layout::uri(path)).to_owned(), sum));
    }

    /// Writes a whole file.
    pub(crate) fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let mut file = self.file(path)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(StoreError::io(path))
    }

    /// Notes a file that the table format's library wrote and synced, and gives it the rights of ours.
    pub(crate) fn note(&mut self, path: &Path) -> Result<(), StoreError> {
        self.folders.extend(path.parent().map(Path::to_owned));
        #[cfg(unix)]
        {
            let rights = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(path, rights).map_err(StoreError::io(path))?;
        }
        Ok(())
    }

    /// Takes over what another one holds.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.folders.extend(other.folders);
        self.sums.extend(other.sums);
    }

    /// Makes the names of all files last.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        for folder in std::mem::take(&mut self.folders) {
            sync_folder(&folder)?;
        }
        Ok(())
    }
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(StoreError::io(folder))?;
    }
    Ok(())
}

/// Makes a folder that only its owner may enter, if it is not there.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io(path))
}

/// Makes a file that only its owner may read.
pub(crate) fn create_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_found_again_after_the_store_moved() {
        let layout = Layout { root: PathBuf::from("/new/warehouse/home") };
        let file = "/warehouse/hyp/ai_gateway_messages/data/a.parquet";
        assert_eq!(
            layout.resolve(&format!("file:///old{file}")),
            PathBuf::from(format!("/new/warehouse/home{file}"))
        );
        assert_eq!(layout.resolve("file:///elsewhere/x"), PathBuf::from("/elsewhere/x"));
    }
}
