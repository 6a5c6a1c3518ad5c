//! The materializers of a run, by the kinds of items that they take.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyp_cache::{TABLES, Writer};
use hyp_model::dataset::MESSAGES;
use hyp_model::item::{ConflictRule, Dataset};
use hyp_plugin::{Host, Making, Materializer, Plugin, Source};

use super::error::EngineError;
use super::view::{View, lock};
use crate::components::{materializer_of, queued_by};

/// Names of tables and views that no dataset may have, beside [`TABLES`].
const RESERVED: &[&str] = &[MESSAGES, "messages"];

/// Materializers that are loaded, and what is needed to load more.
pub(crate) struct Materializers {
    view: Arc<Mutex<View>>,
    rules: BTreeMap<String, ConflictRule>,
    /// Those that are loaded, by name.
    loaded: BTreeMap<&'static str, Arc<Making>>,
    /// Datasets that the run may come to write to.
    declared: BTreeMap<String, Dataset>,
}

impl Materializers {
    /// Loads those that take some kinds of items, and opens their datasets.
    pub(crate) fn load(
        host: &Arc<Host>,
        view: Arc<Mutex<View>>,
        rules: BTreeMap<String, ConflictRule>,
        kinds: &[String],
        writer: &Writer,
    ) -> Result<Self, EngineError> {
        let (loaded, declared) = (BTreeMap::new(), BTreeMap::new());
        let mut all = Self { view, rules, loaded, declared };
        for (name, source) in needed(kinds)? {
            let materializer = host.load_materializer(source)?;
            all.add(name, materializer, writer)?;
        }
        all.check_owners()?;
        Ok(all)
    }

    fn add(
        &mut self,
        name: &'static str,
        materializer: Arc<Materializer>,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        for declared in datasets(&materializer, &self.rules) {
            if let Some(other) = self.owner_of(&declared.name) {
                return Err(EngineError::Datasets {
                    one: name.to_owned(),
                    other: other.to_owned(),
                    dataset: declared.name,
                });
            }
            if RESERVED.iter().chain(TABLES).any(|taken| *taken == declared.name) {
                let reason = format!("`{}` is the name of another table", declared.name);
                return Err(EngineError::Bad { materializer: name.to_owned(), reason });
            }
            let open = writer.open_dataset(&declared)?;
            lock(&self.view).add(open);
            self.declared.insert(declared.name.clone(), declared);
        }
        self.loaded.insert(name, Arc::new(materializer.making()));
        Ok(())
    }

    fn owner_of(&self, dataset: &str) -> Option<&'static str> {
        let has = |making: &Making| {
            let datasets = &making.materializer().description().datasets;
            datasets.iter().any(|one| one.name == dataset)
        };
        self.loaded.iter().find(|(_, making)| has(making)).map(|(name, _)| *name)
    }

    fn check_owners(&self) -> Result<(), EngineError> {
        let all: Vec<&Materializer> =
            self.loaded.values().map(|making| &**making.materializer()).collect();
        check_owners(&all)
    }

    /// Returns who takes items of a kind, and the names of its datasets.
    pub(crate) fn of(&self, kind: &str) -> Result<(Arc<Making>, Vec<String>), EngineError> {
        let missing = || EngineError::NoMaterializer { kind: kind.to_owned() };
        let (name, _) = materializer_of(kind).ok_or_else(missing)?;
        let making = self.loaded.get(name).ok_or_else(missing)?;
        let datasets = &making.materializer().description().datasets;
        Ok((Arc::clone(making), datasets.iter().map(|dataset| dataset.name.clone()).collect()))
    }

    /// Says that the materializer of a kind gave what cannot be.
    pub(crate) fn blame(&self, kind: &str, reason: String) -> EngineError {
        let name = materializer_of(kind).map_or(kind, |(name, _)| name);
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

/// Returns those that take some kinds of items, and those that they queue items for.
fn needed(kinds: &[String]) -> Result<Vec<(&'static str, Source)>, EngineError> {
    let mut needed: Vec<(&'static str, Source)> = Vec::new();
    let mut kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    while let Some(kind) = kinds.pop() {
        let missing = || EngineError::NoMaterializer { kind: kind.to_owned() };
        let (name, source) = materializer_of(kind).ok_or_else(missing)?;
        if needed.iter().all(|(known, _)| *known != name) {
            kinds.extend(queued_by(name));
            needed.push((name, source));
        }
    }
    Ok(needed)
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
    host: &Arc<Host>,
    plugins: &[Arc<Plugin>],
    rules: &BTreeMap<String, ConflictRule>,
) -> Result<bool, EngineError> {
    for plugin in plugins {
        for (_, source) in needed(&plugin.description().kinds)? {
            let materializer = host.load_materializer(source)?;
            if datasets(&materializer, rules).any(|dataset| dataset.may_change()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Refuses two that derive one column of the same rows.
pub(crate) fn check_owners(all: &[&Materializer]) -> Result<(), EngineError> {
    let owned = all.iter().flat_map(|materializer| {
        let description = materializer.description();
        description.datasets.iter().flat_map(move |dataset| {
            dataset.owns.iter().map(move |owned| (&description.name, &dataset.name, owned))
        })
    });
    let owned: Vec<_> = owned.collect();
    for (at, (one, dataset, column)) in owned.iter().enumerate() {
        let meets = owned[at + 1..]
            .iter()
            .find(|(other, of, theirs)| other != one && of == dataset && column.meets(theirs));
        if let Some((other, ..)) = meets {
            return Err(EngineError::Owners {
                one: (*one).clone(),
                other: (*other).clone(),
                dataset: (*dataset).clone(),
                column: column.column.clone(),
            });
        }
    }
    Ok(())
}
