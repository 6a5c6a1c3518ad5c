//! A conversation for programs.

use serde::Serialize;

use super::find::Thread;
use super::read::{Conversation, Message, Part};
use crate::moment;

/// A thread with its messages.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    thread: Head<'a>,
    subagents: Vec<Head<'a>>,
    messages: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Head<'a> {
    thread_id: &'a str,
    session_id: &'a str,
    client: &'a str,
    kind: &'a str,
    title: Option<&'a str>,
    cwd: Option<&'a str>,
    first_at: Option<String>,
    last_at: Option<String>,
}

#[derive(Serialize)]
struct Said<'a> {
    message_id: &'a str,
    role: &'a str,
    model: Option<&'a str>,
    at: Option<String>,
    /// The thread that has the rows, where that is another one.
    shared_with: Option<&'a str>,
    is_copy: bool,
    tokens: u64,
    parts: Vec<Piece<'a>>,
}

#[derive(Serialize)]
struct Piece<'a> {
    part_id: &'a str,
    part_type: &'a str,
    text: Option<&'a str>,
    tool_name: Option<&'a str>,
    tool_args: Option<&'a str>,
    call_id: Option<&'a str>,
    is_error: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(conversation: &'a Conversation) -> Self {
        Self {
            thread: head(&conversation.thread),
            subagents: conversation.subagents.iter().map(head).collect(),
            messages: conversation.messages.iter().map(said).collect(),
        }
    }
}

fn head(thread: &Thread) -> Head<'_> {
    Head {
        thread_id: &thread.thread_id,
        session_id: &thread.session_id,
        client: &thread.client,
        kind: &thread.kind,
        title: thread.title.as_deref(),
        cwd: thread.cwd.as_deref(),
        first_at: thread.first_at.and_then(moment::rfc3339),
        last_at: thread.last_at.and_then(moment::rfc3339),
    }
}

fn said(message: &Message) -> Said<'_> {
    Said {
        message_id: &message.message_id,
        role: &message.role,
        model: message.model.as_deref(),
        at: message.at.and_then(moment::rfc3339),
        shared_with: message.shared_with.as_deref(),
        is_copy: message.is_copy,
        tokens: message.tokens,
        parts: message.parts.iter().map(piece).collect(),
    }
}

fn piece(part: &Part) -> Piece<'_> {
    Piece {
        part_id: &part.part_id,
        part_type: &part.kind,
        text: part.text.as_deref(),
        tool_name: part.tool_name.as_deref(),
        tool_args: part.tool_args.as_deref(),
        call_id: part.call_id.as_deref(),
        is_error: part.is_error,
    }
}
