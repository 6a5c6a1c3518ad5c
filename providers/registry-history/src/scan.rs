//! The tests in the order of their times, after all that is needed to say whose they are.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Database, Problem, Query, Row};
use hyp_sdk::{Cells, FailureClass, Item, Origin, Page, Reading, Scan};

use crate::{OWNER_TEST, SYSTEM};

/// What rows are called that are read to understand others.
const REFERENCE: &str = "reference";

/// What is put in order are the numbers of the rows, not the rows: a long history need not fit into memory.
const HISTORY: &str = "\
    select h.id, h.agent_context_id, h.scenario, h.overall_passed, h.steps_passed, h.steps_failed, \
      h.total_duration_ms, h.summary, h.dry_run, h.user_id, h.agent_profile_json, h.started_at, h.completed_at \
    from (select rowid as number from agent_test_history order by started_at, id limit -1) o \
      join agent_test_history h on h.rowid = o.number";

/// The history being read.
#[derive(Debug, Default)]
pub struct History {
    respects_opt_out: bool,
    /// Organization and agent of each context.
    contexts: BTreeMap<String, (String, String)>,
    /// Agents that the profile of an organization lists.
    listed: BTreeSet<(String, String)>,
    /// Members of organizations.
    members: BTreeSet<(String, String)>,
    /// Life cycle stage of agents, and whether their owner wants no monitoring.
    agents: BTreeMap<String, (String, bool)>,
    tape: Tape,
}

impl History {
    pub(crate) fn new(respects_opt_out: bool) -> Self {
        Self { respects_opt_out, ..Self::default() }
    }

    fn profile(&mut self, row: &Row<'_>) {
        let (Some(organization), Some(agents)) = (row.text(0), row.text(1)) else { return };
        let Ok(list) = self.tape.parse_document(agents.as_bytes()) else { return };
        if !list.is_array() {
            return;
        }
        let urls = list.items().filter_map(|agent| agent.get("url").and_then(Value::str));
        self.listed.extend(urls.map(|url| (organization.to_string(), url.into_owned())));
    }

    /// Says whose test it was, or why it is nobody's who owns the agent.
    fn owner(&self, row: &Row<'_>) -> Result<(&str, &str, String), &'static str> {
        let user = row.text(9).ok_or("no_user")?.into_owned();
        let context = row.text(1).and_then(|context| self.contexts.get(&*context));
        let (organization, agent) = context.ok_or("orphan_context")?;
        if !self.listed.contains(&(organization.clone(), agent.clone())) {
            return Err("not_owner");
        }
        if !self.members.contains(&(organization.clone(), user.clone())) {
            return Err("not_member");
        }
        let opted_out = self.agents.get(agent).is_some_and(|(_, opted_out)| *opted_out);
        if opted_out && self.respects_opt_out {
            return Err("opted_out");
        }
        Ok((organization, agent, user))
    }

    fn test(&self, row: &Row<'_>, out: &mut Page) {
        let (organization, agent, user) = match self.owner(row) {
            Ok(owner) => owner,
            Err(reason) => return out.skip(row.span, reason),
        };
        let times = row.time(11).and_then(|start| Ok((start, row.time(12)?)));
        let (started_at, completed_at) = match times {
            Ok((Some(started_at), completed_at)) => (started_at, completed_at),
            Ok((None, _)) => {
                return out.failure(row.span, FailureClass::Malformed, "a test without a time");
            }
            Err(reason) => return out.failure(row.span, FailureClass::Malformed, reason),
        };
        let (Some(id), Some(passed)) = (row.text(0), row.flag(3)) else {
            return out.failure(row.span, FailureClass::Malformed, "a test without id or outcome");
        };
        let stage = self.agents.get(agent).map_or("production", |(stage, _)| stage);
        let text = |column| row.text(column).map(|text| text.into_owned());
        let cells = Cells::new()
            .with("agent_url", agent)
            .with("organization", organization)
            .with("user", user)
            .with("lifecycle_stage", stage)
            .with("passed", passed)
            .with("steps_passed", row.integer(4))
            .with("steps_failed", row.integer(5))
            .with("duration_ms", row.integer(6))
            .with("summary", text(7))
            .with("source_dry_run", row.flag(8))
            .json("agent_profile", text(10))
            .time("tested_at", Some(started_at))
            .with("scenario", text(2));
        let origin = Origin::new(SYSTEM, id).ended_at(completed_at.or(Some(started_at)));
        out.item(row.span, Item::new(OWNER_TEST, origin, cells));
    }
}

impl Scan for History {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, _: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        Ok(vec![
            Query::new("context", "select id, organization_id, agent_url from agent_contexts"),
            Query::new("profile", "select workos_organization_id, agents from member_profiles"),
            Query::new(
                "member",
                "select workos_organization_id, workos_user_id from organization_memberships",
            ),
            Query::new(
                "agent",
                "select agent_url, lifecycle_stage, compliance_opt_out from agent_registry_metadata",
            ),
            Query::new("history", HISTORY),
        ])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        if row.query == "history" {
            return self.test(row, out);
        }
        let text = |column| row.text(column).map(|text| text.into_owned()).unwrap_or_default();
        match row.query {
            "context" => drop(self.contexts.insert(text(0), (text(1), text(2)))),
            "profile" => self.profile(row),
            "member" => drop(self.members.insert((text(0), text(1)))),
            _ => drop(self.agents.insert(text(0), (text(1), is_opted_out(row)))),
        }
        out.skip(row.span, REFERENCE);
    }
}

/// Says whether an owner wants no monitoring. What is no truth value, and not empty, counts as a yes: a no would be wrong
/// for good.
fn is_opted_out(row: &Row<'_>) -> bool {
    const NO: [&str; 5] = ["", "0", "f", "false", "no"];
    let said = row.text(2).is_some_and(|text| {
        let text = text.trim().to_ascii_lowercase();
        !NO.contains(&text.as_str())
    });
    row.flag(2).unwrap_or(said)
}
