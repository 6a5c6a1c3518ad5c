//! Rows that come again from where they came from: whether they still say the same.
//!
//! Every such row is compared with the stored one, column by column. What the store changed itself is taken
//! into account: a row that was found to be a copy is compared as one, and tokens are told apart, since those
//! of a response may be learnt after its first row was handed out.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::cmp::not_distinct;
use hyp_model::dataset::{COLUMNS, Column, TOKENS, Type};
use hyp_model::judge::Verdict;
use hyp_model::usage;

use crate::error::StoreError;
use crate::index::Hit;
use crate::judge::{Arriving, Judgement};
use crate::own::Place;
use crate::rows;
use crate::writer::Writer;

/// Columns that are compared by hand, or not at all.
const APART: &[&str] = &["run_id", "is_replay", "replay_of", "attributes"];

/// Columns that only a recording can tell: without them on one side, rows say the same.
const PLACED: &[&str] = &["input_offset", "input_length"];

/// Member of the attributes that tells where the recording lies: it may be moved, and says the same.
const PLACE: &str = "gateway";

/// Positions of rows that come again, by the file and position of the stored ones.
#[derive(Debug, Default)]
pub(crate) struct Again {
    by_file: BTreeMap<String, BTreeMap<u64, usize>>,
}

impl Again {
    pub(crate) fn add(&mut self, at: usize, hit: Hit) {
        self.by_file.entry(hit.file).or_default().insert(hit.row, at);
    }
}

/// What differs between two rows of one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    None,
    Tokens,
    Content,
}

impl Writer {
    /// Has rows replaced that say something else than before.
    pub(crate) fn compare(
        &self,
        again: Again,
        arriving: Arriving<'_>,
        places: &[Place],
        judgement: &mut Judgement,
    ) -> Result<(), StoreError> {
        for (file, hits) in again.by_file {
            let path = self.store.layout().resolve(&file);
            let stored = rows::at_positions(&path, &hits.keys().copied().collect())?;
            let at: Vec<usize> = hits.into_values().collect();
            let batch = rows::conform(&(arriving.content)(&at))
                .map_err(|reason| StoreError::Rows { reason })?;
            if stored.num_rows() != at.len() || batch.num_rows() != at.len() {
                return Err(StoreError::damaged(&path, "rows are missing"));
            }
            let pair = Pair::new(&stored, &batch)?;
            for (row, at) in at.into_iter().enumerate() {
                let candidate = &arriving.rows[at];
                let is_own_copy = || self.is_own_copy(&candidate.part_id);
                let is_fork = self.threads.is_fork(places[at].thread);
                match pair.difference(row, is_fork, is_own_copy)? {
                    Difference::None => {}
                    Difference::Tokens => judgement.other_tokens.push(at),
                    Difference::Content => judgement.verdicts[at] = Verdict::Refresh,
                }
            }
        }
        Ok(())
    }
}

/// Stored rows and arriving ones, in one order.
struct Pair<'a> {
    stored: Columns<'a>,
    arriving: Columns<'a>,
    /// Whether the columns that are compared as they are say the same.
    is_same: Vec<bool>,
    has_same_tokens: Vec<bool>,
}

/// Columns that the store changes itself.
struct Columns<'a> {
    is_replay: &'a arrow::array::BooleanArray,
    replay_of: &'a arrow::array::StringArray,
    attributes: &'a arrow::array::StringArray,
    one_hour: &'a arrow::array::Int64Array,
    offset: &'a arrow::array::Int64Array,
}

impl<'a> Columns<'a> {
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            is_replay: batch.column_by_name("is_replay")?.as_boolean_opt()?,
            replay_of: text("replay_of")?,
            attributes: text("attributes")?,
            one_hour: batch.column_by_name("cache_write_1h_tokens")?.as_primitive_opt()?,
            offset: batch.column_by_name(PLACED[0])?.as_primitive_opt()?,
        })
    }

    fn is_replay(&self, row: usize) -> bool {
        self.is_replay.is_valid(row) && self.is_replay.value(row)
    }
}

