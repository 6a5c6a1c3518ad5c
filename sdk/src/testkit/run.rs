//! One run, and what came of it.

use std::path::Path;

use super::account;
use super::files::{File, from_folder, from_texts};
use crate::drive::{Drive, Sink, Source};
use crate::{
    Chunk, Counter, Description, Entry, Event, Fact, Failure, Fault, Ignored, Lines, LongLine,
    Message, Note, Peek, Provider, ReadError, Scan, Skip, Thread, Unit,
};

/// Small, so that pages and calls end in the middle of things.
const BUDGET: u32 = 16 << 10;
/// How long a line may be, as in the host.
const LONGEST: usize = 32 << 20;

/// What a provider made of a folder.
#[derive(Debug)]
pub struct Run {
    /// What the provider says it is.
    pub description: Description,
    /// The units, in the order of the plan.
    pub units: Vec<UnitRun>,
    /// Entries that are known and hold no history.
    pub ignored: Vec<Ignored>,
    /// Notes made while planning.
    pub notes: Vec<Note>,
    /// Paths of entries that the plan left out.
    pub not_planned: Vec<String>,
}

/// What a provider made of a unit.
#[derive(Debug)]
pub struct UnitRun {
    /// Identity of the unit.
    pub id: String,
    /// Paths of its inputs.
    pub inputs: Vec<String>,
    /// Everything that was emitted.
    pub events: Vec<Event>,
    /// The client's own totals.
    pub counters: Vec<Counter>,
    /// Why the unit failed, if it did.
    pub fault: Option<Fault>,
}

impl UnitRun {
    /// Returns the messages.
    pub fn messages(&self) -> Vec<&Message> {
        self.pick(|event| if let Event::Message(it) = event { Some(it) } else { None })
    }

    /// Returns the heads of the threads.
    pub fn threads(&self) -> Vec<&Thread> {
        self.pick(|event| if let Event::ThreadStart(it) = event { Some(it) } else { None })
    }

    /// Returns the facts.
    pub fn facts(&self) -> Vec<&Fact> {
        self.pick(|event| if let Event::Fact(it) = event { Some(it) } else { None })
    }

    /// Returns the skips.
    pub fn skips(&self) -> Vec<&Skip> {
        self.pick(|event| if let Event::Skip(it) = event { Some(it) } else { None })
    }

    /// Returns the failures.
    pub fn failures(&self) -> Vec<&Failure> {
        self.pick(|event| if let Event::Failure(it) = event { Some(it) } else { None })
    }

    fn pick<'a, T>(&'a self, of: impl Fn(&'a Event) -> Option<&'a T>) -> Vec<&'a T> {
        self.events.iter().filter_map(of).collect()
    }
}

/// Runs a provider over a folder.
///
/// Files below a folder named like one of the roots belong to that root; where there is no such folder, all files
/// belong to the first root. Only what the root's globs match is seen.
///
/// # Panics
/// If a file cannot be read, the plan fails, or bytes are not accounted for.
pub fn run<P: Provider>(folder: impl AsRef<Path>) -> Run {
    run_over::<P>(from_folder(folder.as_ref(), &P::description()))
}

/// Runs a provider over files given as path and text; `root:path` is below another root than the first.
///
/// # Panics
/// If the plan fails, or bytes are not accounted for.
pub fn run_files<P: Provider>(files: &[(&str, &str)]) -> Run {
    run_over::<P>(from_texts(files, &P::description()))
}

fn run_over<P: Provider>(files: Vec<File>) -> Run {
    let entries: Vec<Entry> = files.iter().map(|file| file.entry.clone()).collect();
    let mut notes = Vec::new();
    let plan = P::plan(&entries, &mut Memory::all(&files), &mut notes)
        .unwrap_or_else(|fault| panic!("the plan failed: {fault:?}"));

    let is_planned = |index: u32| {
        plan.ignored.iter().any(|ignored| ignored.entry == index)
            || plan.units.iter().any(|unit| unit.inputs.contains(&index))
    };
    let not_planned = (0..).zip(&entries).filter(|(index, _)| !is_planned(*index));
    Run {
        description: P::description(),
        not_planned: not_planned.map(|(_, entry)| entry.path.clone()).collect(),
        units: plan.units.iter().map(|unit| run_unit::<P>(unit, &files)).collect(),
        ignored: plan.ignored,
        notes,
    }
}

fn run_unit<P: Provider>(unit: &Unit, files: &[File]) -> UnitRun {
    let inputs: Vec<&File> = unit.inputs.iter().map(|&index| &files[index as usize]).collect();
    let entries: Vec<Entry> = inputs.iter().map(|file| file.entry.clone()).collect();
    let mut done = UnitRun {
        id: unit.id.clone(),
        inputs: entries.iter().map(|entry| entry.path.clone()).collect(),
        events: Vec::new(),
        counters: Vec::new(),
        fault: None,
    };
    let mut memory = Memory { files: inputs, open: None, was_read: vec![false; entries.len()] };
    let scan = match P::open(&unit.id, &entries, &unit.context) {
        Ok(scan) => scan,
        Err(fault) => return UnitRun { fault: Some(fault), ..done },
    };
    let mut drive = Drive::new(scan, entries.len() as u32);
    loop {
        match drive.advance(BUDGET, &mut memory, &mut Collect(&mut done.events)) {
            Ok(progress) if progress.done => break,
            Ok(_) => {}
            Err(fault) => return UnitRun { fault: Some(fault), ..done },
        }
    }
    done.counters = drive.scan().counters();

    let lengths: Vec<Option<u64>> = (memory.files.iter().zip(&memory.was_read))
        .map(|(file, was_read)| was_read.then_some(file.bytes.len() as u64))
        .collect();
    if let Err(problem) = account::check(&done.events, &lengths) {
        panic!("unit `{}`: {problem}", done.id);
    }
    done
}

struct Collect<'e>(&'e mut Vec<Event>);

impl Sink for Collect<'_> {
    fn emit(&mut self, page: &[Event]) {
        self.0.extend_from_slice(page);
    }
}

/// Inputs that are held in memory.
struct Memory<'f> {
    files: Vec<&'f File>,
    open: Option<(usize, usize)>,
    was_read: Vec<bool>,
}

impl<'f> Memory<'f> {
    fn all(files: &'f [File]) -> Self {
        Self { files: files.iter().collect(), open: None, was_read: Vec::new() }
    }

    fn bytes(&self, entry: u32) -> Option<&'f [u8]> {
        self.files.get(entry as usize).map(|file| file.bytes.as_slice())
    }
}

impl Source for Memory<'_> {
    fn open(&mut self, input: u32) -> Result<(), ReadError> {
        let was_read = self.was_read.get_mut(input as usize).ok_or(ReadError::Denied)?;
        *was_read = true;
        self.open = Some((input as usize, 0));
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
