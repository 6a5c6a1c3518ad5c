//! Items and the datasets that they become rows of: the owned mirror of `wit/materializer.wit`.
//!
//! The WIT files own the meaning of each field; nothing is said twice here.

use serde::{Deserialize, Serialize};

use crate::event::Micros;

/// A value of a cell.
#[derive(Debug, Clone, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Datum {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Timestamp(Micros),
    Json(String),
}

impl Datum {
    /// Says whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns about how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let text = match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            _ => 0,
        };
        size_of::<Self>() + text
    }
}

/// A column and what it holds.
pub type Cell = (String, Datum);

/// Where an item came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Origin {
    pub system: String,
    pub id: String,
    pub ended_at: Option<Micros>,
}

/// Beginning of the kinds of items that are rows of a dataset, handed out to derive columns from them; its name follows.
pub const STORED: &str = "stored.";

/// A finding for a materializer.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Item {
    pub kind: String,
    pub origin: Origin,
    pub cells: Vec<Cell>,
}

impl Item {
    /// Returns about how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.cells.iter().map(|(name, value)| name.len() + value.weight()).sum()
    }
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnType {
    Boolean,
    Integer,
    Real,
    Text,
    Timestamp,
    Json,
}

impl ColumnType {
    /// Says whether a value may stand in a column of this type; null is another question.
    pub fn takes(self, datum: &Datum) -> bool {
        matches!(
            (self, datum),
            (_, Datum::Null)
                | (Self::Boolean, Datum::Boolean(_))
                | (Self::Integer, Datum::Integer(_))
                | (Self::Real, Datum::Real(_))
                | (Self::Text, Datum::Text(_))
                | (Self::Timestamp, Datum::Timestamp(_))
                | (Self::Json, Datum::Json(_))
        )
    }
}

/// What happens to a column when a stored row is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    #[default]
    Plain,
    Forward,
    PreviousOf(String),
    ChangedWith(String),
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct DatasetColumn {
    pub name: String,
    pub kind: ColumnType,
    pub nullable: bool,
    pub role: Role,
}

/// What happens when a key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictRule {
    AppendOnly,
    Keep,
    FillMissing,
    NewerWins,
    LastWriteWins,
}

/// How asserted values meet stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ColumnMode {
    /// As in `wit/materializer.wit`.
    PromoteOnly,
    /// As in `wit/materializer.wit`.
    Reconcile,
    /// What is asserted stands, and so does the word that it is not known: for what is recorded on behalf of others, whose
    /// word counts for nothing. No dataset declares it.
    ServerAuthoritative,
}

/// The rule for a column whose values are asserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct ColumnRule {
    pub column: String,
    pub mode: ColumnMode,
    pub unknown_values: Vec<String>,
    pub known_values: Vec<String>,
}

impl ColumnRule {
    /// Says whether a value says something.
    pub fn is_known(&self, value: &Datum) -> bool {
        match value {
            Datum::Null => false,
            Datum::Text(text) => !text.is_empty() && !self.unknown_values.contains(text),
            _ => true,
        }
    }

    /// Says whether a value is a word for none.
    pub fn is_word_for_none(&self, value: &Datum) -> bool {
        value.as_text().is_some_and(|text| self.unknown_values.iter().any(|word| word == text))
    }

    /// Says whether a value may be asserted.
    pub fn may_assert(&self, value: &Datum) -> bool {
        let is_listed = |text: &str| self.known_values.iter().any(|known| known == text);
        self.is_known(value)
            && (self.known_values.is_empty() || value.as_text().is_some_and(is_listed))
    }
}

/// A column that a materializer derives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct OwnedColumn {
    pub column: String,
    pub scope: Option<Cell>,
}

impl OwnedColumn {
    /// Says whether there may be a row in which both own the column.
    pub fn meets(&self, other: &Self) -> bool {
        let is_apart = |(mine, theirs): (&Cell, &Cell)| mine.0 == theirs.0 && mine.1 != theirs.1;
        self.column == other.column
            && !self.scope.as_ref().zip(other.scope.as_ref()).is_some_and(is_apart)
    }
}

/// A column that holds nothing but words of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct ValueSet {
    pub column: String,
    pub values: Vec<String>,
}

/// From when on a dataset is written as things happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct Cutover {
    pub time: String,
    pub live: Vec<Cell>,
    pub twin_columns: Vec<String>,
    pub twin_within: u32,
}

/// A table that a materializer fills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct Dataset {
    pub name: String,
    pub columns: Vec<DatasetColumn>,
    pub key: Vec<String>,
    pub on_conflict: ConflictRule,
    pub ordered_by: Option<String>,
    pub column_rules: Vec<ColumnRule>,
    pub owns: Vec<OwnedColumn>,
    pub cutover: Option<Cutover>,
    pub value_sets: Vec<ValueSet>,
}

impl Dataset {
    /// Returns the place of a column among those that are declared.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Returns the rule for a column whose values are asserted.
    pub fn rule(&self, column: &str) -> Option<&ColumnRule> {
        self.column_rules.iter().find(|rule| rule.column == column)
    }

    /// Says whether stored rows of it may be changed.
    pub fn may_change(&self) -> bool {
        self.on_conflict != ConflictRule::AppendOnly || !self.column_rules.is_empty()
    }
}

/// A question with one number for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct Check {
    pub name: String,
    pub dataset: String,
    pub sql: String,
    pub expect: i64,
}

/// A row for a dataset, as a materializer gives it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct TargetRow {
    pub dataset: String,
    pub cells: Vec<Cell>,
}

/// What the evidence says that a column should hold.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct Assertion {
    pub dataset: String,
    pub key: Vec<Datum>,
    pub column: String,
    pub value: Datum,
    pub subject: Option<String>,
    pub notes: Option<String>,
}

/// What an item means for a dataset.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
#[non_exhaustive]
pub enum Wish {
    Append(TargetRow),
    Upsert(TargetRow),
    Assert(Assertion),
}

/// What one item gives.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/materializer.wit")]
pub struct Derived {
    pub item: usize,
    pub wishes: Vec<Wish>,
    pub then: Vec<Item>,
    pub outcome: Option<String>,
}
