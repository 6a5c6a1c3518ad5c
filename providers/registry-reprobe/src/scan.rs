//! The agents to ask, and their answers.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::json::{Tape, Value, quote};
use hyp_sdk::probe::{self, FailureClass as Why};
use hyp_sdk::sqlite::{Database, Fields, Misfit, Problem, Query, Row};
use hyp_sdk::{Cells, FailureClass, Item, Origin, Page, Reading, Scan, Span};

use crate::RESULT;

pub(crate) const PROFILES: [&str; 2] = ["id", "agents"];

/// Columns of snapshots, and of agents that were discovered.
pub(crate) const AGENTS: [&str; 2] = ["agent_url", "protocol"];

/// The agents being asked.
#[derive(Debug)]
pub struct Candidates {
    timeout: u32,
    /// Places in which agents are listed: profile and position.
    listed: BTreeMap<String, Vec<(String, i64)>>,
    /// Agents of which there is a snapshot.
    known: BTreeSet<String>,
    asked: BTreeSet<String>,
    tape: Tape,
}

impl Candidates {
    pub(crate) fn new(timeout: u32) -> Self {
        Self {
            timeout,
            listed: BTreeMap::new(),
            known: BTreeSet::new(),
            asked: BTreeSet::new(),
            tape: Tape::new(),
        }
    }

    fn profile(&mut self, row: &Fields<'_>) -> Result<(), Misfit> {
        let profile = row.required("id", Fields::text)?;
        let Some(agents) = row.json("agents")? else { return Ok(()) };
        let Ok(list) = self.tape.parse_document(agents.as_bytes()) else { return Ok(()) };
        if !list.is_array() {
            return Ok(());
        }
        for (position, entry) in (0_i64..).zip(list.items()) {
            if let Some(url) = entry.get("url").and_then(Value::str) {
                let places = self.listed.entry(url.into_owned()).or_default();
                places.push((profile.to_string(), position));
            }
        }
        Ok(())
    }

    /// Asks an agent, unless it was asked.
    fn ask(&mut self, url: &str, protocol: Option<String>, span: Span, out: &mut Page) {
        if !self.asked.insert(url.to_owned()) {
            return;
        }
        match probe::ask(url, self.timeout) {
            Ok(report) => {
                out.timing(url, report.elapsed_ms);
                let places = self.listed.get(url).into_iter().flatten();
                let places: Vec<String> = places
                    .map(|(profile, position)| format!("[{},{position}]", quote(profile)))
                    .collect();
                let cells = Cells::new()
                    .with("agent_url", url)
                    .with("protocol", protocol.as_deref().unwrap_or(protocol_of(url)))
                    .with("inferred_type", report.inferred_type)
                    .json("listed", Some(format!("[{}]", places.join(","))));
                out.item(span, Item::new(RESULT, Origin::new("registry-reprobe", url), cells));
            }
            Err(failure) => {
                out.timing(url, failure.elapsed_ms);
                let reason = match failure.class {
                    Why::NameResolution | Why::Refused => "dns_failed",
                    Why::Denied => "not_allowed",
                    _ => "probe_failed",
                };
                out.failure(span, FailureClass::Unavailable, reason);
            }
        }
    }
}

/// Returns the protocol that an address is of.
fn protocol_of(url: &str) -> &'static str {
    if url.trim_end_matches('/').ends_with("/a2a") { "a2a" } else { "mcp" }
}

impl Scan for Candidates {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, _: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        Ok(vec![
            Query::new("known", "select agent_url from agent_capabilities_snapshot"),
            Query::new("profile", "select id, agents from member_profiles order by id"),
            Query::new(
                "snapshot",
                "select agent_url, protocol from agent_capabilities_snapshot \
                 where inferred_type is null or inferred_type in ('', 'unknown') order by agent_url",
            ),
            Query::new(
                "discovered",
                "select agent_url, protocol from discovered_agents order by agent_url",
            ),
            // Once more, now that every place is known in which an agent is listed.
            Query::new("listed", "select id, agents from member_profiles order by id"),
        ])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        match self.take(row, out) {
            Ok(()) if out.is_claimed() => {}
            Ok(()) => out.skip(row.span, "reference"),
            Err(misfit) => out.failure(row.span, FailureClass::Malformed, misfit),
        }
    }
}

impl Candidates {
    fn take(&mut self, row: &Row<'_>, out: &mut Page) -> Result<(), Misfit> {
        match row.query {
            "profile" => return self.profile(&Fields::new(row, &PROFILES)),
            "listed" => {
                self.list(&Fields::new(row, &PROFILES), out);
                return Ok(());
            }
            _ => {}
        }
        let fields = Fields::new(row, &AGENTS);
        // Those that cannot be read are told where they are seen first.
        let url = match fields.required("agent_url", Fields::text) {
            Err(_) if row.query == "snapshot" => return Ok(()),
            url => url?,
        };
        match row.query {
            "known" => drop(self.known.insert(url.into_owned())),
            "discovered" if self.known.contains(&*url) => {}
            _ => self.ask(&url, fields.text("protocol")?.map(|it| it.into_owned()), row.span, out),
        }
        Ok(())
    }

    /// Asks those agents of a profile that there is no snapshot of.
    fn list(&mut self, row: &Fields<'_>, out: &mut Page) {
        let Ok(Some(agents)) = row.text("agents") else { return };
        let mut tape = std::mem::take(&mut self.tape);
        if let Ok(list) = tape.parse_document(agents.as_bytes())
            && list.is_array()
        {
            let urls: Vec<String> = list
                .items()
                .filter_map(|entry| {
                    entry.get("url").and_then(Value::str).map(|url| url.into_owned())
                })
                .filter(|url| !self.known.contains(url))
                .collect();
            for url in urls {
                self.ask(&url, None, row.span, out);
            }
        }
        self.tape = tape;
    }
}
