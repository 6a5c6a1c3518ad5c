//! Questions to remote agents, for a provider whose findings are their answers.

#[cfg(target_family = "wasm")]
use crate::bindings::hyp::backfill::probe as host;

pub use crate::bindings::hyp::backfill::probe::{FailureClass, ProbeFailure, Report};

/// Questions that the host takes in one call.
const AT_ONCE: usize = 256;

/// Asks an agent what it is. Natively, as in tests, nobody is asked.
pub fn ask(url: &str, timeout_ms: u32) -> Result<Report, ProbeFailure> {
    #[cfg(target_family = "wasm")]
    return host::ask(url, timeout_ms);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = timeout_ms;
        Err(nobody(url))
    }
}

/// Asks agents what they are, `at_most` of them at a time; the answers are in the order of the questions.
pub fn ask_several(
    urls: &[String],
    timeout_ms: u32,
    at_most: u32,
) -> Vec<Result<Report, ProbeFailure>> {
    let ask = |urls: &[String]| -> Vec<_> {
        #[cfg(target_family = "wasm")]
        return host::ask_several(urls, timeout_ms, at_most);
        #[cfg(not(target_family = "wasm"))]
        {
            let _ = (timeout_ms, at_most);
            urls.iter().map(|url| Err(nobody(url))).collect()
        }
    };
    urls.chunks(AT_ONCE).flat_map(ask).collect()
}

#[cfg(not(target_family = "wasm"))]
fn nobody(url: &str) -> ProbeFailure {
    let message = format!("nobody asks `{url}` here");
    ProbeFailure { class: FailureClass::Denied, message, elapsed_ms: 0 }
}
