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

/// Tokens by the members of `NAMES`.
type Tokens = [u64; NAMES.len()];

/// The last `cost-state` of a transcript.
#[derive(Debug)]
pub(crate) struct Total {
    models: Vec<(String, Tokens)>,
    cost_usd_micros: Option<u64>,
}

impl Total {
    /// Reads a `cost-state`.
    pub(crate) fn of(json: Value<'_>) -> Option<Self> {
        let models = json.get("modelUsage").filter(|models| models.is_object())?;
        let count = |model: Value<'_>, name| model.get(name).and_then(Value::u64).unwrap_or(0);
        let tokens = |model: Value<'_>| NAMES.map(|(theirs, _)| count(model, theirs));
        let models = models.entries().map(|(name, model)| (plain(&name), tokens(model)));
        // Where a model's price is not known, the sum of the others is no total.
        let is_whole = json.get("hasUnknownModelCost").and_then(Value::bool) != Some(true);
        let cost = json.get("totalCostUSD").and_then(Value::f64).filter(|_| is_whole);
        Some(Self {
            models: models.collect(),
            cost_usd_micros: cost.map(|cost| (cost * 1e6).round() as u64),
        })
    }

    /// Writes the totals.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.models.iter(), |out, (name, tokens)| {
            out.text(name);
            tokens.iter().for_each(|tokens| out.number(*tokens));
        });
        out.maybe(self.cost_usd_micros, Writer::number);
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let models = from.list(|from| {
            let (name, mut tokens) = (from.text()?, Tokens::default());
            for tokens in &mut tokens {
                *tokens = from.number()?;
            }
            Some((name, tokens))
        })?;
        Some(Self { models, cost_usd_micros: from.maybe(Reader::number)? })
    }

    /// Returns the counters of a thread: the sums over its models, and each of several models by itself.
    pub(crate) fn counters(&self, thread_id: &str) -> Vec<Counter> {
        let mut sum = Tokens::default();
        for (_, tokens) in &self.models {
            sum.iter_mut().zip(tokens).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        }
        let mut told: Vec<(String, u64)> = named(String::new(), sum).collect();
        told.extend(self.cost_usd_micros.map(|cost| ("cost_usd_micros".to_owned(), cost)));
        if self.models.len() > 1 {
            let each = self.models.iter();
            told.extend(each.flat_map(|(model, tokens)| named(format!("/{model}"), *tokens)));
        }
        let counter = |(name, value)| Counter { thread_id: thread_id.to_owned(), name, value };
        told.into_iter().map(counter).collect()
    }
}

fn named(suffix: String, tokens: Tokens) -> impl Iterator<Item = (String, u64)> {
    NAMES.iter().zip(tokens).map(move |((_, ours), value)| (format!("{ours}{suffix}"), value))
}

/// Returns the name of a model as answers have it: a total adds which context window it had.
fn plain(name: &str) -> String {
    name.split('[').next().unwrap_or(name).to_owned()
}
