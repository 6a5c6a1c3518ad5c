//! The agents that profiles of members list, each in its place, with the type that it is taken for.
//!
//! `type` goes before the one within `entry_json`, which stays as the profile had it: so no other field is ever touched.

use hyp_sdk::materializer::ColumnType::{Integer, Json, Text};
use hyp_sdk::materializer::{Assertion, Dataset, Derived, Description, Materializer, Row};
use hyp_sdk::{Fault, Item};

/// The types that say something.
const TYPES: &[&str] =
    &["brand", "buying", "creative", "governance", "measurement", "rights", "sales", "signals"];

/// The materializer.
#[derive(Debug)]
pub struct MemberAgents;

hyp_sdk::register_materializer!(MemberAgents);

impl Materializer for MemberAgents {
    fn description() -> Description {
        let mut agents = Dataset::append_only("member_agents", "profile_id")
            .required("profile_id", Text)
            .required("position", Integer)
            .column("agent_url", Text)
            .column("type", Text)
            .column("entry_json", Json)
            .reconciles("type", &["unknown"], TYPES)
            .owns("type");
        agents.key.push("position".to_owned());
        Description::new("member-agents", "0.1.0")
            .kind("registry.member_agent")
            .kind("registry.agent_type_evidence")
            .dataset(agents)
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        Ok(Derived::each(items, |item, out| {
            if item.kind == "registry.member_agent" {
                let row = Row { dataset: "member_agents".to_owned(), cells: item.cells.clone() };
                return out.append(row);
            }
            out.assert_value(Assertion {
                dataset: "member_agents".to_owned(),
                key: vec![item.get("profile_id").clone(), item.get("position").clone()],
                column: "type".to_owned(),
                value: item.get("inferred_type").clone(),
                subject: item.text("agent_url").map(str::to_owned),
                notes: None,
            });
        }))
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::materializer::{Change, Materializer};
    use hyp_sdk::{Cells, Datum, Item, Origin};

    use super::MemberAgents;

    #[test]
    fn evidence_asserts_the_type_of_one_place_in_a_list() {
        let cells = Cells::new()
            .with("profile_id", "p")
            .with("position", 3_i64)
            .with("agent_url", "https://a.example/mcp")
            .with("inferred_type", "sales");
        let item =
            Item::new("registry.agent_type_evidence", Origin::new("agent-types", "p/3"), cells);
        let derived = MemberAgents::materialize(&[item]).unwrap().remove(0);
        let [Change::AssertValue(assertion)] = &derived.changes[..] else { panic!("{derived:?}") };
        assert_eq!(assertion.key, [Datum::from("p"), Datum::from(3_i64)]);
        assert_eq!((assertion.column.as_str(), &assertion.value), ("type", &Datum::from("sales")));
        assert_eq!(assertion.subject.as_deref(), Some("https://a.example/mcp"));
    }
}
