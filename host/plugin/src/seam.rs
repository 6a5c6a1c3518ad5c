//! Where contracts meet: a component is asked in the words that it was built against, and answers in ours.
//!
//! Everything behind this module knows one contract, the present one. A contract that came before is a case more of
//! [`Ready`] and of [`Spoken`], with an adapter that turns its words into these; what the old words could not say gets
//! the value that says nothing. The tests have such a case, so that the seam is known to hold.

use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{AsContextMut, Result, StoreContextMut};

use crate::bindings::{CONTRACT, ProviderPlugin, ProviderPluginPre, inputs, provider, types};
use crate::description::Description;
use crate::imports;
use crate::plan::Plan;
use crate::report::Counter;
use crate::state::State;

#[cfg(test)]
pub(crate) mod elder;

/// Versions of the contract that this host speaks, the present one first.
pub(crate) const SPOKEN: &[&str] = &[
    CONTRACT,
    #[cfg(test)]
    elder::CONTRACT,
];

/// What the host gives to components, by contract.
pub(crate) struct Linkers {
    present: Linker<State>,
    #[cfg(test)]
    elder: Linker<State>,
}

/// A component that is linked and may be instantiated.
#[derive(Clone)]
pub(crate) enum Ready {
    Present(ProviderPluginPre<State>),
    #[cfg(test)]
    Elder(elder::Ready),
}

/// An instance of a component.
pub(crate) enum Spoken {
    Present(ProviderPlugin),
    #[cfg(test)]
    Elder(elder::Spoken),
}

/// How far one call of `advance` came.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) is_done: bool,
    pub(crate) checkpoint: Option<Vec<u8>>,
}

impl Linkers {
    pub(crate) fn new(engine: &wasmtime::Engine) -> Result<Self> {
        let mut present = Linker::new(engine);
        imports::link(&mut present)?;
        Ok(Self {
            present,
            #[cfg(test)]
            elder: elder::linker(engine)?,
        })
    }

    /// Links a component by the contract that it was built against.
    pub(crate) fn link(&self, component: &Component, contract: &str) -> Result<Ready> {
        #[cfg(test)]
        if contract == elder::CONTRACT {
            let linked = self.elder.instantiate_pre(component)?;
            return Ok(Ready::Elder(elder::Ready::new(linked)?));
        }
        debug_assert!(SPOKEN.contains(&contract), "{contract}");
        self.present.instantiate_pre(component).and_then(ProviderPluginPre::new).map(Ready::Present)
    }
}

impl Ready {
    pub(crate) fn instantiate(&self, store: impl AsContextMut<Data = State>) -> Result<Spoken> {
        match self {
            Self::Present(ready) => ready.instantiate(store).map(Spoken::Present),
            #[cfg(test)]
            Self::Elder(ready) => ready.instantiate(store).map(Spoken::Elder),
        }
    }
}

impl Spoken {
    pub(crate) fn describe(&self, store: StoreContextMut<'_, State>) -> Result<Description> {
        match self {
            Self::Present(it) => {
                it.hyp_backfill_provider().call_describe(store).map(Description::from)
            }
            #[cfg(test)]
            Self::Elder(it) => elder::describe(it, store),
        }
    }

    pub(crate) fn plan(
        &self,
        store: StoreContextMut<'_, State>,
        entries: &[inputs::Entry],
    ) -> Result<Result<Plan, types::Fault>> {
        match self {
            Self::Present(it) => {
                let plan = it.hyp_backfill_provider().call_plan(store, entries)?;
                Ok(plan.map(Plan::from))
            }
            #[cfg(test)]
            Self::Elder(it) => elder::plan(it, store, entries),
        }
    }

    pub(crate) fn open(
        &self,
        store: StoreContextMut<'_, State>,
        unit_id: &str,
        entries: &[inputs::Entry],
        context: &[u8],
        checkpoint: Option<&[u8]>,
    ) -> Result<Result<ResourceAny, types::Fault>> {
        match self {
            Self::Present(it) => {
                let scans = it.hyp_backfill_provider().scan();
                scans.call_open(store, unit_id, entries, context, checkpoint)
            }
            #[cfg(test)]
            Self::Elder(it) => elder::open(it, store, entries, checkpoint),
        }
    }

    pub(crate) fn advance(
        &self,
        store: StoreContextMut<'_, State>,
        scan: ResourceAny,
        budget: u32,
    ) -> Result<Result<Step, types::Fault>> {
        match self {
            Self::Present(it) => {
                let scans = it.hyp_backfill_provider().scan();
                let progress = scans.call_advance(store, scan, budget)?;
                Ok(progress
                    .map(|types::Progress { done, checkpoint }| Step { is_done: done, checkpoint }))
            }
            #[cfg(test)]
            Self::Elder(it) => elder::advance(it, store, scan, budget),
        }
    }

    pub(crate) fn counters(
        &self,
        store: StoreContextMut<'_, State>,
        scan: ResourceAny,
    ) -> Result<Vec<Counter>> {
        match self {
            Self::Present(it) => {
                let told = it.hyp_backfill_provider().call_counters(store, scan)?;
                let ours = |it: provider::Counter| Counter {
                    thread_id: it.thread_id,
                    name: it.name,
                    value: it.value,
                };
                Ok(told.into_iter().map(ours).collect())
            }
            #[cfg(test)]
            Self::Elder(_) => Ok(Vec::new()),
        }
    }
}
