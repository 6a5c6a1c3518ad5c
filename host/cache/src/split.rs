//! Divides rows by partition and sorts each part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use hyp_model::dataset::position;

use crate::clock::month_of;
use crate::error::StoreError;
use crate::table::Partition;

/// Columns that files are sorted by; the table states the first two.
pub(crate) const ORDER: [&str; 4] =
    ["session_id", "message_created_at", "message_index", "part_index"];

/// Value of `client_name` where a row has none: a partition has no nulls.
const UNKNOWN: &str = "unknown";

/// Returns the rows of each partition, sorted.
pub(crate) fn by_partition(
    batch: &RecordBatch,
) -> Result<BTreeMap<Partition, RecordBatch>, StoreError> {
    let batch = with_clients(batch)?;
    let sorted = sorted(&batch)?;
    let clients = column(&batch, "client_name")?.as_string::<i32>();
    let times = column(&batch, "message_created_at")?.as_primitive::<TimestampMicrosecondType>();
    let mut rows: BTreeMap<(&str, i32), Vec<u32>> = BTreeMap::new();
    for at in sorted.values() {
        let row = *at as usize;
        rows.entry((clients.value(row), month_of(times.value(row)))).or_default().push(*at);
    }
    rows.into_iter()
        .map(|((client, month), rows)| {
            let part = take_record_batch(&batch, &UInt32Array::from(rows));
            Ok(((client.to_owned(), month), part.map_err(StoreError::rows)?))
        })
        .collect()
}

/// Divides rows so that no share has rows of more partitions than `most`.
pub(crate) fn at_most(batch: &RecordBatch, most: usize) -> Result<Vec<RecordBatch>, StoreError> {
    let named = with_clients(batch)?;
    let clients = column(&named, "client_name")?.as_string::<i32>();
    let times = column(&named, "message_created_at")?.as_primitive::<TimestampMicrosecondType>();
    let partition = |row: usize| (month_of(times.value(row)), clients.value(row));
    let partitions: BTreeSet<(i32, &str)> = (0..batch.num_rows()).map(partition).collect();
    if partitions.len() <= most {
        return Ok(vec![batch.clone()]);
    }
    let share: BTreeMap<(i32, &str), usize> =
        partitions.into_iter().enumerate().map(|(at, partition)| (partition, at / most)).collect();
    let mut shares: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (at, row) in (0..batch.num_rows()).zip(0u32..) {
        shares.entry(share[&partition(at)]).or_default().push(row);
    }
    let take = |rows| take_record_batch(batch, &UInt32Array::from(rows)).map_err(StoreError::rows);
    shares.into_values().map(take).collect()
}

/// Returns the order in which rows belong.
pub(crate) fn sorted(batch: &RecordBatch) -> Result<UInt32Array, StoreError> {
    let columns = ORDER
        .iter()
        .map(|name| {
            let values = Arc::clone(column(batch, name)?);
            Ok(SortColumn { values, options: None })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    lexsort_to_indices(&columns, None).map_err(StoreError::rows)
}

fn column<'a>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a arrow::array::ArrayRef, StoreError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| StoreError::Rows { reason: format!("column `{name}` is missing") })
}

fn with_clients(batch: &RecordBatch) -> Result<RecordBatch, StoreError> {
    let clients = column(batch, "client_name")?.as_string::<i32>();
    if clients.iter().all(|client| client.is_some_and(|client| !client.is_empty())) {
        return Ok(batch.clone());
    }
    let named = clients
        .iter()
        .map(|client| Some(client.filter(|client| !client.is_empty()).unwrap_or(UNKNOWN)));
    let mut columns = batch.columns().to_vec();
    let at = position("client_name").expect("the dataset has clients");
    columns[at] = Arc::new(named.collect::<StringArray>());
    RecordBatch::try_new(batch.schema(), columns).map_err(StoreError::rows)
}
