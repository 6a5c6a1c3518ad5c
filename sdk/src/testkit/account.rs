//! The accounting check: every byte that was read has an event that stands for it.

use crate::{Event, Span};

/// Checks spans against the lengths of the inputs that were read.
pub(super) fn check(events: &[Event], lengths: &[Option<u64>]) -> Result<(), String> {
    let mut last: Vec<Option<Span>> = vec![None; lengths.len()];
    for (index, event) in events.iter().enumerate() {
        let Some(span) = span_of(event) else { continue };
        let length = match lengths.get(span.input as usize) {
            Some(Some(length)) => *length,
            _ => return Err(format!("event {index} is of an input that was not read: {span:?}")),
        };
        let slot = &mut last[span.input as usize];
        let (start, end) = slot.map_or((0, 0), |span| (span.offset, span.end()));
        if span.offset < start || span.end() < end {
            return Err(format!("event {index} goes backwards: {span:?} after {slot:?}"));
        }
        if span.offset > end {
            return Err(format!("no event for the bytes from {end} to {}", span.offset));
        }
        if span.end() > length {
            return Err(format!("event {index} ends after the input: {span:?} of {length}"));
        }
        *slot = Some(span);
    }
    for (input, length) in lengths.iter().enumerate() {
        let end = last[input].map_or(0, Span::end);
        if let Some(length) = *length
            && end != length
        {
            return Err(format!("input {input}: no event for the bytes from {end} to {length}"));
        }
    }
    Ok(())
}

fn span_of(event: &Event) -> Option<Span> {
    match event {
        Event::Message(message) => Some(message.span),
        Event::Skip(skip) => Some(skip.span),
        Event::Failure(failure) => Some(failure.span),
        Event::Item(found) => Some(found.span),
        _ => None,
    }
}
