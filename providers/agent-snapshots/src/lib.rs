//! Snapshots of what agents are. An answer is written, with or without a type; who classified an agent meanwhile is not
//! overruled; what was learnt goes on to the places in which the agent is listed.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::materializer::ColumnType::{Boolean, Text, Timestamp};
use hyp_sdk::materializer::{Dataset, Derived, Description, Materializer, Row, current};
use hyp_sdk::{Cells, Datum, Fault, Item, Origin};

/// The dataset.
const SNAPSHOTS: &str = "agent_capabilities_snapshot";

/// The classes of agents. Another word that one answers is none.
const CLASSES: &[&str] =
    &["brand", "buying", "creative", "governance", "measurement", "rights", "sales", "signals"];

/// What a snapshot holds where the class is not known.
const OPEN: &[&str] = &["", "unknown"];

/// The materializer.
#[derive(Debug)]
pub struct AgentSnapshots;

hyp_sdk::register_materializer!(AgentSnapshots);

impl Materializer for AgentSnapshots {
    fn description() -> Description {
        let snapshots = Dataset::last_write_wins(SNAPSHOTS, &["agent_url"])
            .required("agent_url", Text)
            .column("protocol", Text)
            .column("inferred_type", Text)
            .column("discovery_error", Text)
            .column("oauth_required", Boolean)
            .column("last_discovered", Timestamp);
        Description::new("agent-snapshots", "0.1.0")
            .kind("registry.agent_snapshot")
            .kind("registry.probe_result")
            .queues("registry.agent_type_evidence")
            .dataset(snapshots)
    }

    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        let keys: Vec<Vec<Datum>> =
            items.iter().map(|item| vec![item.get("agent_url").clone()]).collect();
        let stored = current(SNAPSHOTS, &keys).map_err(Fault::Internal)?;
        let mut stored = stored.into_iter();
        Ok(Derived::each(items, |item, out| {
            let stored = stored.next().flatten();
            if item.kind == "registry.agent_snapshot" {
                return out
                    .append(Row { dataset: SNAPSHOTS.to_owned(), cells: item.cells.clone() });
            }
            let kept = |name: &str| {
                let cells = stored.as_deref().unwrap_or_default();
                let cell = cells.iter().find(|cell| cell.column == name);
                cell.map_or(Datum::Null, |cell| cell.value.clone())
            };
            let is_open = match kept("inferred_type") {
                Datum::Text(class) => OPEN.contains(&class.as_str()),
                class => class == Datum::Null,
            };
            if !is_open {
                return out.counts_as("skipped_already_classified");
            }
            let inferred = item.text("inferred_type").filter(|class| CLASSES.contains(class));
            match inferred {
                Some(kind) => out.counts_as(&format!("newly_classified.{kind}")),
                None => out.counts_as("still_unknown"),
            }
            let row = Cells::new()
                .with("agent_url", item.get("agent_url").clone())
                .with("protocol", told(item, "protocol").unwrap_or_else(|| kept("protocol")))
                .with("inferred_type", inferred)
                .with("oauth_required", kept("oauth_required"))
                .with("last_discovered", kept("last_discovered"));
            out.upsert(Row::new(SNAPSHOTS, row));
            if inferred.is_some() {
                out.then.extend(evidence(item));
            }
        }))
    }
}

/// Returns what an answer tells, unless it leaves that open.
fn told(item: &Item, column: &str) -> Option<Datum> {
    Some(item.get(column)).filter(|told| **told != Datum::Null).cloned()
}

/// Tells every place in which the agent is listed.
fn evidence(item: &Item) -> Vec<Item> {
    let Datum::Json(listed) = item.get("listed") else { return Vec::new() };
    let mut tape = Tape::new();
    let Ok(places) = tape.parse_document(listed.as_bytes()) else { return Vec::new() };
    let place = |place: Value<'_>| {
        let mut parts = place.items();
        let (profile, position) = (parts.next()?.str()?.into_owned(), parts.next()?.i64()?);
        let origin = Origin::new("registry-reprobe", format!("{profile}/{position}"));
        let cells = Cells::new()
            .with("profile_id", profile)
            .with("position", position)
            .with("agent_url", item.get("agent_url").clone())
            .with("inferred_type", item.get("inferred_type").clone());
        Some(Item::new("registry.agent_type_evidence", origin, cells))
    };
    places.items().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use hyp_sdk::materializer::{Change, Materializer};
    use hyp_sdk::{Cells, Datum, Item, Origin};

    use super::AgentSnapshots;

    #[test]
    fn what_was_learnt_goes_on_to_every_place_in_which_the_agent_is_listed() {
        let result = |kind: Option<&str>| {
            let cells = Cells::new()
                .with("agent_url", "https://a.example/mcp")
                .with("inferred_type", kind)
                .json("listed", Some(r#"[["p",0],["q",2]]"#.to_owned()));
            let origin = Origin::new("registry-reprobe", "https://a.example/mcp");
            let item = Item::new("registry.probe_result", origin, cells);
            AgentSnapshots::materialize(&[item]).unwrap().remove(0)
        };
        let classified = result(Some("sales"));
        assert_eq!(classified.then.len(), 2);
        assert_eq!(*classified.then[1].get("position"), Datum::Integer(2));
        assert_eq!(classified.outcome.as_deref(), Some("newly_classified.sales"));
        let unknown = result(None);
        assert_eq!((unknown.changes.len(), unknown.then.len()), (1, 0));
        assert_eq!(unknown.outcome.as_deref(), Some("still_unknown"));
    }

    #[test]
    fn an_answer_that_names_no_class_leaves_the_agent_unknown() {
        for word in ["unknown", "", "gadget", "Sales"] {
            let cells = Cells::new()
                .with("agent_url", "https://a.example/mcp")
                .with("inferred_type", word)
                .json("listed", Some(r#"[["p",0]]"#.to_owned()));
            let origin = Origin::new("registry-reprobe", "https://a.example/mcp");
            let item = Item::new("registry.probe_result", origin, cells);
            let derived = AgentSnapshots::materialize(&[item]).unwrap().remove(0);
            assert_eq!(derived.outcome.as_deref(), Some("still_unknown"), "{word}");
            assert!(derived.then.is_empty(), "{word}");
            let [Change::Upsert(row)] = &derived.changes[..] else { panic!("{derived:?}") };
            let class = row.cells.iter().find(|cell| cell.column == "inferred_type").unwrap();
            assert_eq!(class.value, Datum::Null, "{word}");
        }
    }
}
