//! The materializers of a run, by the kinds of items that they take.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyp_cache::{TABLES, Writer};
use hyp_model::dataset::MESSAGES;
use hyp_model::item::{ConflictRule, Dataset};
use hyp_plugin::{Making, Materializer, Plugin};

use super::error::EngineError;
use super::view::{View, lock};
use crate::components::Components;
use crate::makers::Makers;

/// Refuses a dataset with the name of a table or view of the host's.
pub(crate) fn check_free(dataset: &str) -> Result<(), String> {
    let is_taken = [MESSAGES, "messages"].iter().chain(TABLES).any(|taken| *taken == dataset);
    if is_taken { Err(format!("`{dataset}` is the name of another table")) } else { Ok(()) }
}

/// Materializers that are loaded, and what is needed to load more.
pub(crate) struct Materializers {
    makers: Makers,
    view: Arc<Mutex<View>>,
    rules: BTreeMap<String, ConflictRule>,
    /// Those that are loaded, by name.
    loaded: BTreeMap<String, Arc<Making>>,
    /// Datasets that the run may come to write to.
    declared: BTreeMap<String, Dataset>,
}

impl Materializers {
    /// Loads those that take some kinds of items, and opens their datasets.
    pub(crate) fn load(
        components: &Components,
        view: Arc<Mutex<View>>,
        rules: BTreeMap<String, ConflictRule>,
        kinds: &[String],
        writer: &Writer,
    ) -> Result<Self, EngineError> {
        let (loaded, declared) = (BTreeMap::new(), BTreeMap::new());
        let makers = components.makers.clone();
        let mut all = Self { makers, view, rules, loaded, declared };
        for maker in components.makers.needed(kinds)? {
            all.add(&maker.name, &maker.load(&components.host)?, writer)?;
        }
        Ok(all)
    }

    fn add(
        &mut self,
        name: &str,
        materializer: &Arc<Materializer>,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        for declared in datasets(materializer, &self.rules) {
            check_free(&declared.name)
                .map_err(|reason| EngineError::Bad { materializer: name.to_owned(), reason })?;
            let open = writer.open_dataset(&declared)?;
            lock(&self.view).add(open);
            self.declared.insert(declared.name.clone(), declared);
        }
        self.loaded.insert(name.to_owned(), Arc::new(materializer.making()));
        Ok(())
    }

    /// Returns who takes items of a kind, and the names of its datasets.
    pub(crate) fn of(&self, kind: &str) -> Result<(Arc<Making>, Vec<String>), EngineError> {
        let missing = || EngineError::NoMaterializer { kind: kind.to_owned() };
        let maker = self.makers.of(kind).ok_or_else(missing)?;
        let making = self.loaded.get(&maker.name).ok_or_else(missing)?;
        let datasets = &making.materializer().description().datasets;
        Ok((Arc::clone(making), datasets.iter().map(|dataset| dataset.name.clone()).collect()))
    }

    /// Says that the materializer of a kind gave what cannot be.
    pub(crate) fn blame(&self, kind: &str, reason: String) -> EngineError {
        let name = self.makers.of(kind).map_or(kind, |maker| &maker.name);
        EngineError::Bad { materializer: name.to_owned(), reason }
    }

    /// Returns all datasets.
    pub(crate) fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.declared.values()
    }

    /// Returns all that are loaded.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Materializer>> {
        self.loaded.values().map(|making| making.materializer())
    }
}

/// Returns the datasets of a materializer, with the rules that somebody settled.
fn datasets(
    materializer: &Materializer,
    rules: &BTreeMap<String, ConflictRule>,
) -> impl Iterator<Item = Dataset> {
    materializer.description().datasets.iter().map(|declared| {
        let mut declared = declared.clone();
        if let Some(rule) = rules.get(&declared.name) {
            declared.on_conflict = *rule;
        }
        declared
    })
}

/// Says whether a run of providers may change rows that are there.
pub(crate) fn may_change(
    components: &Components,
    plugins: &[Arc<Plugin>],
    rules: &BTreeMap<String, ConflictRule>,
) -> Result<bool, EngineError> {
    for plugin in plugins {
        for maker in components.makers.needed(&plugin.description().kinds)? {
            let materializer = maker.load(&components.host)?;
            if datasets(&materializer, rules).any(|dataset| dataset.may_change()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
