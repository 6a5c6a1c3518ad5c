//! Agents that the profiles of members list: an item for each entry of a list, whatever the entry is.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Fields, Misfit};
use hyp_sdk::{Cells, Item, Origin, Page};

/// Kind of the items.
pub(crate) const KIND: &str = "registry.member_agent";

#[derive(Debug, Default)]
pub(crate) struct Agents {
    tape: Tape,
}

impl Agents {
    pub(crate) fn row(&mut self, row: &Fields<'_>, out: &mut Page) -> Result<(), Misfit> {
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
            let text = |name| entry.get(name).and_then(Value::str).map(|text| text.into_owned());
            let cells = Cells::new()
                .with("profile_id", &*profile)
                .with("position", position)
                .with("agent_url", text("url"))
                .with("type", text("type"))
                .json("entry_json", Some(entry.raw().to_owned()));
            let origin = Origin::new("registry.member_profiles", format!("{profile}/{position}"));
            out.item(row.span, Item::new(KIND, origin, cells));
        }
        if is_empty {
            out.skip(row.span, "no_agents");
        }
        Ok(())
    }
}
