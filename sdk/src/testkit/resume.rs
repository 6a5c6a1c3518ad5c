//! The resume check: wherever a scan is saved, going on from there gives what comes of the whole unit.

use super::files::File;
use super::memory::Memory;
use super::run::{BUDGET, Collect, UnitRun};
use crate::drive::{Checkpoint, Drive};
use crate::{Entry, Event, Provider, Scan, Unit};

/// Checkpoints of a unit that are tried at most.
const TRIED: usize = 64;

/// Saves a unit wherever it can be, also in the smallest inputs, and goes on from each such point.
pub(super) fn check<P: Provider>(unit: &Unit, files: &[&File], whole: &UnitRun) {
    let entries: Vec<Entry> = files.iter().map(|file| file.entry.clone()).collect();
    let inputs = entries.len() as u32;
    let Ok(scan) = P::open(&unit.id, &entries, &unit.context) else { return };
    let mut drive = Drive::new(scan, inputs).with_checkpoints_from(0);
    let mut memory = Memory::of(files.to_vec());
    let mut events = Vec::new();
    let mut saved = Vec::new();
    // One byte is less than any event: each call ends after the next line that emits something.
    while let Ok(progress) = drive.advance(1, &mut memory, &mut Collect(&mut events)) {
        saved.extend(progress.checkpoint.map(|checkpoint| (events.len(), checkpoint)));
        if progress.done {
            break;
        }
    }
    let expected = lines(whole.events.iter());
    for (emitted, bytes) in saved.iter().step_by(saved.len().div_ceil(TRIED).max(1)) {
        let checkpoint = Checkpoint::read(bytes).expect("the driver wrote it");
        let place = format!("unit `{}` saved at byte {}", unit.id, checkpoint.offset);
        let scan = P::resume(&unit.id, &entries, &unit.context, checkpoint.state)
            .unwrap_or_else(|| panic!("{place} is not resumed"));
        let mut drive = Drive::from(scan, inputs, &checkpoint);
        let mut rest = Vec::new();
        while let Ok(progress) = drive.advance(BUDGET, &mut memory, &mut Collect(&mut rest)) {
            if progress.done {
                break;
            }
        }
        let resumed = lines(events[..*emitted].iter().chain(&rest));
        let differs = resumed.iter().zip(&expected).find(|(one, other)| one != other);
        if let Some((resumed, expected)) = differs {
            panic!("{place} goes on with\n  {resumed}\ninstead of\n  {expected}");
        }
        assert_eq!(resumed.len(), expected.len(), "{place}: number of events");
        let totals = |counters| format!("{counters:?}");
        assert_eq!(totals(&drive.scan().counters()), totals(&whole.counters), "{place}");
    }
}

/// Returns events as text. Skips of one kind are one, wherever a page happened to end between them.
fn lines<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<String> {
    let mut merged: Vec<Event> = Vec::new();
    for event in events {
        match (merged.last_mut(), event) {
            (Some(Event::Skip(last)), Event::Skip(next))
                if last.kind == next.kind
                    && last.span.input == next.span.input
                    && last.span.end() == next.span.offset =>
            {
                last.span.length += next.span.length;
                last.count += next.count;
            }
            _ => merged.push(event.clone()),
        }
    }
    merged.iter().map(|event| format!("{event:?}")).collect()
}
