//! Which test suites run on schedule: those that are declared so, and else those that cost nothing. A cost that is not
//! known is none that is nothing.

use hyp_sdk::materializer::ColumnType::{Boolean, Integer, Text, Timestamp};
use hyp_sdk::materializer::{Dataset, Derived, Description, Materializer, Row};
use hyp_sdk::{Cells, Datum, Fault, Item};

/// Suites for which the column says something else than what it is derived from.
const SUITES_THAT_DIFFER: &str = "
    select count(*) from test_suites
    where scheduled_testing_eligible
        is distinct from coalesce(eligible_declared, external_cost_cents = 0, false)";

/// Capabilities that are tested on schedule by the column and not by what it is derived from, or the other way around.
const CAPABILITIES_THAT_DIFFER: &str = "
    with by_column as (
        select distinct capability_slug from test_suites where active and scheduled_testing_eligible
    ), by_rule as (
        select distinct capability_slug from test_suites
        where active and coalesce(eligible_declared, external_cost_cents = 0, false)
    )
    select (select count(*) from (select * from by_column except select * from by_rule))
        + (select count(*) from (select * from by_rule except select * from by_column))";

/// The materializer.
#[derive(Debug)]
pub struct SuiteEligibility;

hyp_sdk::register_materializer!(SuiteEligibility);

impl Materializer for SuiteEligibility {
    fn description() -> Description {
        let suites = Dataset::last_write_wins("test_suites", &["id"])
            .required("id", Text)
            .column("capability_slug", Text)
            .column("test_name", Text)
            .column("active", Boolean)
            .column("test_status", Text)
            .column("external_cost_cents", Integer)
            .column("eligible_declared", Boolean)
            .required("scheduled_testing_eligible", Boolean)
            .column("updated_at", Timestamp)
            .owns("scheduled_testing_eligible");
        let capabilities = Dataset::last_write_wins("capabilities", &["slug"])
            .required("slug", Text)
            .column("is_active", Boolean)
            .column("last_tested_at", Timestamp)
            .column("cost_class", Text);
        Description::new("suite-eligibility", "0.1.0")
            .kind("registry.suite")
            .kind("registry.suite_state")
            .kind("registry.capability")
            .derives("test_suites")
            .dataset(suites)
            .dataset(capabilities)
            .check("suites_run_as_declared_or_free", "test_suites", SUITES_THAT_DIFFER, 0)
            .check(
                "capabilities_are_due_as_declared_or_free",
                "test_suites",
                CAPABILITIES_THAT_DIFFER,
                0,
            )
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        Ok(Derived::each(items, |item, out| match item.kind.as_str() {
            "registry.capability" => out.upsert(as_it_is("capabilities", item)),
            "registry.suite_state" => {
                // A registry that does not know the column yet runs nothing on schedule by it.
                let mut row = as_it_is("test_suites", item);
                for cell in &mut row.cells {
                    if cell.column == "scheduled_testing_eligible" && cell.value == Datum::Null {
                        cell.value = Datum::Boolean(false);
                    }
                }
                out.append(row);
            }
            _ => {
                let mut row = as_it_is("test_suites", item);
                let eligible = Cells::new().with("scheduled_testing_eligible", is_eligible(item));
                row.cells.extend(eligible.done());
                if item.integer("external_cost_cents").is_none() {
                    out.counts_as("unknown_cost");
                }
                out.upsert(row);
            }
        }))
    }
}

fn is_eligible(item: &Item) -> bool {
    item.flag("eligible_declared").unwrap_or(item.integer("external_cost_cents") == Some(0))
}

fn as_it_is(dataset: &str, item: &Item) -> Row {
    Row { dataset: dataset.to_owned(), cells: item.cells.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyp_sdk::Origin;

    #[test]
    #[rustfmt::skip]
    fn what_is_declared_goes_before_what_it_costs() {
        let cases = [
            // declared      cost        eligible
            (None,        Some(0),     true),
            (None,        Some(3),     false),
            (None,        Some(-1),    false),
            (None,        None,        false),
            (Some(false), Some(0),     false),
            (Some(true),  Some(3),     true),
            (Some(true),  None,        true),
        ];
        for (declared, cost, expected) in cases {
            let cells = Cells::new().with("eligible_declared", declared).with("external_cost_cents", cost);
            let item = Item::new("registry.suite", Origin::new("registry.test_suites", "1"), cells);
            assert_eq!(is_eligible(&item), expected, "{declared:?} {cost:?}");
        }
    }
}
