//! Runs the table format's asynchronous functions, which never wait on local files.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Returns a future's result.
///
/// The library's local storage does its work inside the first poll, so nothing is waited for, and this
/// may be called inside any runtime.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}
