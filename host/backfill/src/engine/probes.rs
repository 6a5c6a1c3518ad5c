//! Questions to remote agents: answered by whoever asks them, or from a file in their place.

mod script;

use std::sync::Arc;

use hyp_plugin::{ProbeFailure, ProbeFailureClass, ProbeReport, Prober};

use super::request::{Changes, Probing};
use crate::error::BackfillError;
use script::Script;

/// Who answers what may be asked.
#[derive(Debug)]
pub(crate) struct Probes {
    probing: Probing,
    /// Answers in place of the agents'.
    script: Option<Script>,
    /// Who asks the agents.
    prober: Option<Arc<dyn Prober>>,
}

impl Probes {
    /// Reads the file of answers, if there is one; nobody else is asked then.
    pub(crate) fn new(changes: &Changes) -> Result<Self, BackfillError> {
        let probing = changes.probe.clone();
        let script = probing.script.as_deref().map(Script::read).transpose()?;
        Ok(Self { probing, script, prober: changes.prober.clone() })
    }
}

impl Prober for Probes {
    fn ask(&self, url: &str, timeout_ms: u32) -> Result<ProbeReport, ProbeFailure> {
        let denied = |message| Err(failure(ProbeFailureClass::Denied, message, 0));
        if !self.probing.allows(url) {
            return denied(format!("`{url}` is not among `[probe] allow`"));
        }
        match (&self.script, &self.prober) {
            (Some(script), _) => script.answer(url),
            (None, Some(prober)) => prober.ask(url, timeout_ms),
            (None, None) => denied("nobody asks agents here".to_owned()),
        }
    }
}

fn failure(class: ProbeFailureClass, message: String, elapsed_ms: u32) -> ProbeFailure {
    ProbeFailure { class, message, elapsed_ms }
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
        let probing = |allowed: &str| Probing { allow: vec![allowed.to_owned()], script: None };
        for (url, allowed, expected) in cases {
            assert_eq!(probing(allowed).allows(url), expected, "{url} {allowed}");
        }
        let changes = Changes { probe: probing("https://b.example"), ..Changes::default() };
        let refused = Probes::new(&changes).unwrap().ask("https://a.example/mcp", 10).unwrap_err();
        assert_eq!(refused.class, ProbeFailureClass::Denied);
        assert_eq!(refused.message, "`https://a.example/mcp` is not among `[probe] allow`");
    }
}