fn value(column: &arrow::array::StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

impl<'a> Pair<'a> {
    fn new(stored: &'a RecordBatch, arriving: &'a RecordBatch) -> Result<Self, StoreError> {
        let mut is_same = vec![true; stored.num_rows()];
        let mut has_same_tokens = is_same.clone();
        let is_compared = |column: &&Column| !APART.contains(&column.name);
        for Column { name, kind, .. } in COLUMNS.iter().filter(is_compared) {
            let same = if TOKENS.contains(name) { &mut has_same_tokens } else { &mut is_same };
            let columns = (stored.column_by_name(name), arriving.column_by_name(name));
            match kind {
                _ if PLACED.contains(name) => compare_where_known(columns, same)?,
                Type::Json => compare_json(columns, same)?,
                _ => compare(columns.0, columns.1, same)?,
            }
        }
        let missing = || StoreError::Rows { reason: "columns are missing".to_owned() };
        Ok(Self {
            stored: Columns::new(stored).ok_or_else(missing)?,
            arriving: Columns::new(arriving).ok_or_else(missing)?,
            is_same,
            has_same_tokens,
        })
    }

    /// Returns what differs; what a fork says it copied may be none for the store, as long as its origin is not there.
    fn difference(
        &self,
        row: usize,
        is_fork: bool,
        is_own_copy: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<Difference, StoreError> {
        // What was recorded while it was said adds nothing to what the recording itself told.
        if self.stored.offset.is_valid(row) && !self.arriving.offset.is_valid(row) {
            return Ok(Difference::None);
        }
        if !self.is_same[row] {
            return Ok(Difference::Content);
        }
        let (was_copy, is_copy) = (self.stored.is_replay(row), self.arriving.is_replay(row));
        let before = value(self.stored.attributes, row).unwrap_or("{}");
        let after = value(self.arriving.attributes, row).unwrap_or("{}");
        if !was_copy && !is_copy && before == after && self.has_same_tokens[row] && !is_fork {
            return Ok(Difference::None);
        }
        let is_linked = is_copy && value(self.arriving.replay_of, row).is_some();
        // A copy that the store found is none to its recording.
        let is_changed = match (was_copy, is_copy) {
            _ if is_fork && !is_linked => is_own_copy()? != is_copy,
            (false, true) => true,
            (true, false) => is_own_copy()?,
            // The original may be the store's finding, and is not told by the recording then. So may be that it is a copy.
            (true, true) => {
                let had_original = value(self.stored.replay_of, row).is_some();
                is_linked && !had_original || !is_own_copy()?
            }
            (false, false) => false,
        };
        let (others, others_after) = (usage::without(before, PLACE), usage::without(after, PLACE));
        if is_changed || !is_same_json(&others, &others_after) {
            return Ok(Difference::Content);
        }
        let has_same_tokens = if was_copy == is_copy {
            usage::written(before) == usage::written(after) && self.has_same_tokens[row]
        } else {
            let (copy, original, columns) = match was_copy {
                true => (before, after, &self.arriving),
                false => (after, before, &self.stored),
            };
            let one_hour = columns.one_hour;
            let one_hour = one_hour.is_valid(row).then(|| one_hour.value(row));
            let as_copy = usage::move_to_copy(original, one_hour);
            usage::written(as_copy.as_deref().unwrap_or(original)) == usage::written(copy)
        };
        Ok(if has_same_tokens { Difference::None } else { Difference::Tokens })
    }
}

/// Notes which values of a column differ.
fn compare(
    stored: Option<&ArrayRef>,
    arriving: Option<&ArrayRef>,
    same: &mut [bool],
) -> Result<(), StoreError> {
    let (Some(stored), Some(arriving)) = (stored, arriving) else { return Ok(()) };
    let equal = not_distinct(stored, arriving).map_err(StoreError::rows)?;
    for (same, equal) in same.iter_mut().zip(equal.values()) {
        *same &= equal;
    }
    Ok(())
}

/// Notes which values of a column differ, of rows that both have one.
fn compare_where_known(
    (stored, arriving): (Option<&ArrayRef>, Option<&ArrayRef>),
    same: &mut [bool],
) -> Result<(), StoreError> {
    let mut equal = vec![true; same.len()];
    compare(stored, arriving, &mut equal)?;
    for (at, equal) in equal.into_iter().enumerate() {
        let is_known = |column: Option<&ArrayRef>| column.is_some_and(|it| it.is_valid(at));
        same[at] &= equal || !is_known(stored) || !is_known(arriving);
    }
    Ok(())
}

/// Notes which values of a column of JSON differ, however they are written: a client may write the same otherwise
/// while it works.
fn compare_json(
    (stored, arriving): (Option<&ArrayRef>, Option<&ArrayRef>),
    same: &mut [bool],
) -> Result<(), StoreError> {
    let mut equal = vec![true; same.len()];
    compare(stored, arriving, &mut equal)?;
    let texts =
        |column: Option<&ArrayRef>| column.and_then(|it| it.as_string_opt::<i32>().cloned());
    let (stored, arriving) = (texts(stored), texts(arriving));
    for (at, equal) in equal.into_iter().enumerate() {
        let text = |column: &Option<arrow::array::StringArray>| {
            column.as_ref().and_then(|column| value(column, at).map(str::to_owned))
        };
        same[at] &=
            equal || text(&stored).zip(text(&arriving)).is_some_and(|(a, b)| is_same_json(&a, &b));
    }
    Ok(())
}

/// Says whether two texts of JSON mean the same.
fn is_same_json(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || parse(a).zip(parse(b)).is_some_and(|(a, b)| a == b)
}
