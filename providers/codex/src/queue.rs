//! What is read but not sent out yet, in input order.

use std::borrow::Cow;
use std::collections::VecDeque;

use hyp_sdk::{Content, Fact, FailureClass, Message, Page, Part, Span, Text};

use crate::heard::{Heard, Known};

/// Messages that wait at most, before the older half of them goes out as it is.
const MESSAGES: usize = 64;
/// Records that wait at most.
const RECORDS: usize = 1_024;
/// Bytes of memory that wait at most.
const BYTES: usize = 8 << 20;

/// The word for what another recording of the thread has told already.
pub(crate) const SAME_THREAD: &str = "same-thread-copy";

/// Something that waits.
#[derive(Debug)]
pub(crate) enum Held {
    Message(Box<Message>),
    /// A record without a row; with what it becomes if nothing else says the same.
    Skip(Span, Cow<'static, str>, Option<Box<Message>>),
    Failure(Span, FailureClass, String),
    Fact(Fact),
}

impl Held {
    fn weight(&self) -> usize {
        match self {
            Self::Message(message) | Self::Skip(_, _, Some(message)) => weight(message),
            Self::Failure(_, _, reason) => reason.len(),
            Self::Skip(..) | Self::Fact(_) => 0,
        }
    }
}

/// Returns about how many bytes of memory the content of a message takes. Of pictures, only their size is kept.
fn weight(message: &Message) -> usize {
    let text = |text: &Text| text.value.len() + text.literal.as_ref().map_or(0, String::len);
    let maybe = |it: &Option<Text>| it.as_ref().map_or(0, text);
    let content = |part: &Part| match &part.content {
        Content::Text(it) => text(it),
        Content::Thinking(it) => maybe(&it.text),
        Content::ToolCall(it) => it.input.as_ref().map_or(0, String::len),
        Content::ToolResult(it) => maybe(&it.text) + it.content.as_ref().map_or(0, String::len),
        Content::Error(it) => maybe(&it.message),
        Content::Other(it) => maybe(it),
        _ => 0,
    };
    let identity = message.identity.as_ref().map_or(0, String::len);
    identity + message.parts.iter().map(content).sum::<usize>()
}

/// A queue whose entries keep their numbers while those before them leave.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    held: VecDeque<Held>,
    /// How many went out: the first one held has this number.
    gone: usize,
    messages: usize,
    bytes: usize,
}

impl Queue {
    /// Says whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Says whether as much waits as may.
    pub(crate) fn is_full(&self) -> bool {
        self.messages >= MESSAGES || self.held.len() >= RECORDS || self.bytes >= BYTES
    }

    /// Returns the number of the entry in the middle.
    pub(crate) fn middle(&self) -> usize {
        self.gone + self.held.len() / 2
    }

    /// Returns the number that the next entry gets.
    pub(crate) fn next(&self) -> usize {
        self.gone + self.held.len()
    }

    /// Looks at the messages that wait.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.held.iter().filter_map(|held| match held {
            Held::Message(message) => Some(&**message),
            _ => None,
        })
    }

    /// Adds a message; returns its number.
    pub(crate) fn message(&mut self, message: Message) -> usize {
        self.messages += 1;
        self.push(Held::Message(Box::new(message)))
    }

    /// Adds a record without a row.
    pub(crate) fn skip(&mut self, span: Span, kind: impl Into<Cow<'static, str>>) {
        self.push(Held::Skip(span, kind.into(), None));
    }

    /// Adds a record that becomes a message if nothing else says the same; returns its number.
    pub(crate) fn echo(&mut self, kind: Cow<'static, str>, message: Message) -> usize {
        let span = message.span;
        self.push(Held::Skip(span, kind, Some(Box::new(message))))
    }

    /// Adds a record that was not understood.
    pub(crate) fn failure(&mut self, span: Span, class: FailureClass, reason: impl Into<String>) {
        self.push(Held::Failure(span, class, reason.into()));
    }

    /// Adds something said about a thread.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.push(Held::Fact(fact));
    }

    /// Returns the message with a number, if it still waits.
    pub(crate) fn at(&mut self, number: usize) -> Option<&mut Message> {
        match self.held.get_mut(number.checked_sub(self.gone)?)? {
            Held::Message(message) => Some(message),
            _ => None,
        }
    }

    /// Returns the message that a record is or may become.
    pub(crate) fn any(&mut self, number: usize) -> Option<&mut Message> {
        match self.held.get_mut(number.checked_sub(self.gone)?)? {
            Held::Message(message) | Held::Skip(_, _, Some(message)) => Some(message),
            _ => None,
        }
    }

    /// Makes a message of a record that nothing else repeated.
    pub(crate) fn say(&mut self, number: usize) {
        let held = number.checked_sub(self.gone).and_then(|at| self.held.get_mut(at));
        if let Some(held) = held
            && let Held::Skip(_, _, message) = held
            && let Some(message) = message.take()
        {
            *held = Held::Message(message);
            self.messages += 1;
        }
    }

    /// Makes a record without a row of a message; returns the message.
    pub(crate) fn unsay(&mut self, number: usize, kind: &'static str) -> Option<Message> {
        let held = self.held.get_mut(number.checked_sub(self.gone)?)?;
        let Held::Message(message) = held else { return None };
        let skip = Held::Skip(message.span, kind.into(), None);
        let Held::Message(message) = std::mem::replace(held, skip) else { return None };
        self.messages -= 1;
        self.bytes = self.bytes.saturating_sub(weight(&message));
        Some(*message)
    }

    /// Sends out what lies before a number.
    pub(crate) fn flow(&mut self, first: usize, heard: &mut Heard, out: &mut Page) {
        while self.gone < first
            && let Some(held) = self.held.pop_front()
        {
            self.gone += 1;
            self.bytes = self.bytes.saturating_sub(held.weight());
            self.messages -= usize::from(matches!(held, Held::Message(_)));
            match held {
                Held::Message(message) => match heard.look(&message) {
                    Known::News => out.message(*message),
                    Known::Told => out.skip(message.span, SAME_THREAD),
                    Known::Unpaid => {
                        let row = Message { role: "system".into(), id: None, ..*message };
                        out.message(row_of(Message { parts: Vec::new(), ..row }, "token_count"));
                    }
                },
                Held::Skip(span, kind, _) => out.skip(span, &kind),
                Held::Failure(span, class, reason) => out.failure(span, class, reason),
                Held::Fact(fact) => out.fact(fact),
            }
        }
        if self.held.is_empty() {
            // Attributes may have come and gone meanwhile.
            self.bytes = 0;
        }
    }

    fn push(&mut self, held: Held) -> usize {
        self.bytes += held.weight();
        self.held.push_back(held);
        self.next() - 1
    }
}

/// Makes the row of a record that is known by its kind alone.
pub(crate) fn row_of(mut message: Message, kind: &'static str) -> Message {
    message.provider_type = Some(kind.to_owned());
    message.parts.push(Part::new(kind, Content::Other(None)));
    message
}
