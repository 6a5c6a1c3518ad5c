//! Tokens of a response.

use hyp_sdk::Usage;
use hyp_sdk::json::Value;

/// Returns the tokens that a message's `usage` counts. What is read from a cache is not in its input.
pub(crate) fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |path: &[&str]| json.path(path).and_then(Value::u64);
    let usage = Usage {
        input: count(&["input_tokens"]),
        output: count(&["output_tokens"]),
        cache_read: count(&["cache_read_input_tokens"]),
        cache_write: count(&["cache_creation_input_tokens"]),
        cache_write1h: count(&["cache_creation", "ephemeral_1h_input_tokens"]),
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
