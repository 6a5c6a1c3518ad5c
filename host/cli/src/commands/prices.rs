//! What tokens cost, by model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hyp_model::{Exit, Explain};
use serde::Deserialize;

use super::figures::Tokens;

/// Prices by model; `*` in a name stands for anything.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Prices(BTreeMap<String, Price>);

/// USD per million tokens.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    #[serde(default)]
    input: f64,
    #[serde(default)]
    output: f64,
    #[serde(default)]
    cache_read: f64,
    #[serde(default)]
    cache_write: f64,
    /// Of what is written, what stays for an hour; by default it costs what the rest does.
    cache_write_1h: Option<f64>,
}

/// Why there are no prices.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum PricesError {
    /// The file cannot be read.
    #[error("cannot read prices `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file is no table of prices.
    #[error("`{}` is no file of prices: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        reason: String,
    },
}

impl Explain for PricesError {
    fn code(&self) -> &'static str {
        "hyp::prices::file"
    }

    fn help(&self) -> Option<String> {
        Some("`hyp query overview --help` shows what such a file looks like".to_owned())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Prices {
    /// Reads a file of prices.
    pub(super) fn read(path: &Path) -> Result<Self, PricesError> {
        let read = |source| PricesError::Read { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(read)?;
        Self::parse(&text).map_err(|reason| PricesError::Format { path: path.to_owned(), reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let prices: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {}", error.message().replace('\n', " "))
        })?;
        let values = |price: &Price| {
            let Price { input, output, cache_read, cache_write, cache_write_1h } = *price;
            [input, output, cache_read, cache_write, cache_write_1h.unwrap_or_default()]
        };
        for (model, price) in &prices.0 {
            if values(price).iter().any(|value| !value.is_finite() || *value < 0.0) {
                return Err(format!("a price of `{model}` is below zero or no number"));
            }
        }
        Ok(prices)
    }

    /// Returns what tokens of a model cost in USD; none where it has no price.
    #[expect(clippy::cast_precision_loss, reason = "money is shown to the cent")]
    pub(super) fn cost(&self, model: &str, tokens: &Tokens) -> Option<f64> {
        let fits = self.0.iter().filter(|(name, _)| fits(name, model));
        let (_, price) = fits.max_by_key(|(name, _)| name.len())?;
        let hour = tokens.cache_write_1h.min(tokens.cache_write);
        let sum = tokens.input as f64 * price.input
            + tokens.output as f64 * price.output
            + tokens.cache_read as f64 * price.cache_read
            + (tokens.cache_write - hour) as f64 * price.cache_write
            + hour as f64 * price.cache_write_1h.unwrap_or(price.cache_write);
        Some(sum / 1e6)
    }
}

/// Says whether a name with `*` in it stands for a model.
fn fits(name: &str, model: &str) -> bool {
    let Some((head, mut rest)) = name.split_once('*') else { return name == model };
    let Some(mut left) = model.strip_prefix(head) else { return false };
    while let Some((part, more)) = rest.split_once('*') {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
        rest = more;
    }
    left.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        #[rustfmt::skip]
        let cases = [
            ("gpt-5",          "gpt-5",              true),
            ("gpt-5",          "gpt-5-codex",        false),
            ("gpt-5*",         "gpt-5-codex",        true),
            ("*",              "",                   true),
            ("claude-*-4-*",   "claude-opus-4-6",    true),
            ("claude-*-4-*",   "claude-opus-5-5",    false),
            ("*-codex",        "gpt-5-codex",        true),
            ("*-codex",        "gpt-5-codex-mini",   false),
            ("a*a",            "a",                  false),
        ];
        for (name, model, expected) in cases {
            assert_eq!(fits(name, model), expected, "{name} {model}");
        }
    }

    #[test]
    fn the_longest_name_that_fits_has_the_price() {
        let prices = Prices::parse(
            "[\"*\"]\ninput = 1\n[\"gpt-5*\"]\ninput = 2\noutput = 10.0\ncache_write = 4\ncache_write_1h = 8\n",
        )
        .unwrap();
        let tokens = Tokens {
            input: 1_000_000,
            output: 100_000,
            cache_write: 500_000,
            cache_write_1h: 250_000,
            ..Tokens::default()
        };
        assert_eq!(prices.cost("gpt-5-codex", &tokens), Some(2.0 + 1.0 + 1.0 + 2.0));
        assert_eq!(prices.cost("other", &tokens), Some(1.0));
        assert_eq!(Prices::parse("").unwrap().cost("other", &tokens), None);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        let wrong = |text| Prices::parse(text).unwrap_err();
        assert!(wrong("[a]\ninput = 1\nouput = 2\n").starts_with("line 3: unknown field `ouput`"));
        assert!(wrong("[a]\ninput = -1\n").contains("a price of `a` is below zero"));
        assert!(wrong("[a\n").starts_with("line 1: "));
    }
}
