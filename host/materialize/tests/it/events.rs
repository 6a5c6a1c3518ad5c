//! Events that a provider might emit.

use hyp_model::event::{Content, Event, Message, Part, Text, Thread, ToolCall, ToolResult, Usage};
use proptest::prelude::*;

const START: i64 = 1_760_000_000_000_000;

fn part() -> impl Strategy<Value = Part> {
    let text = "[ab]{0,2}".prop_map(|value| Content::Text(Text { value, literal: None }));
    let call = (0..4u8).prop_map(|id| {
        let name = Some("tool".to_owned());
        Content::ToolCall(ToolCall { id: Some(id.to_string()), name, ..ToolCall::default() })
    });
    let result = (0..4u8).prop_map(|id| {
        Content::ToolResult(ToolResult { call_id: Some(id.to_string()), ..ToolResult::default() })
    });
    prop_oneof![text, call, result].prop_map(|content| Part { block_type: String::new(), content })
}

/// Any message.
pub(crate) fn message() -> impl Strategy<Value = Event> {
    let id = proptest::option::of("[a-z]{1,2}");
    let role = prop_oneof![Just("user"), Just("assistant"), Just("")];
    let time = proptest::option::of(prop_oneof![Just(0i64), START..START + 100]);
    let response = proptest::option::of("[pqr]");
    let usage = proptest::option::of(0..5u64);
    let parts = proptest::collection::vec(part(), 0..3);
    (id, role, time, response, usage, parts, proptest::bool::weighted(0.1)).prop_map(
        |(id, role, created_at, response_id, output, parts, is_copy)| {
            Event::Message(Box::new(Message {
                id,
                role: role.to_owned(),
                created_at,
                response_id,
                usage: output.map(|output| Usage { output: Some(output), ..Usage::default() }),
                is_copy,
                parts,
                ..Message::default()
            }))
        },
    )
}

/// The beginning of one of three threads.
pub(crate) fn start() -> impl Strategy<Value = Event> {
    (0..3u8, proptest::option::of(Just(START))).prop_map(|(id, started_at)| {
        Event::ThreadStart(Box::new(Thread {
            id: id.to_string(),
            provider: "p".into(),
            session_id: format!("s{id}"),
            started_at,
            ..Thread::default()
        }))
    })
}
