//! Questions to remote agents, for a provider whose findings are their answers.

pub use crate::bindings::hyp::backfill::probe::{FailureClass, ProbeFailure, Report};

/// Asks an agent what it is. Natively, as in tests, nobody is asked.
pub fn ask(url: &str, timeout_ms: u32) -> Result<Report, ProbeFailure> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::hyp::backfill::probe::ask(url, timeout_ms);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = timeout_ms;
        let message = format!("nobody asks `{url}` here");
        Err(ProbeFailure { class: FailureClass::Denied, message, elapsed_ms: 0 })
    }
}
