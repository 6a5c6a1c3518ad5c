//! A provider that is ready to be asked.

use std::sync::{Arc, Mutex, PoisonError};

use crate::bindings::ProviderPluginPre;
use crate::description::Description;
use crate::error::RunError;
use crate::guest::Guest;
use crate::host::Host;
use crate::meter::{Meter, Receipt};
use crate::source::Source;
use crate::state::State;
use crate::worker::Worker;

/// A component that is known to be a provider. Its code is mapped when it is first needed.
pub struct Plugin {
    pub(crate) host: Arc<Host>,
    pub(crate) name: Arc<str>,
    pub(crate) kinds: Arc<[String]>,
    meter: Arc<Meter>,
    source: Source,
    description: Description,
    ready: Mutex<Option<ProviderPluginPre<State>>>,
}

impl Plugin {
    pub(crate) fn new(
        host: Arc<Host>,
        source: Source,
        description: Description,
        ready: Option<ProviderPluginPre<State>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            host,
            name: description.name.as_str().into(),
            kinds: description.kinds.as_slice().into(),
            meter: Arc::default(),
            source,
            description,
            ready: Mutex::new(ready),
        })
    }

    /// Returns what it says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Returns the SHA-256 of the component in hexadecimal digits.
    pub fn digest(&self) -> &str {
        self.source.digest()
    }

    /// Returns where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns someone who reads units, one after the other. Several may work side by side.
    pub fn worker(self: &Arc<Self>) -> Worker {
        Worker::new(Arc::clone(self))
    }

    /// Returns what its guests took so far.
    pub fn receipt(&self) -> Receipt {
        self.meter.receipt()
    }

    /// Returns a guest that was not started yet.
    pub(crate) fn guest(&self) -> Guest {
        Guest::new(&self.host, &self.meter, Arc::clone(&self.name), Arc::clone(&self.kinds))
    }

    /// Returns the component, mapped, linked and ready to be instantiated.
    pub(crate) fn ready(&self) -> Result<ProviderPluginPre<State>, RunError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = &*ready {
            return Ok(ready.clone());
        }
        let provider = || Arc::clone(&self.name);
        let made = self
            .host
            .prepare(&self.source, &self.description)
            .map_err(|source| RunError::Load { provider: provider(), source })?;
        Ok(ready.insert(made).clone())
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("name", &self.name).finish_non_exhaustive()
    }
}
