//! Components from elsewhere: looked at, agreed to, installed, checked and removed.
//!
//! Nothing here opens a socket: whoever calls brings the bytes.

pub(crate) mod grants;
pub(crate) mod lock;
mod roots;
mod states;

use std::fs;

use crate::components::{Components, is_bundled};
use crate::error::BackfillError;
use crate::places::Places;
use grants::{reads, share};
use hyp_model::Explain;
use hyp_plugin::{Description, Host, Interfaces, Limits, Source, digest_of};
use lock::{Lock, file_of};

pub use grants::Grant;
pub use lock::Locked;
use roots::check_reach;
pub use roots::{grant, revoke};
pub use states::{PluginState, states};

/// A component that was looked at, and not installed yet.
#[derive(Debug)]
pub struct Offer {
    /// What it says of itself.
    pub description: Description,
    /// What it wants of the host, and gives.
    pub interfaces: Interfaces,
    /// SHA-256 in hexadecimal digits.
    pub digest: String,
    /// What it could read, one line for each place.
    pub reads: Vec<String>,
    /// Names of other providers that look into the same folders.
    pub shares: Vec<String>,
    /// What is installed under its name now.
    pub installed: Option<Locked>,
    /// Whether its name is a bundled provider's.
    pub is_bundled_name: bool,
    source: String,
    bytes: Vec<u8>,
}

impl Offer {
    /// Returns how many bytes the component has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns what it wants to read that nobody was asked about; everything, where none is installed.
    pub fn more_reads(&self) -> Vec<String> {
        let known = self.known_reads();
        self.reads.iter().filter(|place| !known.contains(place)).cloned().collect()
    }

    /// Returns what the installed one wanted to read and this one does not.
    pub fn fewer_reads(&self) -> Vec<String> {
        self.known_reads()
            .into_iter()
            .filter(|place| !self.reads.contains(place))
            .cloned()
            .collect()
    }

    fn known_reads(&self) -> Vec<&String> {
        let grants = self.installed.iter().flat_map(|locked| &locked.grants);
        grants.flat_map(|grant| &grant.reads).collect()
    }
}

/// Looks at a component that `source` led to.
///
/// It is compiled and asked what it is; it reads nothing.
///
/// # Errors
/// Fails when it is no provider of this contract.
pub fn offer(places: &Places, bytes: Vec<u8>, source: &str) -> Result<Offer, BackfillError> {
    let host = Host::new(None, Limits::default())?;
    let digest = digest_of(&bytes);
    let held = tempfile::NamedTempFile::with_suffix(".wasm").and_then(|file| {
        fs::write(file.path(), &bytes)?;
        Ok(file)
    });
    let held = held.map_err(|error| BackfillError::PluginFile {
        path: std::env::temp_dir(),
        reason: error.to_string(),
    })?;
    let path = held.path().to_owned();
    let (plugin, interfaces) = host
        .inspect(Source::File { path: path.clone(), digest: digest.clone() })
        .map_err(|error| {
            let named = |words: String| words.replace(&path.display().to_string(), source);
            let reason = named(crate::causes(&error));
            BackfillError::Offer { reason, code: error.code(), help: error.help().map(named) }
        })?;
    let description = plugin.description().clone();
    let reads = reads(&description);
    let lock = Lock::read(&places.store)?;
    let others = Components::look(places)?;
    let shares = others.registry.iter().filter(|other| {
        let theirs = other.description();
        theirs.name != description.name && share(theirs, &description)
    });
    Ok(Offer {
        installed: lock.get(&description.name).cloned(),
        is_bundled_name: is_bundled(&description.name),
        shares: shares.map(|other| other.description().name.clone()).collect(),
        reads,
        interfaces,
        digest,
        description,
        source: source.to_owned(),
        bytes,
    })
}

/// Installs a component that was agreed to.
///
/// # Errors
/// Fails when the store cannot be written, or its name is a bundled provider's and may not be taken.
pub fn install(places: &Places, offer: &Offer, may_replace: bool) -> Result<Locked, BackfillError> {
    let name = &offer.description.name;
    if offer.is_bundled_name && !may_replace {
        return Err(BackfillError::NameTaken {
            name: name.clone(),
            by: "a bundled provider".into(),
        });
    }
    let other = offer.installed.as_ref().filter(|locked| locked.source != offer.source);
    if let Some(locked) = other.filter(|_| !may_replace) {
        let by = format!("what came from `{}`", locked.source);
        return Err(BackfillError::NameTaken { name: name.clone(), by });
    }
    for root in &offer.description.roots {
        check_reach(places, name, &offer.description, root)?;
    }
    Lock::change(&places.store, |lock| {
        let mut locked = Locked::new(offer);
        let before = lock.get(name);
        locked.enabled = before.is_none_or(|before| before.enabled);
        let was_revoked = |root: &str| {
            let mut grants = before.iter().flat_map(|before| &before.grants);
            grants.any(|grant| grant.root == root && grant.revoked)
        };
        locked.grants.iter_mut().for_each(|grant| grant.revoked = was_revoked(&grant.root));
        let path = file_of(&places.store, name);
        lock::replace(&path, &offer.bytes)
            .map_err(|error| BackfillError::PluginFile { path, reason: error.to_string() })?;
        lock.plugin.retain(|plugin| plugin.name != *name);
        lock.plugin.push(locked.clone());
        Ok(locked)
    })
}

/// Removes an installed component; rows that it gave stay.
///
/// # Errors
/// Fails when none has the name, or the store cannot be written.
pub fn remove(places: &Places, name: &str) -> Result<Locked, BackfillError> {
    Lock::change(&places.store, |lock| {
        let at = lock.plugin.iter().position(|plugin| plugin.name == name);
        let at = at.ok_or_else(|| BackfillError::NotInstalled { name: name.to_owned() })?;
        let path = file_of(&places.store, name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(BackfillError::PluginFile { path, reason: error.to_string() })
            }
            _ => Ok(lock.plugin.remove(at)),
        }
    })
}

/// Has an installed component run, or not run, when no provider is named.
///
/// # Errors
/// Fails when none has the name, or the store cannot be written.
pub fn set_enabled(places: &Places, name: &str, enabled: bool) -> Result<(), BackfillError> {
    Lock::change(&places.store, |lock| {
        let plugin = lock.plugin.iter_mut().find(|plugin| plugin.name == name);
        plugin.ok_or_else(|| BackfillError::NotInstalled { name: name.to_owned() })?.enabled =
            enabled;
        Ok(())
    })
}

/// Returns what is installed.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read.
pub fn installed(places: &Places) -> Result<Vec<Locked>, BackfillError> {
    Ok(Lock::read(&places.store)?.plugin)
}
