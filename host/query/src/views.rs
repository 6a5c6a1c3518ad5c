//! Views over datasets: each is there where the tables that it asks are, or the views before it.

use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::prelude::SessionContext;
use futures::FutureExt;

/// A view: its name, what it asks, and what it asks of that.
struct View {
    name: &'static str,
    /// Tables, or views that come earlier.
    over: &'static [&'static str],
    sql: &'static str,
}

const VIEWS: &[View] = &[
    View {
        name: "compliance_history",
        over: &["agent_compliance_runs"],
        sql: "select agent_url, overall_status, headline, tested_at, triggered_by,
                     case triggered_by when 'owner_test' then 'your test' else triggered_by end as label,
                     lifecycle_stage, total_duration_ms, triggered_org_id, original_scenario, id
              from agent_compliance_runs where dry_run is not true",
    },
    View {
        name: "compliance_latest",
        over: &["agent_compliance_runs"],
        sql: "select agent_url, overall_status, headline, tested_at, triggered_by,
                     case when triggered_by in ('heartbeat', 'owner_test', 'manual', 'webhook')
                          then triggered_by end as verdict_source,
                     label, id from (
                  select agent_url, overall_status, headline, tested_at, triggered_by, id,
                         case triggered_by when 'owner_test' then 'your test' else triggered_by end as label,
                         row_number() over (partition by agent_url order by tested_at desc, id) as place
                  from agent_compliance_runs where dry_run is not true)
              where place = 1",
    },
    View {
        name: "type_reclassification_log",
        over: &[],
        sql: "select subject as agent_url, json_get_str(row_key, 0) as member_id, old_value as old_type,
                     new_value as new_type, event, source, run_id, changed_at, notes
              from value_audit where dataset = 'member_agents' and column_name = 'type'",
    },
    View {
        name: "suites_due",
        over: &["test_suites", "capabilities"],
        sql: "select s.capability_slug, s.id as suite_id, s.test_name,
                     c.last_tested_at + case s.test_status
                         when 'upstream_broken' then interval '24 hours'
                         when 'infra_limited' then interval '24 hours'
                         when 'quarantined' then interval '168 hours'
                         else interval '1 hour' end as due_at
              from test_suites s join capabilities c on c.slug = s.capability_slug
              where s.active and c.is_active and s.scheduled_testing_eligible",
    },
    View {
        name: "suites_skipped",
        over: &["test_suites", "capabilities"],
        sql: "select s.capability_slug, s.id as suite_id, s.test_name, s.external_cost_cents
              from test_suites s join capabilities c on c.slug = s.capability_slug
              where s.active and c.is_active and not s.scheduled_testing_eligible",
    },
    View {
        name: "suites_overdue_count",
        over: &["suites_due"],
        sql: "select count(distinct capability_slug) as capabilities
              from suites_due where due_at is null or due_at < now()",
    },
    View {
        name: "suites_skipped_count",
        over: &["suites_skipped"],
        sql: "select count(distinct capability_slug) as capabilities from suites_skipped",
    },
];

/// Adds the views whose tables are there.
pub(crate) fn add(context: &SessionContext) -> Result<()> {
    for view in VIEWS {
        if !view.over.iter().all(|table| context.table_exist(*table).unwrap_or(false)) {
            continue;
        }
        // Tables in memory are there at once: nothing is waited for.
        let plan = context.state().create_logical_plan(view.sql).now_or_never();
        let plan = plan.ok_or_else(|| internal_datafusion_err!("view {} waits", view.name))??;
        let table = ViewTable::new(plan, Some(view.sql.to_owned()));
        context.register_table(view.name, Arc::new(table))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_on_schedule_asks_what_was_derived_and_not_what_it_costs() {
        const COST: &str = "external_cost_cents";
        for view in VIEWS.iter().filter(|view| view.sql.contains(COST)) {
            assert_eq!(view.name, "suites_skipped", "people see there what each would cost");
            let (_, conditions) = view.sql.split_once("where").unwrap();
            assert!(!conditions.contains(COST), "{}", view.sql);
        }
        let due = VIEWS.iter().find(|view| view.name == "suites_due").unwrap();
        assert!(due.sql.contains("scheduled_testing_eligible"), "{}", due.sql);
    }
}
