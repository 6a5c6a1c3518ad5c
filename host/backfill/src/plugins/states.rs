//! How every provider is: bundled or installed, whole or not, and what it may read.

use std::sync::Arc;

use hyp_plugin::Plugin;
use serde::Serialize;

use crate::components::{Components, origin_of};
use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::grants::{Grant, reads};
use crate::plugins::lock::{Declared, Lock};

/// How an installed component, or a bundled provider, is.
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
    /// What it takes and fills, where it is a materializer.
    pub materializer: Option<Declared>,
    /// Names of roots that were taken back.
    pub revoked: Vec<String>,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// Says how every provider and every installed materializer is: each file is read and compared with its digest.
///
/// # Errors
/// Fails when `plugins.lock` cannot be read or a bundled component is damaged.
pub fn states(places: &Places) -> Result<Vec<PluginState>, BackfillError> {
    let lock = Lock::read(&places.store)?;
    let components = Components::look(places)?;
    let mut states: Vec<PluginState> =
        components.registry.iter().map(|plugin| state(plugin, &lock)).collect();
    let refused =
        components.refused.iter().map(|(name, error)| (name, Some(crate::explain(error))));
    let materializers = lock.plugin.iter().filter_map(|locked| {
        let declared = locked.materializer.as_ref()?;
        let maker = components.makers.iter().find(|maker| maker.digest() == locked.digest);
        let error = match maker.map(|maker| maker.load(&components.host)) {
            Some(loaded) => loaded.err().map(|error| crate::explain(&error)),
            None => components.makers.clash(&locked.name, declared).map(|it| crate::explain(&it)),
        };
        Some((&locked.name, error))
    });
    for (name, error) in refused.chain(materializers) {
        let Some(locked) = lock.get(name).cloned() else { continue };
        states.push(PluginState {
            name: locked.name,
            version: locked.version,
            origin: "installed",
            source: locked.source,
            digest: locked.digest,
            enabled: locked.enabled,
            reads: agreed(&locked.grants),
            materializer: locked.materializer,
            revoked: revoked(&locked.grants),
            error,
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
        reads: locked.map_or_else(|| reads(description), |locked| agreed(&locked.grants)),
        materializer: None,
        revoked: locked.map_or_else(Vec::new, |locked| revoked(&locked.grants)),
        error: None,
    }
}

fn agreed(grants: &[Grant]) -> Vec<String> {
    grants.iter().filter(|grant| !grant.revoked).flat_map(|grant| grant.reads.clone()).collect()
}

fn revoked(grants: &[Grant]) -> Vec<String> {
    grants.iter().filter(|grant| grant.revoked).map(|grant| grant.root.clone()).collect()
}
