//! Cells of items and rows: short ways to fill them and to look into them.

use crate::{Cell, Datum, Item, Origin};

/// Cells on their way into an item or a row.
#[derive(Debug, Clone, Default)]
pub struct Cells(Vec<Cell>);

impl Cells {
    /// Begins with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a cell; what is none is null.
    pub fn with(mut self, column: &str, value: impl Into<Datum>) -> Self {
        self.0.push(Cell { column: column.to_owned(), value: value.into() });
        self
    }

    /// Adds a cell of JSON text.
    pub fn json(self, column: &str, text: Option<String>) -> Self {
        self.with(column, text.map_or(Datum::Null, Datum::Json))
    }

    /// Adds a cell of a time in microseconds.
    pub fn time(self, column: &str, at: Option<i64>) -> Self {
        self.with(column, at.map_or(Datum::Null, Datum::Timestamp))
    }

    /// Returns the cells.
    pub fn done(self) -> Vec<Cell> {
        self.0
    }
}

impl Origin {
    /// Names an item by the system that numbered it, and its number.
    pub fn new(system: impl Into<String>, id: impl Into<String>) -> Self {
        Self { system: system.into(), id: id.into(), ended_at: None }
    }

    /// Says when what the item records was over.
    pub fn ended_at(mut self, at: Option<i64>) -> Self {
        self.ended_at = at;
        self
    }
}

impl Item {
    /// Makes an item.
    pub fn new(kind: &str, origin: Origin, cells: Cells) -> Self {
        Self { kind: kind.to_owned(), origin, cells: cells.done() }
    }

    /// Returns what a column holds; null where there is no such cell.
    pub fn get(&self, column: &str) -> &Datum {
        let cell = self.cells.iter().find(|cell| cell.column == column);
        cell.map_or(&Datum::Null, |cell| &cell.value)
    }

    /// Returns the text of a column, if it holds one.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.get(column) {
            Datum::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the truth value of a column, if it holds one.
    pub fn flag(&self, column: &str) -> Option<bool> {
        match self.get(column) {
            Datum::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns the number of a column, if it holds one.
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Datum::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the time of a column, if it holds one.
    pub fn time(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Datum::Timestamp(at) => Some(*at),
            _ => None,
        }
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl<T: Into<Datum>> From<Option<T>> for Datum {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
