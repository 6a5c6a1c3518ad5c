//! Evidence of what listed agents are: what each was found to be able to, for every place in which it is listed.

use std::collections::BTreeMap;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Database, Fields, Misfit, Problem, Query, Row};
use hyp_sdk::{
    Candidate, Cells, Description, Entry, FailureClass, Fault, Item, Origin, Page, Provider,
    Reading, Root, Scan,
};

/// Kind of the items.
pub const EVIDENCE: &str = "registry.agent_type_evidence";

const SNAPSHOTS: [&str; 2] = ["agent_url", "inferred_type"];

const PROFILES: [&str; 3] = ["id", "slug", "agents"];

/// The provider.
#[derive(Debug)]
pub struct AgentTypes;

hyp_sdk::register!(AgentTypes);

impl Provider for AgentTypes {
    type Scan = Evidence;

    fn description() -> Description {
        let registry = Root::new("registry", Candidate::Source("registry".into()))
            .table("agent_capabilities_snapshot", &SNAPSHOTS)
            .table("member_profiles", &PROFILES);
        Description::new("agent-types", "Registry: types of agents", "0.1.0")
            .summary("What listed agents were found to be, for the types that profiles give them")
            .kinds(&[EVIDENCE])
            .root(registry)
    }

    fn open(_: &str, _: &[Entry], _: &[u8]) -> Result<Evidence, Fault> {
        Ok(Evidence::default())
    }
}

/// The evidence being read.
#[derive(Debug, Default)]
pub struct Evidence {
    inferred: BTreeMap<String, Option<String>>,
    tape: Tape,
}

impl Scan for Evidence {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, _: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        let snapshots = "select agent_url, inferred_type from agent_capabilities_snapshot";
        let profiles = "select id, slug, agents from member_profiles order by id";
        Ok(vec![Query::new("snapshot", snapshots), Query::new("profile", profiles)])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        let read = match row.query {
            "snapshot" => self.snapshot(&Fields::new(row, &SNAPSHOTS), out),
            _ => self.profile(&Fields::new(row, &PROFILES), out),
        };
        if let Err(misfit) = read {
            out.failure(row.span, FailureClass::Malformed, misfit);
        }
    }
}

impl Evidence {
    fn snapshot(&mut self, row: &Fields<'_>, out: &mut Page) -> Result<(), Misfit> {
        let url = row.required("agent_url", Fields::text)?.into_owned();
        let inferred = row.text("inferred_type")?.map(|text| text.into_owned());
        self.inferred.insert(url, inferred);
        out.skip(row.span, "reference");
        Ok(())
    }

    fn profile(&mut self, row: &Fields<'_>, out: &mut Page) -> Result<(), Misfit> {
        let profile = row.required("id", Fields::text)?;
        let Some(agents) = row.json("agents")? else {
            out.skip(row.span, "no_agents");
            return Ok(());
        };
        let list = match self.tape.parse_document(agents.as_bytes()) {
            Ok(list) if list.is_array() => list,
            _ => {
                out.skip(row.span, "agents_are_no_list");
                return Ok(());
            }
        };
        let mut is_empty = true;
        for (position, entry) in (0_i64..).zip(list.items()) {
            is_empty = false;
            let Some(url) = entry.get("url").and_then(Value::str) else {
                out.skip(row.span, "no_address");
                continue;
            };
            let Some(inferred) = self.inferred.get(&*url) else {
                out.skip(row.span, "no_snapshot");
                continue;
            };
            let cells = Cells::new()
                .with("profile_id", &*profile)
                .with("position", position)
                .with("agent_url", &*url)
                .with("inferred_type", inferred.clone());
            let origin = Origin::new("agent-types", format!("{profile}/{position}"));
            out.item(row.span, Item::new(EVIDENCE, origin, cells));
        }
        if is_empty {
            out.skip(row.span, "no_agents");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::testkit;

    use super::AgentTypes;

    #[test]
    fn the_manifest_says_what_the_component_says() {
        testkit::manifest::<AgentTypes>("manifest.json");
    }
}
