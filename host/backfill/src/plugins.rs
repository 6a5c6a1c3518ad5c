//! Components from elsewhere: looked at, agreed to, installed, checked and removed.
//!
//! Nothing here opens a socket: whoever calls brings the bytes.

pub(crate) mod grants;
pub(crate) mod lock;
mod roots;
mod states;

use std::fs;
use std::path::Path;

use crate::components::{Components, cache_of, is_bundled};
use crate::engine::check_free;
use crate::error::BackfillError;
use crate::places::Places;
use grants::{reads, share};
use hyp_model::Explain;
use hyp_plugin::{
    Compiled, Host, Interfaces, Limits, Manifest, MaterializerDescription, Source, digest_of,
};
use lock::{Lock, file_of};

pub use grants::Grant;
pub use lock::{Declared, Locked};
use roots::check_reach;
pub use roots::{grant, revoke};
pub use states::{PluginState, states};

/// A component that was looked at, and not installed yet.
#[derive(Debug)]
pub struct Offer {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What it wants of the host, and gives.
    pub interfaces: Interfaces,
    /// SHA-256 in hexadecimal digits.
    pub digest: String,
    /// What a provider could read, one line for each place.
    pub reads: Vec<String>,
    /// Names of other providers that look into the same folders.
    pub shares: Vec<String>,
    /// What is installed under its name now.
    pub installed: Option<Locked>,
    /// Whether its name is a bundled provider's.
    pub is_bundled_name: bool,
    source: String,
    bytes: Vec<u8>,
    compiled: Compiled,
}

impl Offer {
    /// Returns the component.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what it would do, in words, that nobody was asked about: all of it, where none is installed.
    pub fn more(&self) -> Vec<String> {
        let known = self.installed.as_ref().map_or_else(Vec::new, Locked::deeds);
        Locked::new(self).deeds().into_iter().filter(|deed| !known.contains(deed)).collect()
    }

    /// Returns what the installed one did, in words, and this one does not.
    pub fn fewer(&self) -> Vec<String> {
        let (known, deeds) =
            (self.installed.as_ref().map(Locked::deeds), Locked::new(self).deeds());
        known.into_iter().flatten().filter(|deed| !deeds.contains(deed)).collect()
    }
}

/// Looks at a component that `source` led to.
///
/// It is compiled and asked what it is; it reads nothing.
///
/// # Errors
/// Fails when it is neither a provider nor a materializer of this contract.
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
    let (manifest, interfaces, compiled) = host
        .inspect(&Source::File { path: path.clone(), digest: digest.clone() })
        .map_err(|error| {
            let named = |words: String| words.replace(&path.display().to_string(), source);
            let reason = named(crate::causes(&error));
            BackfillError::Offer { reason, code: error.code(), help: error.help().map(named) }
        })?;
    let provider = manifest.provider();
    let lock = Lock::read(&places.store)?;
    let others = Components::look(places)?;
    // Rows of datasets have keys of their own: only messages can come twice.
    let shares = others.registry.iter().map(|other| other.description()).filter(|theirs| {
        provider.is_some_and(|ours| {
            let bring_messages = theirs.emits_messages() && ours.emits_messages();
            bring_messages && theirs.name != ours.name && share(theirs, ours)
        })
    });
    Ok(Offer {
        installed: lock.get(manifest.name()).cloned(),
        is_bundled_name: is_bundled(manifest.name()),
        shares: shares.map(|theirs| theirs.name.clone()).collect(),
        reads: provider.map_or_else(Vec::new, reads),
        interfaces,
        digest,
        manifest,
        source: source.to_owned(),
        bytes,
        compiled,
    })
}

/// Installs a component that was agreed to.
///
/// # Errors
/// Fails when the store cannot be written, or its name is a bundled provider's and may not be taken.
pub fn install(places: &Places, offer: &Offer, may_replace: bool) -> Result<Locked, BackfillError> {
    let name = offer.manifest.name();
    if offer.is_bundled_name && !may_replace {
        return Err(BackfillError::NameTaken {
            name: name.to_owned(),
            by: "a bundled component".into(),
        });
    }
    let other = offer.installed.as_ref().filter(|locked| locked.source != offer.source);
    if let Some(locked) = other.filter(|_| !may_replace) {
        let by = format!("what came from `{}`", locked.source);
        return Err(BackfillError::NameTaken { name: name.to_owned(), by });
    }
    match &offer.manifest {
        Manifest::Materializer(description) => check_free_for(places, description)?,
        manifest => {
            for (description, root) in manifest
                .provider()
                .into_iter()
                .flat_map(|it| it.roots.iter().map(move |root| (it, root)))
            {
                check_reach(places, name, description, root)?;
            }
        }
    }
    let locked = Lock::change(&places.store, |lock| {
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
        lock.plugin.retain(|plugin| plugin.name != name);
        lock.plugin.push(locked.clone());
        Ok(locked)
    })?;
    offer.compiled.keep(cache_of(places), &offer.manifest);
    Ok(locked)
}

/// Refuses a materializer of what is another one's.
fn check_free_for(
    places: &Places,
    description: &MaterializerDescription,
) -> Result<(), BackfillError> {
    for dataset in &description.datasets {
        check_free(&dataset.name).map_err(|reason| BackfillError::Datasets { reason })?;
    }
    let makers = Components::look(places)?.makers;
    match makers.clash(&description.name, &Declared::of(description)) {
        Some(clash) => Err(clash),
        None => Ok(()),
    }
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
        let plugin = plugin.ok_or_else(|| BackfillError::NotInstalled { name: name.to_owned() })?;
        if plugin.materializer.is_some() {
            return Err(BackfillError::NeverRuns { name: name.to_owned() });
        }
        plugin.enabled = enabled;
        Ok(())
    })
}

/// Installs in another store the materializers of this one.
///
/// # Errors
/// Fails when one of the stores cannot be read, or the other one not written.
pub fn lend_materializers(places: &Places, other: &Path) -> Result<(), BackfillError> {
    let installed = Lock::read(&places.store)?.plugin;
    let materializers: Vec<Locked> =
        installed.into_iter().filter(|it| it.materializer.is_some()).collect();
    if materializers.is_empty() {
        return Ok(());
    }
    Lock::change(other, |lock| {
        for locked in materializers {
            let path = file_of(other, &locked.name);
            fs::copy(file_of(&places.store, &locked.name), &path)
                .map_err(|error| BackfillError::PluginFile { path, reason: error.to_string() })?;
            lock.plugin.push(locked);
        }
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
