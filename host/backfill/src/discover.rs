//! Finds a provider's files: walks its roots, matches its globs, and opens nothing.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use hyp_model::event::Note;
use hyp_plugin::{Compression, Database, Description, Entry, Lent, Purpose, Root, Terms};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::grants::{Lending, Withheld};
use crate::work::is_settled;

/// What lies below a provider's roots.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files, newest first, then by root and path.
    pub(crate) files: Vec<Lent>,
    /// Places that were seen and are not read.
    pub(crate) notes: Vec<Note>,
    /// Folders that could not be listed, each with the reason.
    pub(crate) unreadable: Vec<String>,
    /// True when a root of history exists.
    pub(crate) has_source: bool,
}

impl Found {
    /// Says whether no database is so young that a later change could keep its time. Their units have times of their own.
    pub(crate) fn databases_are_settled(&self, now: i64) -> bool {
        let mut databases = self.files.iter().filter(|lent| lent.database.is_some());
        databases.all(|lent| is_settled(lent.entry.modified, now))
    }

    /// Tells of a folder of history that may be there, if this user may not look.
    fn refuse(&mut self, root: &Root, folder: &Path, error: &Error) {
        if root.purpose != Purpose::History {
            return;
        }
        if let Some(reason) = barred(folder, error)
            && !self.unreadable.contains(&reason)
        {
            self.unreadable.push(reason);
        }
    }

    /// Tells of a root, or of a folder that it leads to, that is not lent.
    fn withhold(
        &mut self,
        description: &Description,
        root: &Root,
        folder: Option<&Path>,
        withheld: &Withheld,
    ) {
        let (name, root) = (&description.name, &root.name);
        let folder = folder.map_or_else(String::new, |folder| folder.display().to_string());
        match withheld {
            Withheld::Revoked => self.notes.push(Note {
                event: "not_lent".to_owned(),
                attributes: vec![("root".to_owned(), root.clone())],
            }),
            Withheld::NotAgreed => self.unreadable.push(format!(
                "`{name}` wants to read more as `{root}` than was agreed to: `hyp plugin update {name}` shows what, and asks"
            )),
            Withheld::Outside(what) => self.unreadable.push(format!(
                "`{name}` may not read `{folder}`, where its root `{root}` leads: it is {what}"
            )),
        }
    }

    /// Returns a hash over every file's name, size and time.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for lent in &self.files {
            hash.update(lent.file.as_os_str().as_encoded_bytes());
            hash.update(format!("\0{}\0{}\n", lent.entry.size, lent.entry.modified));
        }
        hex(&hash.finalize())
    }
}

/// Returns why nobody can say whether something is there, where that is so: a folder above it may not be entered.
pub(crate) fn barred(path: &Path, error: &Error) -> Option<String> {
    if error.kind() != ErrorKind::PermissionDenied {
        return None;
    }
    let above = path.ancestors().skip(1).find(|above| above.metadata().is_ok());
    let shown = above.unwrap_or(path).display();
    Some(format!(
        "cannot look into `{shown}`: {error}; give yourself the right to enter and read it"
    ))
}

/// Returns the lower case hexadecimal form of some bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lists what a provider may read: what it declares, as far as that is lent to it.
pub(crate) fn discover(
    description: &Description,
    lending: &Lending,
    places: &Places,
    terms: &Terms,
) -> Result<Found, BackfillError> {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for (at, root) in description.roots.iter().enumerate() {
        let source = places.source_of(root);
        let narrowed = source.map(|source| source.narrow(root));
        let root = narrowed.as_ref().unwrap_or(root);
        found.notes.extend(source.and_then(|_| not_granted(root)));
        if root.purpose == Purpose::History
            && let Some(withheld) = lending.root(&description.roots[at])
        {
            found.withhold(description, root, None, &withheld);
            continue;
        }
        let globs = globs(&description.name, root)?;
        for folder in places.folders(description, root) {
            let folder = match folder.canonicalize() {
                Ok(folder) => folder,
                Err(error) => {
                    found.refuse(root, &folder, &error);
                    continue;
                }
            };
            if !seen.insert((root.name.clone(), folder.clone())) {
                continue;
            }
            // What a person named is lent wherever it lies.
            if source.is_none()
                && root.purpose == Purpose::History
                && let Some(withheld) = lending.folder(&folder, places)
            {
                found.withhold(description, root, Some(&folder), &withheld);
                continue;
            }
            match root.purpose {
                Purpose::Notice => found.notes.push(notice(root, &folder)),
                Purpose::History if folder.is_file() => {
                    list_file(root, &folder, terms, &mut found);
                }
                Purpose::History => {
                    found.has_source = true;
                    walk(root, &folder, &globs, (&places.store, terms), &mut found);
                }
            }
        }
    }
    found.files.sort_by(|a, b| {
        let key = |lent: &Lent| (lent.entry.root.clone(), lent.entry.path.clone());
        b.entry.modified.cmp(&a.entry.modified).then_with(|| key(a).cmp(&key(b)))
    });
    Ok(found)
}

/// Tells of tables of which nothing is granted: a provider takes them for absent.
fn not_granted(root: &Root) -> Option<Note> {
    let tables = root.tables.iter().filter(|table| table.columns.is_empty());
    let tables: Vec<&str> = tables.map(|table| table.name.as_str()).collect();
    let attributes =
        vec![("root".to_owned(), root.name.clone()), ("tables".to_owned(), tables.join(","))];
    (!tables.is_empty()).then(|| Note { event: "not_granted".to_owned(), attributes })
}

