//! Ctrl-C: the first asks the run to end at its next border, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hyp_model::Exit;

/// Returns a flag that the first interrupt sets.
///
/// Where the system lends no signals, the flag stays false and an interrupt ends the process as
/// ever: what was committed stays, and the same command goes on.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return flag;
    };
    let seen = Arc::clone(&flag);
    // Registered here, not in the thread: an interrupt from now on is one that is seen.
    let Ok(mut signals) = runtime.block_on(async { Signals::new() }) else { return flag };
    let _ = thread::Builder::new().name("interrupt".into()).spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            seen.store(true, Ordering::SeqCst);
            signals.next().await;
        });
        end();
    });
    flag
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the second interrupt means: now")]
fn end() {
    std::process::exit(i32::from(Exit::Interrupted.status()));
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler there is nothing to wait for, and nothing to do about it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
