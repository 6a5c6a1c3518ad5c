//! Makes canonical compliance runs of tests, and of each run the status of its agent.
//!
//! What an import knows of a test and what is recorded as it happens come out as the same rows.

mod datasets;
mod rows;

use hyp_sdk::materializer::{Derived, Description, Materializer, ValueSet};
use hyp_sdk::{Fault, Item};

/// Runs of owners' tests that were imported, though somebody recorded the same test: those that were over when live runs had
/// begun, with a live run of the same agent and outcome that is at most 120 seconds from their end.
const TWINS: &str = "\
    select count(*) from (\
      select agent_url, overall_status, ended_at from (\
        select agent_url, overall_status, \
          cast(tested_at as bigint) + coalesce(total_duration_ms, 0) * 1000 as ended_at \
        from agent_compliance_runs \
        where triggered_by = 'owner_test' and _hyp_source_system = 'agent_test_history') \
      where ended_at >= (\
        select min(cast(tested_at as bigint)) from agent_compliance_runs \
        where triggered_by = 'owner_test' and _hyp_source_system <> 'agent_test_history')) i \
    join (\
      select agent_url, overall_status, cast(tested_at as bigint) as tested_at from agent_compliance_runs \
      where triggered_by = 'owner_test' and _hyp_source_system <> 'agent_test_history') l \
    on i.agent_url = l.agent_url and i.overall_status = l.overall_status \
    where abs(i.ended_at - l.tested_at) <= 120000000";

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
            .check("no live twin among imported runs", "agent_compliance_runs", TWINS, 0)
    }

    fn value_sets() -> Vec<ValueSet> {
        datasets::value_sets()
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        items.iter().try_for_each(rows::check)?;
        Ok(Derived::each(items, rows::of))
    }
}

#[cfg(test)]
mod tests;
