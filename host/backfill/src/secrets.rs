//! Likely secrets in texts: what they look like, and what is put in their place.
//!
//! The rules are the forms that issuers document for their keys and tokens, and a few words that stand before
//! a value which is chosen by chance. No rule is certain: a secret that looks like nothing else is not found.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyp_materialize::Produced;
use hyp_model::row::{Key, Row};
use regex::{Captures, Regex};

mod rules;

use rules::{RULES, Rule};

/// Finds and replaces likely secrets of some kinds.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// All rules in one: the group of a rule has its number.
    pattern: Regex,
    rules: Vec<&'static Rule>,
}

/// A likely secret in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: &'static str,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

impl Secrets {
    /// Knows all kinds.
    pub fn all() -> Self {
        Self::new(RULES.iter().collect())
    }

    /// Knows some kinds; the first unknown name where there is one.
    ///
    /// # Errors
    /// Returns a name that is no kind.
    pub fn of(kinds: &[String]) -> Result<Self, String> {
        let known = Self::kinds();
        if let Some(other) = kinds.iter().find(|kind| !known.contains(kind.as_str())) {
            return Err(other.clone());
        }
        let is_asked = |rule: &&Rule| kinds.iter().any(|kind| kind == rule.kind);
        Ok(Self::new(RULES.iter().filter(is_asked).collect()))
    }

    /// Returns the names of all kinds.
    pub fn kinds() -> BTreeSet<&'static str> {
        RULES.iter().map(|rule| rule.kind).collect()
    }

    fn new(rules: Vec<&'static Rule>) -> Self {
        // An empty list finds nothing.
        let all = match rules.is_empty() {
            true => r"[^\s\S]".to_owned(),
            false => rules.iter().map(|rule| rule.pattern).collect::<Vec<_>>().join("|"),
        };
        let pattern = Regex::new(&all).expect("the rules are tested to compile");
        Self { pattern, rules }
    }

    /// Returns a name for these rules: with others, texts come out otherwise.
    pub(crate) fn digest(&self) -> String {
        let key = Key::of(self.pattern.as_str().as_bytes());
        key.0[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the likely secrets of a text, in order.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Finding> + 'a {
        let all = self.pattern.is_match(text).then(|| self.pattern.captures_iter(text));
        all.into_iter().flatten().filter_map(|found| self.finding(&found))
    }

    fn finding(&self, found: &Captures<'_>) -> Option<Finding> {
        let (rule, secret) =
            (1..).zip(&self.rules).find_map(|(at, rule)| Some((*rule, found.get(at)?)))?;
        let is_likely = !rule.is_by_chance || is_by_chance(secret.as_str());
        let (kind, start, end) = (rule.kind, secret.start(), secret.end());
        is_likely.then_some(Finding { kind, start, end })
    }

    /// Returns a text without its likely secrets; none where it has none.
    ///
    /// What is put in their place holds nothing that would have to be escaped: JSON stays JSON.
    pub fn redacted(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut last = 0;
        for Finding { kind, start, end } in self.find(text) {
            out.push_str(&text[last..start]);
            out.push_str("[redacted:");
            out.push_str(kind);
            out.push(']');
            last = end;
        }
        (last > 0).then(|| out + &text[last..])
    }

    /// Replaces the likely secrets of rows and facts. Ids are made already, of what was written.
    pub(crate) fn redact(&self, produced: &mut Produced) {
        for row in &mut produced.rows {
            self.redact_row(row);
        }
        for (_, fact) in &mut produced.facts {
            self.replace(&mut fact.value);
        }
    }

    fn redact_row(&self, row: &mut Row) {
        let texts =
            [&mut row.content_text, &mut row.tool_args, &mut row.status, &mut row.attributes];
        for text in texts.into_iter().flatten() {
            self.replace(text);
        }
        let message = &row.message;
        let frames = [&message.raw_frame, &message.compact_metadata];
        if frames.into_iter().flatten().any(|text| self.find(text).next().is_some()) {
            let message = Arc::make_mut(&mut row.message);
            let frames = [&mut message.raw_frame, &mut message.compact_metadata];
            frames.into_iter().flatten().for_each(|text| self.replace(text));
        }
    }

    fn replace(&self, text: &mut String) {
        if let Some(redacted) = self.redacted(text) {
            *text = redacted;
        }
    }
}

/// Bits of a letter of what is chosen by chance, at least.
const BITS: f64 = 3.0;

/// Says whether a text looks as if it was chosen by chance: letters and digits, hardly any more often than others.
fn is_by_chance(text: &str) -> bool {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let has = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
    #[expect(clippy::cast_precision_loss, reason = "an estimate of a short text")]
    let length = text.len() as f64;
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum();
    bits >= BITS && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests;
