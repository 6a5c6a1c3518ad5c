//! Cuts a stream into whole lines, in bounded memory.

use std::io::{self, Read};
use std::time::Instant;

use crate::lent::ByteStream;

const READ_AT_LEAST: usize = 64 * 1024;
const BUDGET_AT_MOST: usize = 1024 * 1024;
const HEAD: usize = 4 * 1024;
/// A buffer that grew for a long line is cut back to this.
const KEPT: usize = 2 * BUDGET_AT_MOST;

/// What a stream gives next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Whole lines; the last one of a stream may lack its line feed.
    Lines { offset: u64, bytes: &'a [u8] },
    /// A line that is longer than a record may be.
    LongLine { offset: u64, length: u64, head: Vec<u8> },
    /// Nothing is left.
    End,
}

/// Why a stream gives nothing more.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The system or the compressed stream refused, with what it said.
    Failed(String),
    /// The document is larger than a record may be.
    TooLarge,
    /// A line went on past the deadline.
    Deadline,
}

/// A stream, cut into lines.
///
/// The buffer is kept between calls; it is always initialised and grows only for a line longer than itself.
pub(crate) struct Lines {
    stream: ByteStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `buffer[start]` in the stream.
    offset: u64,
    record_bytes: usize,
    state: State,
    /// What was said where it is damaged.
    damage: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Damaged,
}

impl Lines {
    pub(crate) fn new(stream: ByteStream, offset: u64, record_bytes: u64) -> Self {
        let record_bytes = usize::try_from(record_bytes).unwrap_or(usize::MAX);
        let (buffer, damage) = (Vec::new(), String::new());
        Self { stream, buffer, start: 0, end: 0, offset, record_bytes, state: State::Open, damage }
    }

    /// Returns at least one line, and as many more as fit into `budget`.
    pub(crate) fn next(&mut self, budget: u32, deadline: Instant) -> Result<Piece<'_>, Broken> {
        let budget = (budget as usize).clamp(1, BUDGET_AT_MOST.min(self.record_bytes));
        let mut searched = 0;
        loop {
            let waiting = &self.buffer[self.start..self.end];
            if waiting.len() >= budget || self.state != State::Open {
                if let Some(cut) = cut(waiting, budget, searched) {
                    return Ok(if cut > self.record_bytes {
                        self.take_long(cut)
                    } else {
                        self.take(cut)
                    });
                }
                if self.state != State::Open {
                    return self.last();
                }
                searched = waiting.len();
            }
            if searched > self.record_bytes {
                return self.pass_over(deadline);
            }
            let wanted = budget.saturating_sub(self.end - self.start).max(READ_AT_LEAST);
            self.fill(wanted.max(searched));
        }
    }

    /// Returns all that is left, where that is at most a record.
    pub(crate) fn document(&mut self) -> Result<Piece<'_>, Broken> {
        while self.state == State::Open {
            if self.end - self.start > self.record_bytes {
                return Err(Broken::TooLarge);
            }
            self.fill((self.end - self.start).max(READ_AT_LEAST));
        }
        match self.end - self.start {
            _ if self.state == State::Damaged => Err(Broken::Failed(self.damage.clone())),
            length if length > self.record_bytes => Err(Broken::TooLarge),
            length => Ok(self.take(length)),
        }
    }

    /// Returns what is left without a line feed, then the end or the damage.
    fn last(&mut self) -> Result<Piece<'_>, Broken> {
        match (self.end - self.start, self.state) {
            (0, State::Damaged) => Err(Broken::Failed(self.damage.clone())),
            (0, _) => Ok(Piece::End),
            (rest, _) if rest > self.record_bytes => Ok(self.take_long(rest)),
            (rest, _) => Ok(self.take(rest)),
        }
    }

    fn take(&mut self, length: usize) -> Piece<'_> {
        let offset = self.offset;
        let from = self.start;
        self.skip(length);
        Piece::Lines { offset, bytes: &self.buffer[from..from + length] }
    }

    fn take_long(&mut self, length: usize) -> Piece<'_> {
        let offset = self.offset;
        let head = self.buffer[self.start..][..length.min(HEAD)].to_vec();
        self.skip(length);
        Piece::LongLine { offset, length: length as u64, head }
    }

    /// Goes on to the end of a line that is too long already, and keeps its head only.
    fn pass_over(&mut self, deadline: Instant) -> Result<Piece<'_>, Broken> {
        let offset = self.offset;
        let head = self.buffer[self.start..self.end][..HEAD.min(self.end - self.start)].to_vec();
        self.skip(self.end - self.start);
        (self.start, self.end, self.buffer) = (0, 0, Vec::new());
        loop {
            if Instant::now() >= deadline {
                return Err(Broken::Deadline);
            }
            self.fill(BUDGET_AT_MOST);
            let waiting = &self.buffer[self.start..self.end];
            match memchr::memchr(b'\n', waiting) {
                Some(at) => {
                    self.skip(at + 1);
                    break;
                }
                None => self.skip(waiting.len()),
            }
            if self.state != State::Open {
                break;
            }
        }
        Ok(Piece::LongLine { offset, length: self.offset - offset, head })
    }

    fn skip(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Reads until `wanted` more bytes are there or the stream is over.
    fn fill(&mut self, wanted: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let target = self.end + wanted;
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        } else if self.buffer.len() > KEPT && target <= KEPT {
            self.buffer.truncate(KEPT);
            self.buffer.shrink_to_fit();
        }
        while self.end < target && self.state == State::Open {
            match self.stream.read(&mut self.buffer[self.end..target]) {
                Ok(0) => self.state = State::Ended,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.damage = error.to_string();
                    self.state = State::Damaged;
                }
            }
        }
    }
}

