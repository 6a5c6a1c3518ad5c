//! Tests of `part`.

use hyp_model::event::{Blob, Thinking, ToolCall, ToolResult};

use super::*;

fn words(value: &str) -> Option<Text> {
    Some(Text { value: value.to_owned(), literal: None })
}

fn cells_of(block_type: &str, content: Content) -> Cells {
    let around = Around { role: "assistant", response_id: None, stop_reason: None };
    let part = Part { block_type: block_type.to_owned(), content };
    expand(part, around, &mut Tools::default())
}

#[test]
fn the_type_of_a_part_is_upstreams() {
    let text = || Content::Text(Text::default());
    let call = || Content::ToolCall(ToolCall::default());
    #[rustfmt::skip]
    let cases = [
        ("text",                   text(),                                  "text"),
        ("input_text",             text(),                                  "text"),
        ("thinking",               Content::Thinking(Thinking::default()),  "reasoning"),
        ("redacted_thinking",      Content::Thinking(Thinking::default()),  "reasoning"),
        ("tool_use",               call(),                                  "tool_call"),
        ("server_tool_use",        call(),                                  "tool_call"),
        ("function_call",          call(),                                  "tool_call"),
        ("tool_result",            Content::ToolResult(ToolResult::default()), "tool_result"),
        ("web_search_tool_result", Content::ToolResult(ToolResult::default()), "tool_result"),
        ("image",                  Content::Image(Blob::default()),         "image"),
        ("document",               Content::File(Blob::default()),          "file"),
        ("file",                   Content::File(Blob::default()),          "file"),
        ("error",                  Content::Error(ErrorBlock::default()),   "error"),
        ("container_upload",       Content::Other(None),                    "container_upload"),
        ("",                       Content::Other(None),                    "text"),
    ];
    for (word, content, expect) in cases {
        let cells = cells_of(word, content);
        assert_eq!(cells.part_type, expect, "{word}");
        assert_eq!(cells.block_type, word);
    }
}

#[test]
fn content_text_is_what_a_person_would_read() {
    let thinking = Thinking { text: words("hm"), signature: Some("sig".into()) };
    let result = |text| ToolResult { text, ..ToolResult::default() };
    let error = ErrorBlock { code: Some("529".into()), message: words("busy") };
    #[rustfmt::skip]
    let cases = [
        ("text",              Content::Text(words("hi").unwrap()),                  Some("hi")),
        ("text",              Content::Text(Text::default()),                       Some("")),
        ("text",              Content::Text(words("data:a/b;base64,QQ").unwrap()),  Some("data:a/b;base64,<stripped>")),
        ("thinking",          Content::Thinking(thinking),                          Some("hm")),
        ("tool_use",          Content::ToolCall(ToolCall::default()),               None),
        ("tool_result",       Content::ToolResult(result(words(""))),               Some("")),
        ("tool_result",       Content::ToolResult(result(None)),                    None),
        ("image",             Content::Image(Blob::default()),                      None),
        ("error",             Content::Error(error),                                Some("busy")),
        ("other",             Content::Other(words("x")),                           Some("x")),
    ];
    for (word, content, expect) in cases {
        assert_eq!(cells_of(word, content).content_text.as_deref(), expect, "{word}");
    }
}

