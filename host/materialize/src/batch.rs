//! Rows as Arrow columns.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryBuilder, Int32Array, Int64Array, RecordBatch,
    StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use hyp_model::dataset::{COLUMNS, Column, GATEWAY_ID, SCHEMA_VERSION, Type};
use hyp_model::event::Usage;
use hyp_model::row::Row;

use crate::time;

/// Time zone of the timestamps, spelled as Iceberg's Arrow schemas spell it.
const UTC: &str = "+00:00";

/// Metadata key by which Parquet and Iceberg find a field's id.
const FIELD_ID: &str = "PARQUET:field_id";

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = COLUMNS.iter().enumerate().map(|(at, column)| {
        let id = HashMap::from([(FIELD_ID.to_owned(), (at + 1).to_string())]);
        Field::new(column.name, data_type(column), column.nullable).with_metadata(id)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
});

/// Returns the Arrow schema of the messages, with Iceberg's field ids in the metadata.
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Returns rows as a batch of [`schema`], stamped with the run that writes them.
///
/// # Panics
///
/// Where the content of one column is longer than 2 GiB; callers hand over a chunk at a time.
pub fn batch<'a>(rows: impl IntoIterator<Item = &'a Row>, run_id: &str) -> RecordBatch {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let rows = &rows[..];
    let mut texts = texts(rows).into_iter();
    let columns = COLUMNS.iter().map(|column| match column.kind {
        Type::Text | Type::Json => match column.name {
            "date" => dates(rows),
            "run_id" => same(rows, run_id),
            _ if getter(column.name).is_none() => new_null_array(&DataType::Utf8, rows.len()),
            _ => texts.next().expect("there is an array for each getter"),
        },
        _ => array(column, rows),
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema(), columns).expect("each array is made for its column")
}

fn data_type(column: &Column) -> DataType {
    match column.kind {
        Type::Int => DataType::Int32,
        Type::Long => DataType::Int64,
        Type::Boolean => DataType::Boolean,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        Type::Key => DataType::FixedSizeBinary(16),
        _ => DataType::Utf8,
    }
}

/// Finds the text of a column in a row.
type Getter = for<'a> fn(&'a Row) -> Option<&'a str>;

fn array(column: &Column, rows: &[&Row]) -> ArrayRef {
    match column.kind {
        Type::Int => numbers(column.name, rows),
        Type::Long => longs(column.name, rows),
        Type::Boolean => booleans(column.name, rows),
        Type::Timestamp => times(column.name, rows),
        _ => keys(rows),
    }
}

/// Returns where the text of a column is found, or none for what histories do not tell: the user, the
/// system prompt, the tools on offer.
fn getter(column: &str) -> Option<Getter> {
    let getter: Getter = match column {
        "gateway_id" => |_| Some(GATEWAY_ID),
        "session_id" => |row| Some(&row.message.thread.head.session_id),
        "provider" => |row| Some(&row.message.thread.head.provider),
        "conversation_source" | "client_name" => |row| not_empty(&row.message.thread.head.client),
        "conversation_id" => |row| row.message.thread.head.conversation_id.as_deref(),
        "parent_thread_id" => |row| row.message.thread.head.parent_thread_id.as_deref(),
        "forked_from" => |row| row.message.thread.head.forked_from.as_deref(),
        "root_thread_id" => |row| row.message.thread.head.root_thread_id.as_deref(),
        "input_id" => |row| Some(&row.message.thread.input_id),
        "cwd" => |row| row.context().cwd.as_deref(),
        "git_branch" => |row| row.context().git.branch.as_deref(),
        "git_remote" => |row| row.context().git.remote.as_deref(),
        "head_sha" => |row| row.context().git.head.as_deref(),
        "repo_root" => |row| row.context().git.root.as_deref(),
        "client_version" => |row| row.context().client_version.as_deref(),
        "entrypoint" => |row| row.context().entrypoint.as_deref(),
        "user_type" => |row| row.context().user_type.as_deref(),
        "permission_mode" => |row| row.context().permission_mode.as_deref(),
        "agent_id" => |row| row.context().agent_id.as_deref(),
        "message_id" => |row| Some(&row.message.message_id),
        "previous_message_id" => |row| Some(&row.message.previous_message_id),
        "role" => |row| Some(&row.message.role),
        "model" => |row| row.message.model.as_deref(),
        "provider_uuid" => |row| row.message.provider_uuid.as_deref(),
        "parent_uuid" => |row| row.message.parent_uuid.as_deref(),
        "logical_parent_uuid" => |row| row.message.logical_parent_uuid.as_deref(),
        "source_tool_assistant_uuid" => |row| row.message.source_tool_assistant_uuid.as_deref(),
        "request_id" => |row| row.message.request_id.as_deref(),
        "prompt_id" => |row| row.message.prompt_id.as_deref(),
        "provider_type" => |row| row.message.provider_type.as_deref(),
        "provider_subtype" => {
            |row| row.message.provider_subtype.as_deref().or(row.provider_subtype.as_deref())
        }
        "attachment_type" => |row| row.message.attachment_type.as_deref(),
        "hook_event" => |row| row.message.hook_event.as_deref(),
        "compact_metadata" => |row| row.message.compact_metadata.as_deref(),
        "raw_frame" => |row| row.message.raw_frame.as_deref(),
        "response_id" => |row| row.message.response_id.as_deref(),
        "part_id" => |row| Some(&row.part_id),
        "part_type" => |row| Some(&row.part_type),
        "content_text" => |row| row.content_text.as_deref(),
        "tool_name" => |row| row.tool_name.as_deref(),
        "tool_call_id" => |row| row.tool_call_id.as_deref(),
        "tool_args" => |row| row.tool_args.as_deref(),
        "caller_type" => |row| row.caller_type.as_deref(),
        "tool_result_for" => |row| row.tool_result_for.as_deref(),
        "thinking_signature" => |row| row.thinking_signature.as_deref(),
        "status" => |row| row.status.as_deref(),
        "attributes" => |row| row.attributes.as_deref(),
        "replay_of" => |row| row.replay_of.as_deref(),
        _ => return None,
    };
    Some(getter)
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Rows that are gone through together, so that they stay in the processor's cache from column to column.
const BLOCK: usize = 64;

/// Returns the arrays of all columns that have a getter, in the order of the columns.
fn texts(rows: &[&Row]) -> Vec<ArrayRef> {
    let getters = COLUMNS.iter().filter_map(|column| {
        matches!(column.kind, Type::Text | Type::Json).then(|| getter(column.name)).flatten()
    });
    let mut columns: Vec<(Getter, usize)> = getters.map(|getter| (getter, 0)).collect();
    for block in rows.chunks(BLOCK) {
        for (getter, bytes) in &mut columns {
            *bytes += block.iter().filter_map(|row| getter(row)).map(str::len).sum::<usize>();
        }
    }
    let mut builders: Vec<_> = columns
        .into_iter()
        .map(|(getter, bytes)| (getter, StringBuilder::with_capacity(rows.len(), bytes)))
        .collect();
    for block in rows.chunks(BLOCK) {
        for (getter, builder) in &mut builders {
            for row in block {
                builder.append_option(getter(row));
            }
        }
    }
    builders.into_iter().map(|(_, mut builder)| Arc::new(builder.finish()) as ArrayRef).collect()
}

fn same(rows: &[&Row], text: &str) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * text.len());
    for _ in rows {
        builder.append_value(text);
    }
    Arc::new(builder.finish())
}