/// Returns where to cut: after the last line feed within `budget`, or else after the first one beyond it.
fn cut(waiting: &[u8], budget: usize, searched: usize) -> Option<usize> {
    let within = &waiting[..budget.min(waiting.len())];
    if searched < within.len()
        && let Some(at) = memchr::memrchr(b'\n', within)
    {
        return Some(at + 1);
    }
    let from = searched.max(within.len());
    memchr::memchr(b'\n', &waiting[from..]).map(|at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn all(text: &'static [u8], budget: u32, record: u64) -> Vec<String> {
        let mut lines = Lines::new(Box::new(text), 0, record);
        let mut seen = Vec::new();
        loop {
            match lines.next(budget, later()).unwrap() {
                Piece::Lines { offset, bytes } => {
                    seen.push(format!("{offset}:{}", String::from_utf8_lossy(bytes)));
                }
                Piece::LongLine { offset, length, head } => {
                    seen.push(format!("{offset}+{length}:{}", String::from_utf8_lossy(&head)));
                }
                Piece::End => return seen,
            }
        }
    }

    #[test]
    fn lines_come_whole_and_as_many_as_fit() {
        #[rustfmt::skip]
        let cases: &[(&str, &[u8], u32, &[&str])] = &[
            ("nothing",                 b"",              9, &[]),
            ("all fit",                 b"a\nb\nc\n",     9, &["0:a\nb\nc\n"]),
            ("two fit",                 b"a\nb\nc\n",     5, &["0:a\nb\n", "4:c\n"]),
            ("one is longer",           b"abcdef\ng\n",   3, &["0:abcdef\n", "7:g\n"]),
            ("no line feed at the end", b"a\nb",          9, &["0:a\n", "2:b"]),
            ("empty lines",             b"\n\n\n",        2, &["0:\n\n", "2:\n"]),
        ];
        for (name, text, budget, expected) in cases {
            assert_eq!(all(text, *budget, 1024), *expected, "{name}");
        }
    }

    #[test]
    fn a_line_longer_than_a_record_is_passed_over() {
        #[rustfmt::skip]
        let cases: &[(&str, &[u8], &[&str])] = &[
            ("in the middle", b"a\nbcdefg\nh\n", &["0:a\n", "2+7:bcdefg\n", "9:h\n"]),
            ("at the end",    b"a\nbcdefg",       &["0:a\n", "2+6:bcdefg"]),
            ("just fits",     b"bcd\ne\n",        &["0:bcd\n", "4:e\n"]),
        ];
        for (name, text, expected) in cases {
            assert_eq!(all(text, 9, 4), *expected, "{name}");
        }
    }

    #[test]
    fn a_very_long_line_keeps_its_head_only() {
        let stream = Box::new(io::repeat(b'x').take(5_000_000).chain(&b"\nend\n"[..]));
        let mut lines = Lines::new(stream, 0, 100_000);
        let Piece::LongLine { offset: 0, length: 5_000_001, head } =
            lines.next(65_536, later()).unwrap()
        else {
            panic!("not a long line")
        };
        assert_eq!(head, vec![b'x'; HEAD]);
        assert!(lines.buffer.len() <= KEPT);
        let last = lines.next(65_536, later()).unwrap();
        assert_eq!(last, Piece::Lines { offset: 5_000_001, bytes: b"end\n" });
    }

    #[test]
    fn what_came_before_the_damage_is_given_first() {
        struct Damage;
        impl Read for Damage {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let mut lines = Lines::new(Box::new(b"a\nb\nc".chain(Damage)), 0, 1024);
        let first = lines.next(99, later()).unwrap();
        assert_eq!(first, Piece::Lines { offset: 0, bytes: b"a\nb\n" });
        let second = lines.next(99, later()).unwrap();
        assert_eq!(second, Piece::Lines { offset: 4, bytes: b"c" });
        assert!(matches!(lines.next(99, later()), Err(Broken::Failed(_))));
    }

    #[test]
    fn a_document_is_given_whole_or_not_at_all() {
        let mut fits = Lines::new(Box::new(&b"{\n}"[..]), 0, 3);
        assert_eq!(fits.document().unwrap(), Piece::Lines { offset: 0, bytes: b"{\n}" });
        let mut does_not = Lines::new(Box::new(&b"{\n }"[..]), 0, 3);
        assert!(matches!(does_not.document(), Err(Broken::TooLarge)));
    }
}
