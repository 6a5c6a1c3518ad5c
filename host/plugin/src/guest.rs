//! One instance of a component, with all that it may touch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{AsContextMut, Store, StoreContextMut, Trap, WasmBacktrace};

use crate::error::RunError;
use crate::fault::Asked;
use crate::fence::Fence;
use crate::host::Host;
use crate::meter::{Meter, thread_time};
use crate::seam::{Ready, Spoken};
use crate::state::{Phase, State};
use crate::ticker::{Running, Ticker};

/// Bytes that one call of the guest may carry to the host in lists and strings, pages apart.
const CARGO: usize = 512 * 1024 * 1024;

/// A store, and the clock that watches it.
pub(crate) struct Guest {
    store: Store<State>,
    ticker: Arc<Ticker>,
    meter: Arc<Meter>,
}

impl Guest {
    pub(crate) fn new(
        host: &Host,
        meter: &Arc<Meter>,
        provider: Arc<str>,
        kinds: Arc<[String]>,
    ) -> Self {
        let state = State::new(provider, kinds, host.limits.clone(), host.settled());
        let mut store = Store::new(&host.engine, state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(CARGO);
        if host.limits.is_metered {
            store.set_fuel(u64::MAX).expect("the engine of such a host counts fuel");
        }
        host.count_instance();
        meter.started();
        Self { store, ticker: Arc::clone(&host.ticker), meter: Arc::clone(meter) }
    }

    /// Instantiates the component, which may run code of it.
    pub(crate) fn start(&mut self, ready: &Ready) -> wasmtime::Result<Spoken> {
        let limit = self.store.data().limits.advance_deadline;
        self.call(Phase::Idle, limit, |store| ready.instantiate(store))
    }

    /// Calls into the guest with a deadline.
    pub(crate) fn call<R>(
        &mut self,
        phase: Phase,
        limit: Duration,
        call: impl FnOnce(StoreContextMut<'_, State>) -> wasmtime::Result<R>,
    ) -> wasmtime::Result<R> {
        let _running: Running = self.ticker.run();
        self.store.set_epoch_deadline(Ticker::ticks(limit));
        let state = self.store.data_mut();
        state.phase = phase;
        state.deadline = Instant::now() + limit;
        state.bytes_in_call = 0;
        let handed = state.bytes_handed();
        let started = thread_time();
        let answer = call(self.store.as_context_mut());
        let cpu_time = thread_time().saturating_sub(started);
        let state = self.store.data_mut();
        state.phase = Phase::Idle;
        self.meter.called(cpu_time, state.memory, state.bytes_handed().saturating_sub(handed));
        answer
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// Returns what it has computed so far, where that is counted: about an instruction a piece.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }

    /// Explains why a call did not return.
    pub(crate) fn explain(&mut self, asked: &Asked, error: &wasmtime::Error) -> RunError {
        let state = self.store.data_mut();
        let words = state.last_words();
        let error = asked.explain(error, words, &state.limits);
        self.meter.failed(&error);
        error
    }

    /// Tells whether an error comes from the shape of a component, not from its code.
    pub(crate) fn is_misfit(error: &wasmtime::Error) -> bool {
        error.downcast_ref::<Trap>().is_none()
            && error.downcast_ref::<Fence>().is_none()
            && error.downcast_ref::<WasmBacktrace>().is_none()
    }
}
