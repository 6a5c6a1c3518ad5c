//! Reads stored rows: some of a file by position, or those of a thread.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use arrow::array::{
    Array, AsArray, BooleanArray, FixedSizeBinaryArray, RecordBatch, Scalar, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{Int32Type, Int64Type, Schema, TimestampMicrosecondType};
use hyp_model::row::Key;
use iceberg::spec::PrimitiveLiteral;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, RowFilter, RowSelection,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::error::StoreError;
use crate::own::Print;
use crate::schema::{field_id, file_schema};
use crate::table::LiveData;
use crate::threads::Known;
use crate::{kin, source};

/// Rows decoded at once.
const BATCH: usize = 8_192;

/// A stored row as far as copies matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) part_id: String,
    pub(crate) message_index: i32,
    pub(crate) part_index: i32,
    pub(crate) said_key: Key,
    pub(crate) created_at: i64,
    pub(crate) is_replay: bool,
    pub(crate) replay_of: Option<String>,
    /// Keys that its thread shares with those that it copies from.
    pub(crate) keys: Vec<Key>,
    /// True where the id of a call is all that tells what it is of.
    pub(crate) is_of_call: bool,
}

/// Reads whole rows of a file by their positions, in the order of the file.
pub(crate) fn at_positions(
    path: &Path,
    positions: &BTreeSet<u64>,
) -> Result<RecordBatch, StoreError> {
    let batches = read_at(path, positions, None)?;
    let schema = file_schema();
    let batches = batches
        .into_iter()
        .map(|batch| conform(&batch))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| StoreError::damaged(path, reason))?;
    concat_batches(&schema, &batches).map_err(StoreError::arrow(path))
}

/// Reads what rows of a file are told by, in the order of the file.
pub(crate) fn prints_at(path: &Path, positions: &BTreeSet<u64>) -> Result<Vec<Print>, StoreError> {
    let mut prints = Vec::with_capacity(positions.len());
    for batch in read_at(path, positions, Some(&["said_key", "message_created_at"]))? {
        let keys = said_keys(&batch).zip(created_at(&batch));
        let (keys, times) = keys.ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
        let rows = 0..batch.num_rows();
        prints.extend(rows.map(|at| Print::of(key_at(keys, at), times.value(at))));
    }
    if prints.len() != positions.len() {
        return Err(StoreError::damaged(path, "rows are missing"));
    }
    Ok(prints)
}

/// Reads a file, or some columns and rows of it.
pub(crate) fn batches(
    path: &Path,
    columns: Option<&[&str]>,
    positions: Option<&BTreeSet<u64>>,
) -> Result<ParquetRecordBatchReader, StoreError> {
    let mut builder = source::open(path)?;
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    if let Some(positions) = positions {
        let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let ranges = positions.iter().filter_map(|row| {
            let row = usize::try_from(*row).ok().filter(|row| *row < total)?;
            Some(row..row + 1)
        });
        let selection = RowSelection::from_consecutive_ranges(ranges, total);
        builder = builder.with_row_selection(selection);
    }
    builder.with_batch_size(BATCH).build().map_err(StoreError::parquet(path))
}

fn read_at(
    path: &Path,
    positions: &BTreeSet<u64>,
    columns: Option<&[&str]>,
) -> Result<Vec<RecordBatch>, StoreError> {
    let rows = batches(path, columns, Some(positions))?;
    rows.collect::<Result<_, _>>().map_err(StoreError::arrow(path))
}

fn said_keys(batch: &RecordBatch) -> Option<&FixedSizeBinaryArray> {
    batch.column_by_name("said_key")?.as_fixed_size_binary_opt()
}

fn created_at(batch: &RecordBatch) -> Option<&TimestampMicrosecondArray> {
    batch.column_by_name("message_created_at")?.as_primitive_opt::<TimestampMicrosecondType>()
}

/// Returns a key; an absent one is all zeros.
fn key_at(keys: &FixedSizeBinaryArray, at: usize) -> Key {
    let mut key = [0; 16];
    if keys.is_valid(at) {
        key.copy_from_slice(keys.value(at));
    }
    Key(key)
}

/// Reads some columns of rows of a file by their positions, in the order of the file.
pub(crate) fn columns_at(
    path: &Path,
    positions: &BTreeSet<u64>,
    columns: &[&str],
) -> Result<RecordBatch, StoreError> {
    let batches = read_at(path, positions, Some(columns))?;
    let Some(first) = batches.first() else {
        return Ok(RecordBatch::new_empty(Schema::empty().into()));
    };
    concat_batches(&first.schema(), &batches).map_err(StoreError::arrow(path))
}