#[test]
fn a_result_learns_the_tool_from_its_call() {
    let mut tools = Tools::default();
    let around = Around { role: "user", response_id: None, stop_reason: None };
    let mut expand =
        |content| expand(Part { block_type: String::new(), content }, around, &mut tools);
    let call = |id: &str, name: &str| {
        let input = Some(r#"{"a":1}"#.to_owned());
        let caller_type = Some("direct".to_owned());
        Content::ToolCall(ToolCall {
            id: Some(id.into()),
            name: Some(name.into()),
            input,
            caller_type,
        })
    };
    let result = |id: &str, is_error| {
        let call_id = Some(id.to_owned());
        Content::ToolResult(ToolResult { call_id, is_error, ..ToolResult::default() })
    };

    assert_eq!(expand(result("1", None)).tool_name, None, "the call has to come first");
    let called = expand(call("1", "Bash"));
    assert_eq!(called.tool_name.as_deref(), Some("Bash"));
    assert_eq!(called.tool_call_id.as_deref(), Some("1"));
    assert_eq!(called.tool_args.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(called.caller_type.as_deref(), Some("direct"));
    assert_eq!(called.tool_result_for, None);

    let answered = expand(result("1", Some(true)));
    assert_eq!(answered.tool_name.as_deref(), Some("Bash"));
    assert_eq!(answered.tool_call_id.as_deref(), Some("1"));
    assert_eq!(answered.tool_result_for.as_deref(), Some("1"));
    assert_eq!(answered.is_error, Some(true));
    assert_eq!(answered.status.as_deref(), Some(r#"{"tool_status":"error"}"#));

    let fine = expand(result("1", Some(false)));
    assert_eq!(fine.is_error, None);
    assert_eq!(fine.status.as_deref(), Some(r#"{"tool_status":"success"}"#));

    expand(call("1", "Read"));
    assert_eq!(
        expand(result("1", None)).tool_name.as_deref(),
        Some("Read"),
        "the later call names it"
    );
}

#[test]
fn the_reason_to_stop_is_mapped() {
    #[rustfmt::skip]
    let cases = [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_use"),
        ("pause_turn", "pause"), ("refusal", "refusal"), ("error", "error"), ("novel", "novel"),
    ];
    for (word, expect) in cases {
        let around = Around { role: "assistant", response_id: None, stop_reason: Some(word) };
        let part = Part { block_type: "text".into(), content: Content::Text(Text::default()) };
        let status = expand(part, around, &mut Tools::default()).status;
        assert_eq!(status, Some(format!(r#"{{"finish_reason":"{expect}"}}"#)));
    }
}

#[test]
fn an_error_tells_code_and_message() {
    let error = ErrorBlock { code: Some("529".into()), message: words("\"busy\"") };
    assert_eq!(
        cells_of("error", Content::Error(error)).status.as_deref(),
        Some(r#"{"error_code":"529","error_message":"\"busy\""}"#)
    );
    assert_eq!(cells_of("error", Content::Error(ErrorBlock::default())).status, None);
}

#[test]
fn arguments_that_are_null_are_absent() {
    let call = ToolCall { input: Some("null".into()), ..ToolCall::default() };
    assert_eq!(cells_of("tool_use", Content::ToolCall(call)).tool_args, None);
}

#[test]
fn a_part_said_again_has_the_same_key() {
    let key = |role, response_id, content| {
        let part = Part { block_type: "x".into(), content };
        let around = Around { role, response_id, stop_reason: None };
        expand(part, around, &mut Tools::default()).said_key
    };
    let text = |value: &str| Content::Text(words(value).unwrap());
    let call = |id: &str, input: &str| {
        let (id, input) = (Some(id.to_owned()), Some(input.to_owned()));
        Content::ToolCall(ToolCall { id, input, ..ToolCall::default() })
    };
    let result = |id: &str| {
        Content::ToolResult(ToolResult { call_id: Some(id.into()), ..ToolResult::default() })
    };

    assert_eq!(key("user", None, text("a")), key("user", Some("r"), text("a")));
    assert_eq!(key("assistant", Some("r"), text("a")), key("assistant", Some("r"), text("a")));
    assert_ne!(key("assistant", Some("r"), text("a")), key("assistant", Some("q"), text("a")));
    assert_ne!(key("assistant", None, text("a")), key("user", None, text("a")));
    assert_ne!(key("user", None, text("a")), key("user", None, text("b")));
    assert_eq!(key("assistant", Some("r"), call("1", "{}")), key("tool", None, call("1", "[]")));
    assert_ne!(key("user", None, call("1", "{}")), key("user", None, result("1")));
    assert_ne!(key("user", None, call("", "{}")), key("user", None, call("", "[]")));
}
