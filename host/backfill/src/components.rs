//! The components that a run may use: those in the binary, and those in `plugins.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use hyp_cache::Store;
use hyp_model::item::Dataset;
use hyp_plugin::{Candidate, Description, Host, Limits, Plugin, Registry, Source};
use serde::Deserialize;

use crate::error::BackfillError;
use crate::makers::{Maker, Makers};
use crate::places::Places;
use crate::plugins::grants::{Grant, Lending};
use crate::plugins::lock::{Declared, Lock, Locked, file_of};

/// Digests of the components that the binary holds, by name.
const LOCK: &str = include_str!("../../../providers/dist/components.lock");

/// A component that the binary holds, with what it says of itself, so that it is started only where there is history.
struct Bundled {
    name: &'static str,
    bytes: &'static [u8],
    manifest: &'static str,
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        &[$(Bundled {
            name: $name,
            bytes: include_bytes!(concat!("../../../providers/dist/", $name, ".wasm")),
            manifest: include_str!(concat!("../../../providers/", $name, "/manifest.json")),
        }),*]
    };
}

const BUNDLED: &[Bundled] = bundled![
    "agent-types",
    "claude",
    "codex",
    "cursor",
    "gemini",
    "opencode",
    "pi",
    "qwen",
    "registry-history",
    "registry-reprobe",
    "registry-state",
    "test-suites",
];

/// A materializer that the binary holds, with what it says of itself.
struct BundledMaterializer {
    name: &'static str,
    bytes: &'static [u8],
    kinds: &'static [&'static str],
    queues: &'static [&'static str],
    datasets: &'static [&'static str],
}

macro_rules! materializers {
    ($($name:literal takes [$($kind:literal),*] queues [$($queued:literal),*] fills [$($dataset:literal),*]),* $(,)?) => {
        &[$(BundledMaterializer {
            name: $name,
            bytes: include_bytes!(concat!("../../../providers/dist/", $name, ".wasm")),
            kinds: &[$($kind),*],
            queues: &[$($queued),*],
            datasets: &[$($dataset),*],
        }),*]
    };
}

#[rustfmt::skip]
const MATERIALIZERS: &[BundledMaterializer] = materializers![
    "agent-snapshots" takes ["registry.agent_snapshot", "registry.probe_result"]
        queues ["registry.agent_type_evidence"] fills ["agent_capabilities_snapshot"],
    "member-agents" takes ["registry.member_agent", "registry.agent_type_evidence"]
        queues [] fills ["member_agents"],
    "registry-compliance" takes ["registry.owner_test", "registry.test_run", "registry.compliance_run",
        "registry.compliance_status"]
        queues [] fills ["agent_compliance_runs", "agent_compliance_status", "agent_test_history"],
    "suite-eligibility" takes ["registry.suite", "registry.suite_state", "registry.capability",
        "stored.test_suites"]
        queues [] fills ["test_suites", "capabilities"],
];

impl BundledMaterializer {
    fn maker(&self) -> Maker {
        let locked = LOCKED.get(self.name).expect("a test compares the two lists");
        let source = Source::Bundled { name: self.name, bytes: self.bytes, digest: &locked.sha256 };
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (kinds, queues) = (owned(self.kinds), owned(self.queues));
        Maker::new(self.name, Declared { kinds, queues, datasets: owned(self.datasets) }, source)
    }
}

#[derive(Debug, Deserialize)]
struct Digest {
    sha256: String,
}

static LOCKED: LazyLock<BTreeMap<String, Digest>> = LazyLock::new(|| {
    toml::from_str(LOCK).expect("the list is written by `cargo xtask components`")
});

impl Bundled {
    fn source(&self) -> Source {
        let locked = LOCKED.get(self.name).expect("a test compares the two lists");
        Source::Bundled { name: self.name, bytes: self.bytes, digest: &locked.sha256 }
    }

    fn description(&self) -> Description {
        serde_json::from_str(self.manifest).expect("the test of each provider writes it")
    }
}

/// Returns the name and the digest of each component that the binary holds.
pub fn bundled() -> impl Iterator<Item = (&'static str, &'static str)> {
    LOCKED.iter().map(|(name, digest)| (name.as_str(), digest.sha256.as_str()))
}

