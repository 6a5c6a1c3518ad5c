//! Units that grew: where one is gone on with, and where the next run will go on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use hyp_cache::{Checkpoint, Store};
use hyp_materialize::{Exchange, Source};
use hyp_plugin::{Compression, Lent, UnitInputs};
use sha2::{Digest, Sha256};

use crate::discover::hex;
use crate::retold::Earlier;
use crate::tally::{ID_TAKEN, Tally};
use crate::work::Work;

/// Bytes at the start of an input, and before a checkpoint, that must be as they were.
const COMPARED: u64 = 4 << 10;

/// Checkpoints further from the end of their input are of no use. Components read at most half as much in one call.
const NEAR_END: u64 = 16 << 20;

/// Bytes of a materializer's state, unpacked.
const STATE_BYTES: usize = 16 << 20;

/// Hashes of the first bytes of a file and of the last ones before an offset.
pub(crate) type Prints = (Vec<u8>, Vec<u8>);

/// Bytes by what became of them.
pub(crate) type Bytes = BTreeMap<String, u64>;

/// What a unit is gone on with.
pub(crate) struct Resume {
    /// Where the component goes on.
    pub(crate) from: hyp_plugin::Checkpoint,
    /// The materializer as it was there.
    pub(crate) exchange: Exchange,
    pub(crate) before: Before,
}

/// What is known of the part of a unit that is not read again.
pub(crate) struct Before {
    /// Its bytes by what became of them.
    pub(crate) accounting: Bytes,
    /// Its records that gave no row, by kind.
    pub(crate) records: BTreeMap<String, u64>,
    /// Where it ends. Goes to the next run unless that can go on from a later point.
    checkpoint: Checkpoint,
}

impl Before {
    /// Returns the input that is gone on with, and from where.
    pub(crate) fn end(&self) -> (u32, u64) {
        (self.checkpoint.input, self.checkpoint.offset)
    }

    /// Returns the checkpoint that the unit was gone on from, for the next run to do the same.
    pub(crate) fn again(&self, unit: &UnitInputs) -> Option<Checkpoint> {
        let input = usize::try_from(self.checkpoint.input).ok()?;
        let size = unit.inputs.get(input)?.entry.size;
        Some(Checkpoint { size, ..self.checkpoint.clone() })
    }
}

/// Looks up what an earlier reading of a unit left: what it told, if that may be held against what is told now, and
/// where it can be gone on with.
pub(crate) fn look_up(
    store: &Store,
    source: &Source,
    work: &Work,
) -> (Option<Earlier>, Option<Resume>) {
    let checkpoint = || store.checkpoint(&source.provider, &source.unit_id).ok().flatten();
    let Some(checkpoint) = work.was_read.then(checkpoint).flatten() else { return (None, None) };
    let earlier = is_all_there(&checkpoint, &work.inputs).then(|| Earlier::new(&checkpoint));
    (earlier, find(checkpoint, source.clone(), work))
}

/// Finds where a unit that changed can be gone on with: nothing where any doubt is left that one of its inputs grew
/// and nothing else happened.
fn find(checkpoint: Checkpoint, source: Source, work: &Work) -> Option<Resume> {
    let earlier = work.grown_from.as_ref().filter(|_| !checkpoint.host.is_empty())?;
    let input = usize::try_from(checkpoint.input).ok()?;
    let lent = work.inputs.inputs.get(input).filter(|lent| is_plain(lent))?;
    // A file that was too young to trust its time has no fingerprint: it may not have grown at all.
    let may_be_same = earlier.fingerprint.is_empty() && lent.entry.size == checkpoint.size;
    let is_as_before = (lent.entry.size > checkpoint.size || may_be_same)
        && checkpoint.frame == frame(&work.inputs, input)
        && prints(&lent.file, checkpoint.offset)?
            == (checkpoint.head.clone(), checkpoint.tail.clone());
    if !is_as_before {
        return None;
    }
    let host = zstd::bulk::decompress(&checkpoint.host, STATE_BYTES).ok()?;
    Some(Resume {
        from: hyp_plugin::Checkpoint {
            input: checkpoint.input,
            offset: checkpoint.offset,
            state: checkpoint.component.clone(),
        },
        exchange: Exchange::restore(source, &host)?,
        before: Before {
            accounting: serde_json::from_str(&checkpoint.accounting).ok()?,
            records: serde_json::from_str(&checkpoint.records).ok()?,
            checkpoint,
        },
    })
}

/// Says whether everything is still there that was read of a unit, and nothing else of it is stored.
fn is_all_there(checkpoint: &Checkpoint, unit: &UnitInputs) -> bool {
    let same = || {
        let input = usize::try_from(checkpoint.input).ok()?;
        let (last, others) = unit.inputs.split_last()?;
        let is_last = others.len() == input && checkpoint.frame == frame(unit, input);
        let (_, end) = prints(&last.file, checkpoint.size)?;
        let up_to_here = prints(&last.file, checkpoint.offset)?;
        let is_same = end == checkpoint.end
            && up_to_here == (checkpoint.head.clone(), checkpoint.tail.clone());
        Some(is_last && is_same)
    };
    !checkpoint.has_strays && same().unwrap_or_default()
}

