//! Carries out corrections on rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use hyp_model::dataset::{TOKENS, position};
use hyp_model::event::Usage;
use hyp_model::usage;

use crate::heir;
use crate::judge::Change;

/// The columns that corrections touch, taken apart.
struct Editable {
    is_replay: Vec<Option<bool>>,
    replay_of: Vec<Option<String>>,
    attributes: Vec<Option<String>>,
    /// In the order of [`TOKENS`].
    tokens: [Vec<Option<i64>>; TOKENS.len()],
}

/// Returns rows with their corrections, and says which of them changed.
///
/// # Errors
/// Says what is wrong when a column is missing or of another type.
pub(crate) fn apply(
    batch: &RecordBatch,
    changes: &HashMap<usize, Vec<&Change>>,
) -> Result<(RecordBatch, Vec<bool>), String> {
    let mut rows = Editable::new(batch).ok_or("columns are missing or of other types")?;
    let mut changed = vec![false; batch.num_rows()];
    let mut heirs = Vec::new();
    for (at, changes) in changes {
        for change in changes {
            changed[*at] |= match change {
                Change::MarkReplay { replay_of } => rows.mark_replay(*at, replay_of.as_deref()),
                Change::Original => rows.mark_original(*at),
                Change::Usage(usage) => rows.set_usage(*at, usage),
                Change::NoOriginal => rows.replay_of[*at].take().is_some(),
                Change::Forget | Change::Withdraw => false,
                Change::HandOver(heir) => {
                    heirs.push((*at, heir.as_ref()));
                    rows.mark_original(*at);
                    true
                }
            };
        }
    }
    let mut batch = rows.put_into(batch).map_err(|error| error.to_string())?;
    if !heirs.is_empty() {
        batch = heir::hand_over(&batch, &heirs).map_err(|error| error.to_string())?;
    }
    Ok((batch, changed))
}

impl Editable {
    fn new(batch: &RecordBatch) -> Option<Self> {
        let text = |name| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            Some(column.iter().map(|text| text.map(str::to_owned)).collect())
        };
        let mut tokens: [Vec<Option<i64>>; 6] = Default::default();
        for (column, name) in tokens.iter_mut().zip(TOKENS) {
            let numbers = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
            *column = numbers.iter().collect();
        }
        let replays: &BooleanArray = batch.column_by_name("is_replay")?.as_boolean_opt()?;
        Some(Self {
            is_replay: replays.iter().collect(),
            replay_of: text("replay_of")?,
            attributes: text("attributes")?,
            tokens,
        })
    }

    fn mark_replay(&mut self, at: usize, replay_of: Option<&str>) -> bool {
        let mut is_changed = self.is_replay[at] != Some(true);
        self.is_replay[at] = Some(true);
        if replay_of.is_some() && self.replay_of[at].as_deref() != replay_of {
            self.replay_of[at] = replay_of.map(str::to_owned);
            is_changed = true;
        }
        let one_hour = self.tokens[4][at];
        if self.tokens.iter().any(|column| column[at].is_some()) {
            for column in &mut self.tokens {
                column[at] = None;
            }
            is_changed = true;
        }
        if let Some(text) = &self.attributes[at]
            && let Some(moved) = usage::move_to_copy(text, one_hour)
        {
            self.attributes[at] = Some(moved);
            is_changed = true;
        }
        is_changed
    }

    fn mark_original(&mut self, at: usize) -> bool {
        if self.is_replay[at] != Some(true) {
            return false;
        }
        self.is_replay[at] = Some(false);
        self.replay_of[at] = None;
        let written = self.attributes[at].as_deref().and_then(usage::of_copy);
        if let Some(usage) = written {
            self.set_usage(at, &usage);
        }
        true
    }

    fn set_usage(&mut self, at: usize, usage: &Usage) -> bool {
        let is_replay = self.is_replay[at] == Some(true);
        let before = self.attributes[at].as_deref().unwrap_or("{}");
        let after = usage::put(before, usage, is_replay);
        let mut is_changed = after != before;
        self.attributes[at] = Some(after);
        if !is_replay {
            for (column, value) in self.tokens.iter_mut().zip(tokens(usage)) {
                is_changed |= column[at] != value;
                column[at] = value;
            }
        }
        is_changed
    }

    fn put_into(self, batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut columns = batch.columns().to_vec();
        let mut put = |name: &str, column: ArrayRef| {
            let at = position(name).expect("the column is one of the dataset");
            columns[at] = column;
        };
        put("is_replay", Arc::new(BooleanArray::from(self.is_replay)));
        put("replay_of", Arc::new(StringArray::from(self.replay_of)));
        put("attributes", Arc::new(StringArray::from(self.attributes)));
        for (name, column) in TOKENS.into_iter().zip(self.tokens) {
            put(name, Arc::new(Int64Array::from(column)));
        }
        RecordBatch::try_new(batch.schema(), columns)
    }
}

fn tokens(usage: &Usage) -> [Option<i64>; 6] {
    [
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.cache_write_1h,
        usage.reasoning,
    ]
    .map(|tokens| tokens.map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX)))
}
