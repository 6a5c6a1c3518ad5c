//! The agents that profiles of members list, each in its place, with the type that it is taken for.
//!
//! `type` goes before the one within `entry_json`, which stays as the profile had it: so no other field is ever touched.

use hyp_sdk::materializer::ColumnType::{Integer, Json, Text};
use hyp_sdk::materializer::{Assertion, Dataset, Derived, Description, Materializer, Row, current};
use hyp_sdk::{Cell, Datum, Fault, Item};

const AGENT: &str = "registry.member_agent";
const EVIDENCE: &str = "registry.agent_type_evidence";

const AGENTS: &str = "member_agents";

/// The word for a type that is not known. As evidence it says nothing, but to whom it is said by the server's authority.
const UNKNOWN: &str = "unknown";

/// A type that a member may give an agent of which nothing is found out: agents that buy offer nothing to be told by.
const BUYING: &str = "buying";

/// The types that say something.
const TYPES: &[&str] =
    &["brand", "buying", "creative", "governance", "measurement", "rights", "sales", "signals"];

/// The materializer.
#[derive(Debug)]
pub struct MemberAgents;

hyp_sdk::register_materializer!(MemberAgents);

impl Materializer for MemberAgents {
    fn description() -> Description {
        let mut agents = Dataset::append_only(AGENTS, "profile_id")
            .required("profile_id", Text)
            .required("position", Integer)
            .column("agent_url", Text)
            .column("type", Text)
            .column("entry_json", Json)
            .reconciles("type", &[UNKNOWN], TYPES)
            .owns("type");
        agents.key.push("position".to_owned());
        Description::new("member-agents", "0.1.0").kind(AGENT).kind(EVIDENCE).dataset(agents)
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        let evidence = items.iter().filter(|item| item.kind == EVIDENCE);
        let places: Vec<Vec<Datum>> = evidence.map(key).collect();
        let mut stored = current(AGENTS, &places).map_err(Fault::Internal)?.into_iter();
        Ok(Derived::each(items, |item, out| {
            if item.kind == AGENT {
                let row = Row { dataset: AGENTS.to_owned(), cells: item.cells.clone() };
                return out.append(row);
            }
            let row = stored.next().flatten().unwrap_or_default();
            let (url, told) = (text_of(&row, "agent_url"), item.text("agent_url"));
            if url.is_some() && told.is_some() && url != told {
                // The list was put in another order since: what is known of one agent says nothing of another.
                return out.counts_as("moved");
            }
            let value = if is_open(item) {
                left_open(item, text_of(&row, "type"))
            } else {
                item.get("inferred_type").clone()
            };
            out.assert_value(Assertion {
                dataset: AGENTS.to_owned(),
                key: key(item),
                column: "type".to_owned(),
                value,
                subject: item.text("agent_url").map(str::to_owned),
                notes: None,
            });
        }))
    }
}

fn key(item: &Item) -> Vec<Datum> {
    vec![item.get("profile_id").clone(), item.get("position").clone()]
}

/// Returns the text in a column of a stored row.
fn text_of<'r>(row: &'r [Cell], column: &str) -> Option<&'r str> {
    match &row.iter().find(|cell| cell.column == column)?.value {
        Datum::Text(text) => Some(text),
        _ => None,
    }
}

/// Says whether evidence names no type.
fn is_open(item: &Item) -> bool {
    !item.text("inferred_type").is_some_and(|text| TYPES.contains(&text))
}

/// Returns what evidence that names no type means for the one that a member gave.
///
/// Where the agent was looked at and gave nothing away, or the member's word is no type, the type is not known. An agent
/// that nobody looked at is what its member says.
fn left_open(item: &Item, stored: Option<&str>) -> Datum {
    let was_looked_at = item.cells.iter().any(|cell| cell.column == "inferred_type");
    match stored {
        Some(BUYING) => Datum::Null,
        Some(stored) if TYPES.contains(&stored) && !was_looked_at => Datum::Null,
        _ => Datum::Text(UNKNOWN.to_owned()),
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
