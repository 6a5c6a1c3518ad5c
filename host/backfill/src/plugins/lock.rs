//! `plugins.lock`: which files below `plugins/` may be loaded, and what was agreed to when they came.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hyp_model::item::STORED;
use hyp_plugin::{Manifest, MaterializerDescription};
use serde::{Deserialize, Serialize};

use crate::error::BackfillError;
use crate::plugins::Offer;
use crate::plugins::grants::{Grant, wanted};

/// The list.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    #[serde(default)]
    pub(crate) plugin: Vec<Locked>,
}

/// A component that may be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Name of the provider, and of its file.
    pub name: String,
    /// SHA-256 of the component in hexadecimal digits.
    pub digest: String,
    /// What it called its own version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it came from: a path or an address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Version of the contract that it was built against.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub contract: String,
    /// False where it runs only when it is named.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// True where it stands in for a bundled provider of the same name.
    #[serde(default, skip_serializing_if = "is_no")]
    pub replaces_bundled: bool,
    /// What it takes and fills, as it was shown; only where it is a materializer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub materializer: Option<Declared>,
    /// What it may read, as it was shown to the person who agreed. What is not here is not lent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// What a materializer takes and fills.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Kinds of items that it takes.
    pub kinds: Vec<String>,
    /// Kinds of items that it queues for others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,
    /// Datasets that it fills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
}

impl Declared {
    pub(crate) fn of(description: &MaterializerDescription) -> Self {
        Self {
            kinds: description.kinds.clone(),
            queues: description.queues.clone(),
            datasets: description.datasets.iter().map(|dataset| dataset.name.clone()).collect(),
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_no(value: &bool) -> bool {
    !value
}

impl Locked {
    /// Returns an entry for a component as it was offered, with all that it wants.
    pub(crate) fn new(offer: &Offer) -> Self {
        let (materializer, grants) = match &offer.manifest {
            Manifest::Materializer(it) => (Some(Declared::of(it)), Vec::new()),
            manifest => (None, manifest.provider().map_or_else(Vec::new, wanted)),
        };
        Self {
            name: offer.manifest.name().to_owned(),
            digest: offer.digest.clone(),
            version: offer.manifest.version().to_owned(),
            source: offer.source.clone(),
            contract: offer.interfaces.contract().unwrap_or_default().to_owned(),
            enabled: true,
            replaces_bundled: offer.is_bundled_name,
            materializer,
            grants,
        }
    }
}

impl Locked {
    /// Returns what it does, in words: what a person agreed to.
    pub(crate) fn deeds(&self) -> Vec<String> {
        let reads =
            self.grants.iter().flat_map(|grant| &grant.reads).map(|it| format!("read {it}"));
        let declared = self.materializer.clone().unwrap_or_default();
        let takes = declared.kinds.iter().map(|kind| match kind.strip_prefix(STORED) {
            Some(dataset) => format!("derive columns of dataset `{dataset}` whenever it changed"),
            None => format!("take items of kind `{kind}`"),
        });
        let fills = declared.datasets.iter().map(|name| format!("fill dataset `{name}`"));
        reads.chain(takes).chain(fills).collect()
    }
}

/// Returns the path of a component's file.
pub(crate) fn file_of(store: &Path, name: &str) -> PathBuf {
    store.join("plugins").join(format!("{name}.wasm"))
}

impl Lock {
    /// Reads the list of a store; without one, nothing is installed.
    pub(crate) fn read(store: &Path) -> Result<Self, BackfillError> {
        let path = path(store);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(BackfillError::PluginList { path, reason: error.to_string() });
            }
        };
        toml::from_str(&text)
            .map_err(|error| BackfillError::PluginList { path, reason: error.message().to_owned() })
    }

    /// Returns the entry with a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Locked> {
        self.plugin.iter().find(|plugin| plugin.name == name)
    }

    /// Changes the list of a store, with what goes with the change, while nobody else does.
    ///
    /// The list is replaced at once: whoever reads it sees it before or after.
    pub(crate) fn change<T>(
        store: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, BackfillError>,
    ) -> Result<T, BackfillError> {
        let folder = store.join("plugins");
        private_folder(&folder).map_err(|error| failed(&folder, &error))?;
        let guard = private_file(&folder.join(".lock")).map_err(|error| failed(&folder, &error))?;
        guard.lock().map_err(|error| failed(&folder, &error))?;
        let mut lock = Self::read(store)?;
        let answer = change(&mut lock)?;
        lock.plugin.sort_by(|a, b| a.name.cmp(&b.name));
        let path = path(store);
        let text = toml::to_string(&lock).map_err(|error| BackfillError::PluginList {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        replace(&path, text.as_bytes()).map_err(|error| failed(&path, &error))?;
        Ok(answer)
    }
}

fn path(store: &Path) -> PathBuf {
    store.join("plugins.lock")
}

fn failed(path: &Path, error: &io::Error) -> BackfillError {
    BackfillError::PluginFile { path: path.to_owned(), reason: error.to_string() }
}

/// Writes a file beside the old one and puts it in its place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_made_beside_the_list_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;

        let store = tempfile::tempdir().unwrap();
        Lock::change(store.path(), |_| Ok(())).unwrap();
        let guard = store.path().join("plugins/.lock").metadata().unwrap();
        assert_eq!(guard.permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_name_and_a_digest_are_enough_to_be_listed_and_grant_nothing() {
        let text = "[[plugin]]\nname = \"notebook\"\ndigest = \"aa\"\n";
        let lock: Lock = toml::from_str(text).unwrap();
        assert!(lock.plugin[0].enabled && lock.plugin[0].grants.is_empty());
        assert_eq!(toml::to_string(&lock).unwrap(), text);
    }

    #[test]
    fn a_change_that_fails_leaves_the_list_as_it_was() {
        let store = tempfile::tempdir().unwrap();
        let entry = |name: &str| Locked {
            name: name.into(),
            digest: "aa".into(),
            version: String::new(),
            source: String::new(),
            contract: "0.1.0".into(),
            enabled: true,
            replaces_bundled: false,
            materializer: None,
            grants: vec![Grant {
                root: "history".into(),
                reads: vec!["~/.notebook: *.jsonl".into()],
                revoked: true,
            }],
        };
        let add = |name: &'static str, fails: bool| {
            Lock::change(store.path(), |lock| {
                lock.plugin.push(entry(name));
                if fails { Err(BackfillError::NotInstalled { name: name.into() }) } else { Ok(()) }
            })
        };
        add("b", false).unwrap();
        add("a", false).unwrap();
        add("c", true).unwrap_err();
        let names = Lock::read(store.path()).unwrap().plugin;
        assert_eq!(names, [entry("a"), entry("b")]);
    }
}
