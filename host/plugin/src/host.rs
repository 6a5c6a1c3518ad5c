//! The engine, and how a component becomes a provider.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use serde::Serialize;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine};

use crate::bindings::{CONTRACT, MaterializerPluginPre};
use crate::contract::{self, World};
use crate::description::Description;
use crate::error::LoadError;
use crate::fault::Asked;
use crate::guest::Guest;
use crate::imports;
use crate::limits::Limits;
use crate::materializer::{self, Materializer, MaterializerDescription};
use crate::plugin::Plugin;
use crate::seam::{Linkers, Ready};
use crate::settled::Settled;
use crate::shelf::{Checked, Shelf};
use crate::source::Source;
use crate::state::{Phase, State};
use crate::ticker::Ticker;

/// The engine that all providers of a process share.
pub struct Host {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) ticker: Arc<Ticker>,
    linkers: Linkers,
    materializers: Linker<State>,
    settled: RwLock<Arc<Settled>>,
    shelf: Option<Shelf>,
    compiled: AtomicU64,
    mapped: AtomicU64,
    instantiated: AtomicU64,
}

/// What a host has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostStats {
    /// Components compiled.
    pub compiled: u64,
    /// Components mapped from the folder of compiled ones.
    pub mapped: u64,
    /// Guests started.
    pub instantiated: u64,
}

/// The interfaces of a component, by name and version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Interfaces {
    /// What it wants of the host.
    pub imports: Vec<String>,
    /// What it gives.
    pub exports: Vec<String>,
}

/// What a component says of itself, by what it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Manifest {
    Provider(Description),
    Materializer(MaterializerDescription),
}

/// A component that was compiled to look at it.
pub struct Compiled {
    engine: Engine,
    component: Component,
    digest: String,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Compiled {
    /// Keeps it for hosts that keep theirs in a folder. Where that fails, they compile it again.
    pub fn keep(&self, cache_dir: PathBuf, manifest: &Manifest) {
        let Ok(shelf) = Shelf::open(cache_dir, &self.engine) else { return };
        match manifest {
            Manifest::Provider(it) => shelf.keep(&self.digest, &self.component, it),
            Manifest::Materializer(it) => shelf.keep(&self.digest, &self.component, it),
        }
    }
}

impl Manifest {
    /// Returns the name that it gives itself.
    pub fn name(&self) -> &str {
        match self {
            Self::Provider(it) => &it.name,
            Self::Materializer(it) => &it.name,
        }
    }

    /// Returns what a provider says; none where it is none.
    pub fn provider(&self) -> Option<&Description> {
        match self {
            Self::Provider(it) => Some(it),
            Self::Materializer(_) => None,
        }
    }

    /// Returns what a materializer says; none where it is none.
    pub fn materializer(&self) -> Option<&MaterializerDescription> {
        match self {
            Self::Provider(_) => None,
            Self::Materializer(it) => Some(it),
        }
    }

    /// Returns what it calls its version.
    pub fn version(&self) -> &str {
        match self {
            Self::Provider(it) => &it.version,
            Self::Materializer(it) => &it.version,
        }
    }
}

impl Interfaces {
    /// Returns the version of the contract that it was built against.
    pub fn contract(&self) -> Option<&str> {
        self.exports.iter().find_map(|name| contract::version_of(name))
    }
}

impl Host {
    /// Starts the engine.
    ///
    /// Compiled components are kept in `cache_dir`; without one, each process compiles for itself.
    pub fn new(cache_dir: Option<PathBuf>, limits: Limits) -> Result<Arc<Self>, LoadError> {
        let failed = |source| LoadError::Engine { source };
        let mut config = Config::new();
        let is_watched = limits.advance_deadline < Limits::NO_DEADLINE;
        config.epoch_interruption(is_watched).wasm_backtrace_max_frames(NonZeroUsize::new(24));
        config.consume_fuel(limits.is_metered);
        let engine = Engine::new(&config).map_err(failed)?;
        let linkers = Linkers::new(&engine).map_err(failed)?;
        let mut materializers = Linker::new(&engine);
        imports::link_materializers(&mut materializers).map_err(failed)?;
        let shelf = cache_dir.map(|folder| Shelf::open(folder, &engine)).transpose()?;
        Ok(Arc::new(Self {
            ticker: Ticker::new(&engine),
            engine,
            limits,
            linkers,
            materializers,
            settled: RwLock::default(),
            shelf,
            compiled: AtomicU64::new(0),
            mapped: AtomicU64::new(0),
            instantiated: AtomicU64::new(0),
        }))
    }

