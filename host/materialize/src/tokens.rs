//! Tokens of a response as attributes of a row, and what becomes of them in a copy.

use std::fmt::Write as _;

use hyp_model::event::Usage;
use hyp_model::row::Row;

use crate::{attributes, json};

const USAGE: &str = "\"usage\"";
const AS_WRITTEN: &str = "\"usage_as_written\"";

/// Puts the tokens of a response on a row, in place of those that it has.
///
/// For tokens that were learnt after the row was handed out.
pub fn with_usage(row: &mut Row, usage: Usage) {
    let attributes = without(row.attributes.take());
    let attributes = push(attributes, USAGE, &upstream(&usage));
    row.attributes = Some(attributes);
    row.usage = Some(usage);
}

/// Makes a row a copy of `replay_of`: its tokens stay readable, and no longer count.
pub fn as_replay(row: &mut Row, replay_of: Option<String>) {
    row.is_replay = true;
    row.replay_of = replay_of.or(row.replay_of.take());
    if let Some(usage) = row.usage.take() {
        row.attributes = Some(as_written(without(row.attributes.take()), &usage));
    }
}

/// Returns attributes with the tokens that count.
pub(crate) fn counted(attributes: String, usage: &Usage) -> String {
    push(attributes, USAGE, &upstream(usage))
}

/// Returns attributes with the tokens that a copy repeats.
pub(crate) fn as_written(attributes: String, usage: &Usage) -> String {
    let mut members = upstream(usage);
    if let Some(tokens) = usage.cache_write_1h {
        member(&mut members, "cache_write_1h_tokens", tokens);
    }
    push(attributes, AS_WRITTEN, &members)
}

fn without(attributes: Option<String>) -> String {
    let attributes = attributes.unwrap_or_else(|| "{}".to_owned());
    let members = json::members(&attributes).unwrap_or_default();
    attributes::object(members.into_iter().filter(|(key, _)| ![USAGE, AS_WRITTEN].contains(key)))
}

/// Returns the members of the usage under the names that upstream gave them.
fn upstream(usage: &Usage) -> String {
    let mut out = String::with_capacity(128);
    for (key, tokens) in [
        ("input_tokens", usage.input),
        ("output_tokens", usage.output),
        ("cache_read_tokens", usage.cache_read),
        ("cache_write_tokens", usage.cache_write),
        ("reasoning_tokens", usage.reasoning),
        ("total_tokens", usage.total),
    ] {
        if let Some(tokens) = tokens {
            member(&mut out, key, tokens);
        }
    }
    out
}

fn member(out: &mut String, key: &str, tokens: u64) {
    let comma = if out.is_empty() { "" } else { "," };
    let written = write!(out, "{comma}\"{key}\":{tokens}");
    debug_assert!(written.is_ok(), "a string takes whatever is written to it");
}

/// Adds a last member to an object.
fn push(mut attributes: String, key: &str, members: &str) -> String {
    if members.is_empty() {
        return attributes;
    }
    attributes.truncate(attributes.len().saturating_sub(1));
    if attributes.len() > 1 {
        attributes.push(',');
    }
    attributes.push_str(key);
    attributes.push_str(":{");
    attributes.push_str(members);
    attributes.push_str("}}");
    attributes
}
