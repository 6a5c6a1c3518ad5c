//! Makes canonical compliance runs of tests, and of each run the status of its agent.
//!
//! What an import knows of a test and what is recorded as it happens come out as the same rows.

mod datasets;
mod rows;

use hyp_sdk::materializer::{Derived, Description, Materializer};
use hyp_sdk::{Fault, Item};

/// The materializer.
#[derive(Debug)]
pub struct RegistryCompliance;

hyp_sdk::register_materializer!(RegistryCompliance);

impl Materializer for RegistryCompliance {
    fn description() -> Description {
        Description::new("registry-compliance", "0.1.0")
            .kind("registry.owner_test")
            .kind("registry.test_run")
            .kind("registry.compliance_run")
            .kind("registry.compliance_status")
            .dataset(datasets::runs())
            .dataset(datasets::status())
            .dataset(datasets::history())
            .check(
                "one run for each test",
                "agent_compliance_runs",
                "select count(*) from (select 1 from agent_compliance_runs \
                 group by _hyp_source_system, _hyp_source_id having count(*) > 1)",
                0,
            )
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        items.iter().try_for_each(rows::check)?;
        Ok(Derived::each(items, rows::of))
    }
}

#[cfg(test)]
mod tests;
