//! Reads a unit's inputs in order, hands records to a scan, and accounts for every byte.
//!
//! The component's exports and the test kit run this same code; they differ in the [`Source`] that is
//! read and the [`Sink`] that pages go to.

mod checkpoint;
mod lines;
mod rows;
#[cfg(test)]
mod tests;

use crate::json::Tape;
use crate::page::Gap;
use crate::sqlite::{Database, Problem};
use crate::{
    Chunk, Event, Failure, FailureClass, Fault, Lines, LongLine, Page, Progress, ReadError,
    Reading, Scan, Span,
};
pub use checkpoint::Checkpoint;
use lines::Buffer;
use rows::Rows;

/// How much is asked for at once.
const CHUNK: u32 = 256 << 10;
/// Pages larger than this gain nothing.
const PAGE: usize = 192 << 10;
/// What one call reads at most, so that the host gets to look at its clock where little is emitted.
const READ: u64 = 8 << 20;
/// Inputs are read whole up to here: that is done sooner than a checkpoint is kept and checked.
const LEAST: u64 = 4 << 20;

/// Where a unit's inputs come from.
pub trait Source {
    /// Opens the input with this index at an offset, which is 0 but after a checkpoint; the one before is done with.
    fn open(&mut self, input: u32, offset: u64) -> Result<(), ReadError>;

    /// Returns at least one line of the open input, and as many more as fit into `budget` bytes.
    fn read_lines(&mut self, budget: u32) -> Result<Chunk, ReadError>;

    /// Returns the whole of the open input.
    fn read_document(&mut self) -> Result<Lines, ReadError>;

    /// Opens the database that the input with this index is; the input before is done with.
    fn database(&mut self, input: u32) -> Result<Box<dyn Database>, Problem> {
        let _ = input;
        Err(Problem::not_lent())
    }
}

/// Where pages go.
pub trait Sink {
    /// Takes a page.
    fn emit(&mut self, page: &[Event]);
}

/// A unit on its way from its first input to its end.
#[derive(Debug)]
pub struct Drive<S> {
    scan: S,
    inputs: u32,
    input: u32,
    /// Offset of the next line of the input.
    offset: u64,
    /// Offset from which on there are checkpoints.
    least: u64,
    is_open: bool,
    /// Whether the offset lies between two lines.
    is_at_line_end: bool,
    is_done: bool,
    buffer: Option<Buffer>,
    rows: Option<Rows>,
    tape: Tape,
    spare: Tape,
    page: Page,
}

impl<S: Scan> Drive<S> {
    /// Starts a unit of so many inputs.
    pub fn new(scan: S, inputs: u32) -> Self {
        Self::from(scan, inputs, &Checkpoint::default())
    }

    /// Goes on with a unit, with a scan that was resumed with the state of the checkpoint.
    pub fn from(scan: S, inputs: u32, checkpoint: &Checkpoint<'_>) -> Self {
        Self {
            scan,
            inputs,
            input: checkpoint.input,
            offset: checkpoint.offset,
            least: LEAST,
            is_open: false,
            is_at_line_end: false,
            is_done: false,
            buffer: None,
            rows: None,
            tape: Tape::new(),
            spare: Tape::new(),
            page: Page::from(Span {
                input: checkpoint.input,
                offset: checkpoint.offset,
                length: 0,
            }),
        }
    }

