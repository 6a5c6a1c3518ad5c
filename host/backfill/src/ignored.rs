//! Folders whose messages stay out: `.hypignore` files, and the list of this machine.
//!
//! The nearest `.hypignore` at or above a folder counts. Its first word says what is meant: `ignore`, or nothing
//! at all, keeps messages out; `local-only` lets them in, since a store never leaves its machine by itself. Of the
//! list, the longest folder counts. Of file and list, the stricter word does.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::BackfillError;
use crate::small;

/// Name of the file in a folder.
const FILE: &str = ".hypignore";

/// Version of the list.
const VERSION: u32 = 2;

/// What is meant for a folder; of two, the later one is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// Messages are imported.
    Full,
    /// Messages are imported, and not meant for other machines.
    LocalOnly,
    /// Messages are not imported.
    Ignore,
}

/// A folder of the list, with all that is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The folder.
    pub dir: PathBuf,
    /// What is meant for it.
    pub class: Class,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    version: u32,
    #[serde(default)]
    entries: Vec<Entry>,
    /// The first version of the list.
    #[serde(default, skip_serializing)]
    dirs: Vec<PathBuf>,
}

/// Returns where the list of a store's machine lies.
pub fn list_path(store: &Path) -> PathBuf {
    store.join("hypaware").join("usage-policy").join("local-only.json")
}

/// Reads the list; without one, it is empty.
///
/// # Errors
/// Fails when it cannot be read: what is in it may not be imported by mistake.
pub fn read_list(store: &Path) -> Result<Vec<Entry>, BackfillError> {
    let path = list_path(store);
    let unusable = |reason: String| BackfillError::IgnoreList { path: path.clone(), reason };
    let text = match small::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| unusable(error.to_string()))?,
    };
    let wrong = |error: serde_json::Error| unusable(error.to_string());
    // Serde would take a list for a struct.
    let object: serde_json::Map<_, _> = serde_json::from_str(&text).map_err(wrong)?;
    let file: File = serde_json::from_value(object.into()).map_err(wrong)?;
    if file.version > VERSION {
        return Err(unusable(format!("version {} is newer than this hyp", file.version)));
    }
    let old = file.dirs.into_iter().map(|dir| Entry { dir, class: Class::LocalOnly });
    Ok(file.entries.into_iter().chain(old).collect())
}

/// Writes the list.
///
/// # Errors
/// Fails when it cannot be written.
pub fn write_list(store: &Path, entries: &[Entry]) -> Result<(), BackfillError> {
    let path = list_path(store);
    let failed = |source| BackfillError::IgnoreListUnwritten { path: path.clone(), source };
    let file = File { version: VERSION, entries: entries.to_vec(), dirs: Vec::new() };
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    let folder = path.parent().unwrap_or(store);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    // Such a file is its owner's alone from the start.
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    io::Write::write_all(&mut new, text.as_bytes()).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Says for folders whether their messages stay out. Files are read once.
#[derive(Debug, Clone, Default)]
pub struct Ignored {
    list: Vec<Entry>,
    known: HashMap<String, bool>,
    warnings: BTreeMap<PathBuf, String>,
}

impl Ignored {
    /// Reads the list of a store's machine.
    ///
    /// # Errors
    /// Fails when it is there and cannot be read.
    pub fn load(store: &Path) -> Result<Self, BackfillError> {
        let mut list = Vec::new();
        for Entry { dir, class } in read_list(store)? {
            // A folder may be told by a link to it, and messages by where that leads.
            let real = fs::canonicalize(&dir).ok().filter(|real| *real != dir);
            list.extend(real.map(|dir| Entry { dir, class }));
            list.push(Entry { dir, class });
        }
        Ok(Self { list, ..Self::default() })
    }

    /// Says whether messages of a folder stay out. What is no whole path is nobody's folder.
    pub fn is_ignored(&mut self, cwd: &str) -> bool {
        if let Some(known) = self.known.get(cwd) {
            return *known;
        }
        let is_ignored = self.class(cwd) == Class::Ignore;
        self.known.insert(cwd.to_owned(), is_ignored);
        is_ignored
    }

    /// Returns what is meant for a folder.
    pub fn class(&mut self, cwd: &str) -> Class {
        let path = Path::new(cwd);
        if !path.is_absolute() {
            return Class::Full;
        }
        let real = fs::canonicalize(path).ok().filter(|real| real != path);
        let spellings = [Some(path.to_owned()), real];
        let classes = spellings.into_iter().flatten().map(|path| self.of(&path));
        classes.max().unwrap_or(Class::Full)
    }

    fn of(&mut self, path: &Path) -> Class {
        let listed = self.list.iter().filter(|entry| path.starts_with(&entry.dir));
        let depth = |entry: &&Entry| (entry.dir.components().count(), entry.class);
        let listed = listed.max_by_key(depth).map_or(Class::Full, |entry| entry.class);
        let found = path.ancestors().find_map(|folder| self.in_folder(folder));
        listed.max(found.unwrap_or(Class::Full))
    }

    fn in_folder(&mut self, folder: &Path) -> Option<Class> {
        let path = folder.join(FILE);
        let text = match small::read(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return None;
            }
            Err(error) => {
                self.warnings.insert(path, format!("cannot be read ({error}); it ignores"));
                return Some(Class::Ignore);
            }
        };
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let word = lines.flat_map(str::split_whitespace).next();
        Some(match word {
            None | Some("ignore") => Class::Ignore,
            Some("local-only") => Class::LocalOnly,
            Some(other) => {
                let reason =
                    format!("says `{other}`, and not `ignore` or `local-only`; it ignores");
                self.warnings.insert(path, reason);
                Class::Ignore
            }
        })
    }

    /// Takes what is wrong with files that were read, a sentence each.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        let warnings = std::mem::take(&mut self.warnings).into_iter();
        warnings.map(|(path, reason)| format!("`{}` {reason}", path.display())).collect()
    }
}

#[cfg(test)]
mod tests;
