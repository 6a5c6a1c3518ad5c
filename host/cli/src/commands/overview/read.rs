//! Gathers the figures of an overview.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hyp_model::dataset::TOKENS;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::prices::Prices;
use crate::commands::ask::{self, Lake, Row, list};
use crate::commands::period::filter;
use crate::commands::prompts::first_prompts;
use crate::failure::Failure;
use crate::moment;

/// Lines of each list.
const LISTED: usize = 5;

/// A quarter of an hour in microseconds.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// Tokens by what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tokens {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    /// Of `cache_write`, what stays for an hour.
    pub(super) cache_write_1h: u64,
    /// Of `output`, thoughts.
    pub(super) reasoning: u64,
}

impl Tokens {
    fn of(row: &Row) -> Self {
        let count = |name| ask::count(row, name);
        Self {
            input: count("input_tokens"),
            output: count("output_tokens"),
            cache_read: count("cache_read_tokens"),
            cache_write: count("cache_write_tokens"),
            cache_write_1h: count("cache_write_1h_tokens"),
            reasoning: count("reasoning_tokens"),
        }
    }

    fn add(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.cache_write_1h += other.cache_write_1h;
        self.reasoning += other.reasoning;
    }

    pub(super) fn total(&self) -> u64 {
        self.input + self.output + self.cache_read + self.cache_write
    }
}

/// The overview.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
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
    pub(super) days: Vec<Day>,
    pub(super) tools: Vec<Tool>,
    pub(super) longest_sessions: Vec<Longest>,
}

/// Tokens, and what they cost where there are prices.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Usage {
    pub(super) tokens: Tokens,
    pub(super) total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_usd: Option<f64>,
}

