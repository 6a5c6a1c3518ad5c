//! What comes out of a unit does not depend on when it is taken out.

use hyp_materialize::{Counts, Exchange, Produced, Source};
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

fn message() -> impl Strategy<Value = Event> {
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

fn start() -> impl Strategy<Value = Event> {
    (0..3u8, proptest::option::of(Just(START))).prop_map(|(id, started_at)| {
        Event::ThreadStart(Box::new(Thread {
            id: id.to_string(),
            provider: "p".into(),
            session_id: "s".into(),
            started_at,
            ..Thread::default()
        }))
    })
}

fn events() -> impl Strategy<Value = Vec<(Event, bool)>> {
    let event = prop_oneof![40 => message(), 1 => start(), 1 => Just(Event::ThreadEnd)];
    let rest = proptest::collection::vec((event, proptest::bool::weighted(0.2)), 0..250);
    (start(), rest).prop_map(|(start, mut rest)| {
        rest.insert(0, (start, false));
        rest
    })
}

fn run(events: &[(Event, bool)], is_split: bool) -> (Produced, Counts) {
    let mut exchange = Exchange::new(Source::default());
    let mut all = Produced::default();
    let mut add = |some: Produced| {
        all.rows.extend(some.rows);
        all.late.extend(some.late);
        for thread in some.threads {
            all.threads.retain(|known| known.thread_id != thread.thread_id);
            all.threads.push(thread);
        }
        all.threads.sort_by(|one, other| one.thread_id.cmp(&other.thread_id));
    };
    for (event, is_taken) in events {
        exchange.push(event.clone()).expect("the thread is small");
        if is_split && *is_taken {
            add(exchange.take());
        }
    }
    let (rest, counts) = exchange.finish();
    add(rest);
    (all, counts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taking_rows_at_any_time_gives_the_same(events in events()) {
        let (whole, whole_counts) = run(&events, false);
        let (split, split_counts) = run(&events, true);
        prop_assert_eq!(&whole, &split);
        prop_assert_eq!(whole_counts, split_counts);
        prop_assert_eq!(whole.rows.len() as u64, whole_counts.parts);

        let parts: u64 = whole.threads.iter().map(|thread| thread.parts).sum();
        prop_assert_eq!(parts, whole_counts.parts);
        for row in &whole.rows {
            prop_assert!(!row.is_replay || row.usage.is_none());
            prop_assert!(serde_json::from_str::<serde_json::Value>(row.attributes.as_deref().unwrap()).is_ok());
        }
    }

    #[test]
    fn the_tokens_of_a_response_are_counted_once_a_thread(events in events()) {
        let (produced, _) = run(&events, true);
        let mut carriers: Vec<_> = produced
            .rows
            .iter()
            .filter(|row| row.usage.is_some())
            .filter_map(|row| Some((&row.message.thread.head.id, row.message.response_id.as_ref()?)))
            .collect();
        let count = carriers.len();
        carriers.sort();
        carriers.dedup();
        prop_assert_eq!(carriers.len(), count);
    }
}
