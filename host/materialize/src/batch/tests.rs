//! Tests of `batch`.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use hyp_model::event::{Content, Context, Event, Message, Part, Span, Text, Thread};

use super::*;
use crate::{Exchange, Source};

const START: i64 = 1_760_000_000_000_000;

fn rows() -> Vec<Row> {
    let context =
        Context { cwd: Some("/w".into()), is_sidechain: Some(true), ..Context::default() };
    let head = Thread {
        id: "t".into(),
        provider: "anthropic".into(),
        session_id: "s".into(),
        client: "claude".into(),
        started_at: Some(START),
        context,
        ..Thread::default()
    };
    let text = Text { value: "hi".into(), literal: None };
    let part = Part { block_type: "text".into(), content: Content::Text(text) };
    let usage = Usage { input: Some(3), output: Some(4), ..Usage::default() };
    let message = Message {
        id: Some("m".into()),
        role: "assistant".into(),
        created_at: Some(START + 1),
        response_id: Some("r".into()),
        usage: Some(usage),
        span: Span { input: 0, offset: 5, length: 6 },
        parts: vec![part],
        ..Message::default()
    };
    let source = Source { input_id: "0a".into(), ..Source::default() };
    let mut exchange = Exchange::new(source);
    exchange.push(Event::ThreadStart(Box::new(head))).unwrap();
    exchange.push(Event::Message(Box::new(message))).unwrap();
    let mut rows = exchange.finish().0.rows;
    // More than a column holds.
    rows[0].usage.as_mut().unwrap().output = Some(u64::MAX);
    rows
}

#[test]
fn the_columns_are_those_of_the_dataset() {
    let schema = schema();
    assert_eq!(schema.fields().len(), COLUMNS.len());
    for (at, (field, column)) in schema.fields().iter().zip(COLUMNS).enumerate() {
        assert_eq!(field.name(), column.name);
        assert_eq!(field.is_nullable(), column.nullable);
        assert_eq!(field.metadata()[FIELD_ID], (at + 1).to_string());
    }
    let started = schema.field_with_name("conversation_started_at").unwrap();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    assert_eq!(*started.data_type(), utc);
}

#[test]
fn every_text_column_has_a_place_to_come_from() {
    let unknown: Vec<_> = COLUMNS
        .iter()
        .filter(|column| matches!(column.kind, Type::Text | Type::Json))
        .filter(|column| getter(column.name).is_none())
        .map(|column| column.name)
        .collect();
    assert_eq!(unknown, ["user_id", "system_text", "tools", "date", "run_id"]);
}

#[test]
fn a_row_lands_in_its_columns() {
    let batch = batch(&rows(), "run-1");
    let column = |name: &str| batch.column_by_name(name).unwrap();
    #[rustfmt::skip]
    let texts = [
        ("gateway_id", "hypaware-local"), ("session_id", "s"), ("provider", "anthropic"), ("client_name", "claude"),
        ("conversation_source", "claude"), ("cwd", "/w"), ("message_id", "m"), ("part_id", "m#0"), ("part_type", "text"),
        ("previous_message_id", "[]"), ("role", "assistant"), ("provider_subtype", "text"), ("content_text", "hi"),
        ("date", "2025-10-09"), ("response_id", "r"), ("run_id", "run-1"), ("input_id", "0a"),
    ];
    for (name, expect) in texts {
        assert_eq!(column(name).as_string::<i32>().value(0), expect, "{name}");
    }
    for (name, expect) in [("schema_version", 7), ("message_index", 0), ("part_index", 0)] {
        assert_eq!(column(name).as_primitive::<Int32Type>().value(0), expect, "{name}");
    }
    for (name, expect) in
        [("input_tokens", 3), ("output_tokens", i64::MAX), ("input_offset", 5), ("input_length", 6)]
    {
        assert_eq!(column(name).as_primitive::<Int64Type>().value(0), expect, "{name}");
    }
    for (name, expect) in [("conversation_started_at", START), ("message_created_at", START + 1)] {
        let times = column(name).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(times.value(0), expect, "{name}");
    }
    for (name, expect) in [("is_sidechain", true), ("is_replay", false)] {
        assert_eq!(column(name).as_boolean().value(0), expect, "{name}");
    }
    assert_eq!(column("said_key").as_fixed_size_binary().value(0), rows()[0].said_key.0);
    for name in
        ["user_id", "tools", "is_error", "cache_read_tokens", "replay_of", "conversation_id"]
    {
        assert!(column(name).is_null(0), "{name}");
    }
}

#[test]
fn no_rows_are_an_empty_batch() {
    assert_eq!(batch(&[], "run").num_rows(), 0);
}
