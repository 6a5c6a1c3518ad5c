//! Reading units, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyp_model::event::Event;
use wasmtime::StoreContextMut;
use wasmtime::component::ResourceAny;

use crate::error::RunError;
use crate::fault::Asked;
use crate::guest::Guest;
use crate::lent::Lent;
use crate::plan::{check_unchanged, fault_of, told};
use crate::plugin::Plugin;
use crate::report::{Books, Counter, ScanReport};
use crate::seam::Spoken;
use crate::state::{Phase, State};

/// Bytes that a guest may give to go on with, by contract.
const CHECKPOINT_BYTES: usize = 1024 * 1024;

/// Calls in a row in which a guest may neither read nor emit.
const IDLE_CALLS: u32 = 1_000;

/// A unit with the files it is made of.
#[derive(Debug, Clone)]
pub struct UnitInputs {
    /// Identity of the unit.
    pub id: String,
    /// Its files, in the order that the plan gave.
    pub inputs: Vec<Lent>,
    /// What the plan knew.
    pub context: Vec<u8>,
}

/// A point within a unit up to which everything was emitted and accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Index of the input that it lies in.
    pub input: u32,
    /// Offset of the first byte after it, in the unpacked stream.
    pub offset: u64,
    /// What the guest goes on with. Only the same component understands it.
    pub state: Vec<u8>,
}

/// What one call into the guest gave.
#[derive(Debug, Default)]
pub struct Page {
    /// What the guest emitted.
    pub events: Vec<Event>,
    /// A point right after the events that the unit can be gone on with.
    pub checkpoint: Option<Checkpoint>,
}

/// Said by the receiver of events that wants no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Reads units with one instance of the component, which lasts until something goes wrong in it.
pub struct Worker {
    plugin: Arc<Plugin>,
    /// An instance that the last unit left in order.
    idle: Option<Instance>,
}

struct Instance {
    guest: Guest,
    provider: Spoken,
}

/// How the reading of a unit ended.
enum End {
    Done(Vec<Counter>),
    Stopped,
}

impl Worker {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Self {
        Self { plugin, idle: None }
    }

    /// Reads a unit to its end, from its start or from a checkpoint on, and gives what the guest emits to `each` as it
    /// comes.
    ///
    /// Where this fails, `each` has seen events of the unit already; they are not to be kept. A guest that cannot go on
    /// from the checkpoint faults before it emits anything. `cancelled` is looked at between two calls into the guest.
    pub fn scan(
        &mut self,
        unit: &UnitInputs,
        from: Option<&Checkpoint>,
        cancelled: &AtomicBool,
        each: &mut dyn FnMut(Page) -> Result<(), Stop>,
    ) -> Result<ScanReport, RunError> {
        let asked = Asked { provider: Arc::clone(&self.plugin.name), unit: unit.id.clone() };
        let mut instance = match self.idle.take() {
            Some(instance) => instance,
            None => Instance::start(&self.plugin, &asked)?,
        };
        let mut reading =
            Reading { asked: &asked, from, each, cancelled, guest_time: Duration::ZERO };
        instance.guest.state().begin(unit.inputs.clone(), from);
        let fuel_before = instance.guest.fuel_used();
        let end = instance.read(unit, &mut reading).map_err(|error| match error {
            // Guests know neither the file nor what the system said.
            RunError::Fault { provider, unit: id, message } => {
                let message = unreadable(unit, &instance.guest.state().books).unwrap_or(message);
                RunError::Fault { provider, unit: id, message }
            }
            error => error,
        })?;
        if matches!(end, End::Done(_))
            && instance.guest.state().bytes_handed() == 0
            && let Some(message) = unreadable(unit, &instance.guest.state().books)
        {
            let Asked { provider, unit } = asked;
            return Err(RunError::Fault { provider, unit, message });
        }
        let guest_time = reading.guest_time;
        for lent in &unit.inputs {
            check_unchanged(lent, &asked)?;
        }

        let fuel = instance.guest.fuel_used().zip(fuel_before).map(|(now, before)| now - before);
        let state = instance.guest.state();
        let books = std::mem::take(&mut state.books);
        let mut report = ScanReport {
            bytes_emitted: state.bytes_emitted,
            fuel,
            memory: state.memory as u64,
            guest_time: guest_time.saturating_sub(state.host_time),
            ..ScanReport::default()
        };
        match end {
            End::Stopped => report.stopped = true,
            End::Done(counters) => {
                report.counters = counters;
                for (input, books) in (0..).zip(&books) {
                    if let Some((unclaimed, offset)) = books.account.unclaimed() {
                        let Asked { provider, unit } = asked;
                        return Err(RunError::Accounting {
                            provider,
                            unit,
                            input,
                            unclaimed,
                            offset,
                        });
                    }
                }
            }
        }
        report.inputs = books.into_iter().map(|books| books.close()).collect();
        // A guest that keeps inputs open would meet them again in another unit.
        if instance.guest.state().open_inputs == 0 {
            self.idle = Some(instance);
        }
        Ok(report)
    }
}

