//! One thread in several recordings: what an earlier one has told is not told again.
//!
//! A thread that was archived, brought back, copied or gone on with elsewhere may lie in more than one
//! file. All are read, and a message counts once: it is known by its id, or else by its time and content.
//! Where a recording breaks off between the two halves of a text (see `echo`), the half that the other one
//! has is of about the same time.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use hyp_sdk::{Content, Message, Usage};

/// Microseconds that the two halves of a text lie apart at most.
const ABOUT: i64 = 10_000_000;

/// What is known of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Known {
    /// Nothing: it is told for the first time.
    News,
    /// It was told before.
    Told,
    /// It was told before, without its tokens.
    Unpaid,
}

/// The messages of a thread's recordings, as far as there is more than one.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    is_needed: bool,
    before: Told,
    now: Told,
}

#[derive(Debug, Default)]
struct Told {
    /// How often each message is in one recording.
    counts: HashMap<u64, u32>,
    /// Messages that came with their tokens.
    paid: HashSet<u64>,
    /// Texts of items and of events, by about when they were told.
    items: HashSet<u64>,
    events: HashSet<u64>,
}

impl Heard {
    /// Prepares for so many recordings.
    pub(crate) fn new(recordings: usize) -> Self {
        Self { is_needed: recordings > 1, ..Self::default() }
    }

    /// Ends a recording.
    pub(crate) fn next(&mut self) {
        let now = std::mem::take(&mut self.now);
        for (print, count) in now.counts {
            let most = self.before.counts.entry(print).or_default();
            *most = count.max(*most);
        }
        self.before.paid.extend(now.paid);
        self.before.items.extend(now.items);
        self.before.events.extend(now.events);
    }

    /// Notes a message; says what recordings before this one have of it.
    pub(crate) fn look(&mut self, message: &Message) -> Known {
        if !self.is_needed {
            return Known::News;
        }
        let print = exact(message);
        let count = self.now.counts.entry(print).or_default();
        *count += 1;
        let was_told = self.before.counts.get(&print).is_some_and(|before| *count <= *before);
        let was_heard = self.is_half(message);
        if message.usage.is_some() {
            self.now.paid.insert(print);
        }
        match was_told || was_heard {
            false => Known::News,
            true if message.usage.is_some() && !self.before.paid.contains(&print) => Known::Unpaid,
            true => Known::Told,
        }
    }

    /// Notes a text; says whether a recording before has its other half.
    fn is_half(&mut self, message: &Message) -> bool {
        let part = message.parts.first().filter(|_| message.role != "tool");
        let Some(text) = part.and_then(|part| text(&part.content)) else { return false };
        let is_item = matches!(message.provider_type.as_deref(), Some("message" | "reasoning"));
        let moment = message.created_at.unwrap_or_default().div_euclid(ABOUT);
        let print = |moment: i64| hash(&(moment, &message.role, text.trim()));
        let told = if is_item { &mut self.now.items } else { &mut self.now.events };
        told.insert(print(moment));
        (moment - 1..=moment + 1).map(print).any(|print| {
            self.before.events.contains(&print) || (!is_item && self.before.items.contains(&print))
        })
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn text(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) | Content::Other(Some(text)) => Some(&text.value),
        Content::Thinking(thinking) => Some(&thinking.text.as_ref()?.value),
        Content::ToolResult(result) => Some(&result.text.as_ref()?.value),
        _ => None,
    }
}

fn exact(message: &Message) -> u64 {
    if let Some(id) = &message.id {
        return hash(id);
    }
    let mut hasher = DefaultHasher::new();
    (message.created_at, &message.role).hash(&mut hasher);
    for part in &message.parts {
        (&part.block_type, text(&part.content)).hash(&mut hasher);
        match &part.content {
            Content::ToolCall(call) => (&call.id, &call.input).hash(&mut hasher),
            Content::ToolResult(result) => (&result.call_id, &result.content).hash(&mut hasher),
            // A row of tokens alone has nothing else to tell it by.
            Content::Other(None) => {
                let of = |usage: Usage| (usage.input, usage.output, usage.cache_read);
                message.usage.map(of).hash(&mut hasher);
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

    fn said(time: i64, text: &str, kind: &str) -> Message {
        let mut message = Message::new(Span { input: 0, offset: 0, length: 1 }, "user");
        message.created_at = Some(time);
        message.provider_type = Some(kind.to_owned());
        message.parts.push(Part::text(text));
        message
    }

    #[test]
    fn as_many_are_known_as_one_recording_had() {
        let mut heard = Heard::new(3);
        for _ in 0..2 {
            assert_eq!(heard.look(&said(1, "yes", "message")), Known::News);
        }
        heard.next();
        let again = [(1, Known::Told), (1, Known::Told), (1, Known::News), (2, Known::News)];
        for (time, expect) in again {
            assert_eq!(heard.look(&said(time, "yes", "message")), expect, "{time}");
        }
        heard.next();
        assert_eq!(heard.look(&said(2, "yes", "message")), Known::Told);
    }

    #[test]
    fn halves_of_a_text_are_of_about_the_same_time() {
        let mut heard = Heard::new(2);
        heard.look(&said(1, "Go", "message"));
        heard.look(&said(1, "On", "user_message"));
        heard.next();
        assert_eq!(heard.look(&said(2_000, "Go", "user_message")), Known::Told);
        assert_eq!(heard.look(&said(2_000, "On", "message")), Known::Told);
        assert_eq!(heard.look(&said(90_000_000, "On", "message")), Known::News);
    }

    #[test]
    fn tokens_that_were_not_told_are() {
        let paid = Message { usage: Some(Usage::default()), ..said(1, "Go", "message") };
        let mut heard = Heard::new(3);
        heard.look(&said(1, "Go", "message"));
        heard.next();
        assert_eq!(heard.look(&paid), Known::Unpaid);
        heard.next();
        assert_eq!(heard.look(&paid), Known::Told);
    }

    #[test]
    fn a_recording_alone_keeps_nothing() {
        let mut heard = Heard::new(1);
        assert_eq!(heard.look(&said(1, "yes", "message")), Known::News);
        assert!(heard.now.counts.is_empty());
    }
}
