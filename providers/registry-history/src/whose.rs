//! Whose a test is, by what the registry knows of contexts, profiles, members and agents.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Fields, Misfit};

/// Stage of agents of which the registry says none.
const PRODUCTION: &str = "production";

/// What is needed to say whose a test is. What could not be read is none, so that it is not taken for what is not there.
#[derive(Debug, Default)]
pub(crate) struct Whose {
    /// Organization and agent of each context.
    contexts: BTreeMap<String, Option<(String, String)>>,
    /// Agents that the profile of an organization lists.
    listed: BTreeSet<(String, String)>,
    /// Organizations with a profile of which nobody can tell what it lists.
    unreadable: BTreeSet<String>,
    /// Members of organizations.
    members: BTreeSet<(String, String)>,
    agents: BTreeMap<String, Option<Agent>>,
    tape: Tape,
}

/// What the registry says of an agent.
#[derive(Debug)]
struct Agent {
    stage: Option<String>,
    /// Whether its owner wants no monitoring.
    opted_out: bool,
}

/// An owner's test: the organization, its agent and the member.
pub(crate) struct Owner<'w> {
    pub(crate) organization: &'w str,
    pub(crate) agent: &'w str,
    pub(crate) user: String,
    pub(crate) stage: &'w str,
}

/// Why a test gives no item.
pub(crate) enum Nobody {
    /// It is nobody's who owns the agent, for this reason.
    Skipped(&'static str),
    Broken(Misfit),
}

impl From<Misfit> for Nobody {
    fn from(misfit: Misfit) -> Self {
        Self::Broken(misfit)
    }
}

impl Whose {
    /// Takes a context: an organization's agent.
    pub(crate) fn context(&mut self, row: &Fields<'_>) -> Result<(), Misfit> {
        let id = row.required("id", Fields::text)?.into_owned();
        let organization = row.required("organization_id", Fields::text);
        let read = organization.and_then(|it| {
            Ok((it.into_owned(), row.required("agent_url", Fields::text)?.into_owned()))
        });
        keep(&mut self.contexts, id, read)
    }

    /// Takes the agents that a profile lists.
    pub(crate) fn profile(&mut self, row: &Fields<'_>) -> Result<(), Misfit> {
        let Some(organization) = row.text("workos_organization_id")? else { return Ok(()) };
        let agents = match row.json("agents") {
            Ok(None) => return Ok(()),
            Ok(Some(agents)) => agents,
            Err(misfit) => {
                self.unreadable.insert(organization.into_owned());
                return Err(misfit);
            }
        };
        if let Ok(list) = self.tape.parse_document(agents.as_bytes())
            && list.is_array()
        {
            let urls = list.items().filter_map(|agent| agent.get("url").and_then(Value::str));
            self.listed.extend(urls.map(|url| (organization.to_string(), url.into_owned())));
        }
        Ok(())
    }

    /// Takes a member of an organization.
    pub(crate) fn member(&mut self, row: &Fields<'_>) -> Result<(), Misfit> {
        let organization = row.required("workos_organization_id", Fields::text)?.into_owned();
        let user = row.required("workos_user_id", Fields::text)?.into_owned();
        self.members.insert((organization, user));
        Ok(())
    }

    /// Takes what the registry says of an agent.
    pub(crate) fn agent(&mut self, row: &Fields<'_>) -> Result<(), Misfit> {
        let url = row.required("agent_url", Fields::text)?.into_owned();
        let read = row.text("lifecycle_stage").map(|stage| Agent {
            stage: stage.map(|stage| stage.into_owned()),
            opted_out: is_opted_out(row),
        });
        keep(&mut self.agents, url, read)
    }

    /// Says whose test it was, or why it is nobody's who owns the agent.
    pub(crate) fn owner(
        &self,
        row: &Fields<'_>,
        respects_opt_out: bool,
    ) -> Result<Owner<'_>, Nobody> {
        let user = row.text("user_id")?.ok_or(Nobody::Skipped("no_user"))?.into_owned();
        let context =
            row.text("agent_context_id")?.and_then(|context| self.contexts.get(&*context));
        let context = context.ok_or(Nobody::Skipped("orphan_context"))?;
        let (organization, agent) =
            context.as_ref().ok_or(Nobody::Skipped("unreadable_context"))?;
        if !self.listed.contains(&(organization.clone(), agent.clone())) {
            let is_unreadable = self.unreadable.contains(organization);
            return Err(Nobody::Skipped(if is_unreadable {
                "unreadable_profile"
            } else {
                "not_owner"
            }));
        }
        if !self.members.contains(&(organization.clone(), user.clone())) {
            return Err(Nobody::Skipped("not_member"));
        }
        let stage = match self.agents.get(agent) {
            None => PRODUCTION,
            Some(None) => return Err(Nobody::Skipped("unreadable_agent")),
            Some(Some(told)) if told.opted_out && respects_opt_out => {
                return Err(Nobody::Skipped("opted_out"));
            }
            Some(Some(told)) => told.stage.as_deref().unwrap_or(PRODUCTION),
        };
        Ok(Owner { organization, agent, user, stage })
    }
}

/// Keeps what was read under its key, or that it could not be.
fn keep<T>(
    all: &mut BTreeMap<String, Option<T>>,
    key: String,
    read: Result<T, Misfit>,
) -> Result<(), Misfit> {
    let (one, told) = match read {
        Ok(one) => (Some(one), Ok(())),
        Err(misfit) => (None, Err(misfit)),
    };
    all.insert(key, one);
    told
}

/// Says whether an owner wants no monitoring. What is no truth value, and not empty, counts as a yes: a no would be wrong
/// for good.
fn is_opted_out(row: &Fields<'_>) -> bool {
    const COLUMN: &str = "compliance_opt_out";
    let is_empty = matches!(row.text(COLUMN), Ok(Some(text)) if text.trim().is_empty());
    !is_empty && row.flag(COLUMN).map_or(true, |flag| flag.unwrap_or(false))
}
