//! What a reading tells, against what an earlier reading of the same bytes told.

use std::collections::HashSet;

use hyp_cache::{Checkpoint, PartSet, PartSum, Telling, Untold, Writer};
use hyp_model::row::{Key, Row};

use crate::error::BackfillError;
use crate::resume::Prints;
use crate::worker::{UnitEnd, input_id};

/// The parts that a reading of a unit tells.
#[derive(Default)]
pub(crate) struct Retold {
    told: PartSet,
    /// Input and offset that the next run may go on from.
    mark: (u32, u64),
    /// Messages from before the mark whose rows were held back there: the next run does not tell them again.
    held_back: HashSet<String>,
    /// Parts that the next run tells again, if it tells what this one does.
    pub(crate) again: PartSum,
    /// Those of them that are of records before the mark.
    pub(crate) late: Vec<Key>,
    /// The earlier reading, where all that it read is still there and nothing else is stored.
    pub(crate) earlier: Option<Earlier>,
    /// Prints of the unit's last input, of all that was to be read.
    pub(crate) prints: Option<Prints>,
    /// True where stored rows may be of bytes that are no longer there.
    pub(crate) has_strays: bool,
}

/// What an earlier reading left.
#[derive(Clone)]
pub(crate) struct Earlier {
    /// What is told again, from where it can be gone on with.
    again: PartSum,
    late: Vec<Key>,
    is_from_start: bool,
}

impl Earlier {
    pub(crate) fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            again: checkpoint.told,
            late: checkpoint.late.clone(),
            is_from_start: checkpoint.host.is_empty(),
        }
    }
}

impl Retold {
    /// Takes in a row that is told.
    pub(crate) fn note(&mut self, row: &Row) {
        self.told.insert(&row.part_id);
        let span = row.message.span;
        let is_before = (span.input, span.offset) < self.mark;
        if is_before && self.held_back.contains(&row.message.message_id) {
            return;
        }
        self.again.add(&row.part_id);
        if is_before {
            self.late.push(Key::of(row.part_id.as_bytes()));
        }
    }

    /// Sets where the next run may go on from.
    pub(crate) fn reach<'a>(&mut self, mark: (u32, u64), held: impl Iterator<Item = &'a str>) {
        self.mark = mark;
        self.held_back = held.map(str::to_owned).collect();
        self.again = PartSum::default();
        self.late.clear();
    }
}

/// Returns the stored rows of a unit that are no longer told, and notes whether it is known of all others why they are
/// stored.
pub(crate) fn untold(
    writer: &mut Writer,
    provider: &str,
    unit: &str,
    end: &mut UnitEnd,
) -> Result<Vec<Untold>, BackfillError> {
    let start = end.before.as_ref().map(|before| before.end());
    let is_readable = end.inputs.iter().all(|input| input.failed.is_none());
    end.retold.has_strays = true;
    // Of a unit that was gone on with, rows do not say which of its inputs they are of, and only the earlier reading which
    // of them are told again.
    let can_say = start.is_none() || (end.inputs.len() == 1 && end.retold.earlier.is_some());
    if !is_readable || !can_say {
        return Ok(Vec::new());
    }
    // As a rule, the earlier reading told the beginning of what this one does.
    let is_same_start = |it: &&Earlier| {
        it.is_from_start == start.is_none() && end.retold.told.begins_with(&it.again)
    };
    if end.retold.earlier.as_ref().filter(is_same_start).is_some() {
        end.retold.has_strays = false;
        return Ok(Vec::new());
    }
    let input_id = input_id(provider, unit);
    let untold = writer.untold(&Telling {
        input_id: &input_id,
        threads: &end.times.threads,
        first_at: end.times.first_at,
        last_at: end.times.last_at,
        told: &end.retold.told,
        from: start.map_or(0, |(_, offset)| offset),
        late: end.retold.earlier.as_ref().map_or(&[], |earlier| &earlier.late),
    })?;
    let Some(mut untold) = untold else { return Ok(Vec::new()) };
    let count = untold.len();
    if end.retold.earlier.is_none() {
        untold.clear();
    }
    // What cannot be read any more may have been read well before.
    let is_failed = |row: &Untold| {
        let mut failed = end.tally.failures.iter();
        failed.any(|it| (it.span.offset, it.span.length) == row.span)
    };
    untold.retain(|row| end.tally.more_failures == 0 && !is_failed(row));
    end.retold.has_strays = untold.len() < count;
    Ok(untold)
}
