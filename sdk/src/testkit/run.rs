//! One run, and what came of it.

use std::path::Path;

use super::files::{File, from_folder, from_texts};
use super::memory::Memory;
use super::{account, resume};
use crate::drive::{Drive, Sink};
use crate::{
    Counter, Description, Entry, Event, Fact, Failure, Fault, Ignored, Message, Note, Provider,
    Scan, Skip, Thread, Unit,
};

/// Small, so that pages and calls end in the middle of things.
pub(super) const BUDGET: u32 = 16 << 10;

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
/// If a file cannot be read, the plan fails, bytes are not accounted for, or a resumed scan emits other things.
pub fn run<P: Provider>(folder: impl AsRef<Path>) -> Run {
    run_over::<P>(from_folder(folder.as_ref(), &P::description()))
}

/// Runs a provider over files given as path and text; `root:path` is below another root than the first.
///
/// # Panics
/// If the plan fails, bytes are not accounted for, or a resumed scan emits other things.
pub fn run_files<P: Provider>(files: &[(&str, &str)]) -> Run {
    run_over::<P>(from_texts(files, &P::description()))
}

pub(super) fn run_over<P: Provider>(files: Vec<File>) -> Run {
    let entries: Vec<Entry> = files.iter().map(|file| file.entry.clone()).collect();
    let mut notes = Vec::new();
    let plan = P::plan(&entries, &mut Memory::of(files.iter().collect()), &mut notes)
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
    let mut memory = Memory::of(inputs.clone());
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

    if let Err(problem) = account::check(&done.events, &memory.lengths_read()) {
        panic!("unit `{}`: {problem}", done.id);
    }
    resume::check::<P>(unit, &inputs, &done);
    done
}

/// Keeps all events.
pub(super) struct Collect<'e>(pub(super) &'e mut Vec<Event>);

impl Sink for Collect<'_> {
    fn emit(&mut self, page: &[Event]) {
        self.0.extend_from_slice(page);
    }
}
