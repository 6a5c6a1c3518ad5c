//! What a provider is given to read in a test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::glob::matches;
use super::lend::{self, Made, SUFFIX};
use crate::{Description, Entry, Purpose, Root};

/// A file, read whole.
pub(super) struct File {
    pub(super) entry: Entry,
    pub(super) bytes: Vec<u8>,
    pub(super) database: Option<Arc<Made>>,
}

/// Reads what the roots of a description match below a folder, in the order of roots and paths.
pub(super) fn from_folder(folder: &Path, description: &Description) -> Vec<File> {
    let history: Vec<&Root> =
        description.roots.iter().filter(|root| root.purpose == Purpose::History).collect();
    let has_roots = history.iter().any(|root| folder.join(&root.name).exists());
    let roots = if has_roots { history } else { history.into_iter().take(1).collect() };

    let mut files = Vec::new();
    for root in roots {
        let place = if has_roots { folder.join(&root.name) } else { folder.to_owned() };
        let mut paths = Vec::new();
        list(&place, "", &mut paths);
        paths.sort();
        paths.retain(|path| {
            let name =
                if root.tables.is_empty() { Some(&path[..]) } else { path.strip_suffix(SUFFIX) };
            let is_match = |name: &str| root.globs.iter().any(|glob| matches(glob, name));
            path.is_empty() || name.is_some_and(is_match)
        });
        files.extend(paths.into_iter().map(|path| {
            let place = if path.is_empty() { place.clone() } else { place.join(&path) };
            let bytes = fs::read(&place)
                .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", place.display()));
            file(root, path, bytes)
        }));
    }
    files
}

/// Makes files of paths and texts.
pub(super) fn from_texts(files: &[(&str, &str)], description: &Description) -> Vec<File> {
    let made = files.iter().map(|(path, text)| {
        let (root, path) =
            path.split_once(':').map_or((None, *path), |(root, path)| (Some(root), path));
        let is_meant = |one: &&Root| root.is_none_or(|name| one.name == name);
        let root = description.roots.iter().find(is_meant);
        let root = root.unwrap_or_else(|| panic!("there is no root for `{path}`"));
        file(root, path.to_owned(), text.as_bytes().to_vec())
    });
    made.collect()
}

fn file(root: &Root, mut path: String, bytes: Vec<u8>) -> File {
    let database = (!root.tables.is_empty()).then(|| lend::make(&path, &bytes, root));
    if database.is_some() {
        path.truncate(path.trim_end_matches(SUFFIX).len());
    }
    let entry = Entry { root: root.name.clone(), path, size: bytes.len() as u64, modified: 0 };
    File { entry, bytes, database }
}

/// Lists the files below a folder; a file itself has the empty path.
fn list(place: &Path, path: &str, found: &mut Vec<String>) {
    let Ok(folder) = fs::read_dir(place) else {
        if place.is_file() {
            found.push(path.to_owned());
        }
        return;
    };
    for entry in folder.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let below = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
        list(&entry.path(), &below, found);
    }
}
