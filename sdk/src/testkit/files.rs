//! What a provider is given to read in a test.

use std::fs;
use std::path::Path;

use super::glob::matches;
use crate::{Description, Entry, Purpose, Root};

/// A file, read whole.
pub(super) struct File {
    pub(super) entry: Entry,
    pub(super) bytes: Vec<u8>,
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
        paths.retain(|path| path.is_empty() || root.globs.iter().any(|glob| matches(glob, path)));
        files.extend(paths.into_iter().map(|path| {
            let place = if path.is_empty() { place.clone() } else { place.join(&path) };
            let bytes = fs::read(&place)
                .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", place.display()));
            file(&root.name, path, bytes)
        }));
    }
    files
}

/// Makes files of paths and texts.
pub(super) fn from_texts(files: &[(&str, &str)], description: &Description) -> Vec<File> {
    let first = description.roots.first().map_or("", |root| root.name.as_str());
    let place = |path: &str| match path.split_once(':') {
        Some((root, path)) => (root.to_owned(), path.to_owned()),
        None => (first.to_owned(), path.to_owned()),
    };
    let made = files.iter().map(|(path, text)| {
        let (root, path) = place(path);
        file(&root, path, text.as_bytes().to_vec())
    });
    made.collect()
}

fn file(root: &str, path: String, bytes: Vec<u8>) -> File {
    let entry = Entry { root: root.to_owned(), path, size: bytes.len() as u64, modified: 0 };
    File { entry, bytes }
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