fn dates(rows: &[&Row]) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 10);
    let mut last = (i64::MIN, String::new());
    for row in rows {
        let day = time::day(row.message.created_at);
        if day != last.0 {
            last = (day, time::date(day));
        }
        builder.append_value(&last.1);
    }
    Arc::new(builder.finish())
}

fn numbers(column: &str, rows: &[&Row]) -> ArrayRef {
    let numbers: Int32Array = match column {
        "message_index" => rows.iter().map(|row| Some(row.message.message_index)).collect(),
        "part_index" => rows.iter().map(|row| Some(row.part_index)).collect(),
        _ => rows.iter().map(|_| Some(SCHEMA_VERSION)).collect(),
    };
    Arc::new(numbers)
}

fn longs(column: &str, rows: &[&Row]) -> ArrayRef {
    let tokens = |of: fn(&Usage) -> Option<u64>| -> Int64Array {
        rows.iter().map(|row| row.usage.as_ref().and_then(of).map(long)).collect()
    };
    let longs = match column {
        "input_tokens" => tokens(|usage| usage.input),
        "output_tokens" => tokens(|usage| usage.output),
        "cache_read_tokens" => tokens(|usage| usage.cache_read),
        "cache_write_tokens" => tokens(|usage| usage.cache_write),
        "cache_write_1h_tokens" => tokens(|usage| usage.cache_write_1h),
        "reasoning_tokens" => tokens(|usage| usage.reasoning),
        // What was recorded while it was said lies in no input.
        "input_offset" => rows.iter().map(|row| placed(row, row.message.span.offset)).collect(),
        "input_length" => rows.iter().map(|row| placed(row, row.message.span.length)).collect(),
        _ => rows.iter().map(|_| None::<i64>).collect(),
    };
    Arc::new(longs)
}

/// Returns where a row's record lies, if it lies anywhere.
fn placed(row: &Row, number: u64) -> Option<i64> {
    (!row.message.thread.is_live).then(|| long(number))
}

fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn booleans(column: &str, rows: &[&Row]) -> ArrayRef {
    let booleans: BooleanArray = match column {
        "is_sidechain" => rows.iter().map(|row| row.context().is_sidechain).collect(),
        "is_error" => rows.iter().map(|row| row.is_error).collect(),
        "is_compact_summary" => rows.iter().map(|row| row.message.is_compact_summary).collect(),
        "is_replay" => rows.iter().map(|row| Some(row.is_replay)).collect(),
        _ => rows.iter().map(|_| None::<bool>).collect(),
    };
    Arc::new(booleans)
}

fn times(column: &str, rows: &[&Row]) -> ArrayRef {
    let times: TimestampMicrosecondArray = match column {
        "conversation_started_at" => {
            rows.iter().map(|row| Some(row.message.thread.started_at)).collect()
        }
        _ => rows.iter().map(|row| Some(row.message.created_at)).collect(),
    };
    Arc::new(times.with_timezone(UTC))
}

fn keys(rows: &[&Row]) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
    for row in rows {
        builder.append_value(row.said_key.0).expect("a key has 16 bytes");
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests;
