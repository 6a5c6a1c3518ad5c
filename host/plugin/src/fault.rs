//! From what came out of a call to the error that the caller sees.

use std::sync::Arc;

use wasmtime::{Trap, WasmBacktrace};

use crate::error::RunError;
use crate::fence::Fence;
use crate::limits::Limits;

const FRAMES: usize = 8;

/// Who was asked what, for the words of an error.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) provider: Arc<str>,
    pub(crate) unit: String,
}

impl Asked {
    /// Explains why a call did not return; `panic` is what the guest said last.
    pub(crate) fn explain(
        &self,
        error: &wasmtime::Error,
        panic: Option<String>,
        limits: &Limits,
    ) -> RunError {
        let provider = Arc::clone(&self.provider);
        let unit = self.unit.clone();
        if let Some(fence) = error.downcast_ref::<Fence>() {
            return match fence.clone() {
                Fence::Deadline => {
                    RunError::Deadline { provider, unit, limit: limits.advance_deadline }
                }
                Fence::Memory { wanted } => {
                    RunError::Memory { provider, unit, wanted, limit: limits.memory }
                }
                Fence::Output { limit, whole } => {
                    RunError::OutputBound { provider, unit, limit, whole }
                }
                Fence::UndeclaredKind { kind } => RunError::UndeclaredKind { provider, unit, kind },
                Fence::Span { input, offset, length, reason } => {
                    RunError::Span { provider, unit, input, offset, length, reason }
                }
                Fence::StatementMemory { limit } => {
                    let what = format!("a statement wanted more than {limit} bytes of memory");
                    RunError::Statement { provider, unit, what }
                }
                Fence::Rows { limit } => {
                    let what = format!("its statements gave more than {limit} bytes of rows");
                    RunError::Statement { provider, unit, what }
                }
                Fence::Forbidden { what } => {
                    RunError::Forbidden { provider, unit, what: what.to_owned() }
                }
            };
        }
        if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
            return RunError::Deadline { provider, unit, limit: limits.advance_deadline };
        }
        let message = panic.unwrap_or_else(|| error.root_cause().to_string());
        RunError::Trapped { provider, unit, message, backtrace: frames(error) }
    }
}

/// Returns the innermost frames of the guest by name, without the machinery of a panic.
fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    // Only the display of a backtrace has demangled names: `0: 0x1a2b - module!function`.
    let text = backtrace.to_string();
    let frames = text.lines().skip(1).filter_map(|line| line.split_once('!'));
    let mut names: Vec<String> = frames.map(|(_, name)| without_hashes(name)).collect();
    let machinery = |name: &String| {
        ["__rust", "core::panicking", "std::panicking", "std::sys", "abort"]
            .iter()
            .any(|part| name.starts_with(part))
    };
    let first = names.iter().position(|name| !machinery(name)).unwrap_or(0);
    names.drain(..first);
    names.truncate(FRAMES);
    names
}

/// Takes off the hashes that tell crates of one name apart: `std[761429072ce02672]::panicking`.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split('[');
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if hash.len() > 8 && u64::from_str_radix(hash, 16).is_ok() => {
                clean.push_str(rest);
            }
            _ => {
                clean.push('[');
                clean.push_str(part);
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn frames_have_names_without_hashes() {
        let cases = [
            ("std[761429072ce02672]::panicking::begin", "std::panicking::begin"),
            ("hyp:backfill/provider@0.1.0#[method]scan.advance", "hyp:backfill/provider@0.1.0#[method]scan.advance"),
            ("a[b", "a[b"),
        ];
        for (name, expected) in cases {
            assert_eq!(without_hashes(name), expected);
        }
    }
}