/// Reads columns of the rows of a file that a run wrote and that are not superseded, with their positions.
pub(crate) fn of_run(
    data: &LiveData,
    run_id: &str,
    columns: &[&str],
) -> Result<Vec<(Vec<u64>, RecordBatch)>, StoreError> {
    let of_run = |bound: Option<&iceberg::spec::Datum>, is_in: fn(&str, &str) -> bool| {
        bound.is_none_or(|bound| match bound.literal() {
            PrimitiveLiteral::String(bound) => is_in(bound, run_id),
            _ => true,
        })
    };
    let (id, file) = (field_id("run_id"), &data.live.file);
    if !of_run(file.lower_bounds().get(&id), |least, run| least <= run)
        || !of_run(file.upper_bounds().get(&id), |most, run| run <= most)
    {
        return Ok(Vec::new());
    }
    let path = &data.live.path;
    let builder = source::open(path)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(StoreError::parquet(path))?;
    let (mut found, mut first) = (Vec::new(), 0);
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let runs = batch.column_by_name("run_id").and_then(|runs| runs.as_string_opt::<i32>());
        let runs = runs.ok_or_else(|| StoreError::damaged(path, "column `run_id` is missing"))?;
        let is_meant = |(at, run): (u64, Option<&str>)| {
            run == Some(run_id) && data.deleted.binary_search(&at).is_err()
        };
        let kept: Vec<bool> = (first..).zip(runs.iter()).map(is_meant).collect();
        let positions: Vec<u64> =
            (first..).zip(&kept).filter(|(_, kept)| **kept).map(|(at, _)| at).collect();
        first += batch.num_rows() as u64;
        if !positions.is_empty() {
            let rows = filter_record_batch(&batch, &BooleanArray::from(kept))
                .map_err(StoreError::arrow(path))?;
            found.push((positions, rows));
        }
    }
    Ok(found)
}

/// Returns the rows of a file that are not superseded.
pub(crate) fn live_rows(data: &LiveData, metadata: &ParquetMetaData) -> RowSelection {
    let total = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    let live = between(data.deleted.iter().copied(), total);
    RowSelection::from_consecutive_ranges(live.into_iter(), total)
}

/// Returns rows with the columns of the table, in their order; an absent column is null.
pub(crate) fn conform(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let schema = file_schema();
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
        Some(column) => Err(format!("column `{}` is of type {}", field.name(), column.data_type())),
        None if field.is_nullable() => {
            Ok(arrow::array::new_null_array(field.data_type(), batch.num_rows()))
        }
        None => Err(format!("column `{}` is missing", field.name())),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| error.to_string())
}

/// Returns the ranges of rows that are left of `total` when some are gone, given in ascending order.
pub(crate) fn between(gone: impl Iterator<Item = u64>, total: usize) -> Vec<Range<usize>> {
    let mut left = Vec::new();
    let mut from = 0;
    for row in gone.filter_map(|row| usize::try_from(row).ok()).chain([total]) {
        if row > from {
            left.push(from..row.min(total));
        }
        from = row + 1;
    }
    left
}

/// Reads the rows of a thread.
pub(crate) fn of_thread(data: &[LiveData], known: &Known) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    for data in data.iter().filter(|data| may_hold(data, known)) {
        read_thread(data, known, &mut parts)?;
    }
    Ok(parts)
}

pub(crate) fn may_hold(data: &LiveData, known: &Known) -> bool {
    let file = &data.live.file;
    let id = field_id("session_id");
    let text = |datum: &iceberg::spec::Datum| match datum.literal() {
        PrimitiveLiteral::String(text) => Some(text.clone()),
        _ => None,
    };
    let lower = file.lower_bounds().get(&id).and_then(text);
    let upper = file.upper_bounds().get(&id).and_then(text);
    data.live.partition.0 == known.client
        && lower.is_none_or(|lower| lower <= known.session_id)
        && upper.is_none_or(|upper| upper >= known.session_id)
}

fn read_thread(data: &LiveData, known: &Known, parts: &mut Vec<Part>) -> Result<(), StoreError> {
    let names = [
        "session_id",
        "conversation_id",
        "input_id",
        "part_id",
        "message_index",
        "part_index",
        "said_key",
        "message_created_at",
        "is_replay",
        "replay_of",
        "response_id",
        "tool_call_id",
    ];
    for batch in of_session(data, &known.session_id, &names)? {
        let path = &data.live.path;
        let batch = batch.map_err(StoreError::arrow(path))?;
        collect(&batch, known, parts)
            .ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
    }
    Ok(())
}

