//! Columns of files, read row by row: what rows are chosen by.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::ProjectionMask;

use crate::error::StoreError;
use crate::source;
use crate::table::LiveData;
use crate::threads::{Number, Owner, Threads};

/// Reads some columns of a file, batch by batch, with the position of each batch's first row.
fn each_batch(
    data: &LiveData,
    columns: &[&str],
    mut take: impl FnMut(u64, &RecordBatch) -> Option<()>,
) -> Result<(), StoreError> {
    let path = &data.live.path;
    let builder = source::open(path)?.with_batch_size(8_192);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(StoreError::parquet(path))?;
    let mut first = 0;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        take(first, &batch).ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
        first += batch.num_rows() as u64;
    }
    Ok(())
}

/// Calls for each live row of a file that has a text in a column.
pub(super) fn each_text(
    data: &LiveData,
    column: &str,
    mut take: impl FnMut(u64, &str),
) -> Result<(), StoreError> {
    each_batch(data, &[column], |first, batch| {
        let texts = batch.column_by_name(column)?.as_string_opt::<i32>()?;
        for (row, text) in (first..).zip(texts) {
            if let Some(text) = text.filter(|_| data.deleted.binary_search(&row).is_err()) {
                take(row, text);
            }
        }
        Some(())
    })
}

/// Calls for each live row of a file with its time.
pub(super) fn each_time(data: &LiveData, mut take: impl FnMut(u64, i64)) -> Result<(), StoreError> {
    each_batch(data, &["message_created_at"], |first, batch| {
        let times = batch.column(0).as_primitive_opt::<TimestampMicrosecondType>()?;
        for (row, time) in (first..).zip(times.values()) {
            if data.deleted.binary_search(&row).is_err() {
                take(row, *time);
            }
        }
        Some(())
    })
}

/// Calls for each live row of a file with its thread, 0 where that is not known.
pub(super) fn each_owner(
    data: &LiveData,
    threads: &Threads,
    mut take: impl FnMut(u64, Number, &Owner),
) -> Result<(), StoreError> {
    let names = ["session_id", "conversation_id", "input_id"];
    let mut last: Option<(Owner, Number)> = None;
    each_batch(data, &names, |first, batch| {
        let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
        let (sessions, conversations, inputs) = (text(names[0])?, text(names[1])?, text(names[2])?);
        for (at, row) in (0..batch.num_rows()).zip(first..) {
            if data.deleted.binary_search(&row).is_ok() {
                continue;
            }
            let conversation = conversations.is_valid(at).then(|| conversations.value(at));
            let input = if inputs.is_valid(at) { inputs.value(at) } else { "" };
            let is_last = last.as_ref().is_some_and(|(owner, _)| {
                owner.0 == sessions.value(at)
                    && owner.1.as_deref() == conversation
                    && owner.2 == input
            });
            if !is_last {
                let owner = (
                    sessions.value(at).to_owned(),
                    conversation.map(str::to_owned),
                    input.to_owned(),
                );
                let thread = threads.of_row(&owner).unwrap_or_default();
                last = Some((owner, thread));
            }
            if let Some((owner, thread)) = &last {
                take(row, *thread, owner);
            }
        }
        Some(())
    })
}
