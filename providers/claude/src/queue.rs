//! Prompts that were typed while the model was busy.
//!
//! The client notes each one as it comes (`enqueue`) and as it goes: to become a line of its own (`dequeue`), back to
//! the person (`popAll`), or into the turn that runs (`remove`). The last kind is an attachment in versions that write
//! attachments; older ones wrote nothing else, and then the queue has the only copy. It has that, too, of a prompt whose
//! turn failed before the line was written.

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
    /// Are to become a line, and did not yet: several may become one.
    sent: Vec<Prompt>,
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
    /// What the client said last of it.
    operation: Operation,
}

/// How a prompt leaves the queue.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Remove,
    Dequeue,
}

impl Prompt {
    fn new(text: Text) -> Self {
        Self { text, identity: None, time: None, was_seen: false, operation: Operation::Remove }
    }
}

impl Queue {
    /// Notes that there is an attachment.
    pub(crate) fn see_attachment(&mut self) {
        self.has_attachments = true;
        self.sent.clear();
        self.taken.clear();
    }

    /// Takes an operation.
    pub(crate) fn operate(&mut self, json: Value<'_>) {
        let content = json.get("content").filter(|content| !content.is_null());
        match json.get("operation").and_then(Value::str).as_deref() {
            Some("enqueue") if self.waiting.len() < LIMIT => {
                // What was to become a line is none, and nowhere else. Before, and so at the end of a file, it still may.
                self.taken.extend(self.sent.drain(..));
                let text = content.and_then(content::said).unwrap_or_else(|| "".into());
                let identity = content.and_then(content::identity);
                let time = Line::of(json).time();
                self.waiting.push_back(Prompt { identity, time, ..Prompt::new(text) });
            }
            Some("dequeue") => {
                let time = Line::of(json).time();
                let prompt = self.waiting.pop_front().filter(|it| is_said(&it.text.value));
                let sent = prompt.map(|it| Prompt { time, operation: Operation::Dequeue, ..it });
                self.sent.extend(sent);
            }
            Some("popAll") => self.waiting.clear(),
            Some("remove") => self.take(content.and_then(content::said), Line::of(json).time()),
            _ => {}
        }
    }

    fn take(&mut self, named: Option<Text>, time: Option<i64>) {
        let at = match &named {
            Some(text) => self.waiting.iter().position(|it| it.text.value == text.value),
            None => Some(0),
        };
        let waiting = at.and_then(|at| self.waiting.remove(at));
        // Some are noted only as they go.
        let prompt = waiting.or_else(|| named.map(Prompt::new));
        let is_lost = |prompt: &Prompt| !self.has_attachments && !prompt.was_seen;
        if let Some(prompt) = prompt.filter(|it| is_lost(it) && is_taken(&it.text.value)) {
            self.taken.push_back(Prompt { time, ..prompt });
        }
    }

    /// Notes that a person said something that had not waited: what had been typed before it waited for a process that is
    /// gone, and nobody takes it any more.
    pub(crate) fn see_prompt(&mut self, message: &Message) {
        let said = message.parts.iter().find_map(|part| match &part.content {
            Content::Text(text) => Some(text.value.trim()),
            _ => None,
        });
        let (Some(said), Some(at)) = (said, message.created_at) else { return };
        let is_said = |prompt: &Prompt| prompt.text.value.trim() == said;
        if !self.has_attachments && self.sent.is_empty() && !self.waiting.iter().any(is_said) {
            self.waiting.retain(|prompt| prompt.time.is_none_or(|typed| typed >= at));
        }
    }

    /// Notes what a message says: a prompt in it is no longer only here.
    pub(crate) fn see(&mut self, message: &Message) {
        let has_text = message.parts.iter().any(|part| matches!(part.content, Content::Text(_)));
        if message.role == "user" && has_text {
            // However the client changed it on the way, as it does with pasted texts and commands.
            self.sent.clear();
        }
        if self.waiting.is_empty() && self.taken.is_empty() {
            return;
        }
        // A summary retells prompts that were not said by it.
        let is_speech = message.role == "user" && message.is_compact_summary != Some(true);
        for part in &message.parts {
            if let Content::Text(said) = &part.content {
                let said = said.value.as_str();
                let has = |prompt: &Prompt| {
                    let prompt = prompt.text.value.trim();
                    said.trim() == prompt || is_speech && is_in(said, prompt)
                };
                self.taken.retain(|prompt| !has(prompt));
                let seen = self.waiting.iter_mut().filter(|prompt| has(prompt));
                seen.for_each(|prompt| prompt.was_seen = true);
            }
        }
    }

    /// Writes what waits.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.flag(self.has_attachments);
        let prompt = |out: &mut Writer, prompt: &Prompt| {
            out.exact(&prompt.text);
            out.maybe_text(prompt.identity.as_deref());
            out.maybe(prompt.time, Writer::time);
            out.flag(prompt.was_seen);
            out.flag(prompt.operation == Operation::Dequeue);
        };
        out.list(self.sent.iter(), prompt);
        for prompts in [&self.waiting, &self.taken] {
            out.list(prompts.iter(), prompt);
        }
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let has_attachments = from.flag()?;
        let prompt = |from: &mut Reader<'_>| {
            let (text, identity) = (from.exact()?, from.maybe_text()?);
            let (time, was_seen) = (from.maybe(Reader::time)?, from.flag()?);
            let operation = if from.flag()? { Operation::Dequeue } else { Operation::Remove };
            Some(Prompt { text, identity, time, was_seen, operation })
        };
        let sent = from.list(prompt)?;
        Some(Self { sent, waiting: from.list(prompt)?, taken: from.list(prompt)?, has_attachments })
    }

    /// Returns the next prompt that is nowhere else, now that the model goes on; `at` is where that shows.
    pub(crate) fn lost(&mut self, at: Span) -> Option<Message> {
        let prompt = self.taken.pop_front()?;
        let role = if is_notice(&prompt.text.value) { "system" } else { "user" };
        let mut message = Message::new(Span { length: 0, ..at }, role);
        message.created_at = prompt.time;
        message.provider_type = Some("queue-operation".to_owned());
        let operation = match prompt.operation {
            Operation::Remove => "remove",
            Operation::Dequeue => "dequeue",
        };
        message.provider_subtype = Some(operation.to_owned());
        message.identity = prompt.identity;
        message.parts.push(Part::text(prompt.text));
        Some(message)
    }
}

