//! Tests of `identity`.

use hyp_model::event::{Content, Part, Text, ToolCall, ToolResult};

use super::*;

fn text(value: &str) -> Part {
    part("text", Content::Text(Text { value: value.to_owned(), literal: None }))
}

fn part(block_type: &str, content: Content) -> Part {
    Part { block_type: block_type.to_owned(), content }
}

fn id(scope: &str, agent: Option<&str>, role: &str, part: Part) -> String {
    let mut content = String::new();
    push_parts(&mut content, &[part]);
    Payload::new(scope, agent, role, &content).id(1)
}

#[test]
fn derived_ids_are_those_of_upstream() {
    let call = ToolCall {
        id: Some("call-1".into()),
        name: Some("shell".into()),
        input: Some(r#"{"command":"ls"}"#.into()),
        caller_type: None,
    };
    let result = ToolResult {
        call_id: Some("call-1".into()),
        text: Some(Text { value: "file-a\nfile-b".into(), literal: None }),
        content: None,
        is_error: None,
    };
    let cases = [
        ("sess-1", None, "user", text("list the files"), "b3a145596242b088"),
        (
            "sess-1",
            None,
            "assistant",
            part("tool_use", Content::ToolCall(call.clone())),
            "d9319fe2542f3f0b",
        ),
        (
            "sess-1",
            None,
            "assistant",
            part("function_call", Content::ToolCall(call)),
            "d9319fe2542f3f0b",
        ),
        (
            "sess-1",
            None,
            "tool",
            part("tool_result", Content::ToolResult(result)),
            "fb5f93125a2559e2",
        ),
        ("sess-1", None, "assistant", text("Here are the files."), "bdf5f005e441c819"),
        ("sess-1", Some("a1"), "user", text("hi"), "63826c9f0a2288f9"),
        ("s", None, "user", text("é \u{2028} \u{7f} 😀 \"q\" \\ /"), "86eb8622e3d10d2e"),
    ];
    for (scope, agent, role, part, expect) in cases {
        assert_eq!(id(scope, agent, role, part.clone()), expect, "{part:?}");
    }
}

#[test]
fn volatile_members_of_a_block_do_not_count() {
    let written = r#"[{"type":"tool_use","id":"t","name":"n","caller":{"type":"direct"},
        "input":{"b":1,"a":[2,{"z":null,"y":true}],"10":"x","9":1.5e21},"cache_control":{"type":"e"}}]"#;
    let canonical = canonical_content(written).unwrap();
    assert_eq!(
        canonical,
        r#"[{"id":"t","input":{"9":1.5e+21,"10":"x","a":[2,{"y":true,"z":null}],"b":1},"name":"n","type":"tool_use"}]"#
    );
    assert_eq!(Payload::new("s", None, "assistant", &canonical).id(1), "e4167755a0577816");
}

#[test]
fn volatile_members_below_a_block_do_count() {
    let written = r#"[{"input":{"caller":1}},["caller"],"cache_control"]"#;
    assert_eq!(canonical_content(written).as_deref(), Some(written));
}

