//! The clock that ends a guest which does not come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(50);

/// Ticks that the thread stays after the last guest, so that one unit after the other does not start it anew.
const LINGER: u32 = 4;

/// One thread that ticks while guests run, and is gone when none does.
pub(crate) struct Ticker {
    engine: EngineWeak,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    guests: usize,
    is_running: bool,
}

/// A guest that runs: while one is held, the clock ticks.
pub(crate) struct Running(Arc<Ticker>);

impl Ticker {
    pub(crate) fn new(engine: &Engine) -> Arc<Self> {
        Arc::new(Self { engine: engine.weak(), state: Mutex::default() })
    }

    /// Returns how many ticks a call may take that is given `limit`.
    pub(crate) fn ticks(limit: Duration) -> u64 {
        let ticks = limit.as_millis().div_ceil(TICK.as_millis());
        // The first tick may come at once.
        u64::try_from(ticks).unwrap_or(u64::MAX / 2) + 1
    }

    /// Keeps the clock ticking for as long as the answer is held.
    pub(crate) fn run(self: &Arc<Self>) -> Running {
        let mut state = self.lock();
        state.guests += 1;
        if !state.is_running {
            let ticker = Arc::clone(self);
            let thread = thread::Builder::new().name("hyp-ticker".into());
            state.is_running = thread.spawn(move || ticker.tick()).is_ok();
        }
        drop(state);
        Running(Arc::clone(self))
    }

    fn tick(&self) {
        let mut idle = 0;
        loop {
            thread::sleep(TICK);
            let mut state = self.lock();
            idle = if state.guests == 0 { idle + 1 } else { 0 };
            match self.engine.upgrade() {
                Some(engine) if idle == 0 => engine.increment_epoch(),
                Some(_) if idle < LINGER => {}
                _ => {
                    state.is_running = false;
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().guests -= 1;
    }
}
