//! What was said: prompts, answers, results of tools, commands of the person, and what extensions add.

use hyp_sdk::json::{Kind, Object, Value};
use hyp_sdk::{
    Blob, Content, ErrorBlock, Message, Part, Span, Text, Thinking, ToolCall, ToolResult, Usage,
    time,
};

use crate::session::{empty, of_model};

/// Returns the vendor of a model as rows name it: several providers of Pi lead to one.
pub(crate) fn vendor(provider: &str) -> &str {
    let families = ["anthropic", "openai", "google"];
    let of = |family: &&str| {
        provider.strip_prefix(*family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    families.into_iter().find(of).unwrap_or(provider)
}

/// Makes a message of one; nothing of a kind that is not known.
pub(crate) fn message(json: Value<'_>, span: Span) -> Option<Message> {
    let role = json.get("role").and_then(Value::str)?;
    let content = json.get("content");
    let mut message = match &*role {
        "user" => Message { parts: parts(content), ..empty(span, "user", "message") },
        "assistant" => answer(json, span),
        "toolResult" => result(json, span),
        "bashExecution" => command(json, span),
        // An extension's words, under the name that they had before and after the second migration.
        "custom" | "hookMessage" => return custom(json, span),
        "branchSummary" | "compactionSummary" => return summary(json, &role, span),
        _ => return None,
    };
    message.provider_subtype = Some(role.into_owned());
    message.created_at = json.get("timestamp").and_then(Value::f64).and_then(time::from_millis);
    Some(message)
}

fn answer(json: Value<'_>, span: Span) -> Message {
    let text = |key: &str| json.get(key).and_then(Value::non_empty);
    let mut message = empty(span, "assistant", "message");
    message.parts = parts(json.get("content"));
    if let Some(error) = json.get("errorMessage").and_then(Value::text) {
        let code = text("stopReason");
        message
            .parts
            .push(Part::new("error", Content::Error(ErrorBlock { code, message: Some(error) })));
    }
    message.response_id = text("responseId");
    message.usage = json.get("usage").and_then(usage);
    message.stop_reason = text("stopReason");
    message.context = Some(of_model(text("model")));
    let mut own = Object::new();
    own.maybe_text("provider", text("provider").as_deref());
    own.maybe_text("api", text("api").as_deref());
    message.attributes = attributes(own);
    message
}

/// Returns the tokens of a response. Its input is without the cache already; the cost is left to whoever knows prices.
fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |key: &str| json.get(key).and_then(Value::u64);
    json.is_object().then(|| Usage {
        input: count("input"),
        output: count("output"),
        cache_read: count("cacheRead"),
        cache_write: count("cacheWrite"),
        reasoning: count("reasoning"),
        total: count("totalTokens"),
        ..Usage::default()
    })
}

fn result(json: Value<'_>, span: Span) -> Message {
    let content = json.get("content");
    let mut message = empty(span, "tool", "message");
    message.parts.push(Part::new(
        "toolResult",
        Content::ToolResult(ToolResult {
            call_id: json.get("toolCallId").and_then(Value::non_empty),
            text: content.and_then(said),
            content: content.filter(|it| !it.is_string()).map(|it| it.raw().to_owned()),
            is_error: json.get("isError").and_then(Value::bool),
        }),
    ));
    message
}

/// A command that the person ran in the session, with what it printed.
fn command(json: Value<'_>, span: Span) -> Message {
    let text = |key: &str| json.get(key).and_then(Value::str).unwrap_or_default();
    let mut message = empty(span, "user", "message");
    let words = format!("$ {}\n{}", text("command"), text("output"));
    message.parts.push(Part::new("bashExecution", Content::Other(Some(words.into()))));
    let mut own = Object::new();
    own.maybe_raw("exit_code", json.get("exitCode").map(Value::raw));
    own.maybe_bool("cancelled", json.get("cancelled").and_then(Value::bool));
    own.maybe_bool("truncated", json.get("truncated").and_then(Value::bool));
    message.attributes = attributes(own);
    message
}

/// What an extension put before the model under the person's name.
pub(crate) fn custom(json: Value<'_>, span: Span) -> Option<Message> {
    let mut message = empty(span, "user", "custom_message");
    message.parts = parts(json.get("content"));
    message.provider_subtype = Some("injected".to_owned());
    let kind = json.get("customType").and_then(Value::non_empty);
    let mut own = Object::new();
    own.maybe_text("injected", kind.as_deref());
    own.maybe_bool("display", json.get("display").and_then(Value::bool));
    message.attributes = attributes(own);
    Some(message)
}

/// What stands for a part of the history that the model no longer sees.
pub(crate) fn summary(json: Value<'_>, kind: &str, span: Span) -> Option<Message> {
    let mut message = empty(span, "user", kind);
    message.parts = vec![Part::text(json.get("summary")?.text()?)];
    if kind.starts_with("compaction") {
        message.is_compact_summary = Some(true);
        let mut about = Object::new();
        about.maybe_u64("tokens_before", json.get("tokensBefore").and_then(Value::u64));
        let first = json.get("firstKeptEntryId").and_then(Value::non_empty);
        about.maybe_text("first_kept_entry_id", first.as_deref());
        message.compact_metadata = about.finish();
    } else {
        // The model wrote it, of a branch that was left.
        message.provider_subtype = Some("injected".to_owned());
    }
    Some(message)
}

fn attributes(own: Object) -> Option<String> {
    let mut all = Object::new();
    all.object("pi", own);
    all.finish()
}

fn parts(content: Option<Value<'_>>) -> Vec<Part> {
    let Some(content) = content else { return Vec::new() };
    match content.kind() {
        Kind::String => {
            let text = content.text().filter(|text| !text.value.is_empty());
            text.map(Part::text).into_iter().collect()
        }
        _ => content.items().map(part).collect(),
    }
}

fn part(block: Value<'_>) -> Part {
    let text = |key: &str| block.get(key).and_then(Value::non_empty);
    let kind = text("type").unwrap_or_else(|| "text".to_owned());
    let content = match &*kind {
        "text" => {
            Content::Text(block.get("text").and_then(Value::text).unwrap_or_else(|| "".into()))
        }
        "thinking" => Content::Thinking(Thinking {
            text: block.get("thinking").and_then(Value::text),
            signature: text("thinkingSignature"),
        }),
        "toolCall" => Content::ToolCall(ToolCall {
            id: text("id"),
            name: text("name"),
            input: block.get("arguments").map(|input| input.raw().to_owned()),
            caller_type: None,
        }),
        "image" => {
            let data = block.get("data").filter(|data| data.is_string());
            Content::Image(Blob {
                media_type: text("mimeType"),
                encoded_length: data.map_or(0, |data| data.raw().len() as u64 - 2),
            })
        }
        _ => Content::Other(block.get("text").and_then(Value::text)),
    };
    Part::new(kind, content)
}

/// Returns the texts of a content, joined by line feeds.
fn said(content: Value<'_>) -> Option<Text> {
    if content.is_string() {
        return content.text();
    }
    let texts = content.items().filter_map(|block| block.get("text").and_then(Value::text));
    texts.reduce(Text::joined)
}