/// Every provider that this machine has, by name.
pub(crate) struct Components {
    pub(crate) host: Arc<Host>,
    pub(crate) registry: Registry,
    pub(crate) makers: Makers,
    /// Installed components that were refused, by name.
    pub(crate) refused: Vec<(String, BackfillError)>,
    /// Names of all there are, loaded or not.
    known: BTreeSet<String>,
    /// Names of installed ones that run only when they are named.
    resting: BTreeSet<String>,
    /// What installed ones may read, by name.
    grants: BTreeMap<String, Vec<Grant>>,
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
        // Compiled components are kept in the store: not in a folder of something else.
        Store::check(&places.store)?;
        Self::load_with(Some(cache_of(places)), places, limits, names)
    }

    /// Loads all there are to look at them; where there is no store, none is made.
    pub(crate) fn look(places: &Places) -> Result<Self, BackfillError> {
        let is_store = places.store.exists() && Store::check(&places.store).is_ok();
        let cache = is_store.then(|| cache_of(places));
        Self::load_with(cache, places, Limits::default(), &[])
    }

    fn load_with(
        cache: Option<PathBuf>,
        places: &Places,
        limits: Limits,
        names: &[String],
    ) -> Result<Self, BackfillError> {
        let installed = Lock::read(&places.store)?.plugin;
        let bundled = MATERIALIZERS.iter().map(BundledMaterializer::maker);
        let makers = Makers::new(bundled, &installed, &places.store);
        let (_, installed): (Vec<_>, Vec<_>) =
            installed.into_iter().partition(|it| it.materializer.is_some());
        let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        let bundled = BUNDLED.iter().map(|bundled| bundled.name.to_owned());
        let known = bundled.chain(installed.iter().map(|plugin| plugin.name.clone()));
        let host = Host::new(cache, limits)?;
        let mut registry = Registry::default();
        for bundled in BUNDLED.iter().filter(|bundled| is_wanted(bundled.name)) {
            if installed.iter().any(|it| it.replaces_bundled && it.name == bundled.name) {
                continue;
            }
            registry.add(host.know(bundled.source(), bundled.description()))?;
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
        let known = known.collect();
        let grants = installed.into_iter().map(|plugin| (plugin.name, plugin.grants)).collect();
        Ok(Self { host, registry, makers, refused, known, resting, grants })
    }

    /// Returns the providers with these names, each once, in the order of the names; without names,
    /// those of messages that are enabled.
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
            // What changes datasets is never a surprise: its providers are named.
            let all = self.registry.iter().filter(|plugin| {
                plugin.description().emits_messages() && !self.resting.contains(name_of(plugin))
            });
            chosen.extend(all.filter(|plugin| is_enabled(name_of(plugin), enabled)).cloned());
        }
        for name in names {
            if !chosen.iter().any(|plugin| name_of(plugin) == name) {
                chosen.extend(self.registry.get(name).cloned());
            }
        }
        Ok(chosen)
    }

    /// Returns what is lent to a provider.
    pub(crate) fn lending(&self, plugin: &Plugin) -> Lending {
        match plugin.source() {
            Source::Bundled { .. } => Lending::Everything,
            _ => Lending::Agreed(self.grants.get(name_of(plugin)).cloned().unwrap_or_default()),
        }
    }

    /// Returns the provider of the binary that takes the rows of a dataset, as they are, from the table that a source has of
    /// it: of those that fill the dataset and read nothing of the table but columns of the dataset, who reads most.
    pub(crate) fn adopts(&self, source: &str, dataset: &Dataset) -> Option<&'static str> {
        let is_column = |name: &String| dataset.columns.iter().any(|column| column.name == *name);
        let read = |description: &Description| {
            let of = Candidate::Source(source.to_owned());
            let roots = description.roots.iter().filter(|root| root.candidates.contains(&of));
            let mut tables = roots.flat_map(|root| &root.tables);
            let table = tables.find(|table| table.name == dataset.name)?;
            let is_filled = || self.makers.filled_by(description).contains(&dataset.name);
            let adopts = table.columns.iter().all(is_column) && is_filled();
            adopts.then_some(table.columns.len())
        };
        let reading = |bundled: &Bundled| Some((read(&bundled.description())?, bundled.name));
        BUNDLED.iter().filter_map(reading).max().map(|(_, name)| name)
    }

    /// Returns those names that no provider has.
    pub(crate) fn unknown(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| !self.known.contains(*name)).cloned().collect()
    }
}

/// Returns the folder of compiled components.
pub(crate) fn cache_of(places: &Places) -> PathBuf {
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

/// Says whether a component of this name is in the binary.
pub(crate) fn is_bundled(name: &str) -> bool {
    LOCKED.contains_key(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_that_is_built_is_bundled_and_says_what_its_manifest_says() {
        let materializers = MATERIALIZERS.iter().map(|one| one.name);
        let mut names: Vec<&str> =
            BUNDLED.iter().map(|bundled| bundled.name).chain(materializers).collect();
        names.sort_unstable();
        assert_eq!(names, LOCKED.keys().collect::<Vec<_>>());
        let host = Host::new(None, Limits::default()).unwrap();
        for bundled in BUNDLED {
            let plugin = host.load(bundled.source()).unwrap();
            assert_eq!(*plugin.description(), bundled.description());
        }
    }

    #[test]
    fn materializers_are_what_the_list_says_and_none_fills_a_dataset_of_another() {
        let host = Host::new(None, Limits::default()).unwrap();
        let makers = bundled_makers();
        let loaded: Vec<_> = makers.iter().map(|maker| maker.load(&host).unwrap()).collect();
        assert_eq!(loaded.len(), MATERIALIZERS.len(), "none takes what another one does");
    }

    #[test]
    fn every_kind_that_a_bundled_provider_emits_has_a_materializer() {
        let makers = bundled_makers();
        for bundled in BUNDLED.iter().map(Bundled::description) {
            if !bundled.emits_messages() {
                makers.needed(&bundled.kinds).unwrap();
            }
        }
    }

    fn bundled_makers() -> Makers {
        let all = MATERIALIZERS.iter().map(BundledMaterializer::maker);
        Makers::new(all, &[], std::path::Path::new(""))
    }
}
