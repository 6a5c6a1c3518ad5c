//! Tokens, and what goes with them.

use hyp_model::dataset::TOKENS;
use serde::Serialize;

/// Tokens by what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Tokens {
    pub(in crate::commands) input: u64,
    pub(in crate::commands) output: u64,
    pub(in crate::commands) cache_read: u64,
    pub(in crate::commands) cache_write: u64,
    /// Of `cache_write`, what stays for an hour.
    pub(in crate::commands) cache_write_1h: u64,
    /// Of `output`, thoughts.
    pub(in crate::commands) reasoning: u64,
}

impl Tokens {
    /// Takes counts in the order of the columns.
    pub(super) fn of(counts: [u64; TOKENS.len()]) -> Self {
        let [input, output, cache_read, cache_write, cache_write_1h, reasoning] = counts;
        Self { input, output, cache_read, cache_write, cache_write_1h, reasoning }
    }

    fn add(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.cache_write_1h += other.cache_write_1h;
        self.reasoning += other.reasoning;
    }

    /// Returns all that went in or out.
    pub(in crate::commands) fn total(&self) -> u64 {
        self.given() + self.output
    }

    /// Returns what models were given to read, from a cache or not.
    pub(in crate::commands) fn given(&self) -> u64 {
        self.input + self.cache_read + self.cache_write
    }
}

/// Messages, their tokens, and what these cost where there are prices.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(in crate::commands) struct Usage {
    pub(in crate::commands) messages: u64,
    pub(in crate::commands) tokens: Tokens,
    pub(in crate::commands) total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) cost_usd: Option<f64>,
}

impl Usage {
    /// Adds other messages.
    pub(in crate::commands) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.tokens.add(other.tokens);
        self.total_tokens = self.tokens.total();
        if let Some(cost) = other.cost_usd {
            *self.cost_usd.get_or_insert(0.0) += cost;
        }
    }
}
