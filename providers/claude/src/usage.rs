//! Tokens of a response.

use hyp_sdk::Usage;
use hyp_sdk::json::{Object, Value};

/// What answers cost more or less by, and what that is most of the time.
const TERMS: [(&str, &[&str]); 3] = [
    ("service_tier", &["standard"]),
    ("speed", &["standard"]),
    ("inference_geo", &["", "not_available", "global"]),
];
/// Requests of the server's own tools, which are paid for by number.
const SERVER_TOOLS: [&str; 2] = ["web_search_requests", "web_fetch_requests"];

/// Returns the tokens that a message's `usage` counts. What is read from a cache is not in its input.
pub(crate) fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |path: &[&str]| json.path(path).and_then(Value::u64);
    let short = count(&["cache_creation", "ephemeral_5m_input_tokens"]);
    let long = count(&["cache_creation", "ephemeral_1h_input_tokens"]);
    let usage = Usage {
        input: count(&["input_tokens"]),
        output: count(&["output_tokens"]),
        cache_read: count(&["cache_read_input_tokens"]),
        // A gateway may list the parts and leave their sum out.
        cache_write: count(&["cache_creation_input_tokens"])
            .or_else(|| short.map(|short| short.saturating_add(long.unwrap_or(0))))
            .or(long),
        cache_write1h: long,
        reasoning: None,
        total: None,
    };
    let is_empty = [usage.input, usage.output, usage.cache_read, usage.cache_write]
        .iter()
        .all(Option::is_none);
    (!is_empty).then_some(usage)
}

/// Returns true where there are tokens to pay for.
pub(crate) fn is_billed(usage: &Usage) -> bool {
    [usage.input, usage.output, usage.cache_read, usage.cache_write].iter().any(|it| it > &Some(0))
}

/// Returns what is uncommon in a `usage`: terms, requests of the server's tools, and answers of other models or steps.
///
/// The tokens of those steps (compactions by the server, an advisor, a model that answered instead) are listed beside
/// the tokens of the response and are not added to them: what the response itself counts is what its row has.
pub(crate) fn uncommon(json: Value<'_>) -> Object {
    let mut found = Object::new();
    for (key, common) in TERMS {
        let term = json.get(key).and_then(Value::str).filter(|term| !common.contains(&&**term));
        found.maybe_text(key, term.as_deref());
    }
    for key in SERVER_TOOLS {
        let count = json.path(&["server_tool_use", key]).and_then(Value::u64);
        found.maybe_u64(key, count.filter(|&count| count > 0));
    }
    let steps = json.get("iterations").filter(|steps| {
        let kind = |step: Value<'_>| step.get("type").and_then(Value::non_empty);
        steps.items().filter_map(kind).any(|kind| kind != "message")
    });
    found.maybe_raw("iterations", steps.map(Value::raw));
    found
}
