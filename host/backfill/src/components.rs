//! The components that a run may use: those in the binary, and those in `plugins.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use hyp_plugin::{Host, Limits, Plugin, Registry, Source};
use serde::Deserialize;

use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::Locked;
use crate::plugins::lock::{Lock, file_of};

/// Digests of the components that the binary holds, by name.
const LOCK: &str = include_str!("../../../providers/dist/components.lock");

const CLAUDE: &[u8] = include_bytes!("../../../providers/dist/claude.wasm");
const CODEX: &[u8] = include_bytes!("../../../providers/dist/codex.wasm");

#[derive(Debug, Deserialize)]
struct Bundled {
    sha256: String,
}

static BUNDLED: LazyLock<BTreeMap<String, Bundled>> = LazyLock::new(|| {
    toml::from_str(LOCK).expect("the list is written by `cargo xtask components`")
});

/// Every provider that this machine has, by name.
pub(crate) struct Components {
    pub(crate) registry: Registry,
    /// Installed components that were refused, by name.
    pub(crate) refused: Vec<(String, BackfillError)>,
    /// Names of all there are, loaded or not.
    known: BTreeSet<String>,
    /// Names of installed ones that run only when they are named.
    resting: BTreeSet<String>,
}

impl Components {
    /// Loads what the binary holds and what `plugins.lock` allows; with names, those alone.
    ///
    /// An installed component that is refused takes nothing else down; a bundled one is an error.
    pub(crate) fn load(
        places: &Places,
        limits: Limits,
        names: &[String],
    ) -> Result<Self, BackfillError> {
        Self::load_with(Some(cache_of(places)), places, limits, names)
    }

    /// Loads all there are to look at them; where there is no store, none is made.
    pub(crate) fn look(places: &Places) -> Result<Self, BackfillError> {
        let cache = places.store.exists().then(|| cache_of(places));
        Self::load_with(cache, places, Limits::default(), &[])
    }

    fn load_with(
        cache: Option<PathBuf>,
        places: &Places,
        limits: Limits,
        names: &[String],
    ) -> Result<Self, BackfillError> {
        let installed = Lock::read(&places.store)?.plugin;
        let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        let known = BUNDLED.keys().chain(installed.iter().map(|plugin| &plugin.name)).cloned();
        let host = Host::new(cache, limits)?;
        let mut registry = Registry::default();
        for (name, bundled) in &*BUNDLED {
            let is_replaced = installed.iter().any(|it| it.replaces_bundled && it.name == *name);
            let is_wanted = is_wanted(name) && !is_replaced;
            let Some((name, bytes)) = bytes_of(name).filter(|_| is_wanted) else { continue };
            let source = Source::Bundled { name, bytes, digest: &bundled.sha256 };
            registry.add(host.load(source)?)?;
        }
        let mut refused = Vec::new();
        for plugin in installed.iter().filter(|plugin| is_wanted(&plugin.name)).cloned() {
            let path = file_of(&places.store, &plugin.name);
            let loaded = host
                .load(Source::File { path, digest: plugin.digest.clone() })
                .map_err(BackfillError::from)
                .and_then(|component| agreed(&component, &plugin).map(|()| component))
                .and_then(|component| Ok(registry.add(component)?));
            if let Err(error) = loaded {
                refused.push((plugin.name, error));
            }
        }
        let resting = installed.iter().filter(|plugin| !plugin.enabled);
        let resting = resting.map(|plugin| plugin.name.clone()).collect();
        Ok(Self { registry, refused, known: known.collect(), resting })
    }

    /// Returns the providers with these names, each once, in the order of the names; without names,
    /// those that are enabled.
    ///
    /// # Errors
    /// Fails when a name is not known, and with the reason when its component was refused.
    pub(crate) fn select(
        &mut self,
        names: &[String],
        enabled: Option<&[String]>,
    ) -> Result<Vec<Arc<Plugin>>, BackfillError> {
        if let Some(at) = self.refused.iter().position(|(name, _)| names.contains(name)) {
            return Err(self.refused.swap_remove(at).1);
        }
        let unknown = self.unknown(names);
        if !unknown.is_empty() {
            let known = self.known.iter().cloned().collect();
            return Err(BackfillError::Unknown { names: unknown, known });
        }
        let mut chosen: Vec<Arc<Plugin>> = Vec::new();
        if names.is_empty() {
            let all = self.registry.iter().filter(|plugin| !self.resting.contains(name_of(plugin)));
            chosen.extend(all.filter(|plugin| is_enabled(name_of(plugin), enabled)).cloned());
        }
        for name in names {
            if !chosen.iter().any(|plugin| name_of(plugin) == name) {
                chosen.extend(self.registry.get(name).cloned());
            }
        }
        Ok(chosen)
    }

    /// Returns those names that no provider has.
    pub(crate) fn unknown(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| !self.known.contains(*name)).cloned().collect()
    }
}

/// Returns the folder of compiled components.
fn cache_of(places: &Places) -> PathBuf {
    places.store.join("cache").join("components")
}

/// Refuses a component that is not what its entry in the list says.
fn agreed(component: &Plugin, entry: &Locked) -> Result<(), BackfillError> {
    let name = name_of(component);
    if name == entry.name {
        return Ok(());
    }
    let by = format!("a component that calls itself `{name}`");
    Err(BackfillError::NameTaken { name: entry.name.clone(), by })
}

/// Says whether a provider of this name is in the binary.
pub(crate) fn is_bundled(name: &str) -> bool {
    BUNDLED.contains_key(name)
}

/// Says whether a provider runs when no provider is named.
pub(crate) fn is_enabled(name: &str, enabled: Option<&[String]>) -> bool {
    enabled.is_none_or(|names| names.iter().any(|enabled| enabled == name))
}

/// Returns the name of a provider.
pub(crate) fn name_of(plugin: &Plugin) -> &str {
    &plugin.description().name
}

/// Returns how the provider came here: `bundled` or `installed`.
pub(crate) fn origin_of(plugin: &Plugin) -> &'static str {
    match plugin.source() {
        Source::Bundled { .. } => "bundled",
        _ => "installed",
    }
}

fn bytes_of(name: &str) -> Option<(&'static str, &'static [u8])> {
    match name {
        "claude" => Some(("claude", CLAUDE)),
        "codex" => Some(("codex", CODEX)),
        _ => None,
    }
}