#[test]
fn content_that_is_a_string_is_one_text_block() {
    assert_eq!(canonical_content(r#""hi""#).as_deref(), Some(r#"[{"text":"hi","type":"text"}]"#));
    assert_eq!(canonical_content("[]").as_deref(), Some("[]"));
    assert_eq!(canonical_content("{}"), None);
}

#[test]
fn the_second_equal_message_gets_an_id_of_its_own() {
    let payload = Payload::new("s", None, "user", "[]");
    assert_eq!(payload.id(0), payload.id(1));
    assert_ne!(payload.id(1), payload.id(2));
    assert_ne!(payload.id(2), payload.id(3));
    assert_eq!(payload.id(2), Payload::new("s", None, "user", "[]:#2").id(1));
}

#[test]
fn canonical_json_is_what_ecmascript_writes() {
    #[rustfmt::skip]
    let cases = [
        ("whole float",             "1.0",                    "1"),
        ("large",                   "1e21",                   "1e+21"),
        ("small",                   "1e-7",                   "1e-7"),
        ("minus zero",              "-0",                     "0"),
        ("minus zero as float",     "-0.0",                   "0"),
        ("beyond exact integers",   "12345678901234567890",   "12345678901234567000"),
        ("plain up to 1e21",        "100000000000000000000",  "100000000000000000000"),
        ("exact integer",           "9007199254740993",       "9007199254740992"),
        ("beyond floats",           "1e999",                  "null"),
        ("negative",                "-12",                    "-12"),
        ("blanks",                  " [ 1 , { \"a\" : [ ] } ] ", r#"[1,{"a":[]}]"#),
        ("needless escapes",        r#""\/\u0041\u00e9""#,     "\"/Aé\""),
        ("upper case escapes",      r#""\u000A\u001F\u007F""#, "\"\\n\\u001f\u{7f}\""),
        ("a pair",                  r#""\ud83d\ude00""#,       "\"😀\""),
        ("a lone half",             r#""a\uD83Db""#,           r#""a\ud83db""#),
        ("halves the wrong way",    r#""\ude00\ud83d""#,       r#""\ude00\ud83d""#),
        ("a half before a pair",    r#""\ud83d\ud83d\ude00""#, "\"\\ud83d😀\""),
        ("escaped quotes",          r#""\u0022\u005c""#,       r#""\"\\""#),
        ("indexes first",           r#"{"b":1,"10":2,"9":3,"01":4,"4294967294":5,"4294967295":6}"#,
                                    r#"{"9":3,"10":2,"4294967294":5,"01":4,"4294967295":6,"b":1}"#),
        ("code unit order",         "{\"\u{ff5e}\":1,\"😀\":2}", "{\"😀\":2,\"\u{ff5e}\":1}"),
        ("an escaped key",          r#"{"b":1,"\u0061":2}"#,   r#"{"a":2,"b":1}"#),
        ("a lone half as key",      r#"{"\ud83d":1,"\ud83c":2,"z":3}"#, r#"{"z":3,"\ud83c":2,"\ud83d":1}"#),
        ("the last of equal keys",  r#"{"a":1,"b":2,"a":3}"#,  r#"{"a":3,"b":2}"#),
        ("a prototype",             r#"{"__proto__":{},"a":1}"#, r#"{"a":1}"#),
        ("an empty key",            r#"{"":1}"#,               r#"{"":1}"#),
    ];
    for (name, text, expect) in cases {
        assert_eq!(canonical(text).as_deref(), Some(expect), "{name}");
    }
}

#[test]
fn what_is_no_json_has_no_canonical_form() {
    for text in ["", "nul", "[1", r#"{"a":1"#, "01x", r#""\x""#, "\"a\"b", "hello", "NaN", "inf"] {
        assert_eq!(canonical(text), None, "{text}");
    }
    assert_eq!(canonical(&"[".repeat(300)), None);
    assert_eq!(canonical(&format!("{}{}", "[".repeat(300), "]".repeat(300))), None);
}

#[test]
fn a_literal_is_hashed_in_place_of_the_text() {
    let exact = Text { value: "a\u{fffd}".into(), literal: Some(r#""a\uD800""#.into()) };
    let mut content = String::new();
    push_parts(&mut content, &[part("text", Content::Text(exact))]);
    assert_eq!(content, r#"[{"text":"a\ud800","type":"text"}]"#);
}

#[test]
fn arguments_that_are_no_json_count_as_a_string() {
    let call = ToolCall { input: Some("ls -l".into()), ..ToolCall::default() };
    let mut content = String::new();
    push_parts(&mut content, &[part("tool_use", Content::ToolCall(call))]);
    assert_eq!(content, r#"[{"input":"ls -l","type":"tool_use"}]"#);
}
