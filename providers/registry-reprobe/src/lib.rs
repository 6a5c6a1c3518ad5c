//! Asks those agents what they are of which nothing is known: snapshots without a type, and agents that are listed or were
//! discovered and have no snapshot. Each is asked once. What cannot be had now is a failure and never a value.

mod scan;

use hyp_sdk::{Candidate, Description, Entry, Fault, Provider, Root};

pub use scan::Candidates;
use scan::Manner;

/// Kind of the items.
pub const RESULT: &str = "registry.probe_result";

/// Agents that the host asks at a time, at most.
const AT_A_TIME: u32 = 16;

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
            .setting("concurrency", "5", "how many agents are asked at a time, 16 at most")
            .root(registry)
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Candidates, Fault> {
        let timeout = number("timeout-ms", 30_000, u32::MAX)?;
        let concurrency = number("concurrency", 5, AT_A_TIME)?;
        Ok(Candidates::new(Manner { timeout, concurrency }))
    }
}

/// Returns a setting that is a number from 1 on.
fn number(name: &str, default: u32, most: u32) -> Result<u32, Fault> {
    let Some(said) = hyp_sdk::setting(name) else { return Ok(default) };
    let number = said.parse().ok().filter(|number| (1..=most).contains(number));
    number
        .ok_or_else(|| Fault::source(format!("{name} is a number from 1 to {most}, not `{said}`")))
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
