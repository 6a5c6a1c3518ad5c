//! The providers of a process by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::LoadError;
use crate::plugin::Plugin;

/// Providers by name; no two have the same.
#[derive(Debug, Default)]
pub struct Registry {
    plugins: BTreeMap<String, Arc<Plugin>>,
}

impl Registry {
    /// Returns a registry without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider unless its name is taken.
    pub fn add(&mut self, plugin: Arc<Plugin>) -> Result<(), LoadError> {
        let name = plugin.description().name.clone();
        if let Some(taken) = self.plugins.get(&name) {
            let (origin, by) = (plugin.source().origin(), taken.source().origin());
            return Err(LoadError::NameTaken { origin, name, by });
        }
        self.plugins.insert(name, plugin);
        Ok(())
    }

    /// Returns the provider with a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.get(name)
    }

    /// Returns all providers, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// Returns the names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str)
    }
}