/// Returns which file of a unit could not be read, and why.
fn unreadable(unit: &UnitInputs, books: &[Books]) -> Option<String> {
    let mut inputs = unit.inputs.iter().zip(books);
    inputs.find_map(|(lent, books)| {
        let cause = books.failed.as_ref()?;
        Some(format!("`{}`: {cause}", lent.file.display()))
    })
}

/// What is needed while a unit is read.
struct Reading<'a> {
    asked: &'a Asked,
    from: Option<&'a Checkpoint>,
    each: &'a mut dyn FnMut(Page) -> Result<(), Stop>,
    cancelled: &'a AtomicBool,
    guest_time: Duration,
}

impl Instance {
    fn start(plugin: &Plugin, asked: &Asked) -> Result<Self, RunError> {
        let ready = plugin.ready()?;
        let mut guest = plugin.guest();
        match guest.start(&ready) {
            Ok(provider) => Ok(Self { guest, provider }),
            Err(error) => Err(guest.explain(asked, &error)),
        }
    }

    fn read(&mut self, unit: &UnitInputs, reading: &mut Reading<'_>) -> Result<End, RunError> {
        let budget = self.guest.state().limits.advance_budget;
        let entries: Vec<_> = unit.inputs.iter().map(|lent| told(&lent.entry)).collect();
        if reading.cancelled.load(Ordering::Relaxed) {
            return Ok(End::Stopped);
        }
        let checkpoint = reading.from.map(|from| from.state.as_slice());
        let scan = self.call(reading, Phase::Open, |provider, store| {
            provider.open(store, &unit.id, &entries, &unit.context, checkpoint)
        })?;
        let scan = scan.map_err(|fault| fault_of(reading.asked, fault))?;
        let mut idle = 0;
        let end = loop {
            if reading.cancelled.load(Ordering::Relaxed) {
                break End::Stopped;
            }
            let before = self.taken();
            let step = self.call(reading, Phase::Advance, |provider, store| {
                provider.advance(store, scan, budget)
            })?;
            let events = std::mem::take(&mut self.guest.state().page);
            let (is_done, saved) = match &step {
                Ok(step) => (step.is_done, step.checkpoint.as_ref()),
                Err(_) => (false, None),
            };
            let checkpoint = saved.and_then(|saved| self.checkpoint(saved));
            let page = Page { events, checkpoint };
            let is_something = !page.events.is_empty() || page.checkpoint.is_some();
            if is_something && (reading.each)(page) == Err(Stop) {
                break End::Stopped;
            }
            step.map_err(|fault| fault_of(reading.asked, fault))?;
            if is_done {
                break End::Done(self.counters(reading, scan)?);
            }
            idle = if self.taken() == before { idle + 1 } else { 0 };
            if idle == IDLE_CALLS {
                let Asked { provider, unit } = reading.asked;
                let what = format!("it did nothing in {IDLE_CALLS} calls, and is not at the end");
                return Err(RunError::Forbidden {
                    provider: Arc::clone(provider),
                    unit: unit.clone(),
                    what,
                });
            }
        };
        self.call(reading, Phase::Idle, |_, store| scan.resource_drop(store))?;
        Ok(end)
    }

    /// Returns the bytes that the guest was handed and emitted so far.
    fn taken(&mut self) -> (u64, u64) {
        let state = self.guest.state();
        (state.bytes_handed(), state.bytes_emitted)
    }

    /// Returns the checkpoint that a guest gave, if the books say the same: all before it is accounted for.
    fn checkpoint(&mut self, state: &[u8]) -> Option<Checkpoint> {
        let (input, offset) = self.guest.state().reached()?;
        let is_light = state.len() <= CHECKPOINT_BYTES;
        is_light.then(|| Checkpoint { input, offset, state: state.to_vec() })
    }

    fn counters(
        &mut self,
        reading: &mut Reading<'_>,
        scan: ResourceAny,
    ) -> Result<Vec<Counter>, RunError> {
        let told =
            self.call(reading, Phase::Idle, |provider, store| provider.counters(store, scan))?;
        let length = |it: &Counter| size_of::<Counter>() + it.thread_id.len() + it.name.len();
        let bytes: usize = told.iter().map(length).sum();
        let limit = self.guest.state().limits.advance_budget;
        if bytes > limit as usize {
            return Err(RunError::OutputBound {
                provider: Arc::clone(&reading.asked.provider),
                unit: reading.asked.unit.clone(),
                limit: limit.into(),
                whole: "counters",
            });
        }
        Ok(told)
    }

    fn call<R>(
        &mut self,
        reading: &mut Reading<'_>,
        phase: Phase,
        call: impl FnOnce(&Spoken, StoreContextMut<'_, State>) -> wasmtime::Result<R>,
    ) -> Result<R, RunError> {
        let limit = self.guest.state().limits.advance_deadline;
        let started = Instant::now();
        let answer = self.guest.call(phase, limit, |store| call(&self.provider, store));
        reading.guest_time += started.elapsed();
        answer.map_err(|error| self.guest.explain(reading.asked, &error))
    }
}
