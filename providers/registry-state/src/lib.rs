//! Adopts what a registry of agents holds already: canonical runs and status, listed agents, snapshots of what agents can,
//! test suites. A table that the database lacks is passed over. What is in the store already is left alone.

mod agents;
mod table;

use hyp_sdk::sqlite::{Database, Fields, Problem, Query, Row};
use hyp_sdk::{
    Candidate, Description, Entry, FailureClass, Fault, Page, Provider, Reading, Root, Scan,
};

use table::TABLES;

/// Columns of the table of profiles.
const PROFILES: &[&str] = &["id", "agents"];

/// The provider.
#[derive(Debug)]
pub struct RegistryState;

hyp_sdk::register!(RegistryState);

impl Provider for RegistryState {
    type Scan = State;

    fn description() -> Description {
        let mut root = Root::new("registry", Candidate::Source("registry".into()));
        for table in TABLES {
            root = root.table(table.name, &table.names());
        }
        let kinds: Vec<&str> =
            TABLES.iter().map(|table| table.kind).chain([agents::KIND]).collect();
        Description::new("registry-state", "Registry: what is there", "0.1.0")
            .summary("Rows that the registry holds already, adopted as they are")
            .kinds(&kinds)
            .root(root.table("member_profiles", PROFILES))
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<State, Fault> {
        Ok(State::default())
    }
}

/// The tables being read.
#[derive(Debug, Default)]
pub struct State {
    agents: agents::Agents,
}

impl Scan for State {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, database: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        let mut queries = Vec::new();
        for table in TABLES {
            let there = database.columns(table.name)?;
            queries.extend(table.query(&there));
        }
        if database.columns("member_profiles")?.len() == PROFILES.len() {
            queries.push(Query::new(
                "member_profiles",
                "select id, agents from member_profiles order by id",
            ));
        }
        Ok(queries)
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        let read = match TABLES.iter().find(|table| table.name == row.query) {
            Some(table) => table.row(&Fields::new(row, &table.names()), out),
            None => self.agents.row(&Fields::new(row, PROFILES), out),
        };
        if let Err(misfit) = read {
            out.failure(row.span, FailureClass::Malformed, misfit);
        }
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::testkit;

    use super::RegistryState;

    #[test]
    fn the_manifest_says_what_the_component_says() {
        testkit::manifest::<RegistryState>("manifest.json");
    }
}
