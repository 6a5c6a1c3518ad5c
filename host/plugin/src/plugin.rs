//! A provider that is ready to be asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::description::Description;
use crate::error::RunError;
use crate::fault::Asked;
use crate::guest::Guest;
use crate::host::Host;
use crate::meter::{Meter, Receipt};
use crate::seam::Ready;
use crate::source::Source;
use crate::worker::Worker;

/// A component that is known to be a provider. Its code is mapped when it is first needed.
pub struct Plugin {
    pub(crate) host: Arc<Host>,
    pub(crate) name: Arc<str>,
    pub(crate) kinds: Arc<[String]>,
    meter: Arc<Meter>,
    source: Source,
    description: Description,
    ready: Mutex<Option<Ready>>,
}

/// How long a component takes to come up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Startup {
    /// To be there: compiled, or mapped from what was compiled before; and linked.
    pub load: Duration,
    /// To be instantiated.
    pub instantiate: Duration,
}

impl Plugin {
    pub(crate) fn new(
        host: Arc<Host>,
        source: Source,
        description: Description,
        ready: Option<Ready>,
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

    /// Brings the component up once more, as a run would, and says how long that took.
    ///
    /// # Errors
    /// Fails when it cannot be brought up.
    pub fn startup(&self) -> Result<Startup, RunError> {
        let asked = Asked { provider: Arc::clone(&self.name), unit: "startup".into() };
        let begun = Instant::now();
        let ready = self
            .host
            .prepare(&self.source, &self.description)
            .map_err(|source| RunError::Load { provider: Arc::clone(&self.name), source })?;
        let load = begun.elapsed();
        let begun = Instant::now();
        let mut guest = self.guest();
        guest.start(&ready).map_err(|error| guest.explain(&asked, &error))?;
        Ok(Startup { load, instantiate: begun.elapsed() })
    }

    /// Returns the component, mapped, linked and ready to be instantiated.
    pub(crate) fn ready(&self) -> Result<Ready, RunError> {
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