    /// Makes a provider of a component, or says why that cannot be.
    ///
    /// A component that was seen before is neither compiled nor mapped nor started: what it said of itself is on file.
    pub fn load(self: &Arc<Self>, source: Source) -> Result<Arc<Plugin>, LoadError> {
        let bytes = source.read(self.limits.component_bytes)?;
        let kept =
            self.shelf.as_ref().and_then(|shelf| shelf.description::<Description>(source.digest()));
        if let Some(description) = kept {
            return Ok(Plugin::new(Arc::clone(self), source, description, None));
        }
        let origin = source.origin();
        let component = self.compile(&origin, bytes)?;
        let ready = self.link(&origin, &component)?;
        let description = self.describe(&origin, &ready)?;
        if let Some(shelf) = &self.shelf {
            shelf.keep(source.digest(), &component, &description);
        }
        Ok(Plugin::new(Arc::clone(self), source, description, Some(ready)))
    }

    /// Looks at a component that nobody agreed to yet: what it is, and what it wants and gives.
    pub fn inspect(&self, source: &Source) -> Result<(Manifest, Interfaces, Compiled), LoadError> {
        let bytes = source.read(self.limits.component_bytes)?;
        let origin = source.origin();
        let component = self.compile(&origin, bytes)?;
        let types = component.component_type();
        let interfaces = Interfaces {
            imports: types.imports(&self.engine).map(|(name, _)| name.to_owned()).collect(),
            exports: types.exports(&self.engine).map(|(name, _)| name.to_owned()).collect(),
        };
        let manifest = if contract::is_materializer(&interfaces.exports) {
            let ready = self.link_materializer(&origin, &component)?;
            Manifest::Materializer(materializer::describe(self, &origin, &ready)?)
        } else {
            let ready = self.link(&origin, &component)?;
            Manifest::Provider(self.describe(&origin, &ready)?)
        };
        let (engine, digest) = (self.engine.clone(), source.digest().to_owned());
        Ok((manifest, interfaces, Compiled { engine, component, digest }))
    }

    /// Takes a provider at the word of whoever knows its description: nothing of it runs before it is used.
    pub fn know(self: &Arc<Self>, source: Source, description: Description) -> Arc<Plugin> {
        Plugin::new(Arc::clone(self), source, description, None)
    }

    /// Makes a materializer of a component, or says why that cannot be.
    pub fn load_materializer(
        self: &Arc<Self>,
        source: Source,
    ) -> Result<Arc<Materializer>, LoadError> {
        let bytes = source.read(self.limits.component_bytes)?;
        let origin = source.origin();
        let known = self.shelf.as_ref().and_then(|shelf| {
            let component = shelf.component(&self.engine, source.digest())?;
            Some((component, shelf.description(source.digest())?))
        });
        if let Some((component, description)) = known {
            self.mapped.fetch_add(1, Ordering::Relaxed);
            let ready = self.link_materializer(&origin, &component)?;
            return Ok(Materializer::new(Arc::clone(self), source, description, ready));
        }
        let component = self.compile(&origin, bytes)?;
        let ready = self.link_materializer(&origin, &component)?;
        let description = materializer::describe(self, &origin, &ready)?;
        if let Some(shelf) = &self.shelf {
            shelf.keep(source.digest(), &component, &description);
        }
        Ok(Materializer::new(Arc::clone(self), source, description, ready))
    }

    /// Settles what holds for guests that are started from now on.
    pub fn settle(&self, settled: Settled) {
        *self.settled.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settled);
    }

