//! Databases: statements and rows.
//!
//! A root that declares [tables](crate::Root::table) has databases for files. A plan asks them which sessions there are,
//! and gives each a [stamp](crate::Unit::stamp); a scan says with which statements one is read, and takes rows.
//!
//! ```
//! use hyp_sdk::sqlite::{Database, Problem, Query, Row};
//! use hyp_sdk::{Message, Page, Part, Reading, Scan};
//!
//! struct Chat {
//!     id: String,
//! }
//!
//! impl Scan for Chat {
//!     fn reading(&self, _input: u32) -> Reading {
//!         Reading::Rows
//!     }
//!
//!     fn queries(&mut self, _input: u32, _: &mut dyn Database) -> Result<Vec<Query>, Problem> {
//!         let said = "select text from said where chat = ?1 order by at";
//!         Ok(vec![Query::new("said", said).bind(&self.id)])
//!     }
//!
//!     fn row(&mut self, row: &Row<'_>, out: &mut Page) {
//!         let Some(text) = row.non_empty(0) else { return };
//!         let mut message = Message::new(row.span, "user");
//!         message.parts.push(Part::text(text));
//!         out.message(message);
//!     }
//! }
//! ```

mod fields;

use std::borrow::Cow;

pub use fields::{Fields, Misfit};

pub use crate::bindings::hyp::backfill::sqlite::{Problem, Row as Handed, Value};
use crate::{Fault, Span};

/// Bytes that a value may have; a statement that meets a longer one ends with a problem.
///
/// Where values can be that long, ask for `octet_length` too, and for the value only if it fits.
pub const VALUE_BYTES: usize = 32 << 20;

/// How much is asked for at once.
const PAGE: u32 = 256 << 10;

/// A database that is open.
pub trait Database {
    /// Returns which of the declared columns a table has in this database; none where there is no such table.
    fn columns(&mut self, table: &str) -> Result<Vec<String>, Problem>;

    /// Begins a statement, and ends the one before.
    fn query(&mut self, query: &Query) -> Result<(), Problem>;

    /// Returns at least one row, and as many more as fit into `budget` bytes; none at the statement's end.
    fn next(&mut self, budget: u32) -> Result<Vec<Handed>, Problem>;
}

/// One `SELECT` over declared columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What its rows are: how [`Scan::row`](crate::Scan::row) tells the rows of several statements apart.
    pub name: &'static str,
    /// The statement, with `?1`, `?2`, … for parameters.
    pub statement: String,
    /// The parameters.
    pub parameters: Vec<Value>,
}

impl Query {
    /// Creates a statement without parameters.
    pub fn new(name: &'static str, statement: impl Into<String>) -> Self {
        Self { name, statement: statement.into(), parameters: Vec::new() }
    }

    /// Binds the next parameter to a text.
    pub fn bind(mut self, text: impl Into<String>) -> Self {
        self.parameters.push(Value::Text(text.into()));
        self
    }
}

/// A row of a statement.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    /// Name of the statement.
    pub query: &'static str,
    /// The bytes that the row accounts for: give it to every event made of the row.
    pub span: Span,
    values: &'r [Value],
}

impl<'r> Row<'r> {
    /// Takes a row of an input as it was handed out.
    pub fn new(query: &'static str, input: u32, row: &'r Handed) -> Self {
        let span = Span { input, offset: row.offset, length: row.length };
        Self { query, span, values: &row.values }
    }

    /// Returns a text. Bytes are taken as text too, with U+FFFD for what is no UTF-8.
    pub fn text(&self, column: usize) -> Option<Cow<'r, str>> {
        match self.values.get(column)? {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// Returns a text if there is any.
    pub fn non_empty(&self, column: usize) -> Option<String> {
        self.text(column).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// Returns a whole number.
    pub fn integer(&self, column: usize) -> Option<i64> {
        match self.values.get(column)? {
            Value::Integer(number) => Some(*number),
            Value::Real(number) => whole(*number),
            _ => None,
        }
    }
}

/// Returns the whole number that a real one is.
fn whole(number: f64) -> Option<i64> {
    /// The first whole number that is too large.
    const END: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-END..END).contains(&number)).then_some(number as i64)
}

/// Hands all rows of a statement to `each`: for [plans](crate::Provider::plan), which account for nothing.
pub fn for_each(
    database: &mut dyn Database,
    query: &Query,
    mut each: impl FnMut(Row<'_>),
) -> Result<(), Problem> {
    database.query(query)?;
    loop {
        let rows = database.next(PAGE)?;
        if rows.is_empty() {
            return Ok(());
        }
        rows.iter().for_each(|row| each(Row::new(query.name, 0, row)));
    }
}

impl Problem {
    pub(crate) fn not_lent() -> Self {
        Self::Denied("no database is lent".to_owned())
    }

    /// Returns what is wrong, in a few words.
    pub fn reason(&self) -> &str {
        let (Self::Denied(reason) | Self::Statement(reason) | Self::Unreadable(reason)) = self;
        reason
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::source(problem.reason())
    }
}