impl Usage {
    fn add(&mut self, tokens: Tokens, cost: Option<f64>) {
        self.tokens.add(tokens);
        self.total_tokens = self.tokens.total();
        if let Some(cost) = cost {
            *self.cost_usd.get_or_insert(0.0) += cost;
        }
    }
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

/// A session with many messages.
#[derive(Debug, Serialize)]
pub(super) struct Longest {
    pub(super) session_id: String,
    pub(super) title: Option<String>,
    pub(super) messages: u64,
    pub(super) tokens: u64,
    pub(super) first_at: Option<String>,
    pub(super) last_at: Option<String>,
    #[serde(skip)]
    pub(super) day: Option<Date>,
}

/// Reads the figures of the messages that pass the conditions.
pub(super) fn read(
    lake: &Lake,
    conditions: &[String],
    zone: &TimeZone,
    prices: Option<&Prices>,
) -> Result<Overview, Failure> {
    let totals = lake.rows(&format!(
        "select count(distinct session_id) as sessions, count(distinct message_id) as messages, \
           count(*) filter (where part_type = 'tool_call') as calls, \
           cast(min(message_created_at) as bigint) as first, \
           cast(max(message_created_at) as bigint) as last from messages{}",
        filter(conditions)
    ))?;
    let totals = totals.into_iter().next().unwrap_or_default();
    let mut sums = Sums::default();
    for row in lake.rows(&usage_query(conditions))? {
        sums.add(&row, zone, prices);
    }
    Ok(Overview {
        timezone: zone_name(zone),
        first_at: ask::long(&totals, "first").and_then(moment::rfc3339),
        last_at: ask::long(&totals, "last").and_then(moment::rfc3339),
        sessions: ask::count(&totals, "sessions"),
        messages: ask::count(&totals, "messages"),
        tool_calls: ask::count(&totals, "calls"),
        usage: sums.usage,
        unpriced_tokens: prices.map(|_| sums.unpriced),
        clients: shares(sums.clients),
        providers: shares(sums.providers),
        models: shares(sums.models),
        repositories: shares(sums.repositories),
        days: sums.days.into_iter().map(|(day, usage)| Day { day, usage }).collect(),
        tools: tools(lake, conditions)?,
        longest_sessions: longest(lake, conditions, zone)?,
    })
}

/// Sums by quarters of an hour: no zone's day begins anywhere else.
fn usage_query(conditions: &[String]) -> String {
    let mut conditions = conditions.to_vec();
    conditions.push("(input_tokens is not null or output_tokens is not null)".to_owned());
    format!(
        "select cast(message_created_at as bigint) / {QUARTER} as quarter, \
           client_name, provider, model, coalesce(git_remote, repo_root, cwd) as repository, {} \
         from messages{} group by 1, 2, 3, 4, 5",
        TOKENS.map(|name| format!("sum({name}) as {name}")).join(", "),
        filter(&conditions)
    )
}

#[derive(Default)]
struct Sums {
    usage: Usage,
    unpriced: u64,
    clients: BTreeMap<String, Usage>,
    providers: BTreeMap<String, Usage>,
    models: BTreeMap<String, Usage>,
    repositories: BTreeMap<String, Usage>,
    days: BTreeMap<Date, Usage>,
}

impl Sums {
    fn add(&mut self, row: &Row, zone: &TimeZone, prices: Option<&Prices>) {
        let tokens = Tokens::of(row);
        let name = |column| ask::text(row, column).unwrap_or_else(|| "unknown".to_owned());
        let model = name("model");
        let cost = prices.and_then(|prices| prices.cost(&model, &tokens));
        if prices.is_some() && cost.is_none() {
            self.unpriced += tokens.total();
        }
        self.usage.add(tokens, cost);
        self.clients.entry(name("client_name")).or_default().add(tokens, cost);
        self.providers.entry(name("provider")).or_default().add(tokens, cost);
        self.models.entry(model).or_default().add(tokens, cost);
        self.repositories.entry(name("repository")).or_default().add(tokens, cost);
        if let Some(day) = ask::long(row, "quarter").and_then(|at| day(at * QUARTER, zone)) {
            self.days.entry(day).or_default().add(tokens, cost);
        }
    }
}

/// Returns shares, the largest first.
fn shares(sums: BTreeMap<String, Usage>) -> Vec<Share> {
    let mut shares: Vec<Share> =
        sums.into_iter().map(|(name, usage)| Share { name, usage }).collect();
    shares.sort_by_key(|share| Reverse(share.usage.total_tokens));
    shares
}

fn tools(lake: &Lake, conditions: &[String]) -> Result<Vec<Tool>, Failure> {
    let mut conditions = conditions.to_vec();
    conditions.push("tool_name is not null".to_owned());
    let rows = lake.rows(&format!(
        "select tool_name, count(*) filter (where part_type = 'tool_call') as calls, \
           count(*) filter (where part_type = 'tool_result' and is_error) as errors \
         from messages{} group by 1 having calls > 0 order by calls desc, tool_name",
        filter(&conditions)
    ))?;
    let tool = |row: &Row| Tool {
        name: ask::text(row, "tool_name").unwrap_or_default(),
        calls: ask::count(row, "calls"),
        errors: ask::count(row, "errors"),
    };
    Ok(rows.iter().map(tool).collect())
}

fn longest(lake: &Lake, conditions: &[String], zone: &TimeZone) -> Result<Vec<Longest>, Failure> {
    let rows = lake.rows(&format!(
        "select session_id, count(distinct message_id) as messages, \
           cast(min(message_created_at) as bigint) as first, \
           cast(max(message_created_at) as bigint) as last, \
           sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) \
             + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)) as tokens \
         from messages{} group by 1 order by messages desc, session_id limit {LISTED}",
        filter(conditions)
    ))?;
    let ids: Vec<String> = rows.iter().filter_map(|row| ask::text(row, "session_id")).collect();
    let titles = titles(lake, &ids)?;
    let longest = |row: &Row| {
        let session_id = ask::text(row, "session_id").unwrap_or_default();
        let first = ask::long(row, "first");
        Longest {
            title: titles.get(&session_id).cloned(),
            messages: ask::count(row, "messages"),
            tokens: ask::count(row, "tokens"),
            first_at: first.and_then(moment::rfc3339),
            last_at: ask::long(row, "last").and_then(moment::rfc3339),
            day: first.and_then(|at| day(at, zone)),
            session_id,
        }
    };
    Ok(rows.iter().map(longest).collect())
}

/// Returns what sessions are called: their title, or else what was asked first.
fn titles(lake: &Lake, ids: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let rows = lake.rows(&format!(
        "select thread_id, title from sessions where title is not null and thread_id in {}",
        list(ids.iter().map(String::as_str))
    ))?;
    let pair = |row: &Row| Some((ask::text(row, "thread_id")?, ask::text(row, "title")?));
    let mut titles: BTreeMap<String, String> = first_prompts(lake, ids)?.into_iter().collect();
    titles.extend(rows.iter().filter_map(pair));
    Ok(titles)
}

fn day(micros: i64, zone: &TimeZone) -> Option<Date> {
    Some(Timestamp::from_microsecond(micros).ok()?.to_zoned(zone.clone()).date())
}

fn zone_name(zone: &TimeZone) -> String {
    let offset = || format!("UTC{}", Timestamp::UNIX_EPOCH.to_zoned(zone.clone()).strftime("%:z"));
    let name = zone.iana_name().map_or_else(offset, str::to_owned);
    if name == "UTC+00:00" { "UTC".to_owned() } else { name }
}
