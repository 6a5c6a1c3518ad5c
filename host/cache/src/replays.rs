//! Links between stored copies and their originals.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, AsArray};
use arrow::compute::is_not_null;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, RowFilter};

use crate::error::StoreError;
use crate::rows::live_rows;
use crate::schema::field_id;
use crate::source;
use crate::table::LiveData;

/// Returns some parts with all stored ones that they are linked to: copies of them, what they are copies of, and so on.
///
/// Originals that are given need not be stored.
pub(crate) fn all_linked(
    data: &[LiveData],
    parts: BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let mut linked: HashMap<String, Vec<String>> = HashMap::new();
    for data in data {
        each(data, |copy, original| {
            linked.entry(copy.to_owned()).or_default().push(original.to_owned());
            linked.entry(original.to_owned()).or_default().push(copy.to_owned());
        })?;
    }
    let mut left: Vec<String> = parts.iter().cloned().collect();
    let mut all = parts;
    while let Some(id) = left.pop() {
        for other in linked.remove(&id).into_iter().flatten() {
            if all.insert(other.clone()) {
                left.push(other);
            }
        }
    }
    Ok(all)
}

/// Calls for each live copy of a file with its id and that of its original.
fn each(data: &LiveData, mut take: impl FnMut(&str, &str)) -> Result<(), StoreError> {
    let file = &data.live.file;
    if file.null_value_counts().get(&field_id("replay_of")) == Some(&file.record_count()) {
        return Ok(());
    }
    let path = &data.live.path;
    let builder = source::open(path)?;
    let columns =
        |names: &[&str]| ProjectionMask::columns(builder.parquet_schema(), names.to_vec());
    let (mask, original) = (columns(&["part_id", "replay_of"]), columns(&["replay_of"]));
    let selection = live_rows(data, builder.metadata());
    let is_copy = ArrowPredicateFn::new(original, |batch| is_not_null(batch.column(0)));
    let reader = builder
        .with_projection(mask)
        .with_row_selection(selection)
        .with_row_filter(RowFilter::new(vec![Box::new(is_copy)]))
        .build()
        .map_err(StoreError::parquet(path))?;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
        let (Some(ids), Some(originals)) = (text("part_id"), text("replay_of")) else {
            return Err(StoreError::damaged(path, "columns are missing"));
        };
        for at in 0..batch.num_rows() {
            if originals.is_valid(at) {
                take(ids.value(at), originals.value(at));
            }
        }
    }
    Ok(())
}
