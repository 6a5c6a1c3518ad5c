//! What the store is asked about rows: keys, no content.

use std::collections::HashMap;
use std::sync::Arc;

use hyp_model::event::{Context, Usage};
use hyp_model::judge::{Candidate, ThreadFacts};
use hyp_model::row::{Key, MessageRow, Row, ThreadRow};
use sha2::{Digest, Sha256};

use crate::said::finish;

/// Returns what the store needs to judge these rows.
///
/// `threads` are those that were handed out with the rows; a row of a thread that is not among them points
/// past their end.
pub fn candidates(rows: &[Row], threads: &[ThreadFacts]) -> Vec<Candidate> {
    let positions: HashMap<&str, usize> =
        threads.iter().enumerate().map(|(at, thread)| (thread.thread_id.as_str(), at)).collect();
    let mut thread: Option<(&Arc<ThreadRow>, usize, Key)> = None;
    let mut message: Option<(&Arc<MessageRow>, Key)> = None;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let owner = &row.message.thread;
        let (_, position, of_thread) = match thread {
            Some(known) if Arc::ptr_eq(known.0, owner) => known,
            _ => {
                let position = positions.get(owner.head.id.as_str()).copied();
                (owner, position.unwrap_or(threads.len()), thread_key(owner))
            }
        };
        thread = Some((owner, position, of_thread));
        let of_message = match message {
            Some((known, key)) if Arc::ptr_eq(known, &row.message) => key,
            _ => message_key(&row.message, of_thread),
        };
        message = Some((&row.message, of_message));
        found.push(Candidate {
            part_id: row.part_id.clone(),
            thread: position,
            message_index: row.message.message_index,
            response_id: row.message.response_id.clone(),
            call_id: row.tool_call_id.clone(),
            said_key: row.said_key,
            is_replay: row.is_replay,
            content_key: row_key(row, of_message),
            span: (row.message.span.offset, row.message.span.length),
        });
    }
    found
}

/// Fields with their lengths, so that no two rows look alike.
struct Fields(Sha256);

impl Fields {
    fn below(key: Key) -> Self {
        let mut hash = Sha256::new();
        hash.update(key.0);
        Self(hash)
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64 + 1).to_le_bytes());
        self.0.update(text);
    }

    fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a Option<String>>) {
        for text in texts {
            match text {
                Some(text) => self.text(text),
                None => self.0.update(0u64.to_le_bytes()),
            }
        }
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn flag(&mut self, flag: Option<bool>) {
        self.0.update([flag.map_or(2, u8::from)]);
    }

    fn context(&mut self, context: &Context) {
        let git = &context.git;
        self.texts([&context.cwd, &git.branch, &git.remote, &git.head, &git.root]);
        self.texts([&context.client_version, &context.entrypoint, &context.user_type]);
        self.texts([&context.permission_mode, &context.agent_id]);
        self.flag(context.is_sidechain);
    }

    fn usage(&mut self, usage: &Usage) {
        for tokens in [
            usage.input,
            usage.output,
            usage.cache_read,
            usage.cache_write,
            usage.cache_write_1h,
            usage.reasoning,
            usage.total,
        ] {
            self.flag(tokens.map(|_| true));
            self.0.update(tokens.unwrap_or_default().to_le_bytes());
        }
    }
}

fn thread_key(thread: &ThreadRow) -> Key {
    let head = &thread.head;
    let mut fields = Fields(Sha256::new());
    for text in [&head.id, &head.provider, &head.session_id, &head.client] {
        fields.text(text);
    }
    fields.texts([
        &head.conversation_id,
        &head.forked_from,
        &head.parent_thread_id,
        &head.root_thread_id,
    ]);
    fields.number(thread.started_at);
    fields.context(&head.context);
    finish(fields.0)
}

fn message_key(message: &MessageRow, thread: Key) -> Key {
    let mut fields = Fields::below(thread);
    if let Some(context) = &message.context {
        fields.context(context);
    }
    fields.text(&message.message_id);
    fields.text(&message.previous_message_id);
    fields.text(&message.role);
    fields.number(i64::from(message.message_index));
    fields.number(message.created_at);
    fields.flag(message.is_compact_summary);
    fields.texts([
        &message.response_id,
        &message.model,
        &message.provider_uuid,
        &message.parent_uuid,
        &message.logical_parent_uuid,
        &message.source_tool_assistant_uuid,
        &message.request_id,
        &message.prompt_id,
        &message.provider_type,
        &message.provider_subtype,
        &message.attachment_type,
        &message.hook_event,
        &message.compact_metadata,
        &message.raw_frame,
    ]);
    finish(fields.0)
}

fn row_key(row: &Row, message: Key) -> Key {
    let mut fields = Fields::below(message);
    fields.text(&row.part_type);
    fields.number(i64::from(row.part_index));
    fields.flag(row.is_error);
    fields.flag(Some(row.is_replay));
    fields.texts([
        &row.provider_subtype,
        &row.content_text,
        &row.tool_name,
        &row.tool_call_id,
        &row.tool_args,
        &row.caller_type,
        &row.tool_result_for,
        &row.thinking_signature,
        &row.status,
        &row.attributes,
        &row.replay_of,
    ]);
    if let Some(usage) = &row.usage {
        fields.usage(usage);
    }
    finish(fields.0)
}

#[cfg(test)]
mod tests;
