//! The columns of `ai_gateway_messages`, in their order. The one place that lists them.

/// Name of the dataset, and of its table.
pub const MESSAGES: &str = "ai_gateway_messages";

/// Kind of the items that its materializer takes.
pub const EXCHANGE_KIND: &str = "ai_gateway.projected_exchange";

/// Value of the column `schema_version`.
pub const SCHEMA_VERSION: i32 = 7;

/// Value of the column `gateway_id`.
pub const GATEWAY_ID: &str = "hypaware-local";

/// Columns that count tokens, of all kinds of them.
pub const TOKENS: [&str; 6] = [
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
];

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// UTF-8 text.
    Text,
    /// UTF-8 text that holds JSON.
    Json,
    /// 32 bit integer.
    Int,
    /// 64 bit integer.
    Long,
    /// Boolean.
    Boolean,
    /// Microseconds, UTC.
    Timestamp,
    /// 16 bytes.
    Key,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it holds content: no bounds are kept for it.
    pub is_content: bool,
}

const fn must(name: &'static str, kind: Type) -> Column {
    Column { name, kind, nullable: false, is_content: false }
}

const fn may(name: &'static str, kind: Type) -> Column {
    Column { name, kind, nullable: true, is_content: false }
}

const fn content(name: &'static str, kind: Type) -> Column {
    Column { name, kind, nullable: true, is_content: true }
}

use Type::{Boolean, Int, Json, Key, Long, Text, Timestamp};

/// Every column: the 56 of upstream, then ours. A column's Iceberg field id is its position, counted from 1.
pub const COLUMNS: &[Column] = &[
    must("gateway_id", Text),
    must("schema_version", Int),
    must("session_id", Text),
    may("conversation_id", Text),
    may("user_id", Text),
    must("provider", Text),
    may("model", Text),
    content("system_text", Text),
    content("tools", Json),
    must("conversation_started_at", Timestamp),
    may("conversation_source", Text),
    may("client_name", Text),
    may("cwd", Text),
    may("git_branch", Text),
    may("git_remote", Text),
    may("head_sha", Text),
    may("repo_root", Text),
    may("client_version", Text),
    may("entrypoint", Text),
    may("user_type", Text),
    may("permission_mode", Text),
    may("is_sidechain", Boolean),
    may("agent_id", Text),
    may("parent_thread_id", Text),
    must("message_id", Text),
    content("previous_message_id", Json),
    may("provider_uuid", Text),
    may("parent_uuid", Text),
    may("logical_parent_uuid", Text),
    may("source_tool_assistant_uuid", Text),
    may("request_id", Text),
    may("prompt_id", Text),
    must("message_index", Int),
    must("message_created_at", Timestamp),
    must("role", Text),
    must("part_id", Text),
    must("part_index", Int),
    must("part_type", Text),
    may("provider_type", Text),
    may("provider_subtype", Text),
    content("content_text", Text),
    may("tool_name", Text),
    may("tool_call_id", Text),
    content("tool_args", Json),
    may("caller_type", Text),
    may("tool_result_for", Text),
    content("thinking_signature", Text),
    may("attachment_type", Text),
    may("hook_event", Text),
    may("is_error", Boolean),
    may("is_compact_summary", Boolean),
    content("compact_metadata", Json),
    content("status", Json),
    content("attributes", Json),
    content("raw_frame", Json),
    must("date", Text),
    may("response_id", Text),
    may("input_tokens", Long),
    may("output_tokens", Long),
    may("cache_read_tokens", Long),
    may("cache_write_tokens", Long),
    may("cache_write_1h_tokens", Long),
    may("reasoning_tokens", Long),
    may("is_replay", Boolean),
    may("replay_of", Text),
    may("said_key", Key),
    may("forked_from", Text),
    may("root_thread_id", Text),
    may("run_id", Text),
    may("input_id", Text),
    may("input_offset", Long),
    may("input_length", Long),
];

/// Returns the position of a column.
pub fn position(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_has_56_columns_and_ours_follow() {
        assert_eq!(position("date"), Some(55));
        assert_eq!(position("response_id"), Some(56));
        assert_eq!(COLUMNS.len(), 72);
    }
}
