//! A message that waits until its response is over, and the rows it becomes.

use std::sync::Arc;

use hyp_model::event::{Message, Micros, Usage};
use hyp_model::row::{MessageRow, Row, ThreadRow};
use hyp_model::usage;

use crate::part::Cells;

/// Where the tokens of a message's first row come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    /// It carries none.
    None,
    /// The message belongs to no response and tells its own.
    Own(Usage),
    /// It is the first of this response.
    Response(u64),
}

/// A message whose rows are not settled yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The event, without its parts.
    pub(crate) message: Box<Message>,
    pub(crate) message_id: String,
    pub(crate) is_derived_id: bool,
    pub(crate) previous: String,
    pub(crate) index: i32,
    /// None where no message of the thread so far has a time.
    pub(crate) time: Option<Micros>,
    pub(crate) attributes: String,
    pub(crate) cells: Vec<Cells>,
    pub(crate) is_replay: bool,
    pub(crate) tokens: Tokens,
}

impl Draft {
    /// Marks the message as a copy of another one of its thread, from one of its parts on.
    pub(crate) fn replays(&mut self, original: &str, from: usize) {
        self.is_replay = true;
        for (at, cells) in self.cells.iter_mut().enumerate() {
            cells.replay_of = Some(part_id(original, from + at));
        }
    }

    /// Returns about how much memory the content takes.
    pub(crate) fn size(&self) -> usize {
        let content = |cells: &Cells| {
            [&cells.content_text, &cells.tool_args, &cells.thinking_signature, &cells.status]
                .into_iter()
                .flatten()
                .map(String::len)
                .sum::<usize>()
        };
        let copies = self.cells.len().max(1);
        self.attributes.len() * copies + self.cells.iter().map(content).sum::<usize>()
    }

    /// Appends the rows of the message.
    pub(crate) fn settle(
        self,
        thread: &Arc<ThreadRow>,
        time: Micros,
        usage: Option<Usage>,
        rows: &mut Vec<Row>,
    ) {
        let count = self.cells.len();
        let (is_replay, usage) = (self.is_replay, usage.filter(|usage| *usage != Usage::default()));
        let mut attributes = Some(self.attributes);
        let mut first = None;
        if let Some(usage) = &usage {
            let base = if count == 1 { attributes.take() } else { attributes.clone() };
            let base = base.unwrap_or_default();
            first = Some(usage::append(base, usage, is_replay));
        }
        let has_subtype = self.message.provider_subtype.is_some();
        let message = Arc::new(message_row(
            self.message,
            thread,
            Identity {
                id: self.message_id,
                is_derived: self.is_derived_id,
                previous: self.previous,
            },
            (self.index, time),
        ));
        rows.reserve(count);
        for (at, cells) in self.cells.into_iter().enumerate() {
            let is_last = at + 1 == count;
            let attributes = match first.take() {
                Some(first) => Some(first),
                None if is_last => attributes.take(),
                None => attributes.clone(),
            };
            let block_type = Some(cells.block_type).filter(|word| !has_subtype && !word.is_empty());
            rows.push(Row {
                part_id: part_id(&message.message_id, at),
                message: Arc::clone(&message),
                part_index: i32::try_from(at).unwrap_or(i32::MAX),
                part_type: cells.part_type,
                provider_subtype: block_type,
                content_text: cells.content_text,
                tool_name: cells.tool_name,
                tool_call_id: cells.tool_call_id,
                tool_args: cells.tool_args,
                caller_type: cells.caller_type,
                tool_result_for: cells.tool_result_for,
                thinking_signature: cells.thinking_signature,
                is_error: cells.is_error,
                status: cells.status,
                attributes,
                usage: usage.filter(|_| at == 0 && !is_replay),
                said_key: cells.said_key,
                is_replay,
                replay_of: cells.replay_of,
            });
        }
    }
}

/// Returns the id of a part.
pub(crate) fn part_id(message_id: &str, at: usize) -> String {
    let mut id = String::with_capacity(message_id.len() + 3);
    id.push_str(message_id);
    id.push('#');
    match u8::try_from(at) {
        Ok(digit @ 0..=9) => id.push(char::from(b'0' + digit)),
        _ => id.push_str(&at.to_string()),
    }
    id
}

struct Identity {
    id: String,
    is_derived: bool,
    previous: String,
}

fn message_row(
    message: Box<Message>,
    thread: &Arc<ThreadRow>,
    identity: Identity,
    (message_index, created_at): (i32, Micros),
) -> MessageRow {
    let message = *message;
    let context = message.context;
    let own = context.as_deref().unwrap_or(&thread.head.context);
    let model = own.model.clone().filter(|model| model != "<synthetic>" && !model.is_empty());
    MessageRow {
        thread: Arc::clone(thread),
        context,
        span: message.span,
        message_id: identity.id,
        is_derived_id: identity.is_derived,
        previous_message_id: identity.previous,
        message_index,
        created_at,
        role: message.role,
        response_id: message.response_id,
        model,
        provider_uuid: message.provider_uuid,
        parent_uuid: message.parent_uuid,
        logical_parent_uuid: message.logical_parent_uuid,
        source_tool_assistant_uuid: message.source_tool_assistant_uuid,
        request_id: message.request_id,
        prompt_id: message.prompt_id,
        provider_type: message.provider_type,
        provider_subtype: message.provider_subtype,
        attachment_type: message.attachment_type,
        hook_event: message.hook_event,
        is_compact_summary: message.is_compact_summary,
        compact_metadata: message.compact_metadata,
        raw_frame: message.raw_frame,
    }
}
