//! One thread in several recordings: what an earlier one has told is not told again.
//!
//! A thread that was archived, brought back, copied or gone on with elsewhere may lie in more than one
//! file. All are read, and a message counts once: it is known by its id, or else by its time and content.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use hyp_sdk::{Content, Message};

/// The messages of a thread's recordings, as far as there is more than one.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    is_needed: bool,
    /// How often each message is in one of the recordings before.
    before: HashMap<u64, u32>,
    now: HashMap<u64, u32>,
}

impl Heard {
    /// Prepares for so many recordings.
    pub(crate) fn new(recordings: usize) -> Self {
        Self { is_needed: recordings > 1, ..Self::default() }
    }

    /// Ends a recording.
    pub(crate) fn next(&mut self) {
        for (print, count) in self.now.drain() {
            let most = self.before.entry(print).or_default();
            *most = count.max(*most);
        }
    }

    /// Notes a message; says whether a recording before this one has it.
    pub(crate) fn before(&mut self, message: &Message) -> bool {
        if !self.is_needed {
            return false;
        }
        let print = print(message);
        let count = self.now.entry(print).or_default();
        *count += 1;
        self.before.get(&print).is_some_and(|before| *count <= *before)
    }
}

fn print(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(id) = &message.id {
        id.hash(&mut hasher);
        return hasher.finish();
    }
    message.created_at.hash(&mut hasher);
    message.role.hash(&mut hasher);
    for part in &message.parts {
        part.block_type.hash(&mut hasher);
        match &part.content {
            Content::Text(text) | Content::Other(Some(text)) => text.value.hash(&mut hasher),
            Content::Thinking(thinking) => {
                thinking.text.as_ref().map(|text| &text.value).hash(&mut hasher);
            }
            Content::ToolCall(call) => (&call.id, &call.input).hash(&mut hasher),
            Content::ToolResult(result) => {
                let text = result.text.as_ref().map(|text| &text.value);
                (&result.call_id, text, &result.content).hash(&mut hasher);
            }
            _ => {}
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use hyp_sdk::{Part, Span};

    use super::*;

    fn said(time: i64, text: &str) -> Message {
        let mut message = Message::new(Span { input: 0, offset: 0, length: 1 }, "user");
        message.created_at = Some(time);
        message.parts.push(Part::text(text));
        message
    }

    #[test]
    fn as_many_are_known_as_one_recording_had() {
        let mut heard = Heard::new(3);
        for (message, expect) in [(said(1, "yes"), false), (said(1, "yes"), false)] {
            assert_eq!(heard.before(&message), expect);
        }
        heard.next();
        let again = [(1, "yes", true), (1, "yes", true), (1, "yes", false), (2, "yes", false)];
        for (time, text, expect) in again {
            assert_eq!(heard.before(&said(time, text)), expect, "{time} {text}");
        }
        heard.next();
        assert!(heard.before(&said(2, "yes")));
    }

    #[test]
    fn a_recording_alone_keeps_nothing() {
        let mut heard = Heard::new(1);
        assert!(!heard.before(&said(1, "yes")) && heard.now.is_empty());
    }
}
