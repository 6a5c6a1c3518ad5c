//! Reads the test history that a registry of agents kept before it kept canonical runs: who tested which agent, and what
//! came of it. A test is an owner's where the person is a member of the organization whose profile lists the agent.

mod columns;
mod scan;
mod whose;

use hyp_sdk::{Candidate, Description, Entry, Fault, Provider, Root};

pub use scan::History;

/// The kind of items that tests by owners are.
pub const OWNER_TEST: &str = "registry.owner_test";

/// The table that numbers the tests.
pub const SYSTEM: &str = "agent_test_history";

/// The provider.
#[derive(Debug)]
pub struct RegistryHistory;

hyp_sdk::register!(RegistryHistory);

impl Provider for RegistryHistory {
    type Scan = History;

    fn description() -> Description {
        let registry = Root::new("registry", Candidate::Source("registry".into()))
            .table(SYSTEM, &columns::HISTORY)
            .table("agent_contexts", &columns::CONTEXTS)
            .table("organization_memberships", &columns::MEMBERS)
            .table("member_profiles", &columns::PROFILES)
            .table("agent_registry_metadata", &columns::AGENTS);
        Description::new("registry-history", "Registry: test history", "0.1.0")
            .summary("Owners' tests of their agents, for the canonical compliance runs")
            .kinds(&[OWNER_TEST])
            .setting("respect-opt-out", "true", "leave out agents whose owner wants no monitoring")
            .root(registry)
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<History, Fault> {
        match hyp_sdk::setting("respect-opt-out").as_deref() {
            None | Some("true") => Ok(History::new(true)),
            Some("false") => Ok(History::new(false)),
            Some(other) => {
                Err(Fault::source(format!("respect-opt-out is true or false, not `{other}`")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
