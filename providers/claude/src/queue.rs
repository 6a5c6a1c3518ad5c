//! Prompts that were typed while the model was busy.
//!
//! The client notes each one as it comes (`enqueue`) and as it goes: to become a line of its own (`dequeue`), back to
//! the person (`popAll`), or into the turn that runs (`remove`). The last kind is an attachment in versions that write
//! attachments; older ones wrote nothing else, and then the queue has the only copy.

use std::collections::VecDeque;

use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Message, Part, Span, Text};

use crate::content;
use crate::line::Line;
use crate::notice::is_notice;

/// How much may wait. More is no typing.
const LIMIT: usize = 256;
/// Texts that are shorter are found inside of others by chance.
const TELLING: usize = 8;

/// The queue of a transcript.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Prompt>,
    /// Went into a turn, and was not seen there yet.
    taken: VecDeque<Prompt>,
    /// True once the client wrote an attachment: it will write these prompts as such, be it some lines later.
    has_attachments: bool,
}

#[derive(Debug)]
struct Prompt {
    text: Text,
    identity: Option<String>,
    time: Option<i64>,
    was_seen: bool,
}

impl Queue {
    /// Notes that there is an attachment.
    pub(crate) fn see_attachment(&mut self) {
        self.has_attachments = true;
        self.taken.clear();
    }

    /// Takes an operation.
    pub(crate) fn operate(&mut self, json: Value<'_>) {
        let content = json.get("content").filter(|content| !content.is_null());
        match json.get("operation").and_then(Value::str).as_deref() {
            Some("enqueue") if self.waiting.len() < LIMIT => {
                self.waiting.push_back(Prompt {
                    text: content.and_then(content::said).unwrap_or_else(|| "".into()),
                    identity: content.and_then(content::identity),
                    time: None,
                    was_seen: false,
                });
            }
            Some("dequeue") => {
                self.waiting.pop_front();
            }
            Some("popAll") => self.waiting.clear(),
            Some("remove") => self.take(content.and_then(content::said), Line::of(json).time()),
            _ => {}
        }
    }

    fn take(&mut self, named: Option<Text>, time: Option<i64>) {
        let at = match named {
            Some(text) => self.waiting.iter().position(|it| it.text.value == text.value),
            None => Some(0),
        };
        let prompt = at.and_then(|at| self.waiting.remove(at));
        let is_lost = |prompt: &Prompt| !self.has_attachments && !prompt.was_seen;
        if let Some(prompt) = prompt.filter(|it| is_lost(it) && is_said(&it.text.value)) {
            self.taken.push_back(Prompt { time, ..prompt });
        }
    }

    /// Notes what a message says: a prompt in it is no longer only here.
    pub(crate) fn see(&mut self, message: &Message) {
        if self.waiting.is_empty() && self.taken.is_empty() {
            return;
        }
        for part in &message.parts {
            if let Content::Text(said) = &part.content {
                let is_in = |prompt: &Prompt| is_in(&said.value, prompt.text.value.trim());
                self.taken.retain(|prompt| !is_in(prompt));
                let seen = self.waiting.iter_mut().filter(|prompt| is_in(prompt));
                seen.for_each(|prompt| prompt.was_seen = true);
            }
        }
    }

    /// Writes what waits.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.flag(self.has_attachments);
        for prompts in [&self.waiting, &self.taken] {
            out.list(prompts.iter(), |out, prompt| {
                out.exact(&prompt.text);
                out.maybe_text(prompt.identity.as_deref());
                out.maybe(prompt.time, Writer::time);
                out.flag(prompt.was_seen);
            });
        }
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let has_attachments = from.flag()?;
        let mut prompts = || {
            from.list(|from| {
                let (text, identity) = (from.exact()?, from.maybe_text()?);
                let (time, was_seen) = (from.maybe(Reader::time)?, from.flag()?);
                Some(Prompt { text, identity, time, was_seen })
            })
        };
        Some(Self { waiting: prompts()?, taken: prompts()?, has_attachments })
    }

    /// Returns the next prompt that is nowhere else, now that the model goes on; `at` is where that shows.
    pub(crate) fn lost(&mut self, at: Span) -> Option<Message> {
        let prompt = self.taken.pop_front()?;
        let role = if is_notice(&prompt.text.value) { "system" } else { "user" };
        let mut message = Message::new(Span { length: 0, ..at }, role);
        message.created_at = prompt.time;
        message.provider_type = Some("queue-operation".to_owned());
        message.provider_subtype = Some("remove".to_owned());
        message.identity = prompt.identity;
        message.parts.push(Part::text(prompt.text));
        Some(message)
    }
}

/// Returns true for a message that has a prompt in it: alone, in tags, or with others.
fn is_in(said: &str, prompt: &str) -> bool {
    said.trim() == prompt || prompt.len() >= TELLING && said.contains(prompt)
}

/// Returns true for a text that went to the model as it is, which commands do not.
fn is_said(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    !first.is_empty() && first.strip_prefix('/').is_none_or(|command| command.contains('/'))
}