/// Returns the prints of a unit's last input.
pub(crate) fn prints_of_end(unit: &UnitInputs) -> Option<Prints> {
    let last = unit.inputs.last().filter(|last| last.database.is_none())?;
    prints(&last.file, last.entry.size)
}

/// Returns what a later reading is held against where none can go on.
pub(crate) fn ending(unit: &UnitInputs, (head, tail): Prints) -> Option<Checkpoint> {
    let input = unit.inputs.len().checked_sub(1)?;
    let size = unit.inputs.last()?.entry.size;
    Some(Checkpoint {
        frame: frame(unit, input),
        input: u32::try_from(input).ok()?,
        size,
        offset: size,
        head,
        tail,
        accounting: "{}".to_owned(),
        records: "{}".to_owned(),
        ..Checkpoint::default()
    })
}

/// A point in a unit that the next run may go on from.
pub(crate) struct Point {
    at: hyp_plugin::Checkpoint,
    /// Bytes of the input that came after it when the files were listed.
    left: u64,
    host: Vec<u8>,
    prints: Prints,
    message_bytes: u64,
    other_bytes: Bytes,
    records: BTreeMap<String, u64>,
}

impl Point {
    /// Makes a point of a checkpoint that is near enough to the end, and nearer than the last one by far.
    ///
    /// Everything that the component emitted before has been pushed to the exchange, and taken from it.
    pub(crate) fn new(
        at: hyp_plugin::Checkpoint,
        last: Option<&Self>,
        work: &Work,
        (exchange, tally): (&Exchange, &Tally),
    ) -> Option<Self> {
        let lent = work.inputs.inputs.get(usize::try_from(at.input).ok()?)?;
        let left = lent.entry.size.saturating_sub(at.offset);
        let is_useful = left <= NEAR_END && last.is_none_or(|last| left <= last.left / 2);
        if !is_useful || !is_plain(lent) {
            return None;
        }
        Some(Self {
            left,
            host: exchange.save()?,
            prints: prints(&lent.file, at.offset)?,
            message_bytes: tally.message_bytes,
            other_bytes: tally.other_bytes.clone(),
            records: tally.records.clone(),
            at,
        })
    }

    /// Returns input and offset.
    pub(crate) fn place(&self) -> (u32, u64) {
        (self.at.input, self.at.offset)
    }

    /// Returns the checkpoint that the store keeps, with `rows` as the bytes of rows before it.
    pub(crate) fn checkpoint(
        self,
        unit: &UnitInputs,
        before: Option<&Before>,
        rows: &BTreeMap<&'static str, u64>,
    ) -> Option<Checkpoint> {
        let mut accounting = self.other_bytes;
        let mut add =
            |reason: &str, bytes: u64| *accounting.entry(reason.to_owned()).or_default() += bytes;
        for (reason, bytes) in rows {
            // Whoever goes on from here has these in the store.
            let is_absent = matches!(*reason, "outside_window" | "expired" | ID_TAKEN);
            add(if is_absent { reason } else { "stored_already" }, *bytes);
        }
        add("no_row", self.message_bytes.saturating_sub(rows.values().sum()));
        for (reason, bytes) in before.iter().flat_map(|before| &before.accounting) {
            add(reason, *bytes);
        }
        accounting.retain(|_, bytes| *bytes > 0);
        let mut records = self.records;
        for (kind, number) in before.iter().flat_map(|before| &before.records) {
            *records.entry(kind.clone()).or_default() += number;
        }
        let input = usize::try_from(self.at.input).ok()?;
        Some(Checkpoint {
            frame: frame(unit, input),
            input: self.at.input,
            size: unit.inputs.get(input)?.entry.size,
            offset: self.at.offset,
            head: self.prints.0,
            tail: self.prints.1,
            accounting: serde_json::to_string(&accounting).ok()?,
            records: serde_json::to_string(&records).ok()?,
            component: self.at.state,
            host: zstd::bulk::compress(&self.host, 1).ok()?,
            ..Checkpoint::default()
        })
    }
}

/// Says whether an input's offsets are those of its file.
pub(crate) fn is_plain(lent: &Lent) -> bool {
    lent.compression == Compression::None && lent.database.is_none()
}

/// Returns a hash over what must not change where `input` may grow. Those after it are read again in any case.
fn frame(unit: &UnitInputs, input: usize) -> String {
    let mut hash = Sha256::new();
    for (at, lent) in unit.inputs.iter().enumerate().take(input + 1) {
        hash.update(lent.file.as_os_str().as_encoded_bytes());
        let is_growing = at == input;
        let (size, modified) = (lent.entry.size, lent.entry.modified);
        hash.update(if is_growing { "\0\n".to_owned() } else { format!("\0{size}\0{modified}\n") });
    }
    hash.update(&unit.context);
    hex(&hash.finalize()[..16])
}

/// Returns hashes of the first bytes of a file and of the last ones before an offset.
fn prints(file: &Path, offset: u64) -> Option<Prints> {
    let mut file = File::open(file).ok()?;
    let length = COMPARED.min(offset);
    let mut print = |from: u64| {
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        file.by_ref().take(length).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == length).then(|| Sha256::digest(&bytes)[..16].to_vec())
    };
    Some((print(0)?, print(offset - length)?))
}
