//! What holds for all guests of a run, and what the host does for them outside of the machine of components.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hyp_model::item::{Cell, Datum};
use serde::Deserialize;

/// What was settled for guests before they were started.
#[derive(Debug, Default)]
pub struct Settled {
    /// Values of settings, by name.
    pub settings: BTreeMap<String, String>,
    /// Who asks remote agents; without one, nobody does.
    pub prober: Option<Arc<dyn Prober>>,
}

/// What an agent answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/run.wit")]
pub struct ProbeReport {
    pub inferred_type: Option<String>,
    pub elapsed_ms: u32,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/run.wit")]
pub struct ProbeFailure {
    pub class: ProbeFailureClass,
    pub message: String,
    pub elapsed_ms: u32,
}

/// Kinds of reasons why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "documented in wit/run.wit")]
#[non_exhaustive]
pub enum ProbeFailureClass {
    Denied,
    Timeout,
    NameResolution,
    Refused,
    HttpStatus,
    Malformed,
    Other,
}

/// Asks remote agents for guests.
pub trait Prober: fmt::Debug + Send + Sync {
    /// Asks an agent what it is.
    fn ask(&self, url: &str, timeout_ms: u32) -> Result<ProbeReport, ProbeFailure>;
}

/// What the store holds now, for a materializer.
pub trait Current: Send + Sync {
    /// Returns the row of each key, in the order of the keys, or says why they cannot be had.
    fn current(&self, dataset: &str, keys: &[Vec<Datum>])
    -> Result<Vec<Option<Vec<Cell>>>, String>;
}
