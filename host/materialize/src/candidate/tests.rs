//! Tests of `candidate`.

use hyp_model::event::{Content, Event, Message, Part, Span, Text, Thread, ToolCall};

use crate::{Exchange, Produced, Source, candidates};

fn produced() -> Produced {
    let head = Thread {
        id: "t".into(),
        provider: "p".into(),
        session_id: "s".into(),
        started_at: Some(1_760_000_000_000_000),
        ..Thread::default()
    };
    let text = Text { value: "hi".into(), literal: None };
    let call = ToolCall { id: Some("c".into()), ..ToolCall::default() };
    let message = Message {
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
    let mut exchange = Exchange::new(Source::default());
    exchange.push(Event::ThreadStart(Box::new(head))).unwrap();
    exchange.push(Event::Message(Box::new(message))).unwrap();
    exchange.finish().0
}

#[test]
fn a_candidate_holds_the_keys_of_its_row() {
    let produced = produced();
    let found = candidates(&produced.rows, &produced.threads);
    let [text, call] = &found[..] else { panic!("two candidates") };
    assert_eq!((text.part_id.as_str(), text.thread, text.message_index), ("m#0", 0, 0));
    assert_eq!(text.response_id.as_deref(), Some("r"));
    assert_eq!((text.call_id.as_deref(), call.call_id.as_deref()), (None, Some("c")));
    assert_eq!(text.span, (3, 4));
    assert_eq!(text.said_key, produced.rows[0].said_key);
    assert!(!text.is_replay);
    assert_eq!(candidates(&produced.rows, &[])[0].thread, 0, "past the end of no threads");
}
