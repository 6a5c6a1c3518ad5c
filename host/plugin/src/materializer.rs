//! Materializers: components that say which rows items are.

mod description;
mod lent;
mod value_sets;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use hyp_model::item::{Derived, Item};
use wasmtime::component::Func;

use crate::bindings::materializer as wit;
use crate::bindings::{MATERIALIZER, MaterializerPlugin, MaterializerPluginPre, types};
use crate::error::{LoadError, RunError};
use crate::fault::Asked;
use crate::guest::Guest;
use crate::host::{Host, shape};
use crate::meter::{Meter, Receipt};
use crate::plan::fault_of;
use crate::settled::Current;
use crate::shelf::Checked;
use crate::source::Source;
use crate::state::{Phase, State};

pub use description::MaterializerDescription;
use lent::LentItem;
pub(crate) use words::{cells_out, datum_in};

/// Items that one call may queue for other materializers, for each that it gets.
const QUEUED_PER_ITEM: usize = 64;

/// A component that is known to be a materializer.
pub struct Materializer {
    host: Arc<Host>,
    name: Arc<str>,
    source: Source,
    description: MaterializerDescription,
    ready: MaterializerPluginPre<State>,
    meter: Arc<Meter>,
}

/// An instance of a materializer, which lasts until something goes wrong in it.
pub struct Making {
    of: Arc<Materializer>,
    idle: Mutex<Option<Instance>>,
}

struct Instance {
    guest: Guest,
    /// The function of the contract.
    materialize: Func,
}

/// What the function is given, and what it answers.
type Given<'a> = (Vec<LentItem<'a>>,);
type Answer = (Result<Vec<wit::Derived>, types::Fault>,);

impl std::fmt::Debug for Materializer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Materializer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making").field("of", &self.of).finish_non_exhaustive()
    }
}

impl Materializer {
    pub(crate) fn new(
        host: Arc<Host>,
        source: Source,
        description: MaterializerDescription,
        ready: MaterializerPluginPre<State>,
    ) -> Arc<Self> {
        let name = description.name.as_str().into();
        Arc::new(Self { host, name, source, description, ready, meter: Arc::default() })
    }

    /// Returns what it says of itself.
    pub fn description(&self) -> &MaterializerDescription {
        &self.description
    }

    /// Returns the SHA-256 of the component in hexadecimal digits.
    pub fn digest(&self) -> &str {
        self.source.digest()
    }

    /// Returns what its guests took so far.
    pub fn receipt(&self) -> Receipt {
        self.meter.receipt()
    }

    /// Returns someone who asks it about items.
    pub fn making(self: &Arc<Self>) -> Making {
        Making { of: Arc::clone(self), idle: Mutex::default() }
    }
}

impl Making {
    /// Returns the materializer that is asked.
    pub fn materializer(&self) -> &Arc<Materializer> {
        &self.of
    }

    /// Asks what items mean. `reads` is what it may see of the store meanwhile.
    pub fn materialize(
        &self,
        items: &[&Item],
        reads: Arc<dyn Current>,
    ) -> Result<Vec<Derived>, RunError> {
        let of = &self.of;
        let asked = Asked { provider: Arc::clone(&of.name), unit: "materialize".into() };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut instance = match idle.take() {
            Some(instance) => instance,
            None => Instance::start(of, &asked)?,
        };
        let lent: Vec<_> = items.iter().map(|item| LentItem::from(*item)).collect();
        let limit = of.host.limits.advance_deadline;
        instance.guest.state().reads = Some(reads);
        let answer = instance.guest.call(Phase::Advance, limit, |mut store| {
            let typed = instance.materialize.typed::<Given<'_>, Answer>(&store)?;
            typed.call(&mut store, (lent,)).map(|(answer,)| answer)
        });
        instance.guest.state().reads = None;
        let derived = match answer {
            Ok(Ok(derived)) => derived,
            Ok(Err(fault)) => return Err(fault_of(&asked, fault)),
            Err(error) => return Err(instance.guest.explain(&asked, &error)),
        };
        *idle = Some(instance);
        drop(idle);
        let queued: usize = derived.iter().map(|one| one.then.len()).sum();
        let derived: Vec<Derived> = derived.into_iter().map(words::derived_in).collect();
        let wrong = if derived.iter().any(|one| one.item >= items.len()) {
            Some("it answered about an item that it was not given")
        } else if !derived.iter().all(|one| one.then.iter().all(|item| self.may_queue(item))) {
            Some("it queued an item of a kind that it does not declare")
        } else if queued > items.len().saturating_mul(QUEUED_PER_ITEM) {
            Some("it queued more items than it may")
        } else {
            None
        };
        match wrong {
            Some(what) => Err(RunError::Forbidden {
                provider: asked.provider,
                unit: asked.unit,
                what: what.to_owned(),
            }),
            None => Ok(derived),
        }
    }
}

impl Making {
    fn may_queue(&self, item: &Item) -> bool {
        self.of.description.queues.contains(&item.kind)
    }
}

impl Instance {
    fn start(of: &Materializer, asked: &Asked) -> Result<Self, RunError> {
        let mut guest = Guest::new(
            &of.host,
            &of.meter,
            Arc::clone(&of.name),
            of.description.kinds.as_slice().into(),
        );
        let limit = of.host.limits.advance_deadline;
        let started = guest.call(Phase::Idle, limit, |mut store| {
            let instance = of.ready.instance_pre().instantiate(&mut store)?;
            let exported = instance.get_export_index(&mut store, None, MATERIALIZER);
            let function = exported.and_then(|exported| {
                instance.get_export_index(&mut store, Some(&exported), "materialize")
            });
            let function = function.and_then(|it| instance.get_func(&mut store, it));
            function.ok_or_else(|| wasmtime::Error::msg("it does not export `materialize`"))
        });
        match started {
            Ok(materialize) => Ok(Self { guest, materialize }),
            Err(error) => Err(guest.explain(asked, &error)),
        }
    }
}

/// Asks a component that nothing is known of what it is.
pub(crate) fn describe(
    host: &Host,
    origin: &str,
    ready: &MaterializerPluginPre<State>,
) -> Result<MaterializerDescription, LoadError> {
    let asked = Asked { provider: origin.into(), unit: "describe".into() };
    let mut guest = Guest::new(host, &Arc::default(), origin.into(), Arc::new([]));
    let limit = host.limits.advance_deadline;
    let started = guest.call(Phase::Idle, limit, |store| ready.instance_pre().instantiate(store));
    let answer = started.and_then(|instance| {
        guest.call(Phase::Idle, limit, |mut store| {
            let plugin = MaterializerPlugin::new(&mut store, &instance)?;
            let told = plugin.hyp_backfill_materializer().call_describe(&mut store)?;
            Ok((told, value_sets::of(&mut store, &instance)?))
        })
    });
    let (description, value_sets) = match answer {
        Ok(answer) => answer,
        Err(error) if Guest::is_misfit(&error) => return Err(shape(origin, error)),
        Err(error) => {
            let source = Box::new(guest.explain(&asked, &error));
            return Err(LoadError::Describe { origin: origin.to_owned(), source });
        }
    };
    let mut description = MaterializerDescription::from(description);
    value_sets::settle(&mut description, value_sets)
        .and_then(|()| description.check())
        .map_err(|reason| LoadError::Description { origin: origin.to_owned(), reason })?;
    Ok(description)
}
