//! Components from elsewhere: looked at, agreed to, installed, checked and removed.
//!
//! Nothing here opens a socket: whoever calls brings the bytes.

pub(crate) mod lock;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use hyp_model::Explain;
use hyp_plugin::{
    Candidate, Description, Host, Interfaces, Limits, Plugin, Purpose, Source, digest_of,
};
use serde::Serialize;

use crate::components::{Components, is_bundled, origin_of};
use crate::error::BackfillError;
use crate::places::Places;
use lock::{Lock, file_of};

pub use lock::Locked;

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
    /// Names of other providers that look into the same places.
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

    /// Returns what it could read that the installed one could not; everything, where none is installed.
    pub fn more_reads(&self) -> Vec<String> {
        let agreed = self.installed.as_ref().map_or(&[][..], |locked| &locked.reads);
        self.reads.iter().filter(|place| !agreed.contains(place)).cloned().collect()
    }
}

/// How an installed or bundled provider is.
#[derive(Debug, Serialize)]
pub struct PluginState {
    /// Its name.
    pub name: String,
    /// What it called its version.
    pub version: String,
    /// `bundled` or `installed`.
    pub origin: &'static str,
    /// Where it came from; empty for bundled ones.
    pub source: String,
    /// SHA-256 in hexadecimal digits.
    pub digest: String,
    /// Whether it runs when no provider is named.
    pub enabled: bool,
    /// What it may read.
    pub reads: Vec<String>,
    /// Why it cannot be used.
    pub error: Option<String>,
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
        theirs.name != description.name && !places_of(theirs).is_disjoint(&places_of(&description))
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
    Lock::change(&places.store, |lock| {
        let mut locked = Locked::new(&offer.description, &offer.digest, &offer.source);
        locked.enabled = lock.get(name).is_none_or(|before| before.enabled);
        locked.replaces_bundled = offer.is_bundled_name;
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

/// Says how every provider is: each file is read and compared with its digest.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn states(places: &Places) -> Result<Vec<PluginState>, BackfillError> {
    let lock = Lock::read(&places.store)?;
    let components = Components::look(places)?;
    let mut states: Vec<PluginState> =
        components.registry.iter().map(|plugin| state(plugin, &lock)).collect();
    for (name, error) in components.refused {
        let Some(locked) = lock.get(&name).cloned() else { continue };
        states.push(PluginState {
            name,
            version: locked.version,
            origin: "installed",
            source: locked.source,
            digest: locked.digest,
            enabled: locked.enabled,
            reads: locked.reads,
            error: Some(crate::explain(&error)),
        });
    }
    states.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(states)
}

fn state(plugin: &Arc<Plugin>, lock: &Lock) -> PluginState {
    let description = plugin.description();
    let origin = origin_of(plugin);
    let locked = lock.get(&description.name).filter(|_| origin == "installed");
    PluginState {
        name: description.name.clone(),
        version: description.version.clone(),
        origin,
        source: locked.map_or_else(String::new, |locked| locked.source.clone()),
        digest: plugin.digest().to_owned(),
        enabled: locked.is_none_or(|locked| locked.enabled),
        reads: reads(description),
        error: None,
    }
}

/// Returns what a provider could read: a line for each place, as a person would write it.
pub(crate) fn reads(description: &Description) -> Vec<String> {
    let mut lines = Vec::new();
    for root in description.roots.iter().filter(|root| root.purpose == Purpose::History) {
        for place in root.candidates.iter().map(place_of) {
            let mut line = match &root.globs[..] {
                [] => place,
                globs => format!("{place}: {}", globs.join(", ")),
            };
            let tables: Vec<&str> = root.tables.iter().map(|table| table.name.as_str()).collect();
            if !tables.is_empty() {
                line = format!("{line} (tables {})", tables.join(", "));
            }
            lines.push(line);
        }
    }
    lines
}

fn places_of(description: &Description) -> std::collections::BTreeSet<String> {
    let roots = description.roots.iter().filter(|root| root.purpose == Purpose::History);
    roots.flat_map(|root| root.candidates.iter().map(place_of)).collect()
}

fn place_of(candidate: &Candidate) -> String {
    let join = |folder: &str, below: &str| match below {
        "" => folder.to_owned(),
        below => Path::new(folder).join(below).display().to_string(),
    };
    match candidate {
        Candidate::Environment { variable, below, .. } => join(&format!("${variable}"), below),
        Candidate::Home(below) => join("~", below),
        Candidate::ConfigHome(below) => join("$XDG_CONFIG_HOME", below),
        Candidate::DataHome(below) => join("$XDG_DATA_HOME", below),
        Candidate::ApplicationSupport(below) => join("(application data)", below),
        Candidate::HypHome(below) => join("$HYP_HOME", below),
    }
}