/// Tells of a place that is seen and never opened. The root's name is `event:kind`.
fn notice(root: &Root, path: &Path) -> Note {
    let (event, kind) = root.name.split_once(':').unwrap_or((&root.name, ""));
    let mut attributes = vec![("path".to_owned(), path.display().to_string())];
    if !kind.is_empty() {
        attributes.push(("location_kind".to_owned(), kind.to_owned()));
    }
    Note { event: event.to_owned(), attributes }
}

/// Returns how databases are lent: copies are made in the store, and of any size where that was asked for.
pub(crate) fn terms(store: &Path, copies_of_any_size: bool) -> Terms {
    let usual = Terms::new(store.join("tmp"));
    if copies_of_any_size { Terms { copied_at_most: u64::MAX, ..usual } } else { usual }
}

/// Copies older than this are of a run that was killed: a plan that needs no lock may have made younger ones.
const LEFT_BEHIND: i64 = 3_600_000_000;

/// Deletes copies that a killed run left behind.
pub(crate) fn sweep(scratch: &Path, now: i64) {
    let left = std::fs::read_dir(scratch).into_iter().flatten().flatten().filter(|entry| {
        let is_copy = entry.file_name().to_string_lossy().starts_with("lent-");
        let modified = entry.metadata().map_or(now, |metadata| size_and_time(&metadata).1);
        is_copy && modified.saturating_add(LEFT_BEHIND) < now
    });
    for folder in left {
        if let Err(error) = std::fs::remove_dir_all(folder.path()) {
            tracing::warn!(path = %folder.path().display(), "cannot delete a copy: {error}");
        }
    }
}

fn list_file(root: &Root, file: &Path, terms: &Terms, found: &mut Found) {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    match lend(root, file.to_path_buf(), name, terms) {
        Ok(lent) => found.files.push(lent),
        Err(reason) => found.unreadable.push(reason),
    }
}

fn walk(
    root: &Root,
    folder: &Path,
    globs: &GlobSet,
    (store, terms): (&Path, &Terms),
    found: &mut Found,
) {
    let store = store.canonicalize().ok();
    let walker = WalkDir::new(folder)
        .follow_links(false)
        .max_depth(root.depth.max(1) as usize)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| store.as_deref() != Some(entry.path()));
    for step in walker {
        let entry = match step {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                let reason =
                    error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                found.unreadable.push(format!("cannot list `{path}`: {reason}"));
                continue;
            }
        };
        let Ok(below) = entry.path().strip_prefix(folder) else { continue };
        let below = slashes(below);
        if entry.path_is_symlink()
            && (entry.path().is_dir() || globs.is_match(logical(root, &below).0))
        {
            let path = entry.path().display().to_string();
            let attributes = vec![("path".to_owned(), path)];
            found.notes.push(Note { event: "link_not_followed".to_owned(), attributes });
        }
        if !entry.file_type().is_file() {
            continue;
        }
        if globs.is_match(logical(root, &below).0) {
            match lend(root, entry.path().to_path_buf(), below, terms) {
                Ok(lent) => found.files.push(lent),
                Err(reason) => found.unreadable.push(reason),
            }
        }
    }
}

fn lend(root: &Root, file: PathBuf, below: String, terms: &Terms) -> Result<Lent, String> {
    let stat = |error| format!("cannot stat {}: {error}", file.display());
    let (mut size, mut modified) = file.metadata().map(|it| size_and_time(&it)).map_err(stat)?;
    let grants = root.grants();
    if grants.is_some() {
        // What was written last may be in the log alone.
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        if let Ok(log) = Path::new(&log).metadata() {
            let of_log = size_and_time(&log);
            (size, modified) = (size + of_log.0, modified.max(of_log.1));
        }
    }
    let (path, compression) = logical(root, &below);
    let entry = Entry { root: root.name.clone(), path: path.to_owned(), size, modified };
    let database =
        grants.map(|grants| Arc::new(Database::new(file.clone(), grants, terms.clone())));
    Ok(Lent { entry, file, compression, database })
}

fn size_and_time(metadata: &Metadata) -> (u64, i64) {
    let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = age.map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    (metadata.len(), modified)
}

/// Returns the path without its compression suffix, and the compression. Databases have none.
fn logical<'p>(root: &Root, path: &'p str) -> (&'p str, Compression) {
    if !root.tables.is_empty() {
        (path, Compression::None)
    } else if let Some(path) = path.strip_suffix(".zst") {
        (path, Compression::Zstd)
    } else if let Some(path) = path.strip_suffix(".gz") {
        (path, Compression::Gzip)
    } else {
        (path, Compression::None)
    }
}

fn slashes(path: &Path) -> String {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn globs(provider: &str, root: &Root) -> Result<GlobSet, BackfillError> {
    let mut set = GlobSetBuilder::new();
    for pattern in &root.globs {
        set.add(glob(pattern).map_err(|error| BackfillError::Glob {
            provider: provider.to_owned(),
            pattern: pattern.clone(),
            reason: error.kind().to_string(),
        })?);
    }
    set.build().map_err(|error| BackfillError::Glob {
        provider: provider.to_owned(),
        pattern: root.globs.join(" "),
        reason: error.kind().to_string(),
    })
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

#[cfg(test)]
mod tests;
