//! The test suites of a registry, as far as they decide what is tested on schedule.

use hyp_sdk::sqlite::{Database, Fields, Misfit, Problem, Query, Row};
use hyp_sdk::{
    Candidate, Cells, Description, Entry, FailureClass, Fault, Item, Origin, Page, Provider,
    Reading, Root, Scan,
};

/// Kind of the items.
pub const SUITE: &str = "registry.suite";

/// Columns of the table, of which the last may be missing.
const COLUMNS: [&str; 8] = [
    "id",
    "capability_slug",
    "test_name",
    "active",
    "test_status",
    "external_cost_cents",
    "updated_at",
    "eligible_declared",
];

/// The provider.
#[derive(Debug)]
pub struct TestSuites;

hyp_sdk::register!(TestSuites);

impl Provider for TestSuites {
    type Scan = Suites;

    fn description() -> Description {
        let registry = Root::new("registry", Candidate::Source("registry".into()))
            .table("test_suites", &COLUMNS);
        Description::new("test-suites", "Registry: test suites", "0.1.0")
            .summary("Test suites, of which it is derived whether they run on schedule")
            .kinds(&[SUITE])
            .root(registry)
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Suites, Fault> {
        Ok(Suites)
    }
}

/// The suites being read.
#[derive(Debug)]
pub struct Suites;

impl Scan for Suites {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, database: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        let there = database.columns("test_suites")?;
        let columns = COLUMNS.map(|name| match there.iter().any(|column| column == name) {
            false if name == "eligible_declared" => "null",
            _ => name,
        });
        let statement = format!("select {} from test_suites order by id", columns.join(", "));
        Ok(vec![Query::new("suite", statement)])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        match suite(&Fields::new(row, &COLUMNS)) {
            Ok(item) => out.item(row.span, item),
            Err(misfit) => out.failure(row.span, FailureClass::Malformed, misfit),
        }
    }
}

fn suite(row: &Fields<'_>) -> Result<Item, Misfit> {
    let text = |column| row.text(column).map(|text| text.map(|text| text.into_owned()));
    let id = row.required("id", Fields::text)?;
    let cells = Cells::new()
        .with("id", &*id)
        .with("capability_slug", text("capability_slug")?)
        .with("test_name", text("test_name")?)
        .with("active", row.flag("active")?)
        .with("test_status", text("test_status")?)
        .with("external_cost_cents", row.integer("external_cost_cents")?)
        .time("updated_at", row.time("updated_at")?)
        .with("eligible_declared", row.flag("eligible_declared")?);
    Ok(Item::new(SUITE, Origin::new("registry.test_suites", id), cells))
}

#[cfg(test)]
mod tests {
    use hyp_sdk::testkit;

    use super::TestSuites;

    #[test]
    fn the_manifest_says_what_the_component_says() {
        testkit::manifest::<TestSuites>("manifest.json");
    }
}
