//! What the client itself added up.

use hyp_sdk::Counter;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

/// Members of a model's total, and our names for them.
const NAMES: [(&str, &str); 4] = [
    ("inputTokens", "input_tokens"),
    ("outputTokens", "output_tokens"),
    ("cacheReadInputTokens", "cache_read_tokens"),
    ("cacheCreationInputTokens", "cache_write_tokens"),
];

/// The last `cost-state` of a transcript.
#[derive(Debug)]
pub(crate) struct Total {
    tokens: [u64; NAMES.len()],
    cost_usd_micros: Option<u64>,
}

impl Total {
    /// Reads a `cost-state`: the sum over its models.
    pub(crate) fn of(json: Value<'_>) -> Option<Self> {
        let models = json.get("modelUsage").filter(|models| models.is_object())?;
        let count = |name: &str| {
            let tokens = models.entries().filter_map(|(_, model)| model.get(name)?.u64());
            tokens.fold(0, u64::saturating_add)
        };
        // Where a model's price is not known, the sum of the others is no total.
        let is_whole = json.get("hasUnknownModelCost").and_then(Value::bool) != Some(true);
        let cost = json.get("totalCostUSD").and_then(Value::f64).filter(|_| is_whole);
        Some(Self {
            tokens: NAMES.map(|(theirs, _)| count(theirs)),
            cost_usd_micros: cost.map(|cost| (cost * 1e6).round() as u64),
        })
    }

    /// Writes the totals.
    pub(crate) fn save(&self, out: &mut Writer) {
        self.tokens.iter().for_each(|tokens| out.number(*tokens));
        out.maybe(self.cost_usd_micros, Writer::number);
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let mut tokens = [0; NAMES.len()];
        for tokens in &mut tokens {
            *tokens = from.number()?;
        }
        Some(Self { tokens, cost_usd_micros: from.maybe(Reader::number)? })
    }

    /// Returns the counters of a thread.
    pub(crate) fn counters(&self, thread_id: &str) -> Vec<Counter> {
        let tokens = NAMES.iter().zip(self.tokens).map(|((_, ours), value)| (*ours, Some(value)));
        let cost = ("cost_usd_micros", self.cost_usd_micros);
        let counter = |(name, value): (&str, Option<u64>)| {
            Some(Counter { thread_id: thread_id.to_owned(), name: name.to_owned(), value: value? })
        };
        tokens.chain([cost]).filter_map(counter).collect()
    }
}
