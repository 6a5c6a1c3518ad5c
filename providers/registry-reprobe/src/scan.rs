//! The agents to ask, and their answers.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::json::{Tape, Value, quote};
use hyp_sdk::probe::{self, FailureClass as Why, ProbeFailure, Report};
use hyp_sdk::sqlite::{Database, Fields, Misfit, Problem, Query, Row};
use hyp_sdk::{Cells, FailureClass, Item, Origin, Page, Reading, Scan, Span};

use crate::RESULT;

pub(crate) const PROFILES: [&str; 2] = ["id", "agents"];

/// Columns of snapshots, and of agents that were discovered.
pub(crate) const AGENTS: [&str; 2] = ["agent_url", "protocol"];

/// Questions that wait, for each that is asked at a time: some answer soon, and others not at all.
const ROUNDS: usize = 4;

/// Rows that wait, at most.
const ROWS: usize = 1_000;

/// How agents are asked.
#[derive(Debug)]
pub(crate) struct Manner {
    /// Milliseconds that each has.
    pub(crate) timeout: u32,
    /// How many are asked at a time.
    pub(crate) concurrency: u32,
}

/// A row that waits for answers.
#[derive(Debug)]
struct Waiting {
    span: Span,
    /// Agents that it names for the first time: address and protocol.
    agents: Vec<(String, Option<String>)>,
}

/// The agents being asked.
#[derive(Debug)]
pub struct Candidates {
    manner: Manner,
    /// Rows that have been read and are not accounted for, in their order.
    waiting: Vec<Waiting>,
    /// Places in which agents are listed: profile and position.
    listed: BTreeMap<String, Vec<(String, i64)>>,
    /// Agents of which there is a snapshot.
    known: BTreeSet<String>,
    asked: BTreeSet<String>,
    tape: Tape,
}

impl Candidates {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            waiting: Vec::new(),
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

    /// Asks the agents that wait, and accounts for their rows.
    fn ask(&mut self, out: &mut Page) {
        let rows = std::mem::take(&mut self.waiting);
        let agents = rows.iter().flat_map(|row| &row.agents);
        let urls: Vec<String> = agents.map(|(url, _)| url.clone()).collect();
        let Manner { timeout, concurrency } = self.manner;
        let mut answers = probe::ask_several(&urls, timeout, concurrency).into_iter();
        for Waiting { span, agents } in rows {
            if agents.is_empty() {
                out.skip(span, "reference");
            }
            for ((url, protocol), answer) in agents.into_iter().zip(&mut answers) {
                self.tell(&url, protocol.as_deref(), answer, span, out);
            }
        }
    }

    fn tell(
        &self,
        url: &str,
        protocol: Option<&str>,
        answer: Result<Report, ProbeFailure>,
        span: Span,
        out: &mut Page,
    ) {
        match answer {
            Ok(report) => {
                out.timing(url, report.elapsed_ms);
                let places = self.listed.get(url).into_iter().flatten();
                let places: Vec<String> = places
                    .map(|(profile, position)| format!("[{},{position}]", quote(profile)))
                    .collect();
                let cells = Cells::new()
                    .with("agent_url", url)
                    .with("protocol", protocol.unwrap_or(protocol_of(url)))
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
        match self.agents(row) {
            // Rows are accounted for in their order.
            Ok(agents) => {
                self.waiting.push(Waiting { span: row.span, agents });
                out.hold();
            }
            Err(misfit) => {
                self.ask(out);
                out.failure(row.span, FailureClass::Malformed, misfit);
            }
        }
        let questions: usize = self.waiting.iter().map(|row| row.agents.len()).sum();
        let is_full = questions >= ROUNDS * self.manner.concurrency as usize;
        if is_full || self.waiting.len() >= ROWS {
            self.ask(out);
        }
    }

    fn input_end(&mut self, _: u32, out: &mut Page) {
        self.ask(out);
    }
}

impl Candidates {
    /// Returns the agents that a row names and that were not asked; of each it is the first.
    fn agents(&mut self, row: &Row<'_>) -> Result<Vec<(String, Option<String>)>, Misfit> {
        match row.query {
            "profile" => {
                self.profile(&Fields::new(row, &PROFILES))?;
                return Ok(Vec::new());
            }
            "listed" => {
                let urls = self.listed_in(&Fields::new(row, &PROFILES));
                let first = urls.into_iter().filter(|url| self.asked.insert(url.clone()));
                return Ok(first.map(|url| (url, None)).collect());
            }
            _ => {}
        }
        let fields = Fields::new(row, &AGENTS);
        // Those that cannot be read are told where they are seen first.
        let url = match fields.required("agent_url", Fields::text) {
            Err(_) if row.query == "snapshot" => return Ok(Vec::new()),
            url => url?.into_owned(),
        };
        if row.query == "known" {
            self.known.insert(url);
            return Ok(Vec::new());
        }
        let protocol = fields.text("protocol")?.map(|it| it.into_owned());
        let is_known = row.query == "discovered" && self.known.contains(&url);
        if is_known || !self.asked.insert(url.clone()) {
            return Ok(Vec::new());
        }
        Ok(vec![(url, protocol)])
    }

    /// Returns those agents of a profile that there is no snapshot of.
    fn listed_in(&mut self, row: &Fields<'_>) -> Vec<String> {
        let Ok(Some(agents)) = row.text("agents") else { return Vec::new() };
        let Ok(list) = self.tape.parse_document(agents.as_bytes()) else { return Vec::new() };
        let entries = list.is_array().then(|| list.items()).into_iter().flatten();
        entries
            .filter_map(|entry| entry.get("url").and_then(Value::str))
            .map(|url| url.into_owned())
            .filter(|url| !self.known.contains(url))
            .collect()
    }
}
