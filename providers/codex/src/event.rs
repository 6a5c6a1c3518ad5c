//! Events: what the client told the person while it worked. Items repeat most of it.

use std::borrow::Cow;

use hyp_sdk::json::Value;
use hyp_sdk::{Text, is_telling};

use crate::item::{joined, word};

/// What an event means for the thread.
#[derive(Debug)]
pub(crate) enum Event<'e> {
    /// A person asked something.
    Prompt(&'static str, Text),
    /// The model said something; with the id of the message, where it is the API's.
    Said(&'static str, Option<String>, Text),
    /// The model thought something.
    Thought(&'static str, Text),
    /// The model thought something, and perhaps what an event of that id has told before.
    Thinks(String, Value<'e>),
    /// The model proposed a plan.
    Planned(Text),
    /// Something went wrong, and the person was told; with the client's word for it.
    Failed(&'static str, Option<String>, Text),
    /// The person was warned.
    Warned(Text),
    /// Turns were taken back, as many as it says.
    RolledBack(Option<u64>),
    /// Totals, where there are some.
    Count(Option<Value<'e>>),
    /// A turn begins.
    Started,
    /// A turn was broken off.
    Aborted,
    /// A review began, or ended.
    Review(bool),
    /// The person has set a goal, or its state has changed.
    Goal(Value<'e>),
    /// The thread got a name.
    Title(String),
    /// A call started other threads.
    Spawned { call: String, threads: Vec<String> },
    /// A call went wrong.
    CallFailed(String),
    /// Known, and without a meaning of its own.
    Known,
    /// Not known.
    Unknown(String),
}

/// Types without a row, whose content items repeat or nobody asks for.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "agent_message_content_delta", "agent_message_delta", "agent_reasoning_delta",
    "agent_reasoning_raw_content_delta", "agent_reasoning_section_break", "apply_patch_approval_request",
    "background_event", "context_compacted", "conversation_path", "deprecation_notice",
    "dynamic_tool_call_request", "elicitation_request",
    "exec_approval_request", "exec_command_begin", "exec_command_end", "exec_command_output_delta",
    "get_history_entry_response", "image_generation_begin", "image_generation_end",
    "item_started", "list_custom_prompts_response", "list_skills_response", "model_reroute",
    "model_verification", "patch_apply_begin", "patch_apply_end", "patch_apply_updated", "plan_delta",
    "plan_update", "raw_response_item", "reasoning_content_delta", "reasoning_raw_content_delta",
    "request_permissions", "request_user_input", "safety_buffering", "session_configured",
    "shutdown_complete", "skills_update_available", "sub_agent_activity", "task_complete",
    "terminal_interaction", "thread_settings_applied", "turn_complete", "turn_diff",
    "turn_moderation_metadata", "undo_completed", "undo_started", "view_image_tool_call",
    "web_search_begin", "web_search_end",
];

/// Beginnings of types of the same sort.
const FAMILIES: &[&str] = &["collab_", "guardian_", "hook_", "mcp_", "realtime_"];

/// Items that a paginated recording tells as events.
#[rustfmt::skip]
const ITEMS: &[&str] = &[
    "CollabAgentToolCall", "CommandExecution", "ContextCompaction", "Extension", "FileChange", "HookPrompt",
    "ImageGeneration", "ImageView", "McpToolCall", "Sleep", "SubAgentActivity", "WebSearch",
];

/// Reads an event; returns the word for its record as well.
pub(crate) fn read(event: Value<'_>) -> (Cow<'static, str>, Event<'_>) {
    let Some(kind) = event.get("type").and_then(Value::str) else {
        return ("event_msg".into(), Event::Unknown("event_msg without a type".to_owned()));
    };
    if kind == "item_completed" {
        return completed(event);
    }
    let text =
        |key| event.get(key).and_then(Value::text).filter(|text: &Text| !text.value.is_empty());
    let name = format!("event_msg.{}", word(&kind));
    let meaning = match &*kind {
        // A build without `info` tells the tokens of the response alone.
        "token_count" => Event::Count(event.get("info").or(Some(event))),
        "user_message" => or_known(text("message"), |it| Event::Prompt("user_message", it)),
        "agent_message" => or_known(text("message"), |it| Event::Said("agent_message", None, it)),
        "agent_reasoning" => or_known(text("text"), |it| Event::Thought("agent_reasoning", it)),
        "agent_reasoning_raw_content" => {
            or_known(text("text"), |it| Event::Thought("agent_reasoning_raw_content", it))
        }
        "error" => or_known(text("message"), |it| Event::Failed("error", code(event), it)),
        "stream_error" => {
            or_known(text("message"), |it| Event::Failed("stream_error", code(event), it))
        }
        "warning" => or_known(text("message"), Event::Warned),
        "thread_rolled_back" => Event::RolledBack(event.get("num_turns").and_then(Value::u64)),
        "task_started" | "turn_started" => Event::Started,
        "turn_aborted" => Event::Aborted,
        "entered_review_mode" => Event::Review(true),
        "exited_review_mode" => Event::Review(false),
        "thread_goal_updated" => or_known(event.get("goal"), Event::Goal),
        "thread_name_updated" => {
            or_known(event.get("thread_name").and_then(Value::non_empty), Event::Title)
        }
        "collab_agent_spawn_end" => spawned(event, "call_id", event.get("new_thread_id")),
        "mcp_tool_call_end" | "dynamic_tool_call_response" => refused(event, "call_id"),
        kind if KNOWN.contains(&kind) || FAMILIES.iter().any(|it| kind.starts_with(it)) => {
            Event::Known
        }
        _ => Event::Unknown(name.clone()),
    };
    (name.into(), meaning)
}

/// Returns what an event means by what it holds; one that holds nothing means nothing.
fn or_known<'e, T>(held: Option<T>, meaning: impl FnOnce(T) -> Event<'e>) -> Event<'e> {
    held.map_or(Event::Known, meaning)
}

/// Returns true for an id that the item of the same text in the conversation has as well.
pub(crate) fn is_of_api(id: &str, beginning: &str) -> bool {
    id.starts_with(beginning) && is_telling(id)
}

/// Returns the kind of a failure: a word, or an object's only key.
fn code(event: Value<'_>) -> Option<String> {
    let info = event.get("codex_error_info")?;
    info.non_empty().or_else(|| Some(info.entries().next()?.0.into_owned()))
}

fn completed(event: Value<'_>) -> (Cow<'static, str>, Event<'_>) {
    let item = event.get("item");
    let kind = item.and_then(|item| item.get("type")).and_then(Value::str).unwrap_or_default();
    let name = format!("item_completed.{}", word(&kind));
    let Some(item) = item else { return (name.clone().into(), Event::Unknown(name)) };
    let text = |key| item.get(key).and_then(joined);
    let meaning = match &*kind {
        "UserMessage" => or_known(text("content"), |it| Event::Prompt("UserMessage", it)),
        "AgentMessage" => {
            let id = item.get("id").and_then(Value::non_empty);
            let id = id.filter(|id| is_of_api(id, "msg_"));
            or_known(text("content"), |it| Event::Said("AgentMessage", id, it))
        }
        "Reasoning" => {
            let texts = ["summary_text", "raw_content"]
                .iter()
                .find_map(|key| item.get(key).filter(|texts| joined(*texts).is_some()));
            let id = item.get("id").and_then(Value::non_empty).unwrap_or_default();
            or_known(texts, |it| Event::Thinks(id, it))
        }
        "Plan" => or_known(text("text"), Event::Planned),
        "CollabAgentToolCall"
            if item.get("tool").and_then(Value::str).as_deref() == Some("spawn_agent") =>
        {
            spawned(item, "id", item.get("receiver_thread_ids"))
        }
        "McpToolCall" | "DynamicToolCall" => refused(item, "id"),
        "EnteredReviewMode" => Event::Review(true),
        "ExitedReviewMode" => Event::Review(false),
        kind if ITEMS.contains(&kind) => Event::Known,
        _ => Event::Unknown(name.clone()),
    };
    (name.into(), meaning)
}

/// Reads whether a server refused a call, or said that it failed.
fn refused<'e>(by: Value<'e>, call: &str) -> Event<'e> {
    let result = by.get("result");
    let is_error = |told: Value<'_>| {
        let told = ["isError", "is_error"].iter().find_map(|key| told.get(key));
        told.and_then(Value::bool) == Some(true)
    };
    let failed = result.is_some_and(|it| it.get("Err").is_some() || is_error(it))
        || result.and_then(|it| it.get("Ok")).is_some_and(is_error)
        || by.get("success").and_then(Value::bool) == Some(false)
        || by.get("status").and_then(Value::str).as_deref() == Some("failed");
    let call = by.get(call).or_else(|| by.get("callId"));
    or_known(call.and_then(Value::non_empty).filter(|_| failed), Event::CallFailed)
}

/// Reads which threads a call started: one id or a list of them.
fn spawned<'e>(by: Value<'e>, call: &str, threads: Option<Value<'e>>) -> Event<'e> {
    let call = by.get(call).and_then(Value::non_empty);
    let (Some(call), Some(threads)) = (call, threads) else { return Event::Known };
    let threads: Vec<String> = threads
        .non_empty()
        .into_iter()
        .chain(threads.items().filter_map(Value::non_empty))
        .collect();
    Event::Spawned { call, threads }
}
