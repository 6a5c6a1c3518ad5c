//! The tests in the order of their times, after all that is needed to say whose they are.

use hyp_sdk::sqlite::{Database, Fields, Misfit, Problem, Query, Row};
use hyp_sdk::{Cells, FailureClass, Item, Origin, Page, Reading, Scan};

use crate::whose::{Nobody, Whose};
use crate::{OWNER_TEST, SYSTEM, columns};

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
    whose: Whose,
}

impl History {
    pub(crate) fn new(respects_opt_out: bool) -> Self {
        Self { respects_opt_out, ..Self::default() }
    }

    fn test(&self, row: &Fields<'_>, out: &mut Page) {
        match self.item(row) {
            Ok(item) => out.item(row.span, item),
            Err(Nobody::Skipped(reason)) => out.skip(row.span, reason),
            Err(Nobody::Broken(misfit)) => {
                out.failure(row.span, FailureClass::Malformed, misfit);
            }
        }
    }

    fn item(&self, row: &Fields<'_>) -> Result<Item, Nobody> {
        let owner = self.whose.owner(row, self.respects_opt_out)?;
        let started_at = row.required("started_at", Fields::time)?;
        let completed_at = row.time("completed_at")?;
        let text = |column| row.text(column).map(|text| text.map(|text| text.into_owned()));
        let cells = Cells::new()
            .with("agent_url", owner.agent)
            .with("organization", owner.organization)
            .with("user", owner.user)
            .with("lifecycle_stage", owner.stage)
            .with("passed", row.required("overall_passed", Fields::flag)?)
            .with("steps_passed", row.integer("steps_passed")?)
            .with("steps_failed", row.integer("steps_failed")?)
            .with("duration_ms", row.integer("total_duration_ms")?)
            .with("summary", text("summary")?)
            .with("source_dry_run", row.flag("dry_run")?)
            .json("agent_profile", row.json("agent_profile_json")?.map(|text| text.into_owned()))
            .time("tested_at", Some(started_at))
            .with("scenario", text("scenario")?);
        let origin = Origin::new(SYSTEM, row.required("id", Fields::text)?);
        Ok(Item::new(OWNER_TEST, origin.ended_at(completed_at.or(Some(started_at))), cells))
    }

    /// Takes a row that is read to understand tests.
    fn reference(&mut self, row: &Row<'_>) -> Result<(), Misfit> {
        match row.query {
            "context" => self.whose.context(&Fields::new(row, &columns::CONTEXTS)),
            "profile" => self.whose.profile(&Fields::new(row, &columns::PROFILES)),
            "member" => self.whose.member(&Fields::new(row, &columns::MEMBERS)),
            _ => self.whose.agent(&Fields::new(row, &columns::AGENTS)),
        }
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
            return self.test(&Fields::new(row, &columns::HISTORY), out);
        }
        match self.reference(row) {
            Ok(()) => out.skip(row.span, REFERENCE),
            Err(misfit) => out.failure(row.span, FailureClass::Malformed, misfit),
        }
    }
}
