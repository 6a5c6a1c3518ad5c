//! Gathers what the store knows of the rows with an id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use hyp_model::dataset::TOKENS;
use serde::Serialize;
use serde_json::{Map, Value};

use super::rule::{Known, Rule, Run, rule};
use crate::commands::ask::{self, Lake, Row, Rows, list, quote};
use crate::failure::Failure;
use crate::moment;

/// Rows that are explained at most; a response has a few dozen.
const MOST: usize = 200;

/// Everything about an id.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    pub(super) id: String,
    pub(super) parts: Vec<Part>,
    pub(super) responses: Vec<Response>,
    /// Inputs that are named above, by id.
    pub(super) inputs: BTreeMap<String, Input>,
}

/// A row, and why it stands.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) part_id: String,
    pub(super) message_id: String,
    pub(super) part_type: String,
    pub(super) role: String,
    pub(super) at: Option<String>,
    pub(super) client: String,
    pub(super) message_index: i64,
    pub(super) text: Option<String>,
    pub(super) rule: Rule,
    /// The original, where the row is a copy of one that is known.
    pub(super) replay_of: Option<String>,
    pub(super) response_id: Option<String>,
    /// Tokens that the row itself carries.
    pub(super) tokens: Map<String, Value>,
    pub(super) run_id: Option<String>,
    /// Where it was seen; the first is the place that the row was read from.
    pub(super) sightings: Vec<Sighting>,
    /// Rows that are copies of this one.
    pub(super) copies: Vec<Link>,
    /// Other rows that say the same, whether or not they are known for copies.
    pub(super) same_words: Vec<Link>,
    /// Tokens that a copy does not count.
    pub(super) usage_as_written: Option<Value>,
}

/// Another row.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) part_id: String,
    pub(super) thread_id: String,
}

/// A place in which a part was seen.
#[derive(Debug, Serialize)]
pub(super) struct Sighting {
    pub(super) input_id: String,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) thread_id: String,
    pub(super) thread_began_at: Option<String>,
    /// What the record's bytes count as in the input's accounting.
    pub(super) accounted_as: &'static str,
}

/// Where the tokens of a response are.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) response_id: String,
    /// The row that carries its tokens: its first.
    pub(super) tokens_on: Option<String>,
    pub(super) tokens: Map<String, Value>,
    /// The record that they were read from: its last.
    pub(super) read_from: Option<Sighting>,
    pub(super) parts: usize,
    pub(super) records: usize,
}

/// An input that was read.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Input {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) status: String,
    /// Bytes by what became of them.
    pub(super) accounting: Value,
    /// Whether the file is there no more.
    pub(super) is_gone: bool,
}

/// Explains every row that has the id.
pub(super) fn read(lake: &Lake, id: &str) -> Result<Explained, Failure> {
    let quoted = quote(id);
    let rows = lake.rows(&format!(
        "select {} from ai_gateway_messages \
         where part_id = {quoted} or message_id = {quoted} or response_id = {quoted} \
         order by message_created_at, message_index, part_index limit {MOST}",
        columns()
    ))?;
    let around = Around::read(lake, &rows)?;
    let parts: Vec<Part> = rows.iter().map(|row| around.part(row)).collect();
    Ok(Explained {
        id: id.to_owned(),
        responses: around.responses(&parts),
        inputs: around.inputs,
        parts,
    })
}

