//! Inputs that are held in memory.

use std::cell::Cell;
use std::rc::Rc;

use super::files::File;
use super::lend;
use crate::drive::Source;
use crate::sqlite::{Database, Problem};
use crate::{Chunk, Lines, LongLine, Peek, ReadError};

/// How long a line may be, as in the host.
const LONGEST: usize = 32 << 20;

/// Inputs that are held in memory.
pub(super) struct Memory<'f> {
    files: Vec<&'f File>,
    open: Option<(usize, usize)>,
    was_read: Vec<bool>,
    /// Bytes of rows that databases handed out.
    handed: Vec<Rc<Cell<u64>>>,
}

impl<'f> Memory<'f> {
    /// Holds these files, none of which is open.
    pub(super) fn of(files: Vec<&'f File>) -> Self {
        let handed = files.iter().map(|_| Rc::default()).collect();
        Self { was_read: vec![false; files.len()], files, open: None, handed }
    }

    /// Returns the length of each input that was opened.
    pub(super) fn lengths_read(&self) -> Vec<Option<u64>> {
        let inputs = self.files.iter().zip(&self.was_read).zip(&self.handed);
        let length = |file: &File, handed: &Cell<u64>| match file.database {
            Some(_) => handed.get(),
            None => file.bytes.len() as u64,
        };
        inputs.map(|((file, was_read), handed)| was_read.then(|| length(file, handed))).collect()
    }

    fn lend(&mut self, index: u32) -> Result<Box<dyn Database>, Problem> {
        let denied = || Problem::Denied("it is no database".to_owned());
        let made = self.files.get(index as usize).and_then(|file| file.database.as_ref());
        let lent = lend::open(made.ok_or_else(denied)?)?;
        self.was_read[index as usize] = true;
        self.handed[index as usize] = Rc::clone(&lent.handed);
        Ok(Box::new(lent))
    }

    fn bytes(&self, entry: u32) -> Option<&'f [u8]> {
        self.files.get(entry as usize).map(|file| file.bytes.as_slice())
    }
}

impl Source for Memory<'_> {
    fn open(&mut self, input: u32, offset: u64) -> Result<(), ReadError> {
        let was_read = self.was_read.get_mut(input as usize).ok_or(ReadError::Denied)?;
        *was_read = true;
        self.open = Some((input as usize, offset as usize));
        Ok(())
    }

    fn read_lines(&mut self, budget: u32) -> Result<Chunk, ReadError> {
        let (input, at) = self.open.as_mut().ok_or(ReadError::Failed)?;
        let start = *at;
        let rest = &self.files[*input].bytes[start..];
        let line = |rest: &[u8]| memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
        let first = line(rest);
        if first > LONGEST {
            *at += first;
            let head = rest[..4096].to_vec();
            let (offset, length) = (start as u64, first as u64);
            return Ok(Chunk::LongLine(LongLine { offset, length, head }));
        }
        if first == 0 {
            return Ok(Chunk::End);
        }
        let mut length = first;
        while length < rest.len() {
            let more = line(&rest[length..]);
            if length + more > budget as usize {
                break;
            }
            length += more;
        }
        *at += length;
        Ok(Chunk::Lines(Lines { offset: start as u64, bytes: rest[..length].to_vec() }))
    }

    fn read_document(&mut self) -> Result<Lines, ReadError> {
        let (input, _) = self.open.ok_or(ReadError::Failed)?;
        Ok(Lines { offset: 0, bytes: self.files[input].bytes.clone() })
    }

    fn database(&mut self, input: u32) -> Result<Box<dyn Database>, Problem> {
        self.lend(input)
    }
}

impl Peek for Memory<'_> {
    fn head(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>> {
        let bytes = self.bytes(entry)?;
        Some(bytes[..bytes.len().min(limit.min(64 << 10) as usize)].to_vec())
    }

    fn tail(&mut self, entry: u32, limit: u32) -> Option<Vec<u8>> {
        let bytes = self.bytes(entry)?;
        Some(bytes[bytes.len().saturating_sub(limit.min(1 << 20) as usize)..].to_vec())
    }

    fn database(&mut self, entry: u32) -> Result<Box<dyn Database>, Problem> {
        self.lend(entry)
    }
}
