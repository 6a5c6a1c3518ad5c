//! Values of a row by the names of their columns, each as what its column holds or not at all.

use std::borrow::Cow;
use std::fmt;

use super::{Row, Value, whole};
use crate::json::Tape;
use crate::{Span, time};

/// Words that databases write for a yes, in any case.
const YES: [&str; 5] = ["1", "t", "true", "yes", "on"];

/// Words that databases write for a no, in any case.
const NO: [&str; 5] = ["0", "f", "false", "no", "off"];

/// A row whose values are read as what their columns hold.
///
/// Null is none. A value that the column cannot hold exactly is a [`Misfit`] and never another value.
///
/// ```
/// use hyp_sdk::sqlite::{Fields, Handed, Misfit, Row, Value};
///
/// let handed = Handed { offset: 0, length: 20, values: vec![Value::Integer(7), Value::Text("Yes".into())] };
/// let row = Row::new("tide", 0, &handed);
/// let fields = Fields::new(&row, &["id", "is_high"]);
/// assert_eq!(fields.text("id"), Ok(Some("7".into())));
/// assert_eq!(fields.flag("is_high"), Ok(Some(true)));
/// assert_eq!(fields.time("id").unwrap_err().to_string(), "`id` is no time");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Fields<'r> {
    /// The bytes that the row accounts for.
    pub span: Span,
    row: Row<'r>,
    columns: &'r [&'static str],
}

/// Why a value is not what its column holds: names the column, and tells nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    column: &'static str,
    wrong: &'static str,
}

impl<'r> Fields<'r> {
    /// Takes a row of a statement that selects these columns, in this order.
    pub fn new(row: &Row<'r>, columns: &'r [&'static str]) -> Self {
        Self { span: row.span, row: *row, columns }
    }

    /// Returns a text. Numbers are texts too: keys may be either, and join all the same.
    pub fn text(&self, column: &'static str) -> Result<Option<Cow<'r, str>>, Misfit> {
        let text = match self.value(column) {
            Value::Null => return Ok(None),
            Value::Text(text) => Some(Cow::Borrowed(text.as_str())),
            Value::Blob(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Value::Integer(number) => Some(Cow::Owned(number.to_string())),
            Value::Real(number) => whole(*number).map(|number| Cow::Owned(number.to_string())),
        };
        text.map(Some).ok_or(Misfit::new(column, "is no text"))
    }

    /// Returns a text that is one of some words.
    pub fn word(
        &self,
        column: &'static str,
        words: &[&str],
    ) -> Result<Option<Cow<'r, str>>, Misfit> {
        match self.text(column)? {
            Some(text) if !words.contains(&&*text) => {
                Err(Misfit::new(column, "is none of the words that it may be"))
            }
            text => Ok(text),
        }
    }

    /// Returns a whole number.
    pub fn integer(&self, column: &'static str) -> Result<Option<i64>, Misfit> {
        let number = match self.value(column) {
            Value::Null => return Ok(None),
            Value::Integer(number) => Some(*number),
            Value::Real(number) => whole(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Blob(_) => None,
        };
        number.map(Some).ok_or(Misfit::new(column, "is no whole number"))
    }

    /// Returns a truth value: 0 or 1, or a word for it.
    pub fn flag(&self, column: &'static str) -> Result<Option<bool>, Misfit> {
        let strange = Misfit::new(column, "is no truth value");
        let Some(text) = self.text(column).map_err(|_| strange)? else { return Ok(None) };
        let text = text.trim();
        let is_one = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        match (is_one(&YES), is_one(&NO)) {
            (true, _) => Ok(Some(true)),
            (_, true) => Ok(Some(false)),
            _ => Err(strange),
        }
    }

    /// Returns a time that is written as [databases write it](time::parse_stored), in microseconds.
    pub fn time(&self, column: &'static str) -> Result<Option<i64>, Misfit> {
        match self.value(column) {
            Value::Null => Ok(None),
            Value::Text(text) => {
                time::parse_stored(text).map(Some).ok_or(Misfit::new(column, "is no time"))
            }
            _ => Err(Misfit::new(column, "is no time")),
        }
    }

    /// Returns the text of a JSON document.
    pub fn json(&self, column: &'static str) -> Result<Option<Cow<'r, str>>, Misfit> {
        let strange = Misfit::new(column, "is no JSON");
        let Some(text) = self.text(column).map_err(|_| strange)? else { return Ok(None) };
        match Tape::new().parse_document(text.as_bytes()) {
            Ok(_) => Ok(Some(text)),
            Err(_) => Err(strange),
        }
    }

    /// Returns what a column holds that is never null.
    pub fn required<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<Option<T>, Misfit>,
    ) -> Result<T, Misfit> {
        read(self, column)?.ok_or(Misfit::new(column, "is null"))
    }

    fn value(&self, column: &str) -> &'r Value {
        let at = self.columns.iter().position(|name| *name == column);
        at.and_then(|at| self.row.values.get(at)).unwrap_or(&Value::Null)
    }
}

impl Misfit {
    /// Says of a column what is wrong with its value.
    pub const fn new(column: &'static str, wrong: &'static str) -> Self {
        Self { column, wrong }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.column, self.wrong)
    }
}

impl std::error::Error for Misfit {}

impl From<Misfit> for String {
    fn from(misfit: Misfit) -> Self {
        misfit.to_string()
    }
}

#[cfg(test)]
mod tests;
