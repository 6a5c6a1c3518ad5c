//! The rows of one version stay what they are.

use std::path::PathBuf;

use arrow::json::LineDelimitedWriter;
use hyp_materialize::{Exchange, Source, VERSION, batch};
use hyp_model::event::{
    Content, Context, Event, Git, Message, Part, Span, Text, Thinking, Thread, ToolCall,
    ToolResult, Usage,
};

const START: i64 = 1_760_000_000_000_000;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn text(value: &str) -> Option<Text> {
    Some(Text { value: value.to_owned(), literal: None })
}

fn part(block_type: &str, content: Content) -> Part {
    Part { block_type: block_type.to_owned(), content }
}

fn context() -> Context {
    Context {
        cwd: some("/home/ada/engine"),
        git: Git { branch: some("main"), head: some("c0ffee"), ..Git::default() },
        client_version: some("1.2.3"),
        entrypoint: some("cli"),
        user_type: some("external"),
        permission_mode: some("plan"),
        is_sidechain: Some(false),
        model: some("opus"),
        ..Context::default()
    }
}

/// A thread with native ids, one without, and a part of each kind.
fn events() -> Vec<Event> {
    let thread = |id: &str, started_at| {
        Event::ThreadStart(Box::new(Thread {
            id: id.to_owned(),
            provider: "anthropic".into(),
            session_id: "s".into(),
            client: "claude".into(),
            started_at,
            context: context(),
            attributes: some(r#"{"b":1.50,"a":"\ud83d"}"#),
            ..Thread::default()
        }))
    };
    let question = Message {
        span: Span { input: 0, offset: 7, length: 40 },
        id: some("u1"),
        role: "user".into(),
        created_at: Some(START + 1),
        provider_uuid: some("u1"),
        provider_type: some("user"),
        parts: vec![
            part("text", Content::Text(text("Why?").expect("there is one"))),
            part(
                "text",
                Content::Text(Text { value: "\u{fffd}".into(), literal: some(r#""\ud83d""#) }),
            ),
        ],
        ..Message::default()
    };
    let call = ToolCall {
        id: some("c1"),
        name: some("Bash"),
        input: some(r#"{"z":1e3, "a":"ls"}"#),
        caller_type: some("direct"),
    };
    let answer = Message {
        id: some("a1"),
        role: "assistant".into(),
        created_at: Some(START + 2),
        response_id: some("r1"),
        usage: Some(Usage {
            input: Some(3),
            output: Some(5),
            cache_read: Some(7),
            ..Usage::default()
        }),
        stop_reason: some("tool_use"),
        parent_uuid: some("u1"),
        request_id: some("q1"),
        parts: vec![
            part(
                "thinking",
                Content::Thinking(Thinking { text: text("hm"), signature: some("sig") }),
            ),
            part("tool_use", Content::ToolCall(call)),
        ],
        ..Message::default()
    };
    let grown = Message {
        id: some("a2"),
        usage: Some(Usage { output: Some(9), ..Usage::default() }),
        parts: vec![part("text", Content::Text(text("Because.").expect("there is one")))],
        ..answer.clone()
    };
    let result = Message {
        id: some("t1"),
        role: "tool".into(),
        created_at: Some(START + 3),
        attributes: some(r#"{"exit":0}"#),
        parts: vec![part(
            "tool_result",
            Content::ToolResult(ToolResult {
                call_id: some("c1"),
                text: text("Cargo.toml"),
                is_error: Some(false),
                ..ToolResult::default()
            }),
        )],
        ..Message::default()
    };
    let nameless = Message { id: None, provider_uuid: None, ..question.clone() };
    let mut events = vec![thread("native", Some(START))];
    events.extend(
        [&question, &answer, &result, &grown].map(|one| Event::Message(Box::new(one.clone()))),
    );
    events.push(Event::ThreadEnd);
    events.push(thread("nameless", None));
    events.extend([&nameless, &nameless].map(|one| Event::Message(Box::new(one.clone()))));
    events.push(Event::ThreadEnd);
    events
}

fn rows() -> String {
    let mut exchange = Exchange::new(Source::default());
    for event in events() {
        exchange.push(event).expect("the thread is small");
    }
    let (produced, _) = exchange.finish();
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&batch(&produced.rows, "run")).expect("rows are JSON");
    writer.finish().expect("memory does not fail");
    String::from_utf8(writer.into_inner()).expect("JSON is UTF-8")
}

#[test]
fn whoever_changes_rows_raises_the_version() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rows");
    let path = folder.join(format!("version-{VERSION}.jsonl"));
    let rows = rows();
    if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rows).expect("the folder is there");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        rows == expected,
        "these are not the rows of version {VERSION}: raise hyp_materialize::VERSION, remove `{}`, and have the \
         new one written with UPDATE_GOLDEN=1\n{rows}",
        path.display(),
    );
}