    pub(crate) fn settled(&self) -> Arc<Settled> {
        Arc::clone(&self.settled.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns what was done so far.
    pub fn stats(&self) -> HostStats {
        HostStats {
            compiled: self.compiled.load(Ordering::Relaxed),
            mapped: self.mapped.load(Ordering::Relaxed),
            instantiated: self.instantiated.load(Ordering::Relaxed),
        }
    }

    /// Returns the limits that its guests have.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Brings up a component whose description is known, from its native code or else from its bytes.
    pub(crate) fn prepare(
        &self,
        source: &Source,
        description: &Description,
    ) -> Result<Ready, LoadError> {
        let origin = source.origin();
        let shelf = self.shelf.as_ref();
        let mapped = shelf.and_then(|shelf| shelf.component(&self.engine, source.digest()));
        if let Some(component) = mapped {
            self.mapped.fetch_add(1, Ordering::Relaxed);
            return self.link(&origin, &component);
        }
        let component = self.compile(&origin, source.read(self.limits.component_bytes)?)?;
        let ready = self.link(&origin, &component)?;
        if let Some(shelf) = shelf {
            shelf.keep(source.digest(), &component, description);
        }
        Ok(ready)
    }

    pub(crate) fn count_instance(&self) {
        self.instantiated.fetch_add(1, Ordering::Relaxed);
    }

    fn compile(&self, origin: &str, bytes: Cow<'static, [u8]>) -> Result<Component, LoadError> {
        contract::check_preamble(origin, &bytes)?;
        let origin = || origin.to_owned();
        let limit = self.limits.compile_timeout;
        let (sender, receiver) = mpsc::channel();
        let engine = self.engine.clone();
        // The compiler cannot be interrupted; past the limit its thread is left to end by itself.
        thread::spawn(move || sender.send(Component::from_binary(&engine, &bytes)));
        let component = receiver.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => LoadError::CompileTimeout { origin: origin(), limit },
            RecvTimeoutError::Disconnected => LoadError::Compile {
                origin: origin(),
                source: wasmtime::Error::msg("the compiler panicked"),
            },
        })?;
        let component =
            component.map_err(|source| LoadError::Compile { origin: origin(), source })?;
        self.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(component)
    }

    /// Checks all that can be known of a component before its code runs.
    fn link(&self, origin: &str, component: &Component) -> Result<Ready, LoadError> {
        let types = component.component_type();
        let contract = contract::check_names(
            origin,
            World::Provider,
            types.imports(&self.engine).map(|(name, _)| name),
            types.exports(&self.engine).map(|(name, _)| name),
        )?;
        self.linkers.link(component, contract).map_err(|source| shape(origin, source))
    }

    fn link_materializer(
        &self,
        origin: &str,
        component: &Component,
    ) -> Result<MaterializerPluginPre<State>, LoadError> {
        let types = component.component_type();
        contract::check_names(
            origin,
            World::Materializer,
            types.imports(&self.engine).map(|(name, _)| name),
            types.exports(&self.engine).map(|(name, _)| name),
        )?;
        self.materializers
            .instantiate_pre(component)
            .and_then(MaterializerPluginPre::new)
            .map_err(|source| shape(origin, source))
    }

    fn describe(&self, origin: &str, ready: &Ready) -> Result<Description, LoadError> {
        let asked = Asked { provider: origin.into(), unit: "describe".into() };
        let mut guest = Guest::new(self, &Arc::default(), origin.into(), Arc::new([]));
        let answer = guest.start(ready).and_then(|provider| {
            guest.call(Phase::Idle, self.limits.advance_deadline, |store| provider.describe(store))
        });
        let description = match answer {
            Ok(description) => description,
            Err(error) if Guest::is_misfit(&error) => return Err(shape(origin, error)),
            Err(error) => {
                let source = Box::new(guest.explain(&asked, &error));
                return Err(LoadError::Describe { origin: origin.to_owned(), source });
            }
        };
        description
            .check()
            .map_err(|reason| LoadError::Description { origin: origin.to_owned(), reason })?;
        Ok(description)
    }
}

pub(crate) fn shape(origin: &str, source: wasmtime::Error) -> LoadError {
    LoadError::Shape { origin: origin.to_owned(), spoken: CONTRACT, source }
}
