//! The materializers of a run, by the kinds of items that they take.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyp_cache::Writer;
use hyp_model::item::{ConflictRule, Dataset};
use hyp_plugin::{Host, Making, Materializer};

use super::error::EngineError;
use super::view::{View, lock};
use crate::components::{materializer_of, queued_by};

/// Materializers that are loaded, and what is needed to load more.
pub(crate) struct Materializers {
    host: Arc<Host>,
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
        host: Arc<Host>,
        view: Arc<Mutex<View>>,
        rules: BTreeMap<String, ConflictRule>,
        kinds: &[String],
        writer: &Writer,
    ) -> Result<Self, EngineError> {
        let (loaded, declared) = (BTreeMap::new(), BTreeMap::new());
        let mut all = Self { host, view, rules, loaded, declared };
        for kind in kinds {
            all.load_one(kind, writer)?;
        }
        // Whoever is loaded may queue items for others.
        let mut asked = 0;
        while asked < all.loaded.len() {
            asked = all.loaded.len();
            let names: Vec<&'static str> = all.loaded.keys().copied().collect();
            for kind in names.iter().flat_map(|name| queued_by(name)) {
                all.load_one(kind, writer)?;
            }
        }
        all.check_owners()?;
        Ok(all)
    }

    fn load_one(&mut self, kind: &str, writer: &Writer) -> Result<(), EngineError> {
        let missing = || EngineError::NoMaterializer { kind: kind.to_owned() };
        let (name, source) = materializer_of(kind).ok_or_else(missing)?;
        if self.loaded.contains_key(name) {
            return Ok(());
        }
        let materializer = self.host.load_materializer(source)?;
        for declared in &materializer.description().datasets {
            let mut declared = declared.clone();
            if let Some(rule) = self.rules.get(&declared.name) {
                declared.on_conflict = *rule;
            }
            if let Some(other) = self.owner_of(&declared.name) {
                return Err(EngineError::Datasets {
                    one: name.to_owned(),
                    other: other.to_owned(),
                    dataset: declared.name,
                });
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
