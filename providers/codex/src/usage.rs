//! Tokens as the client counts them.

use hyp_sdk::Usage;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

/// Tokens as written: input with the cached ones in it, output with the reasoning in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
    pub(crate) total: u64,
}

impl Tokens {
    /// Reads a usage object.
    pub(crate) fn read(json: Value<'_>) -> Option<Self> {
        let told = |key| json.get(key).and_then(number);
        let count = |key| told(key).unwrap_or(0);
        json.is_object().then(|| Self {
            input: count("input_tokens"),
            // Some builds have the name that the API has.
            cached: told("cached_input_tokens").unwrap_or_else(|| count("cache_read_input_tokens")),
            cache_write: count("cache_write_input_tokens"),
            output: count("output_tokens"),
            reasoning: count("reasoning_output_tokens"),
            total: count("total_tokens"),
        })
    }

    /// Returns the tokens as rows have them.
    pub(crate) fn usage(self) -> Usage {
        Usage {
            input: Some(self.input.saturating_sub(self.cached).saturating_sub(self.cache_write)),
            output: Some(self.output),
            cache_read: Some(self.cached),
            cache_write: Some(self.cache_write).filter(|&tokens| tokens > 0),
            cache_write1h: None,
            reasoning: Some(self.reasoning),
            total: Some(self.total).filter(|&tokens| tokens > 0),
        }
    }

    /// Returns all input and all output.
    pub(crate) fn all(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    pub(crate) fn save(self, out: &mut Writer) {
        let Self { input, cached, cache_write, output, reasoning, total } = self;
        for tokens in [input, cached, cache_write, output, reasoning, total] {
            out.number(tokens);
        }
    }

    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            input: from.number()?,
            cached: from.number()?,
            cache_write: from.number()?,
            output: from.number()?,
            reasoning: from.number()?,
            total: from.number()?,
        })
    }

    /// Returns true where nothing was billed.
    pub(crate) fn is_zero(self) -> bool {
        self.same(Self::default())
    }

    /// Compares what is billed.
    pub(crate) fn same(self, other: Self) -> bool {
        self.billed() == other.billed()
    }

    /// Returns what is billed: the total alone is moved to the window's size when that is full.
    pub(crate) fn billed(self) -> Self {
        Self { total: 0, ..self }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            input: each(self.input, other.input),
            cached: each(self.cached, other.cached),
            cache_write: each(self.cache_write, other.cache_write),
            output: each(self.output, other.output),
            reasoning: each(self.reasoning, other.reasoning),
            total: each(self.total, other.total),
        }
    }
}

/// Returns a count, which old clients may have written as text.
fn number(json: Value<'_>) -> Option<u64> {
    json.u64().or_else(|| json.str()?.trim().parse().ok())
}

/// Adds two usages: tokens without a row of their own.
pub(crate) fn add(left: Usage, right: Usage) -> Usage {
    let plus = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Usage {
        input: plus(left.input, right.input),
        output: plus(left.output, right.output),
        cache_read: plus(left.cache_read, right.cache_read),
        cache_write: plus(left.cache_write, right.cache_write),
        cache_write1h: plus(left.cache_write1h, right.cache_write1h),
        reasoning: plus(left.reasoning, right.reasoning),
        total: plus(left.total, right.total),
    }
}
