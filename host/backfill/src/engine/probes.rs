//! Questions to remote agents: answered from a file, or not at all.
//!
//! This release asks nobody: what may be asked is settled and checked, and the asking itself is not there yet.

use std::collections::HashMap;
use std::path::Path;

use hyp_plugin::{ProbeFailure, ProbeFailureClass, ProbeReport, Prober};
use serde::Deserialize;

use super::request::Probing;
use crate::error::BackfillError;
use crate::small;

/// Who answers.
#[derive(Debug)]
pub(crate) struct Script {
    allow: Vec<String>,
    /// Answers by address; none where there is no file of answers.
    answers: Option<HashMap<String, Answer>>,
}

/// An answer, as a file has it.
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
    /// Reads the file of answers, if there is one: a JSON object with an answer for each address.
    pub(crate) fn new(probing: &Probing) -> Result<Self, BackfillError> {
        let read = |path: &Path| {
            let wrong =
                |reason: String| BackfillError::ProbeScript { path: path.to_owned(), reason };
            let text = small::read(path).map_err(|error| wrong(error.to_string()))?;
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
        };
        let answers = probing.script.as_deref().map(read).transpose()?;
        Ok(Self { allow: probing.allow.clone(), answers })
    }
}

/// Says whether an address is below an allowed one: `https://a.example` allows no `https://a.example.net`.
fn is_below(url: &str, allowed: &str) -> bool {
    let allowed = allowed.trim_end_matches('/');
    match url.strip_prefix(allowed) {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '?', '#']),
        None => allowed == "*",
    }
}

impl Prober for Script {
    fn ask(&self, url: &str, _timeout_ms: u32) -> Result<ProbeReport, ProbeFailure> {
        let failure =
            |class, message: String, elapsed_ms| ProbeFailure { class, message, elapsed_ms };
        if !self.allow.iter().any(|allowed| is_below(url, allowed)) {
            let message = format!("`{url}` is not among `[probe] allow`");
            return Err(failure(ProbeFailureClass::Denied, message, 0));
        }
        let Some(answers) = &self.answers else {
            let message =
                "this release asks no remote agents; `[probe] script` answers in their place"
                    .to_owned();
            return Err(failure(ProbeFailureClass::Denied, message, 0));
        };
        let Some(answer) = answers.get(url).cloned() else {
            let message = format!("the script has no answer of `{url}`");
            return Err(failure(ProbeFailureClass::Other, message, 0));
        };
        let Answer { inferred_type, failure: class, message, elapsed_ms } = answer;
        class.map_or(Ok(ProbeReport { inferred_type, elapsed_ms }), |class| {
            Err(failure(class, message, elapsed_ms))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn only_what_is_allowed_is_asked() {
        let cases = [
            ("https://a.example/mcp",      "https://a.example",     true),
            ("https://a.example",          "https://a.example/",    true),
            ("https://a.example.net/mcp",  "https://a.example",     false),
            ("https://a.example/mcp2",     "https://a.example/mcp", false),
            ("https://b.example/mcp",      "*",                     true),
        ];
        for (url, allowed, expected) in cases {
            assert_eq!(is_below(url, allowed), expected, "{url} {allowed}");
        }
    }

    #[test]
    fn without_a_script_nobody_is_asked_and_the_reason_is_told() {
        let probing = Probing { allow: vec!["*".into()], script: None };
        let refused = Script::new(&probing).unwrap().ask("https://a.example/mcp", 10).unwrap_err();
        assert_eq!(refused.class, ProbeFailureClass::Denied);
        assert!(
            refused.message.starts_with("this release asks no remote agents"),
            "{}",
            refused.message
        );
    }
}