/// Returns the tokens that a row carries.
fn tokens(row: &Row) -> Map<String, Value> {
    let told = TOKENS.iter().filter_map(|name| {
        let value = row.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    told.collect()
}

fn columns() -> String {
    let written = "json_get_json(attributes, 'usage_as_written') as usage_as_written";
    format!(
        "part_id, message_id, part_type, role, client_name, message_index, session_id, conversation_id, \
         substr(content_text, 1, 400) as content_text, tool_name, is_replay, replay_of, response_id, \
         run_id, input_id, input_offset, input_length, said_key, {written}, \
         cast(message_created_at as bigint) as at, {}",
        TOKENS.join(", ")
    )
}

/// What is around the rows: threads, inputs, runs, links.
struct Around {
    threads: HashMap<String, Row>,
    inputs: BTreeMap<String, Input>,
    runs: HashMap<String, Run>,
    sightings: Rows,
    links: Rows,
    /// Input, run, and the offset of the last row that the run wrote of it.
    written: Vec<(String, String, i64)>,
    responses: Rows,
}

impl Around {
    fn read(lake: &Lake, rows: &Rows) -> Result<Self, Failure> {
        let texts = |rows: &Rows, name: &str| -> BTreeSet<String> {
            rows.iter().filter_map(|row| ask::text(row, name)).collect()
        };
        let of = |texts: &BTreeSet<String>| list(texts.iter().map(String::as_str));
        let parts = of(&texts(rows, "part_id"));
        let keys = texts(rows, "said_key");
        let keys: Vec<_> = keys.iter().map(|key| quote(key)).collect();
        let keys = if keys.is_empty() { "null".to_owned() } else { keys.join(", ") };

        let sightings = lake.rows(&format!("select * from sightings where part_id in {parts}"))?;
        let links = lake.rows(&format!(
            "select part_id, replay_of, session_id, conversation_id, input_id, said_key \
             from ai_gateway_messages \
             where replay_of in {parts} or encode(said_key, 'hex') in ({keys}) limit {MOST}"
        ))?;
        let responses = lake.rows(&format!(
            "select {} from messages where response_id in {} order by message_index, part_index",
            columns(),
            of(&texts(rows, "response_id"))
        ))?;
        let mut inputs = texts(rows, "input_id");
        for more in [&sightings, &links, &responses] {
            inputs.extend(texts(more, "input_id"));
        }
        let inputs = of(&inputs);
        let threads = lake.rows(&format!(
            "select thread_id, session_id, conversation_id, input_id, cast(started_at as bigint) as at \
             from sessions where input_id in {inputs} or thread_id in {}",
            of(&texts(&sightings, "thread_id"))
        ))?;
        let files = lake.rows(&format!(
            "select input_id, path, size, status, accounting from inputs where input_id in {inputs}"
        ))?;
        let written = lake.rows(&format!(
            "select input_id, run_id, max(input_offset) as last from ai_gateway_messages \
             where input_id in {inputs} group by 1, 2"
        ))?;
        let runs = lake.rows(
            "select run_id, cast(started_at as bigint) as at, cast(since as bigint) as since, \
             cast(until as bigint) as until from runs",
        )?;
        let keyed = |rows: Rows, name: &'static str| {
            rows.into_iter().filter_map(move |row| Some((ask::text(&row, name)?, row)))
        };
        Ok(Self {
            threads: keyed(threads, "thread_id").collect(),
            inputs: keyed(files, "input_id").map(|(id, row)| (id, input(&row))).collect(),
            runs: keyed(runs, "run_id").map(|(id, row)| (id, run(&row))).collect(),
            written: written
                .iter()
                .filter_map(|row| {
                    let text = |name| ask::text(row, name);
                    Some((text("input_id")?, text("run_id")?, ask::long(row, "last")?))
                })
                .collect(),
            sightings,
            links,
            responses,
        })
    }

    fn part(&self, row: &Row) -> Part {
        let text = |name: &str| ask::text(row, name).unwrap_or_default();
        let part_id = text("part_id");
        let others: Vec<&Row> = self
            .sightings
            .iter()
            .filter(|seen| ask::text(seen, "part_id").as_deref() == Some(&part_id))
            .collect();
        let rule = self.rule(row, &others);
        let mut sightings = vec![self.place(row, rule.accounting())];
        sightings.extend(others.iter().map(|seen| Sighting {
            thread_id: ask::text(seen, "thread_id").unwrap_or_default(),
            thread_began_at: self.began(&ask::text(seen, "thread_id").unwrap_or_default()),
            input_id: ask::text(seen, "input_id").unwrap_or_default(),
            offset: ask::count(seen, "offset"),
            length: ask::count(seen, "length"),
            accounted_as: "stored_already",
        }));
        let (copies, same): (Vec<&Row>, Vec<&Row>) = self
            .links
            .iter()
            .filter(|link| ask::text(link, "part_id").as_deref() != Some(&part_id))
            .partition(|link| ask::text(link, "replay_of").as_deref() == Some(&part_id));
        let said = |link: &&&Row| link.get("said_key") == row.get("said_key");
        Part {
            message_id: text("message_id"),
            part_type: text("part_type"),
            role: text("role"),
            at: ask::long(row, "at").and_then(moment::rfc3339),
            client: text("client_name"),
            message_index: ask::long(row, "message_index").unwrap_or_default(),
            text: ask::text(row, "content_text").or_else(|| ask::text(row, "tool_name")),
            rule,
            replay_of: ask::text(row, "replay_of"),
            response_id: ask::text(row, "response_id"),
            tokens: tokens(row),
            run_id: ask::text(row, "run_id"),
            sightings,
            copies: copies.into_iter().map(|link| self.link(link)).collect(),
            same_words: same.iter().filter(said).map(|link| self.link(link)).collect(),
            usage_as_written: ask::text(row, "usage_as_written")
                .and_then(|text| serde_json::from_str(&text).ok()),
            part_id,
        }
    }

    fn rule(&self, row: &Row, others: &[&Row]) -> Rule {
        let input = ask::text(row, "input_id").unwrap_or_default();
        let offset = ask::long(row, "input_offset").unwrap_or_default();
        let runs = |wanted: &dyn Fn(&str, i64) -> bool| -> Vec<&Run> {
            self.written
                .iter()
                .filter(|(input, _, last)| wanted(input, *last))
                .filter_map(|(_, run, _)| self.runs.get(run))
                .collect()
        };
        let of_others: BTreeSet<String> =
            others.iter().filter_map(|seen| ask::text(seen, "input_id")).collect();
        rule(&Known {
            is_replay: row.get("is_replay").is_some_and(|it| it == true),
            at: ask::long(row, "at").unwrap_or_default(),
            run: ask::text(row, "run_id").and_then(|run| self.runs.get(&run)),
            runs_behind: runs(&|id, last| id == input && last > offset),
            runs_of_others: runs(&|id, _| id != input && of_others.contains(id)),
            has_others: !others.is_empty(),
        })
    }

    fn responses(&self, parts: &[Part]) -> Vec<Response> {
        let ids: BTreeSet<&str> =
            parts.iter().filter_map(|part| part.response_id.as_deref()).collect();
        ids.into_iter().map(|id| self.response(id)).collect()
    }

    fn response(&self, id: &str) -> Response {
        let rows: Vec<&Row> = self
            .responses
            .iter()
            .filter(|row| ask::text(row, "response_id").as_deref() == Some(id))
            .collect();
        let has_tokens = |row: &&&Row| TOKENS.iter().any(|name| ask::long(row, name).is_some());
        let carrier = rows.iter().find(has_tokens);
        let last = rows.iter().max_by_key(|row| ask::long(row, "input_offset"));
        let records: BTreeSet<_> = rows.iter().map(|row| ask::long(row, "input_offset")).collect();
        Response {
            response_id: id.to_owned(),
            tokens_on: carrier.and_then(|row| ask::text(row, "part_id")),
            tokens: carrier.map(|row| tokens(row)).unwrap_or_default(),
            read_from: last.filter(|_| carrier.is_some()).map(|row| self.place(row, "written")),
            parts: rows.len(),
            records: records.len(),
        }
    }

    fn place(&self, row: &Row, accounted_as: &'static str) -> Sighting {
        let thread_id = self.thread_of(row);
        Sighting {
            input_id: ask::text(row, "input_id").unwrap_or_default(),
            offset: ask::count(row, "input_offset"),
            length: ask::count(row, "input_length"),
            thread_began_at: self.began(&thread_id),
            thread_id,
            accounted_as,
        }
    }

    fn link(&self, row: &Row) -> Link {
        let part_id = ask::text(row, "part_id").unwrap_or_default();
        Link { part_id, thread_id: self.thread_of(row) }
    }

    /// Returns the thread that a row is of.
    fn thread_of(&self, row: &Row) -> String {
        let same = |name: &str, thread: &Row| thread.get(name) == row.get(name);
        let of_row = |thread: &&Row| {
            ["session_id", "conversation_id", "input_id"].iter().all(|name| same(name, thread))
        };
        let found = self.threads.values().find(of_row).and_then(|row| ask::text(row, "thread_id"));
        let plain = || ask::text(row, "conversation_id").or_else(|| ask::text(row, "session_id"));
        found.or_else(plain).unwrap_or_default()
    }

    fn began(&self, thread_id: &str) -> Option<String> {
        ask::long(self.threads.get(thread_id)?, "at").and_then(moment::rfc3339)
    }
}

fn input(row: &Row) -> Input {
    let path = ask::text(row, "path").unwrap_or_default();
    let accounting = ask::text(row, "accounting").unwrap_or_default();
    Input {
        size: ask::count(row, "size"),
        status: ask::text(row, "status").unwrap_or_default(),
        accounting: serde_json::from_str(&accounting).unwrap_or_default(),
        is_gone: !Path::new(&path).exists(),
        path,
    }
}

fn run(row: &Row) -> Run {
    Run {
        started_at: ask::long(row, "at").unwrap_or_default(),
        since: ask::long(row, "since"),
        until: ask::long(row, "until"),
    }
}
