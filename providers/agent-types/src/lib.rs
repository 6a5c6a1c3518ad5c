//! Evidence of what listed agents are: what each was found to be able to, for every place in which it is listed.

use std::collections::BTreeMap;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Database, Problem, Query, Row};
use hyp_sdk::{
    Candidate, Cells, Description, Entry, FailureClass, Fault, Item, Origin, Page, Provider,
    Reading, Root, Scan,
};

/// Kind of the items.
pub const EVIDENCE: &str = "registry.agent_type_evidence";

/// The provider.
#[derive(Debug)]
pub struct AgentTypes;

hyp_sdk::register!(AgentTypes);

impl Provider for AgentTypes {
    type Scan = Evidence;

    fn description() -> Description {
        let registry = Root::new("registry", Candidate::Source("registry".into()))
            .table("agent_capabilities_snapshot", &["agent_url", "inferred_type"])
            .table("member_profiles", &["id", "slug", "agents"]);
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
        let text = |column| row.text(column).map(|text| text.into_owned());
        if row.query == "snapshot" {
            self.inferred.insert(text(0).unwrap_or_default(), text(1));
            return out.skip(row.span, "reference");
        }
        let (Some(profile), Some(agents)) = (text(0), text(2)) else {
            return out.skip(row.span, "no_agents");
        };
        let list = match self.tape.parse_document(agents.as_bytes()) {
            Ok(list) if list.is_array() => list,
            Ok(_) => return out.skip(row.span, "agents_are_no_list"),
            Err(_) => return out.failure(row.span, FailureClass::Malformed, "agents are no JSON"),
        };
        let mut is_empty = true;
        for (position, entry) in (0_i64..).zip(list.items()) {
            let Some(url) = entry.get("url").and_then(Value::str) else { continue };
            let Some(inferred) = self.inferred.get(&*url) else { continue };
            is_empty = false;
            let cells = Cells::new()
                .with("profile_id", profile.as_str())
                .with("position", position)
                .with("agent_url", &*url)
                .with("inferred_type", inferred.clone());
            let origin = Origin::new("agent-types", format!("{profile}/{position}"));
            out.item(row.span, Item::new(EVIDENCE, origin, cells));
        }
        if is_empty {
            out.skip(row.span, "no_evidence");
        }
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
