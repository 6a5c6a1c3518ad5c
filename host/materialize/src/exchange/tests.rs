//! Tests of `exchange`.

use hyp_model::event::{Content, Git, Part, Span, Subject, Text};
use hyp_model::row::Row;

use super::*;

mod repeats;
mod times;
mod usage;

const START: i64 = 1_760_000_000_000_000;

fn thread(id: &str) -> Thread {
    Thread {
        id: id.to_owned(),
        provider: "anthropic".to_owned(),
        session_id: "session".to_owned(),
        client: "claude".to_owned(),
        started_at: Some(START),
        ..Thread::default()
    }
}

fn source() -> Source {
    Source {
        provider: "claude".to_owned(),
        unit_id: "unit".to_owned(),
        input_id: "00".to_owned(),
        source_path_hash: "9e679e94a99162c2".to_owned(),
        path_below_root: "p/s.jsonl".to_owned(),
        is_live: false,
    }
}

fn text(value: &str) -> Part {
    let text = Text { value: value.to_owned(), literal: None };
    Part { block_type: "text".to_owned(), content: Content::Text(text) }
}

fn said(id: &str, role: &str, value: &str) -> Message {
    Message {
        id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        role: role.to_owned(),
        created_at: Some(START),
        parts: vec![text(value)],
        ..Message::default()
    }
}

fn all(thread: Thread, messages: impl IntoIterator<Item = Message>) -> (Produced, Counts) {
    let mut exchange = Exchange::new(source());
    exchange.push(Event::ThreadStart(Box::new(thread))).unwrap();
    for message in messages {
        exchange.push(Event::Message(Box::new(message))).unwrap();
    }
    exchange.push(Event::ThreadEnd).unwrap();
    exchange.finish()
}

fn previous(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.message.previous_message_id.as_str()).collect()
}

