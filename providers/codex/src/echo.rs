//! Texts that the client writes twice: as an item of the conversation and as an event.
//!
//! Either may come first, and either may be missing: a turn that breaks off leaves events alone, and some
//! words of the client are never items. A text that both tell is one row, the item's; an event that no item
//! repeats is a row of its own.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Message};

use crate::queue::Queue;

/// Items that are remembered until their events come.
const REMEMBERED: usize = 64;

/// Whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Prompt,
    Answer,
    Thought,
}

/// An event that no item has repeated yet.
#[derive(Debug)]
struct Unsaid {
    number: usize,
    voice: Voice,
    words: Words,
}

/// An item that no event has repeated yet.
#[derive(Debug)]
struct Told {
    voice: Voice,
    words: Words,
}

/// A text in the form in which it is compared. Blanks do not count: the client trims, and joins parts in its own way.
#[derive(Debug)]
enum Words {
    /// Prints of each text and of all together.
    Prints(Vec<u64>),
    /// Thoughts themselves: their parts are told one by one.
    Thoughts(String),
}

/// Both sorts of texts, as far as their other half has not come.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    unsaid: Vec<Unsaid>,
    told: VecDeque<Told>,
}

impl Echoes {
    /// Returns the number of the first event that still may become a row.
    pub(crate) fn first(&self) -> Option<usize> {
        self.unsaid.first().map(|unsaid| unsaid.number)
    }

    /// Writes the items whose events may come, while no event waits for its item.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.told.iter(), |out, told| {
            out.flag(told.voice == Voice::Prompt);
            match &told.words {
                Words::Prints(prints) => {
                    out.flag(true);
                    out.list(prints.iter(), |out, print| out.number(*print));
                }
                Words::Thoughts(thoughts) => {
                    out.flag(false);
                    out.text(thoughts);
                }
            }
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let told = from.list(|from| {
            let is_prompt = from.flag()?;
            let words = match from.flag()? {
                true => Words::Prints(from.list(Reader::number)?),
                false => Words::Thoughts(from.text()?),
            };
            let voice = match words {
                Words::Thoughts(_) => Voice::Thought,
                Words::Prints(_) if is_prompt => Voice::Prompt,
                Words::Prints(_) => Voice::Answer,
            };
            Some(Told { voice, words })
        })?;
        Some(Self { unsaid: Vec::new(), told })
    }

    /// Takes an item: the event that told the same is no row.
    pub(crate) fn item(&mut self, message: &Message) {
        let Some((voice, words)) = heard(message) else { return };
        let before = self.unsaid.len();
        if voice == Voice::Thought {
            self.unsaid.retain(|it| it.voice != voice || !words.repeat(&it.words));
        } else if let Some(at) =
            self.unsaid.iter().position(|it| it.voice == voice && words.repeat(&it.words))
        {
            self.unsaid.remove(at);
        }
        if self.unsaid.len() == before {
            if self.told.len() == REMEMBERED {
                self.told.pop_front();
            }
            self.told.push_back(Told { voice, words });
        }
    }

    /// Takes an event; returns the number of what becomes a row unless an item tells the same.
    pub(crate) fn event(
        &mut self,
        kind: Cow<'static, str>,
        message: Message,
        queue: &mut Queue,
    ) -> Option<usize> {
        let heard = heard(&message);
        let news = heard.filter(|(voice, words)| !self.is_told(*voice, words));
        let Some((voice, words)) = news else {
            queue.skip(message.span, kind);
            return None;
        };
        let number = queue.echo(kind, message);
        self.unsaid.push(Unsaid { number, voice, words });
        Some(number)
    }

    /// Says whether an item told the words before, or an event that waits for its item.
    fn is_told(&mut self, voice: Voice, words: &Words) -> bool {
        let told = self.told.iter().position(|it| it.voice == voice && it.words.repeat(words));
        if let Some(at) = told
            && voice != Voice::Thought
        {
            self.told.remove(at);
        }
        told.is_some() || self.unsaid.iter().any(|it| it.voice == voice && it.words.repeat(words))
    }

    /// Begins an answer: prompts before it were told by now.
    pub(crate) fn answer(&mut self, queue: &mut Queue) {
        self.told.retain(|told| told.voice != Voice::Prompt);
        self.unsaid.retain(|unsaid| {
            let is_prompt = unsaid.voice == Voice::Prompt;
            if is_prompt {
                queue.say(unsaid.number);
            }
            !is_prompt
        });
    }

    /// Begins a prompt: answers before it were told by now.
    pub(crate) fn prompt(&mut self) {
        self.told.retain(|told| told.voice == Voice::Prompt);
    }

    /// Makes rows of all that no item repeated.
    pub(crate) fn end(&mut self, queue: &mut Queue) {
        self.told.clear();
        for unsaid in self.unsaid.drain(..) {
            queue.say(unsaid.number);
        }
    }
}

impl Words {
    /// Says whether these words of an item are those of an event, or hold them.
    fn repeat(&self, event: &Self) -> bool {
        match (self, event) {
            (Self::Prints(item), Self::Prints(event)) => item.contains(&event[0]),
            (Self::Thoughts(item), Self::Thoughts(event)) => item.contains(event.as_str()),
            _ => false,
        }
    }
}

/// Returns what a message says, if it has words to compare.
fn heard(message: &Message) -> Option<(Voice, Words)> {
    let voice = match (message.role.as_str(), &message.parts.first()?.content) {
        ("user", _) => Voice::Prompt,
        ("assistant", Content::Text(_)) => Voice::Answer,
        ("assistant", Content::Thinking(_)) => Voice::Thought,
        _ => return None,
    };
    if voice == Voice::Thought {
        let text = message.parts.iter().filter_map(thought);
        let words: String = text.flat_map(str::split_whitespace).collect();
        return (!words.is_empty()).then_some((voice, Words::Thoughts(words)));
    }
    let mut all = DefaultHasher::new();
    let mut prints = Vec::with_capacity(1);
    for text in crate::item::texts(message) {
        let mut one = DefaultHasher::new();
        for word in text.split_whitespace() {
            one.write(word.as_bytes());
            all.write(word.as_bytes());
        }
        prints.push(one.finish());
    }
    if prints.len() > 1 {
        prints.push(all.finish());
    }
    (!prints.is_empty()).then_some((voice, Words::Prints(prints)))
}

fn thought(part: &hyp_sdk::Part) -> Option<&str> {
    match &part.content {
        Content::Thinking(thinking) => thinking.text.as_ref().map(|text| text.value.as_str()),
        _ => None,
    }
}
