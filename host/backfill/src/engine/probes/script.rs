//! Answers from a file.

use std::collections::HashMap;
use std::path::Path;

use hyp_plugin::{ProbeFailure, ProbeFailureClass, ProbeReport};
use serde::Deserialize;

use super::failure;
use crate::error::BackfillError;
use crate::small;

/// A JSON object with an answer for each address.
#[derive(Debug)]
pub(super) struct Script {
    answers: HashMap<String, Answer>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default)]
    inferred_type: Option<String>,
    /// None for an answer.
    #[serde(default)]
    failure: Option<ProbeFailureClass>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    elapsed_ms: u32,
}

impl Script {
    pub(super) fn read(path: &Path) -> Result<Self, BackfillError> {
        let wrong = |reason| BackfillError::ProbeScript { path: path.to_owned(), reason };
        let text = small::read(path).map_err(|error| wrong(error.to_string()))?;
        let answers = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { answers })
    }

    pub(super) fn answer(&self, url: &str) -> Result<ProbeReport, ProbeFailure> {
        let Some(answer) = self.answers.get(url).cloned() else {
            let message = format!("the script has no answer of `{url}`");
            return Err(failure(ProbeFailureClass::Other, message, 0));
        };
        let Answer { inferred_type, failure: class, message, elapsed_ms } = answer;
        class.map_or(Ok(ProbeReport { inferred_type, elapsed_ms }), |class| {
            Err(failure(class, message, elapsed_ms))
        })
    }
}