#[test]
fn each_part_of_a_message_is_a_row() {
    let mut message = said("m", "assistant", "one");
    message.parts.push(text("two"));
    message.stop_reason = Some("end_turn".to_owned());
    message.span = Span { input: 0, offset: 7, length: 9 };
    let (produced, counts) = all(thread("t"), [message]);
    let [one, two] = &produced.rows[..] else { panic!("two rows") };
    assert_eq!((one.part_id.as_str(), two.part_id.as_str()), ("m#0", "m#1"));
    assert_eq!((one.part_index, two.part_index), (0, 1));
    assert_eq!(one.provider_subtype.as_deref(), Some("text"));
    assert_eq!(one.status, None);
    assert_eq!(two.status.as_deref(), Some(r#"{"finish_reason":"stop"}"#));
    assert_eq!(one.attributes, two.attributes);
    assert_eq!(two.message.span.offset, 7);
    assert!(!one.is_replay && !one.message.is_derived_id);
    assert_eq!(counts, Counts { messages: 1, parts: 2, ..Counts::default() });
}

#[test]
fn a_subtype_of_the_message_goes_before_that_of_the_block() {
    let mut message = said("m", "user", "x");
    message.provider_subtype = Some("local_command".to_owned());
    let (produced, _) = all(thread("t"), [message]);
    assert_eq!(produced.rows[0].provider_subtype, None);
    assert_eq!(produced.rows[0].message.provider_subtype.as_deref(), Some("local_command"));
}

#[test]
fn messages_without_content_use_up_a_number() {
    let mut empty = said("e", "user", "x");
    empty.parts.clear();
    let mut nobody = said("n", "", "x");
    nobody.parts.push(text("y"));
    let messages = [said("a", "user", "1"), empty, nobody, said("b", "user", "2")];
    let (produced, counts) = all(thread("t"), messages);
    let numbers: Vec<_> = produced.rows.iter().map(|row| row.message.message_index).collect();
    assert_eq!(numbers, [0, 3]);
    assert_eq!(previous(&produced.rows), ["[]", r#"["a"]"#]);
    assert_eq!((counts.empty, counts.messages), (2, 2));
}

#[test]
fn each_agent_has_a_chain_of_its_own() {
    let by = |id: &str, agent: Option<&str>| Message {
        context: Some(Box::new(Context {
            agent_id: agent.map(str::to_owned),
            ..Context::default()
        })),
        ..said(id, "user", id)
    };
    let messages = [by("a", None), by("b", Some("x")), by("c", None), by("d", Some("x"))];
    let (produced, _) = all(thread("t"), messages);
    assert_eq!(previous(&produced.rows), ["[]", "[]", r#"["a"]"#, r#"["b"]"#]);
}

#[test]
fn a_native_id_seen_again_gives_no_row() {
    let messages = [said("a", "user", "1"), said("a", "user", "2"), said("b", "user", "3")];
    let (produced, counts) = all(thread("t"), messages);
    let rows: Vec<_> = produced.rows.iter().map(|row| row.part_id.as_str()).collect();
    assert_eq!(rows, ["a#0", "b#0"]);
    assert_eq!(produced.rows[1].message.message_index, 2);
    assert_eq!(counts.duplicates, 1);
}

#[test]
fn the_same_native_id_in_another_thread_is_another_row() {
    let mut exchange = Exchange::new(source());
    for id in ["t", "u"] {
        exchange.push(Event::ThreadStart(Box::new(thread(id)))).unwrap();
        exchange.push(Event::Message(Box::new(said("a", "user", "1")))).unwrap();
    }
    let (produced, counts) = exchange.finish();
    assert_eq!((produced.rows.len(), counts.duplicates), (2, 0));
}

#[test]
fn messages_without_an_id_get_upstreams_and_equal_ones_their_number() {
    let mut head = thread("t");
    head.session_id = "other".to_owned();
    head.conversation_id = Some("sess-1".to_owned());
    let message = || said("", "user", "list the files");
    let (produced, _) = all(head, [message(), message(), message()]);
    let ids: Vec<_> = produced.rows.iter().map(|row| &row.message.message_id).collect();
    assert_eq!(ids[0], "b3a145596242b088");
    let payload = r#"sess-1:user:[{"text":"list the files","type":"text"}]"#;
    for (at, number) in [(1, 2), (2, 3)] {
        let expect = hyp_model::row::Key::of(format!("{payload}:#{number}").as_bytes());
        let expect: String = expect.0[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(*ids[at], expect);
    }
    assert!(produced.rows[0].message.is_derived_id);
    let attributes = produced.rows[0].attributes.as_deref().unwrap();
    assert!(attributes.contains(r#""identity_source":"gateway_fallback","native_id":"sess-1""#));
}

#[test]
fn an_agent_and_the_content_as_written_are_part_of_a_derived_id() {
    let mut head = thread("t");
    head.session_id = "sess-1".to_owned();
    head.context.agent_id = Some("a1".to_owned());
    let mut message = said("", "user", "shown otherwise");
    message.identity = Some(r#"[{"type":"text","text":"hi"}]"#.to_owned());
    let (produced, _) = all(head, [message]);
    assert_eq!(produced.rows[0].message.message_id, "63826c9f0a2288f9");
}

#[test]
fn remotes_are_stored_without_credentials() {
    let git = Git { remote: Some("https://u:p@host/r".to_owned()), ..Git::default() };
    let mut head = thread("t");
    head.context.git = git.clone();
    let mut own = said("b", "user", "2");
    own.context = Some(Box::new(Context { git, ..Context::default() }));
    let (produced, _) = all(head, [said("a", "user", "1"), own]);
    for row in &produced.rows {
        assert_eq!(row.context().git.remote.as_deref(), Some("https://host/r"));
    }
}

#[test]
fn a_synthetic_model_is_left_out() {
    let by = |id: &str, model: &str| Message {
        context: Some(Box::new(Context { model: Some(model.to_owned()), ..Context::default() })),
        ..said(id, "assistant", id)
    };
    let mut head = thread("t");
    head.context.model = Some("m1".to_owned());
    let messages = [by("a", "<synthetic>"), by("b", "m2"), said("c", "user", "x")];
    let (produced, _) = all(head, messages);
    let models: Vec<_> = produced.rows.iter().map(|row| row.message.model.as_deref()).collect();
    assert_eq!(models, [None, Some("m2"), Some("m1")]);
}

#[test]
fn a_thread_without_provider_or_session_gives_no_rows() {
    for (provider, session) in [("", "s"), ("p", "")] {
        let mut head = thread("t");
        (head.provider, head.session_id) = (provider.to_owned(), session.to_owned());
        let (produced, counts) = all(head, [said("a", "user", "1")]);
        assert_eq!(produced, Produced::default());
        assert_eq!(counts, Counts { malformed: 2, ..Counts::default() });
    }
}

#[test]
fn facts_name_the_thread_in_which_they_were_said() {
    let fact = |about| Fact { about, name: "title".into(), value: "x".into(), rank: 0 };
    let mut exchange = Exchange::new(source());
    exchange.push(Event::Fact(fact(Subject::HolderOf("m".into())))).unwrap();
    exchange.push(Event::ThreadStart(Box::new(thread("t")))).unwrap();
    exchange.push(Event::Fact(fact(Subject::ThisThread))).unwrap();
    exchange.push(Event::ThreadEnd).unwrap();
    exchange.push(Event::Fact(fact(Subject::ThisThread))).unwrap();
    let (produced, _) = exchange.finish();
    let threads: Vec<_> = produced.facts.iter().map(|(thread, _)| thread.as_str()).collect();
    assert_eq!(threads, ["", "t", "t"]);
}

#[test]
fn a_thread_that_is_told_again_goes_on_where_it_was() {
    let mut exchange = Exchange::new(source());
    let mut later = thread("t");
    later.started_at = Some(START + 5);
    later.context.cwd = Some("/late".to_owned());
    for (head, id) in [(thread("t"), "a"), (thread("u"), "x"), (later, "b")] {
        exchange.push(Event::ThreadStart(Box::new(head))).unwrap();
        exchange.push(Event::Message(Box::new(said(id, "user", id)))).unwrap();
    }
    let (produced, _) = exchange.finish();
    let last = &produced.rows[2];
    assert_eq!(last.message.message_index, 1);
    assert_eq!(last.message.previous_message_id, r#"["a"]"#);
    assert_eq!(last.message.thread.started_at, START);
    assert_eq!(last.context().cwd.as_deref(), Some("/late"));
    assert_eq!(produced.threads.len(), 2);
    assert_eq!(produced.threads[0].messages, 2);
    assert_eq!(produced.threads[0].cwd.as_deref(), Some("/late"));
}

#[test]
fn the_facts_of_a_thread_tell_what_it_comes_to() {
    let mut head = thread("t");
    head.started_at = None;
    head.forked_from = Some("f".to_owned());
    let at = |id: &str, time| Message { created_at: Some(time), ..said(id, "user", id) };
    let mut second = at("b", START - 9);
    second.parts.push(text("more"));
    second.context = Some(Box::new(Context { cwd: Some("/w".into()), ..Context::default() }));
    let (produced, _) = all(head, [at("a", START), second]);
    let facts = &produced.threads[0];
    assert_eq!((facts.thread_id.as_str(), facts.provider.as_str()), ("t", "claude"));
    assert_eq!((facts.started_at, facts.first_at), (Some(START), Some(START - 9)));
    assert_eq!((facts.last_at, facts.messages, facts.parts), (Some(START), 2, 3));
    assert_eq!(facts.cwd.as_deref(), Some("/w"));
    assert_eq!(facts.forked_from.as_deref(), Some("f"));
}

#[test]
fn a_thread_past_its_bound_is_refused() {
    use hyp_model::Explain;
    let mut exchange = Exchange::with_limit(source(), 2);
    exchange.push(Event::ThreadStart(Box::new(thread("t")))).unwrap();
    for id in ["a", "b"] {
        exchange.push(Event::Message(Box::new(said(id, "user", id)))).unwrap();
    }
    let refused = exchange.push(Event::Message(Box::new(said("c", "user", "c")))).unwrap_err();
    assert_eq!(refused.to_string(), "thread `t` of `p/s.jsonl` has more than 2 messages");
    assert_eq!(refused.code(), "hyp::materialize::too_big");
}

#[test]
fn rows_are_held_back_for_64_messages() {
    let mut exchange = Exchange::new(source());
    exchange.push(Event::ThreadStart(Box::new(thread("t")))).unwrap();
    for number in 0..70 {
        let message = said(&number.to_string(), "user", "x");
        exchange.push(Event::Message(Box::new(message))).unwrap();
    }
    let produced = exchange.take();
    assert_eq!(produced.rows.len(), 6);
    assert_eq!(produced.threads[0].messages, 6);
    let (rest, counts) = exchange.finish();
    assert_eq!((rest.rows.len(), counts.messages), (64, 70));
    assert_eq!(rest.threads[0].messages, 70);
}

#[test]
fn big_messages_are_not_held_back_together() {
    let mut exchange = Exchange::new(source());
    exchange.push(Event::ThreadStart(Box::new(thread("t")))).unwrap();
    let big = "x".repeat(HELD_BYTES / 2 + 1);
    for id in ["a", "b", "c"] {
        exchange.push(Event::Message(Box::new(said(id, "user", &big)))).unwrap();
    }
    assert_eq!(exchange.take().rows.len(), 2);
}