/// Returns true for a message that has a prompt in it, in tags or with others: in lines of its own, since people say again
/// in other sentences what they said.
fn is_in(said: &str, prompt: &str) -> bool {
    let blank = [' ', '\t', '\r'];
    prompt.len() >= TELLING
        && said.match_indices(prompt).any(|(at, _)| {
            let before = said[..at].trim_end_matches(blank);
            let after = said[at + prompt.len()..].trim_start_matches(blank);
            (before.is_empty() || before.ends_with(['\n', '>']))
                && (after.is_empty() || after.starts_with(['\n', '<']))
        })
}

/// Returns true for a text that went to the model as it is, which commands do not.
fn is_said(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    !first.is_empty() && first.strip_prefix('/').is_none_or(|command| command.contains('/'))
}

/// Returns true for a text that went into a turn: no command is run there, and one with more behind it is read as it is.
fn is_taken(text: &str) -> bool {
    is_said(text) || text.split_whitespace().nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_stands_in_lines_of_its_own() {
        #[rustfmt::skip]
        let cases = [
            ("use tabs, not spaces",                               true),
            ("first this\nuse tabs, not spaces\nthen that",        true),
            ("first this\r\n use tabs, not spaces \r\nthen that",  true),
            ("<note>use tabs, not spaces</note>",                  true),
            ("no, please use tabs, not spaces",                    false),
            ("use tabs, not spaces, everywhere",                   false),
            ("\"use tabs, not spaces\"",                           false),
            ("I said: use tabs, not spaces\nuse tabs, not spaces", true),
        ];
        for (said, expected) in cases {
            assert_eq!(is_in(said, "use tabs, not spaces"), expected, "{said}");
        }
        assert!(!is_in("yes\nor no", "yes"), "short texts are in others by chance");
    }

    #[test]
    fn a_prompt_whose_line_was_never_written_is_told_once_the_queue_goes_on() {
        let at = Span { input: 0, offset: 0, length: 1 };
        let line = |text: &str| {
            let mut message = Message::new(at, "user");
            message.parts.push(Part::text(text));
            message
        };
        let operation = |queue: &mut Queue, json: &str| {
            let mut tape = hyp_sdk::json::Tape::new();
            queue.operate(tape.parse_document(json.as_bytes()).unwrap());
        };
        let enqueued = |text: &str| format!(r#"{{"operation":"enqueue","content":"{text}"}}"#);
        for (first, written, expected) in [
            ("Try it", None, Some("Try it")),
            ("Try it", Some("Try it"), None),
            ("Read [Pasted text]", Some("Read all of the pasted text"), None),
            ("/clear", None, None),
        ] {
            let mut queue = Queue::default();
            operation(&mut queue, &enqueued(first));
            operation(&mut queue, r#"{"operation":"dequeue"}"#);
            written.into_iter().for_each(|text| queue.see(&line(text)));
            assert!(queue.lost(at).is_none(), "it may still come: {first}");
            operation(&mut queue, &enqueued("And now"));
            let lost = queue.lost(at);
            let said = lost.iter().flat_map(|message| &message.parts).map(|part| &part.content);
            let said: Vec<&Content> = said.collect();
            assert_eq!(
                said,
                expected.map(|it| Content::Text(it.into())).iter().collect::<Vec<_>>()
            );
        }
        for (typed, is_told) in [("/review this file first", true), ("/cost", false)] {
            let mut queue = Queue::default();
            operation(&mut queue, &enqueued(typed));
            operation(&mut queue, r#"{"operation":"remove"}"#);
            assert_eq!(queue.lost(at).is_some(), is_told, "no command is run in a turn: {typed}");
        }
        let mut queue = Queue::default();
        ["yes", "no"].iter().for_each(|text| operation(&mut queue, &enqueued(text)));
        (0..2).for_each(|_| operation(&mut queue, r#"{"operation":"dequeue"}"#));
        queue.see(&line("yes\nno"));
        operation(&mut queue, &enqueued("And now"));
        assert!(queue.lost(at).is_none(), "two became one line");
    }

    #[test]
    fn a_prompt_that_others_mention_is_only_in_the_queue() {
        let prompt = |text: &str| Prompt::new(text.into());
        let said = |role: &str, text: &str, is_summary: Option<bool>| {
            let mut message = Message::new(Span { input: 0, offset: 0, length: 1 }, role);
            message.parts.push(Part::text(text));
            message.is_compact_summary = is_summary;
            message
        };
        let cases = [
            (said("user", "The user said:\ncontinue\n", Some(true)), true),
            (said("system", "it goes on\ncontinue", None), true),
            (said("user", "please continue the work", None), true),
            (said("user", "continue", None), false),
            (said("system", "continue", None), false),
        ];
        for (message, is_kept) in cases {
            let mut queue = Queue { taken: [prompt("continue")].into(), ..Queue::default() };
            queue.see(&message);
            assert_eq!(queue.lost(message.span).is_some(), is_kept, "{message:?}");
        }
    }
}
