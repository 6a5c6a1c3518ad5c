//! What a provider implements.

use crate::json::Value;
use crate::sqlite::{Database, Problem, Query, Row};
use crate::{Counter, Description, Entry, FailureClass, Fault, Note, Page, PlanResult, Span, Unit};

/// A client's history, as a component reads it.
pub trait Provider: 'static {
    /// A unit being read.
    type Scan: Scan;

    /// Says what this provider is and wants. Pure.
    fn description() -> Description;

    /// Groups what was found into units; by default every file is one, and its path is the id.
    fn plan(
        entries: &[Entry],
        peek: &mut dyn Peek,
        notes: &mut Vec<Note>,
    ) -> Result<PlanResult, Fault> {
        let _ = (peek, notes);
        Ok(unit_per_entry(entries))
    }

    /// Starts to read a unit whose inputs are `entries`; `context` is what `plan` gave.
    fn open(unit_id: &str, entries: &[Entry], context: &[u8]) -> Result<Self::Scan, Fault>;

    /// Goes on with a unit where a scan was [saved](Scan::save); nothing, if it has to be read from its start.
    ///
    /// Records before that point do not come again. What is emitted from here on must be what a scan of the whole
    /// unit would emit, wherever it was saved; the test kit checks that.
    fn resume(
        unit_id: &str,
        entries: &[Entry],
        context: &[u8],
        state: &[u8],
    ) -> Option<Self::Scan> {
        let _ = (unit_id, entries, context, state);
        None
    }
}

/// A look into entries while planning. Nothing is returned for what cannot be read.
pub trait Peek {
    /// Returns the first bytes of an entry, at most 64 KiB, decompressed.
    fn head(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>>;

    /// Returns the last bytes of an uncompressed entry, at most 1 MiB.
    fn tail(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>>;

    /// Opens the database that an entry is.
    fn database(&mut self, entry: u32) -> Result<Box<dyn Database>, Problem> {
        let _ = entry;
        Err(Problem::not_lent())
    }
}

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As JSON records, one or more a line: each is handed to [`Scan::record`].
    Lines,
    /// As a whole: it is handed to [`Scan::document`].
    Document,
    /// As a database: the rows of [`Scan::queries`] are handed to [`Scan::row`].
    Rows,
    /// Not at all.
    Unread,
}

/// A JSON record of an input.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// Index of the input in the unit.
    pub input: u32,
    /// The bytes that the record accounts for: give it to every event made of the record.
    pub span: Span,
    /// The record. Usually an object.
    pub json: Value<'r>,
    /// The bytes of the value alone, without what is around it.
    pub bytes: &'r [u8],
}

/// A unit being read. Inputs are read one after the other, in the unit's order.
pub trait Scan {
    /// Says how an input is read; asked once, right before.
    fn reading(&self, input: u32) -> Reading {
        let _ = input;
        Reading::Lines
    }

    /// Takes a record. One that is neither emitted nor skipped is recorded as not understood, which all are by default.
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let _ = (record, out);
    }

    /// Takes an input that is read as a whole, if it is not empty; by default it is recorded as not understood.
    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let span = Span { input, offset: 0, length: bytes.len() as u64 };
        out.failure(span, FailureClass::Unknown, "document");
    }

    /// Returns the statements that an input is read with, in their order; asked once, right before.
    fn queries(&mut self, input: u32, database: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        let _ = (input, database);
        Ok(Vec::new())
    }

    /// Takes a row. One that is neither emitted nor skipped is recorded as not understood, which all are by default.
    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        let _ = (row, out);
    }

    /// Called where much that is no record follows what was held back (see [`Page::hold`]): that is to be emitted now.
    ///
    /// Blank and damaged lines wait for the records before them by themselves, so that a few of them change nothing.
    fn release(&mut self, out: &mut Page) {
        let _ = out;
    }

    /// Returns what [`Provider::resume`] needs to go on after the last record; nothing, by default, and while
    /// records are [held](Page::hold), where there is nothing to go on from.
    ///
    /// Asked between two lines of a large input, a few times a megabyte. Only the same component reads the answer.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }

    /// Called when an input is at its end, before the next one is opened.
    fn input_end(&mut self, input: u32, out: &mut Page) {
        let _ = (input, out);
    }

    /// Called when the unit is at its end. The last chance to emit.
    fn end(&mut self, out: &mut Page) {
        let _ = out;
    }

    /// Returns the client's own totals, once the unit is at its end.
    fn counters(&self) -> Vec<Counter> {
        Vec::new()
    }
}

/// Makes one unit of every entry, with its path as the id.
pub fn unit_per_entry(entries: &[Entry]) -> PlanResult {
    let units = (0..).zip(entries).map(|(index, entry)| Unit::new(entry.path.clone(), vec![index]));
    PlanResult { units: units.collect(), ignored: Vec::new() }
}
