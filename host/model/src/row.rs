//! Canonical rows: one per message part, in three layers so that shared values are held once.

use std::sync::Arc;

use crate::event::{Context, Micros, Span, Thread, Usage};

/// The first 16 bytes of a SHA-256: a key that fits a column and a bloom filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// Returns the key of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(bytes);
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// What the rows of a thread share.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadRow {
    /// The thread's head as the provider gave it.
    pub head: Thread,
    /// `conversation_started_at`: the thread's first record in file order.
    pub started_at: Micros,
    /// `input_id`: hash of provider and logical id.
    pub input_id: String,
    /// First 16 hex digits of the SHA-256 of the root-relative path.
    pub source_path_hash: String,
    /// True where it is recorded while it goes on, and lies in no input.
    pub is_live: bool,
}

/// What the rows of a message share.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRow {
    /// The thread it is of.
    pub thread: Arc<ThreadRow>,
    /// What holds for this message: its own context, or the thread's.
    pub context: Option<Box<Context>>,
    /// Where it was read.
    pub span: Span,
    /// Final `message_id`.
    pub message_id: String,
    /// True when the id was derived from the content.
    pub is_derived_id: bool,
    /// JSON array of ids.
    pub previous_message_id: String,
    /// Position among the messages of the thread.
    pub message_index: i32,
    /// `message_created_at`.
    pub created_at: Micros,
    /// `user`, `assistant`, …
    pub role: String,
    /// Id of the API response.
    pub response_id: Option<String>,
    /// Model, synthetic ones left out.
    pub model: Option<String>,
    /// Native ids and words, as in the event.
    pub provider_uuid: Option<String>,
    /// As in the event.
    pub parent_uuid: Option<String>,
    /// As in the event.
    pub logical_parent_uuid: Option<String>,
    /// As in the event.
    pub source_tool_assistant_uuid: Option<String>,
    /// As in the event.
    pub request_id: Option<String>,
    /// As in the event.
    pub prompt_id: Option<String>,
    /// As in the event.
    pub provider_type: Option<String>,
    /// As in the event.
    pub provider_subtype: Option<String>,
    /// As in the event.
    pub attachment_type: Option<String>,
    /// As in the event.
    pub hook_event: Option<String>,
    /// As in the event.
    pub is_compact_summary: Option<bool>,
    /// As in the event.
    pub compact_metadata: Option<String>,
    /// As in the event.
    pub raw_frame: Option<String>,
}

/// One row of `ai_gateway_messages`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The message it is a part of.
    pub message: Arc<MessageRow>,
    /// `<message_id>#<part_index>`.
    pub part_id: String,
    /// Position in the message.
    pub part_index: i32,
    /// `text`, `reasoning`, `tool_call`, …
    pub part_type: String,
    /// The block's native word, where the message has no subtype of its own.
    pub provider_subtype: Option<String>,
    /// What a person would read.
    pub content_text: Option<String>,
    /// Name of the tool called or answered.
    pub tool_name: Option<String>,
    /// Id of the call.
    pub tool_call_id: Option<String>,
    /// JSON of the arguments.
    pub tool_args: Option<String>,
    /// Who called, where not the model.
    pub caller_type: Option<String>,
    /// Id of the call that is answered.
    pub tool_result_for: Option<String>,
    /// Signature of thoughts.
    pub thinking_signature: Option<String>,
    /// True for results and errors that failed.
    pub is_error: Option<bool>,
    /// JSON object.
    pub status: Option<String>,
    /// JSON object, merged from message, thread and gateway.
    pub attributes: Option<String>,
    /// Tokens of the response; on its first row only, never on a replay.
    pub usage: Option<Usage>,
    /// Same for the same part said again under another id.
    pub said_key: Key,
    /// True for a copy of what another thread said first.
    pub is_replay: bool,
    /// `part_id` of the original.
    pub replay_of: Option<String>,
}

impl Row {
    /// Returns what holds for the row's message.
    pub fn context(&self) -> &Context {
        self.message.context.as_deref().unwrap_or(&self.message.thread.head.context)
    }
}
