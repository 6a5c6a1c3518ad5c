//! Tokens as the client counts them, and which of its counts stand for a response.

use hyp_sdk::Usage;
use hyp_sdk::json::Value;

/// Tokens as written: input with the cached ones in it, output with the reasoning in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    input: u64,
    cached: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    total: u64,
}

impl Tokens {
    /// Reads a usage object.
    pub(crate) fn read(json: Value<'_>) -> Option<Self> {
        let count = |key| json.get(key).and_then(number).unwrap_or(0);
        json.is_object().then(|| Self {
            input: count("input_tokens"),
            cached: count("cached_input_tokens"),
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
            total: Some(self.total),
        }
    }

    fn is_zero(self) -> bool {
        self.same(Self::default())
    }

    /// Compares what is billed: the total alone is moved to the window's size when that is full.
    fn same(self, other: Self) -> bool {
        Self { total: 0, ..self } == Self { total: 0, ..other }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_sub(other.input),
            cached: self.cached.saturating_sub(other.cached),
            cache_write: self.cache_write.saturating_sub(other.cache_write),
            output: self.output.saturating_sub(other.output),
            reasoning: self.reasoning.saturating_sub(other.reasoning),
            total: self.total.saturating_sub(other.total),
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

/// The running totals of a thread. They are told again and again; a response is where they move.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    before: Option<Tokens>,
    /// A process has begun since the last count: old ones start again at zero.
    is_fresh: bool,
    /// They did start again: the last ones are not those of the whole thread.
    did_restart: bool,
}

impl Totals {
    /// Returns the last totals, where they are those of the whole thread.
    pub(crate) fn whole(&self) -> Option<Usage> {
        self.before.filter(|_| !self.did_restart).map(Tokens::usage)
    }

    /// Takes the `info` of a count; returns the tokens of the response that it stands for, if it does.
    pub(crate) fn count(&mut self, info: Option<Value<'_>>) -> Option<Tokens> {
        let Some(info) = info.filter(|info| info.is_object()) else {
            self.is_fresh = true;
            return None;
        };
        let last = info.get("last_token_usage").and_then(Tokens::read);
        let Some(total) = info.get("total_token_usage").and_then(Tokens::read) else {
            return last.filter(|last| !last.is_zero());
        };
        let before = self.before.replace(total);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let moved = before.is_none_or(|before| !before.same(total));
        let restarted = is_fresh && last.is_some_and(|last| last.same(total));
        let fell = before.is_some_and(|before| total.input < before.input);
        self.did_restart |= fell || (restarted && before.is_some());
        if !moved && !restarted {
            return None;
        }
        let tokens = last.unwrap_or_else(|| total.minus(before.unwrap_or_default()));
        Some(tokens).filter(|tokens| !tokens.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    type Info = Option<(u64, u64, u64)>;

    /// Counts infos given as total and last input; a window given as the total's `total_tokens`.
    fn counted(infos: &[Info]) -> Vec<u64> {
        let mut totals = Totals::default();
        let mut tape = Tape::new();
        let mut found = Vec::new();
        for info in infos {
            let text = match info {
                None => "null".to_owned(),
                Some((total, last, window)) => format!(
                    r#"{{"total_token_usage":{{"input_tokens":{total},"total_tokens":{window}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
                ),
            };
            let (json, _) = tape.parse(&text, 0).expect("JSON");
            found.extend(totals.count(Some(json)).map(|tokens| tokens.input));
        }
        found
    }

    #[test]
    fn a_response_is_where_the_totals_move() {
        #[rustfmt::skip]
        let cases: &[(&str, &[Info], &[u64])] = &[
            ("told again",              &[Some((10, 10, 0)), Some((10, 10, 0)), Some((15, 5, 0))],  &[10, 5]),
            ("window full",             &[Some((10, 10, 0)), Some((10, 10, 258_400))],              &[10]),
            ("compacted",               &[Some((10, 10, 0)), Some((10, 0, 0))],                     &[10]),
            ("starts again lower",      &[Some((30, 10, 0)), None, Some((7, 7, 0))],                &[10, 7]),
            ("starts again equal",      &[Some((7, 7, 0)), None, Some((7, 7, 0))],                  &[7, 7]),
            ("goes on after a restart", &[Some((30, 10, 0)), None, Some((30, 10, 0))],              &[10]),
            ("a fork goes on",          &[Some((1_000, 10, 0)), Some((1_005, 5, 0))],               &[10, 5]),
        ];
        for (name, infos, expect) in cases {
            assert_eq!(counted(infos), *expect, "{name}");
        }
    }

    #[test]
    fn input_is_net_of_what_the_cache_gave() {
        let tokens = Tokens { input: 100, cached: 80, output: 5, total: 105, ..Tokens::default() };
        let usage = tokens.usage();
        assert_eq!((usage.input, usage.cache_read, usage.total), (Some(20), Some(80), Some(105)));
        assert_eq!(usage.cache_write, None);
    }
}
