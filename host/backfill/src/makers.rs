//! The materializers that this machine has, by the kinds of items that they take.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hyp_model::dataset::MESSAGES;
use hyp_model::item::STORED;
use hyp_plugin::{Description, Host, Materializer, Source};

use crate::engine::EngineError;
use crate::error::BackfillError;
use crate::plugins::lock::{Declared, Locked, file_of};

/// A materializer; it is started only where there are items for it.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) name: String,
    pub(crate) declared: Declared,
    source: Source,
}

impl Maker {
    pub(crate) fn new(name: &str, declared: Declared, source: Source) -> Self {
        Self { name: name.to_owned(), declared, source }
    }

    /// Starts it, and compares what it says of itself with what is known of it.
    pub(crate) fn load(&self, host: &Arc<Host>) -> Result<Arc<Materializer>, EngineError> {
        let loaded = host.load_materializer(self.source.clone())?;
        let said = loaded.description();
        if said.name == self.name && Declared::of(said) == self.declared {
            return Ok(loaded);
        }
        Err(EngineError::Bad {
            materializer: self.name.clone(),
            reason: "it is not what plugins.lock says; install it again".to_owned(),
        })
    }

    /// Returns the datasets that it derives columns of.
    pub(crate) fn derives(&self) -> impl Iterator<Item = &str> {
        self.declared.kinds.iter().filter_map(|kind| kind.strip_prefix(STORED))
    }

    /// Returns the SHA-256 of the component in hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        self.source.digest()
    }
}

/// All of them: no two take items of one kind, and no two fill one dataset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Makers(Vec<Maker>);

impl Makers {
    /// Takes those that the binary holds, then those of `plugins.lock` that take nothing from any before them.
    pub(crate) fn new(
        bundled: impl Iterator<Item = Maker>,
        installed: &[Locked],
        store: &Path,
    ) -> Self {
        let replacing = |it: &Locked| it.replaces_bundled && it.materializer.is_some();
        let is_replaced = |name: &str| installed.iter().any(|it| replacing(it) && it.name == name);
        let mut all = Self(bundled.filter(|maker| !is_replaced(&maker.name)).collect());
        for locked in installed {
            let Some(declared) = &locked.materializer else { continue };
            if all.clash(&locked.name, declared).is_none() {
                let path = file_of(store, &locked.name);
                let source = Source::File { path, digest: locked.digest.clone() };
                all.0.push(Maker::new(&locked.name, declared.clone(), source));
            }
        }
        all
    }

    /// Says which other one has a kind or a dataset that one of this name declares.
    pub(crate) fn clash(&self, name: &str, declared: &Declared) -> Option<BackfillError> {
        self.0.iter().filter(|other| other.name != name).find_map(|other| {
            let kinds = declared.kinds.iter().filter(|kind| other.declared.kinds.contains(kind));
            let datasets =
                declared.datasets.iter().filter(|it| other.declared.datasets.contains(it));
            let what = kinds.map(|kind| format!("takes items of kind `{kind}`"));
            let what = what.chain(datasets.map(|it| format!("fills dataset `{it}`"))).next()?;
            let (name, other) = (name.to_owned(), other.name.clone());
            Some(BackfillError::Taken { name, what, other })
        })
    }

    /// Returns who takes items of a kind.
    pub(crate) fn of(&self, kind: &str) -> Option<&Maker> {
        self.0.iter().find(|maker| maker.declared.kinds.iter().any(|it| it == kind))
    }

    /// Returns who derives columns of a dataset.
    pub(crate) fn deriving(&self, dataset: &str) -> Option<&Maker> {
        self.0.iter().find(|maker| maker.derives().any(|it| it == dataset))
    }

    /// Returns all of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Maker> {
        self.0.iter()
    }

    /// Returns the kinds of items that are taken.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|maker| maker.declared.kinds.iter().map(String::as_str))
    }

    /// Returns who takes some kinds of items, and who takes what these queue.
    pub(crate) fn needed<'a>(&'a self, kinds: &'a [String]) -> Result<Vec<&'a Maker>, EngineError> {
        let mut needed: Vec<&Maker> = Vec::new();
        let mut kinds: Vec<&String> = kinds.iter().collect();
        while let Some(kind) = kinds.pop() {
            let maker = self.of(kind);
            let maker =
                maker.ok_or_else(|| EngineError::NoMaterializer { kind: kind.to_owned() })?;
            if needed.iter().all(|known| known.name != maker.name) {
                kinds.extend(&maker.declared.queues);
                needed.push(maker);
            }
        }
        Ok(needed)
    }

    /// Refuses rules for datasets that nobody fills.
    pub(crate) fn check_rules<'r>(
        &self,
        rules: impl IntoIterator<Item = &'r String>,
    ) -> Result<(), BackfillError> {
        let filled = || self.0.iter().flat_map(|maker| &maker.declared.datasets);
        let nobodys = rules.into_iter().find(|name| filled().all(|it| it != *name)).cloned();
        nobodys.map_or(Ok(()), |name| {
            let known: BTreeSet<String> = filled().cloned().collect();
            Err(BackfillError::RuleForNothing { name, known: known.into_iter().collect() })
        })
    }

    /// Returns the datasets that a provider fills; nothing where a materializer is missing.
    pub(crate) fn filled_by(&self, provider: &Description) -> Vec<String> {
        if provider.emits_messages() {
            return vec![MESSAGES.to_owned()];
        }
        let needed = self.needed(&provider.kinds).unwrap_or_default();
        let datasets: BTreeSet<_> =
            needed.into_iter().flat_map(|maker| maker.declared.datasets.iter().cloned()).collect();
        datasets.into_iter().collect()
    }
}
