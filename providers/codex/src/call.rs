//! Calls of tools, and what the tools gave back.

use hyp_sdk::json::{Object, Tape, Value, quote};
use hyp_sdk::{Blob, Content, Message, Part, Text, ToolCall, ToolResult};

use crate::attributes;
use crate::failed::Failed;
use crate::item::joined;

/// How much of an output is searched for the status of the process.
const HEAD: usize = 4 << 10;
/// Beginnings of outputs that say that a call went wrong before there was a process.
const REFUSED: &[&str] = &[
    "Script failed",
    "aborted by user",
    "apply_patch verification failed",
    "collab spawn failed:",
    "exec command rejected by user",
    "exec_command failed",
    "execution error",
    "failed to parse function arguments",
    "failed to parse exec_command arguments",
    "patch rejected by user",
    "resources/list failed:",
    "tool call error",
    "unable to locate image at",
    "unsupported call",
    "unsupported custom tool call",
    "write_stdin failed:",
];

/// Makes the message of a call of a function or of a custom tool.
pub(crate) fn function(item: Value<'_>, mut message: Message, tape: &mut Tape) -> Message {
    let input = item.get("arguments").or_else(|| item.get("input"));
    let call = ToolCall {
        id: call_id(item),
        name: item.get("name").and_then(Value::non_empty),
        input: input.map(|input| arguments(input, tape)),
        caller_type: None,
    };
    message.parts.push(Part::new("tool_use", Content::ToolCall(call)));
    let namespace = item.get("namespace").and_then(Value::str);
    attributes::set(&mut message, &[("namespace", namespace.as_deref())]);
    message
}

/// Makes the message of a call of a tool that is built into client or server.
pub(crate) fn built_in(item: Value<'_>, mut message: Message, kind: &str) -> Message {
    let input = match kind {
        "image_generation_call" => {
            let mut input = Object::new();
            input.maybe_raw("revised_prompt", item.get("revised_prompt").map(Value::raw));
            input.finish()
        }
        _ => ["action", "arguments", "query"]
            .iter()
            .find_map(|key| item.get(key))
            .map(|it| it.raw().to_owned()),
    };
    let call = ToolCall {
        id: call_id(item),
        name: Some(kind.trim_end_matches("_call").to_owned()),
        input,
        caller_type: None,
    };
    message.parts.push(Part::new("tool_use", Content::ToolCall(call)));
    if let Some(picture) = item.get("result").filter(|result| result.is_string()) {
        let blob = Blob { media_type: None, encoded_length: picture.raw().len() as u64 - 2 };
        message.parts.push(Part::new("image", Content::Image(blob)));
    }
    message
}

fn call_id(item: Value<'_>) -> Option<String> {
    ["call_id", "id"].iter().find_map(|key| item.get(key)?.non_empty())
}

/// Returns arguments as JSON: the text if it is that, else its literal.
fn arguments(input: Value<'_>, tape: &mut Tape) -> String {
    let Some(text) = input.str() else { return input.raw().to_owned() };
    let is_json = tape.parse(&text, 0).is_ok_and(|(_, end)| text[end..].trim().is_empty());
    if is_json { text.into_owned() } else { input.raw().to_owned() }
}

/// Makes the message of what a tool gave back.
pub(crate) fn output(item: Value<'_>, mut message: Message) -> Message {
    let output = item.get("output").or_else(|| item.get("tools")).filter(|it| !it.is_null());
    let mut result = ToolResult { call_id: call_id(item), ..ToolResult::default() };
    // What upstream would have taken for the content.
    let mut written = None;
    if let Some(output) = output {
        if output.is_string() {
            result.text = output.text().filter(|text| !text.value.is_empty());
            written = result.text.as_ref().map(|_| output.raw().to_owned());
        } else if let Some(inner) = inner(output) {
            result.text = inner.text();
            written = Some(inner.raw().to_owned());
        } else {
            result.text = joined(inner_list(output));
            result.content = Some(output.raw().to_owned());
            written = Some(quote(output.raw()));
        }
        let refused = output.get("success").and_then(Value::bool) == Some(false)
            || result.text.as_ref().is_some_and(|text| failed(&text.value));
        result.is_error = refused.then_some(true);
    }
    if item.get("status").and_then(Value::str).as_deref() == Some("failed") {
        result.is_error = Some(true);
    }
    if message.id.is_none() && (result.is_error.is_some() || result.content.is_some()) {
        message.identity = Some(identity(&result, written));
    }
    message.parts.push(Part::new("tool_result", Content::ToolResult(result)));
    message
}

/// Marks what a tool gave back where an event said that the call went wrong.
pub(crate) fn finish(message: &mut Message, failed: &mut Failed) {
    let Some(Content::ToolResult(result)) = message.parts.first_mut().map(|it| &mut it.content)
    else {
        return;
    };
    if !result.call_id.as_deref().is_some_and(|call| failed.output(call)) {
        return;
    }
    result.is_error = Some(true);
    if message.id.is_none() && message.identity.is_none() {
        let written = |text: &Text| text.literal.clone().unwrap_or_else(|| quote(&text.value));
        message.identity = Some(identity(result, result.text.as_ref().map(written)));
    }
}

