//! Reading: the inputs of a unit, and peeks at entries while units are planned.

use std::io::{self, Read};
use std::time::Instant;

use wasmtime::component::Resource;

use crate::bindings::inputs::{self, Chunk, Host, HostInput, ReadError};
use crate::fence::Fence;
use crate::lent::Refusal;
use crate::lines::{Broken, Lines, Piece};
use crate::report::LongLine;
use crate::state::{Phase, State};

const HEAD_AT_MOST: u32 = 64 * 1024;
const TAIL_AT_MOST: u32 = 1024 * 1024;
const OPEN_AT_MOST: u32 = 64;
const TOO_LARGE: &str = "it is larger than a record may be";

/// An input that a guest has opened.
#[expect(unreachable_pub, reason = "generated code re-exports it")]
pub struct OpenInput {
    index: usize,
    lines: Lines,
}

/// A stream that gives nothing but the reason why.
struct Refused(Option<io::Error>);

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl Host for State {
    fn head(&mut self, entry: u32, limit: u32) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        let asked = Instant::now();
        let answer =
            self.peek(entry).and_then(|at| self.lent[at].head(limit.min(HEAD_AT_MOST).into()));
        self.host_time += asked.elapsed();
        Ok(answer)
    }

    fn tail(&mut self, entry: u32, limit: u32) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        let asked = Instant::now();
        let answer =
            self.peek(entry).and_then(|at| self.lent[at].tail(limit.min(TAIL_AT_MOST).into()));
        self.host_time += asked.elapsed();
        Ok(answer)
    }
}

impl HostInput for State {
    fn open(
        &mut self,
        index: u32,
        offset: u64,
    ) -> wasmtime::Result<Result<Resource<OpenInput>, ReadError>> {
        let index = index as usize;
        if !matches!(self.phase, Phase::Open | Phase::Advance) || index >= self.lent.len() {
            return Ok(Err(ReadError::Denied));
        }
        let is_elsewhere = |(input, from)| index < input || (index == input && offset != from);
        if self.from.is_some_and(is_elsewhere) {
            return Ok(Err(ReadError::Denied));
        }
        if self.open_inputs == OPEN_AT_MOST {
            return Ok(Err(ReadError::Failed));
        }
        let asked = Instant::now();
        let opened = self.lent[index].open(offset, self.deadline);
        self.host_time += asked.elapsed();
        let stream = match opened {
            Ok(Some(stream)) => stream,
            Ok(None) => return Err(Fence::Deadline.into()),
            Err(Refusal { kind: ReadError::Denied, cause }) => {
                // That a database has no bytes to read is the guest's to know, and to tell.
                if self.lent[index].database.is_none() {
                    self.books[index].failed = Some(cause.to_string());
                }
                return Ok(Err(ReadError::Denied));
            }
            // Read as one that is damaged at its start: what else the unit is made of can still be.
            Err(Refusal { cause, .. }) => Box::new(Refused(Some(cause))),
        };
        let lines = Lines::new(stream, offset, self.limits.record_bytes);
        self.books[index].opened = true;
        self.open_inputs += 1;
        Ok(Ok(self.table.push(OpenInput { index, lines })?))
    }

    fn read_lines(
        &mut self,
        input: Resource<OpenInput>,
        budget: u32,
    ) -> wasmtime::Result<Result<Chunk, ReadError>> {
        let asked = Instant::now();
        let answer = self.lines(&input, budget);
        self.host_time += asked.elapsed();
        answer
    }

    fn read_document(
        &mut self,
        input: Resource<OpenInput>,
    ) -> wasmtime::Result<Result<inputs::Lines, ReadError>> {
        let asked = Instant::now();
        let answer = self.document(&input);
        self.host_time += asked.elapsed();
        answer
    }

    fn drop(&mut self, input: Resource<OpenInput>) -> wasmtime::Result<()> {
        self.open_inputs = self.open_inputs.saturating_sub(1);
        self.table.delete(input)?;
        Ok(())
    }
}

impl State {
    fn peek(&self, entry: u32) -> Result<usize, ReadError> {
        let at = entry as usize;
        if self.phase == Phase::Plan && at < self.lent.len() {
            Ok(at)
        } else {
            Err(ReadError::Denied)
        }
    }

    fn lines(
        &mut self,
        input: &Resource<OpenInput>,
        budget: u32,
    ) -> wasmtime::Result<Result<Chunk, ReadError>> {
        let OpenInput { index, lines } = self.table.get_mut(input)?;
        // An input of an earlier unit, kept by the guest: its books are closed.
        let Some(books) = self.books.get_mut(*index) else {
            return Ok(Err(ReadError::Denied));
        };
        let chunk = match lines.next(budget, self.deadline) {
            Ok(Piece::Lines { offset, bytes }) => {
                books.hand(offset, bytes.len() as u64);
                Chunk::Lines(inputs::Lines { offset, bytes: bytes.to_vec() })
            }
            Ok(Piece::LongLine { offset, length, head }) => {
                books.hand(offset, length);
                books.long_lines.push(LongLine { offset, length, head: head.clone() });
                Chunk::LongLine(inputs::LongLine { offset, length, head })
            }
            Ok(Piece::End) => {
                books.ended = true;
                Chunk::End
            }
            Err(Broken::Deadline) => return Err(Fence::Deadline.into()),
            // For the guest, an input that is damaged ends there.
            Err(Broken::Failed(cause)) => {
                books.failed = Some(cause);
                Chunk::End
            }
            Err(Broken::TooLarge) => {
                books.failed = Some(TOO_LARGE.to_owned());
                return Ok(Err(ReadError::Failed));
            }
        };
        Ok(Ok(chunk))
    }

    fn document(
        &mut self,
        input: &Resource<OpenInput>,
    ) -> wasmtime::Result<Result<inputs::Lines, ReadError>> {
        let OpenInput { index, lines } = self.table.get_mut(input)?;
        let Some(books) = self.books.get_mut(*index) else {
            return Ok(Err(ReadError::Denied));
        };
        let (offset, bytes) = match lines.document() {
            Ok(Piece::Lines { offset, bytes }) => (offset, bytes),
            Err(Broken::Failed(cause)) => {
                books.failed = Some(cause);
                return Ok(Ok(inputs::Lines { offset: 0, bytes: Vec::new() }));
            }
            _ => {
                books.failed = Some(TOO_LARGE.to_owned());
                return Ok(Err(ReadError::Failed));
            }
        };
        books.hand(offset, bytes.len() as u64);
        books.ended = true;
        Ok(Ok(inputs::Lines { offset, bytes: bytes.to_vec() }))
    }
}