    /// Gives checkpoints for small inputs, too.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn with_checkpoints_from(mut self, least: u64) -> Self {
        self.least = least;
        self
    }

    /// Returns the scan.
    pub fn scan(&self) -> &S {
        &self.scan
    }

    /// Reads on until about `budget` bytes of events were emitted or the unit is at its end.
    ///
    /// Where it ends between two lines of a large input, and the scan has a state to go on from, there is a checkpoint.
    pub fn advance(
        &mut self,
        budget: u32,
        source: &mut dyn Source,
        sink: &mut dyn Sink,
    ) -> Result<Progress, Fault> {
        let budget = budget as usize;
        let page = PAGE.min(budget / 2);
        let (mut emitted, mut read) = (0, 0);
        while !self.is_done && emitted < budget && read < READ {
            read += self.step(source)?;
            if self.page.weight() > page || self.is_done {
                emitted += self.flush(budget, sink);
            }
        }
        self.flush(budget, sink);
        Ok(Progress { done: self.is_done, checkpoint: self.checkpoint() })
    }

    fn checkpoint(&self) -> Option<Vec<u8>> {
        if !self.is_open || !self.is_at_line_end || self.offset < self.least {
            return None;
        }
        let state = self.scan.save()?;
        Checkpoint { input: self.input, offset: self.offset, state: &state }.write()
    }

    /// Takes one line, one row, one document or one chunk; returns how many bytes that were.
    fn step(&mut self, source: &mut dyn Source) -> Result<u64, Fault> {
        if let Some(buffer) = &mut self.buffer {
            let (scan, page) = (&mut self.scan, &mut self.page);
            match buffer.line(&mut self.tape, &mut self.spare, scan, page) {
                Some(length) => {
                    self.offset += length;
                    self.is_at_line_end = buffer.is_at_line_end();
                    return Ok(length);
                }
                None => self.buffer = None,
            }
        }
        if let Some(rows) = &mut self.rows {
            if let Some(length) = rows.row(&mut self.scan, &mut self.page)? {
                return Ok(length);
            }
            self.rows = None;
            self.end_input();
            return Ok(0);
        }
        if self.is_open {
            self.read(source)?;
            return Ok(0);
        }
        if self.input == self.inputs {
            self.scan.end(&mut self.page);
            self.page.fill_gaps();
            self.is_done = true;
            return Ok(0);
        }
        match self.scan.reading(self.input) {
            Reading::Unread => {
                self.input += 1;
                Ok(0)
            }
            Reading::Lines => {
                source.open(self.input, self.offset).map_err(fault)?;
                self.is_open = true;
                Ok(0)
            }
            Reading::Rows => {
                let database = source.database(self.input)?;
                self.rows = Some(Rows::new(self.input, database, &mut self.scan)?);
                Ok(0)
            }
            Reading::Document => {
                source.open(self.input, 0).map_err(fault)?;
                let Lines { bytes, .. } = source.read_document().map_err(fault)?;
                let length = bytes.len() as u64;
                self.document(&bytes);
                self.end_input();
                Ok(length)
            }
        }
    }

    fn read(&mut self, source: &mut dyn Source) -> Result<(), Fault> {
        match source.read_lines(CHUNK).map_err(fault)? {
            Chunk::Lines(lines) => {
                self.offset = lines.offset;
                self.buffer = Some(Buffer::new(self.input, lines));
            }
            Chunk::LongLine(LongLine { offset, length, .. }) => {
                self.offset = offset + length;
                self.is_at_line_end = false;
                let span = Span { input: self.input, offset, length };
                let reason = "longer than a record may be".to_owned();
                let failure = Failure { span, class: FailureClass::TooLong, reason };
                lines::no_record(Gap::Broken(failure), &mut self.scan, &mut self.page);
            }
            Chunk::End => self.end_input(),
        }
        Ok(())
    }

    fn document(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let span = Span { input: self.input, offset: 0, length: bytes.len() as u64 };
        // Any event inside the document stands for it: a document may be claimed piece by piece.
        self.page.begin(Span { length: 0, ..span });
        self.scan.document(self.input, bytes, &mut self.page);
        if !self.page.is_claimed() {
            self.page.failure(span, FailureClass::Unknown, "document");
        }
    }

    fn end_input(&mut self) {
        self.scan.input_end(self.input, &mut self.page);
        self.page.fill_next_gaps();
        self.is_open = false;
        self.input += 1;
        self.offset = 0;
    }

    fn flush(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        let weight = self.page.weight();
        self.page.flush(budget, |page| sink.emit(page));
        weight
    }
}

fn fault(error: ReadError) -> Fault {
    Fault::source(match error {
        ReadError::Denied => "the host does not lend this input",
        ReadError::Changed => "the input changed while it was read",
        ReadError::Failed => "the input cannot be read",
    })
}
