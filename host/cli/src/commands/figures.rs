//! What the messages in the store add up to: what `hyp query overview` and `hyp report` show.

mod groups;
mod sums;
mod usage;

use std::collections::BTreeMap;
use std::io;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::ask::{self, Lake, Row, list};
use super::period::filter;
use super::prompts::first_prompts;
use super::scope::Scope;
use crate::failure::Failure;
use crate::moment;
use sums::Sums;
pub(super) use usage::{Tokens, Usage};

/// What there is, counted; each list has the largest first.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) timezone: String,
    pub(super) first_at: Option<String>,
    pub(super) last_at: Option<String>,
    pub(super) sessions: u64,
    pub(super) messages: u64,
    pub(super) tool_calls: u64,
    pub(super) usage: Usage,
    /// Tokens of models without a price; only where there are prices.
    pub(super) unpriced_tokens: Option<u64>,
    pub(super) clients: Vec<Share>,
    pub(super) providers: Vec<Share>,
    pub(super) models: Vec<Share>,
    pub(super) repositories: Vec<Share>,
    /// Days with a message, in their order.
    pub(super) days: Vec<Day>,
    /// Messages by day of the week, Monday first, and hour.
    pub(super) hours_of_week: [[u64; 24]; 7],
    pub(super) tools: Vec<Tool>,
    /// Sessions, those with the most messages first.
    #[serde(skip)]
    pub(super) conversations: Vec<Conversation>,
}

/// What one of several has.
#[derive(Debug, Serialize)]
pub(super) struct Share {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) usage: Usage,
}

/// What a day of the zone has.
#[derive(Debug, Serialize)]
pub(super) struct Day {
    #[serde(serialize_with = "as_text")]
    pub(super) day: Date,
    #[serde(flatten)]
    pub(super) usage: Usage,
    /// Tokens by model.
    pub(super) models: BTreeMap<String, u64>,
}

fn as_text<S: Serializer>(day: &Date, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(day)
}

/// A tool.
#[derive(Debug, Serialize)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) calls: u64,
    pub(super) errors: u64,
}

/// What a session has, its sub-agents included.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) session_id: String,
    pub(super) client: String,
    pub(super) repository: Option<String>,
    /// Times of its first and its last message, in microseconds.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) usage: Usage,
}

/// Adds up the messages in the scope.
pub(super) fn read(lake: &Lake, scope: &Scope) -> Result<Figures, Failure> {
    let (groups, tools) = lake.both(&groups::query(scope), &tools_query(scope))?;
    let mut sums = Sums::default();
    for batch in &groups.batches {
        let added = groups::each(batch, |group| sums.add(group, scope));
        added.map_err(|error| Failure::Output(io::Error::other(error)))?;
    }
    let conversations = sums.conversations();
    let first = conversations.iter().filter_map(|it| it.first).min();
    let last = conversations.iter().filter_map(|it| it.last).max();
    Ok(Figures {
        timezone: scope.zone_name(),
        first_at: first.and_then(moment::rfc3339),
        last_at: last.and_then(moment::rfc3339),
        sessions: conversations.len() as u64,
        messages: sums.usage.messages,
        tool_calls: sums.tool_calls,
        usage: sums.usage,
        unpriced_tokens: scope.prices.as_ref().map(|_| sums.unpriced),
        clients: sums.clients.shares(),
        providers: sums.providers.shares(),
        models: sums.models.shares(),
        repositories: sums.repositories.shares(),
        days: sums.days.into_values().collect(),
        hours_of_week: sums.hours_of_week,
        tools: tools.iter().map(tool).collect(),
        conversations,
    })
}

fn tools_query(scope: &Scope) -> String {
    let mut conditions = scope.conditions.clone();
    conditions.push("tool_name is not null".to_owned());
    format!(
        "select tool_name, count(*) filter (where part_type = 'tool_call') as calls, \
           count(*) filter (where part_type = 'tool_result' and is_error) as errors \
         from messages{} group by 1 having calls > 0 order by calls desc, tool_name",
        filter(&conditions)
    )
}

fn tool(row: &Row) -> Tool {
    Tool {
        name: ask::text(row, "tool_name").unwrap_or_default(),
        calls: ask::count(row, "calls"),
        errors: ask::count(row, "errors"),
    }
}

/// Returns what sessions are called: the title of their thread, or else what was asked first in it.
///
/// Of several threads it is the one that has the session's id, or else the earliest.
pub(super) fn titles(lake: &Lake, ids: &[&str]) -> Result<BTreeMap<String, String>, Failure> {
    let mut threads = lake.rows(&format!(
        "select session_id, thread_id, title from sessions where session_id in {} \
         order by session_id, thread_id <> session_id, kind <> 'main', first_at, thread_id",
        list(ids.iter().copied())
    ))?;
    let session = |row: &Row| ask::text(row, "session_id");
    threads.dedup_by_key(|row| session(row));
    let untitled: Vec<&str> = threads
        .iter()
        .filter(|row| ask::text(row, "title").is_none())
        .filter_map(|row| row.get("session_id")?.as_str())
        .collect();
    let mut prompts = first_prompts(lake, &untitled)?;
    let name = |row: &Row| {
        let prompt = || prompts.remove(&ask::text(row, "thread_id")?);
        Some((session(row)?, ask::text(row, "title").or_else(prompt)?))
    };
    Ok(threads.iter().filter_map(name).collect())
}