/// Reads columns of the rows of a session that are not superseded. Row groups that cannot hold it are left alone.
fn of_session(
    data: &LiveData,
    session_id: &str,
    names: &[&str],
) -> Result<ParquetRecordBatchReader, StoreError> {
    let path = &data.live.path;
    let builder = source::open(path)?;
    let columns =
        |names: &[&str]| ProjectionMask::columns(builder.parquet_schema(), names.to_vec());
    let (mask, session) = (columns(names), columns(&["session_id"]));
    let mut may_hold = Vec::new();
    let mut first = 0;
    for group in builder.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        if group_may_hold(group, session_id) {
            may_hold.push(first..first + rows);
        }
        first += rows;
    }
    let groups = RowSelection::from_consecutive_ranges(may_hold.into_iter(), first);
    let selection = live_rows(data, builder.metadata()).intersection(&groups);
    let wanted = Scalar::new(StringArray::from(vec![session_id.to_owned()]));
    let filter = ArrowPredicateFn::new(session, move |batch| eq(batch.column(0), &wanted));
    builder
        .with_projection(mask)
        .with_row_selection(selection)
        .with_row_filter(RowFilter::new(vec![Box::new(filter)]))
        .build()
        .map_err(StoreError::parquet(path))
}

fn group_may_hold(group: &RowGroupMetaData, session_id: &str) -> bool {
    let column = group.columns().iter().find(|it| it.column_path().string() == "session_id");
    let Some(statistics) = column.and_then(|column| column.statistics()) else { return true };
    let bounds = statistics.min_bytes_opt().zip(statistics.max_bytes_opt());
    bounds
        .is_none_or(|(least, most)| least <= session_id.as_bytes() && session_id.as_bytes() <= most)
}

/// Hands the rows of a thread that a recording told to `each`: their ids, with offset and length of their records.
pub(crate) fn of_recording<'a>(
    data: impl Iterator<Item = &'a LiveData>,
    known: &Known,
    input_id: &str,
    mut each: impl FnMut(&str, (u64, u64)),
) -> Result<(), StoreError> {
    const NAMES: [&str; 6] =
        ["session_id", "conversation_id", "input_id", "part_id", "input_offset", "input_length"];
    for data in data.filter(|data| may_hold(data, known)) {
        let path = &data.live.path;
        for batch in of_session(data, &known.session_id, &NAMES)? {
            let batch = batch.map_err(StoreError::arrow(path))?;
            told_by(&batch, known, input_id, &mut each)
                .ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
        }
    }
    Ok(())
}

fn told_by(
    batch: &RecordBatch,
    known: &Known,
    input_id: &str,
    each: &mut impl FnMut(&str, (u64, u64)),
) -> Option<()> {
    let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
    let number = |name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let (conversations, inputs, ids) =
        (text("conversation_id")?, text("input_id")?, text("part_id")?);
    let (offsets, lengths) = (number("input_offset")?, number("input_length")?);
    for at in 0..batch.num_rows() {
        let conversation = conversations.is_valid(at).then(|| conversations.value(at));
        let is_of = inputs.is_valid(at) && inputs.value(at) == input_id;
        // What was recorded while it was said has no place in a recording.
        if is_of && conversation == known.conversation_id.as_deref() && offsets.is_valid(at) {
            let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
            each(ids.value(at), (unsigned(offsets.value(at)), unsigned(lengths.value(at))));
        }
    }
    Some(())
}

fn collect(batch: &RecordBatch, known: &Known, parts: &mut Vec<Part>) -> Option<()> {
    let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
    let number = |name| batch.column_by_name(name)?.as_primitive_opt::<Int32Type>();
    let conversations = text("conversation_id")?;
    let inputs = text("input_id")?;
    let ids = text("part_id")?;
    let originals = text("replay_of")?;
    let (messages, indexes) = (number("message_index")?, number("part_index")?);
    let (times, keys) = (created_at(batch)?, said_keys(batch)?);
    let (responses, calls) = (text("response_id")?, text("tool_call_id")?);
    let replays: &BooleanArray = batch.column_by_name("is_replay")?.as_boolean_opt()?;
    for at in 0..batch.num_rows() {
        let conversation = conversations.is_valid(at).then(|| conversations.value(at));
        let input = if inputs.is_valid(at) { inputs.value(at) } else { "" };
        if conversation != known.conversation_id.as_deref() || !known.is_in(input) {
            continue;
        }
        let value = |column: &StringArray| column.is_valid(at).then(|| column.value(at).to_owned());
        parts.push(Part {
            part_id: ids.value(at).to_owned(),
            message_index: messages.value(at),
            part_index: indexes.value(at),
            said_key: key_at(keys, at),
            created_at: times.value(at),
            is_replay: replays.is_valid(at) && replays.value(at),
            replay_of: value(originals),
            keys: kin::keys(ids.value(at), value(responses).as_deref(), value(calls).as_deref())
                .collect(),
            is_of_call: calls.is_valid(at) && !responses.is_valid(at),
        });
    }
    Some(())
}