/// Returns the text of an output that is an object.
fn inner(output: Value<'_>) -> Option<Value<'_>> {
    ["output", "content", "text"]
        .iter()
        .find_map(|key| output.get(key))
        .filter(|inner| inner.is_string())
}

fn inner_list(output: Value<'_>) -> Value<'_> {
    output.get("content").or_else(|| output.get("content_items")).unwrap_or(output)
}

/// Returns the content that the derived id is made of: without the error, which upstream never sets.
fn identity(result: &ToolResult, written: Option<String>) -> String {
    let mut block = Object::new();
    block
        .maybe_raw("content", written.as_deref())
        .maybe_text("tool_use_id", result.call_id.as_deref())
        .text("type", "tool_result");
    format!("[{}]", block.finish().unwrap_or_default())
}

/// Says whether an output tells of a process that failed, or of a call that was refused.
fn failed(text: &str) -> bool {
    if text.starts_with('{') {
        return in_metadata(text).map_or(tail(text).contains(r#""isError":true"#), |it| it != 0);
    }
    if let Some(status) = in_head(text) {
        return status != 0;
    }
    let timed = text.strip_prefix("Wall time: ").and_then(|rest| rest.split_once('\n'));
    let told = timed.map_or(text, |(_, told)| told);
    REFUSED.iter().any(|beginning| told.starts_with(beginning))
}

/// Returns the end of a text, where results in JSON say how it went.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(256);
    (from..text.len()).find_map(|at| text.get(at..)).unwrap_or_default()
}

/// Returns the exit code from `{"output":…,"metadata":{"exit_code":…}}`.
fn in_metadata(text: &str) -> Option<i64> {
    let (_, rest) = tail(text).rsplit_once(r#""metadata":{"exit_code":"#)?;
    leading(rest)
}

/// Returns the exit code from the lines above the output.
fn in_head(text: &str) -> Option<i64> {
    let end = (0..=text.len().min(HEAD)).rev().find(|&at| text.is_char_boundary(at))?;
    let head = &text[..end];
    let (above, below) = head.split_once("Output:\n").unwrap_or((head, ""));
    let own = above.lines().find_map(|line| line.strip_prefix("Process exited with code "));
    let nested = || {
        let first = if above.starts_with("Exit code: ") { above } else { below };
        first.strip_prefix("Exit code: ")
    };
    leading(own.or_else(nested)?)
}

/// Returns the number at the start of a text.
fn leading(text: &str) -> Option<i64> {
    let end = text.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_whether_it_failed() {
        #[rustfmt::skip]
        let cases = [
            ("Chunk ID: 1\nWall time: 0 s\nProcess exited with code 0\nOutput:\nProcess exited with code 1",  false),
            ("Command: x\nChunk ID: 1\nProcess exited with code 127\nOriginal token count: 1\nOutput:\n",      true),
            ("Exit code: 1\nWall time: 0 seconds\nOutput:\nno",                                               true),
            ("Wall time: 0 s\nOutput:\nExit code: 2\nWall time: 0\nOutput:\n",                                true),
            (r#"{"output":"no\n","metadata":{"exit_code":1,"duration_seconds":0.1}}"#,                       true),
            (r#"{"output":"ok\n","metadata":{"exit_code":0,"duration_seconds":0.1}}"#,                       false),
            ("apply_patch verification failed: no such file",                                                 true),
            ("Wall time: 6.4 seconds\naborted by user",                                                       true),
            (r#"{"content":[{"type":"text","text":"no"}],"isError":true}"#,                                   true),
            (r#"{"content":[{"type":"text","text":"\"isError\":true"}],"isError":false}"#,                    false),
            ("Wall time: 1.0 seconds\nexec command rejected by user",                                          true),
            ("write_stdin failed: no such session",                                                           true),
            ("Process running with session ID 7",                                                             false),
            ("",                                                                                              false),
        ];
        for (text, expect) in cases {
            assert_eq!(failed(text), expect, "{text}");
        }
    }

    #[test]
    fn arguments_that_are_no_json_stay_a_string() {
        let mut tape = Tape::new();
        let mut spare = Tape::new();
        let mut read = |literal: &str| {
            let (value, _) = tape.parse(literal, 0).expect("JSON");
            arguments(value, &mut spare)
        };
        assert_eq!(read(r#""{\"cmd\": \"ls\"}""#), r#"{"cmd": "ls"}"#);
        assert_eq!(read(r#""{\"cmd\": ""#), r#""{\"cmd\": ""#);
        assert_eq!(read(r#"{"cmd":1}"#), r#"{"cmd":1}"#);
    }
}
