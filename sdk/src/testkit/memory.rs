//! Inputs that are held in memory.

use super::files::File;
use crate::drive::Source;
use crate::{Chunk, Lines, LongLine, Peek, ReadError};

/// How long a line may be, as in the host.
const LONGEST: usize = 32 << 20;

/// Inputs that are held in memory.
pub(super) struct Memory<'f> {
    files: Vec<&'f File>,
    open: Option<(usize, usize)>,
    was_read: Vec<bool>,
}

impl<'f> Memory<'f> {
    /// Holds these files, none of which is open.
    pub(super) fn of(files: Vec<&'f File>) -> Self {
        Self { was_read: vec![false; files.len()], files, open: None }
    }

    /// Returns the length of each input that was opened.
    pub(super) fn lengths_read(&self) -> Vec<Option<u64>> {
        let inputs = self.files.iter().zip(&self.was_read);
        inputs.map(|(file, was_read)| was_read.then_some(file.bytes.len() as u64)).collect()
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
}
