//! Tests of `candidate`.

use hyp_model::event::{Content, Event, Message, Part, Span, Text, Thread, ToolCall, Usage};

use crate::{Exchange, Produced, Source, candidates};

fn produced(change: impl Fn(&mut Thread, &mut Message)) -> Produced {
    let mut head = Thread {
        id: "t".into(),
        provider: "p".into(),
        session_id: "s".into(),
        started_at: Some(1_760_000_000_000_000),
        ..Thread::default()
    };
    let text = Text { value: "hi".into(), literal: None };
    let call = ToolCall { id: Some("c".into()), ..ToolCall::default() };
    let mut message = Message {
        id: Some("m".into()),
        role: "assistant".into(),
        response_id: Some("r".into()),
        span: Span { input: 0, offset: 3, length: 4 },
        parts: vec![
            Part { block_type: "text".into(), content: Content::Text(text) },
            Part { block_type: "tool_use".into(), content: Content::ToolCall(call) },
        ],
        ..Message::default()
    };
    change(&mut head, &mut message);
    let mut exchange = Exchange::new(Source::default());
    exchange.push(Event::ThreadStart(Box::new(head))).unwrap();
    exchange.push(Event::Message(Box::new(message))).unwrap();
    exchange.finish().0
}

#[test]
fn a_candidate_holds_the_keys_of_its_row() {
    let produced = produced(|_, _| {});
    let found = candidates(&produced.rows, &produced.threads);
    let [text, call] = &found[..] else { panic!("two candidates") };
    assert_eq!((text.part_id.as_str(), text.thread, text.message_index), ("m#0", 0, 0));
    assert_eq!(text.response_id.as_deref(), Some("r"));
    assert_eq!((text.call_id.as_deref(), call.call_id.as_deref()), (None, Some("c")));
    assert_eq!(text.span, (3, 4));
    assert_eq!(text.said_key, produced.rows[0].said_key);
    assert_ne!(text.content_key, call.content_key);
    assert!(!text.is_replay);
    assert_eq!(candidates(&produced.rows, &[])[0].thread, 0, "past the end of no threads");
}

type Change<'a> = &'a dyn Fn(&mut Thread, &mut Message);

#[test]
fn the_content_key_follows_every_column_but_the_place_in_the_input() {
    let key = |change: Change<'_>| {
        let produced = produced(change);
        candidates(&produced.rows, &produced.threads)[0].content_key
    };
    let plain = key(&|_, _| {});
    assert_eq!(plain, key(&|_, message| message.span.offset = 99));
    let changes: [Change<'_>; 9] = [
        &|head, _| head.client = "c".into(),
        &|head, _| head.context.cwd = Some("/".into()),
        &|head, _| head.started_at = Some(1_760_000_000_000_001),
        &|_, message| message.parent_uuid = Some("u".into()),
        &|_, message| message.request_id = Some("u".into()),
        &|_, message| message.is_compact_summary = Some(false),
        &|_, message| message.attributes = Some(r#"{"a":1}"#.into()),
        &|_, message| message.usage = Some(Usage { output: Some(1), ..Usage::default() }),
        &|_, message| message.parts[0].block_type = "other".into(),
    ];
    let mut keys: Vec<_> = changes.iter().map(|change| key(change)).collect();
    keys.push(plain);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), changes.len() + 1);
}
