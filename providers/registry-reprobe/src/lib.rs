//! Asks those agents what they are of which nothing is known: snapshots without a type, and agents that are listed or were
//! discovered and have no snapshot. Each is asked once. What cannot be had now is a failure and never a value.

mod scan;

use hyp_sdk::{Candidate, Description, Entry, Fault, Provider, Root};

pub use scan::Candidates;

/// Kind of the items.
pub const RESULT: &str = "registry.probe_result";

/// The provider.
#[derive(Debug)]
pub struct RegistryReprobe;

hyp_sdk::register!(RegistryReprobe);

impl Provider for RegistryReprobe {
    type Scan = Candidates;

    fn description() -> Description {
        let registry = Root::new("registry", Candidate::Source("registry".into()))
            .table("agent_capabilities_snapshot", &["agent_url", "protocol", "inferred_type"])
            .table("member_profiles", &scan::PROFILES)
            .table("discovered_agents", &scan::AGENTS);
        Description::new("registry-reprobe", "Registry: agents asked again", "0.1.0")
            .summary("Answers of agents that nothing was known of")
            .kinds(&[RESULT])
            .setting("timeout-ms", "30000", "how long an agent may take to answer")
            .root(registry)
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Candidates, Fault> {
        let timeout = hyp_sdk::setting("timeout-ms").unwrap_or_else(|| "30000".to_owned());
        match timeout.parse() {
            Ok(timeout) => Ok(Candidates::new(timeout)),
            Err(_) => Err(Fault::source(format!("timeout-ms is a number, not `{timeout}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::testkit;

    use super::RegistryReprobe;

    #[test]
    fn the_manifest_says_what_the_component_says() {
        testkit::manifest::<RegistryReprobe>("manifest.json");
    }
}
