//! Texts that the client writes twice: as an item of the conversation and as an event.
//!
//! Either may come first, and either may be missing: a turn that breaks off leaves events alone, and some
//! words of the client are never items. A text that both tell is one row, the item's; an event that no item
//! repeats is a row of its own. Items are told as the model wrote them, events as the person saw them: without
//! citations of memories, and with a proposed plan by itself (see `markup`).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Message};

use crate::markup::{plans, shown, stands_for_picture};
use crate::queue::Queue;

/// The client's word for a plan by itself.
pub(crate) const PLAN: &str = "Plan";
/// Items that are remembered until their events come.
const REMEMBERED: usize = 64;

/// Whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Prompt,
    Answer,
    Thought,
    Plan,
}

/// An event that no item has repeated yet.
#[derive(Debug)]
struct Unsaid {
    number: usize,
    voice: Voice,
    words: Words,
    by: u64,
}

/// An item whose events may still come.
#[derive(Debug)]
struct Told {
    voice: Voice,
    words: Words,
    /// The kinds of events that have repeated it, and the print of what each told: builds that write several kinds
    /// write each of them once, or once for each part.
    by: Vec<(u64, u64)>,
}

/// A text in the form in which it is compared. Blanks do not count: the client trims, and joins parts in its own way.
#[derive(Debug)]
enum Words {
    /// Prints of each text, and of all together where they are several.
    Prints { each: Vec<u64>, whole: Option<u64> },
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

    /// Returns the numbers of the events that still may become rows.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = usize> {
        self.unsaid.iter().map(|unsaid| unsaid.number)
    }

    /// Writes the items whose events may come, while no event waits for its item.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.told.iter(), |out, told| {
            out.number(told.voice as u64);
            out.list(told.by.iter(), |out, (by, print)| {
                out.number(*by);
                out.number(*print);
            });
            match &told.words {
                Words::Prints { each, whole } => {
                    out.list(each.iter(), |out, it| out.number(*it));
                    out.maybe(*whole, Writer::number);
                }
                Words::Thoughts(thoughts) => out.text(thoughts),
            }
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let told = from.list(|from| {
            let number = from.number()?;
            let voice = *Voice::ALL.iter().find(|voice| **voice as u64 == number)?;
            let by = from.list(|from| Some((from.number()?, from.number()?)))?;
            let words = match voice {
                Voice::Thought => Words::Thoughts(from.text()?),
                _ => Words::Prints {
                    each: from.list(Reader::number)?,
                    whole: from.maybe(Reader::number)?,
                },
            };
            Some(Told { voice, words, by })
        })?;
        Some(Self { unsaid: Vec::new(), told })
    }

    /// Takes an item: the events that told the same are no rows.
    pub(crate) fn item(&mut self, message: &Message) {
        for (voice, words) in heard(message) {
            let mut by = Vec::new();
            self.unsaid.retain(|it| {
                let is_same = it.voice == voice
                    && words.repeat(&it.words)
                    && words.is_left(&it.words, it.by, &by);
                if is_same {
                    by.push((it.by, it.words.print()));
                }
                !is_same
            });
            // All parts of a thought were told by now, if one was.
            if voice == Voice::Thought && !by.is_empty() {
                continue;
            }
            if self.told.len() == REMEMBERED {
                self.told.pop_front();
            }
            self.told.push_back(Told { voice, words, by });
        }
    }

    /// Takes an event; returns the number of what becomes a row unless an item tells the same.
    pub(crate) fn event(
        &mut self,
        kind: Cow<'static, str>,
        message: Message,
        queue: &mut Queue,
    ) -> Option<usize> {
        let by = print(&kind);
        let heard = heard(&message).into_iter().next();
        let news = heard.filter(|(voice, words)| !self.is_told(*voice, words, by));
        let Some((voice, words)) = news else {
            queue.skip(message.span, kind);
            return None;
        };
        let number = queue.echo(kind, message);
        self.unsaid.push(Unsaid { number, voice, words, by });
        Some(number)
    }

    /// Says whether an item told the words before, or an event that waits for its item.
    fn is_told(&mut self, voice: Voice, words: &Words, by: u64) -> bool {
        let mut same =
            self.told.iter_mut().filter(|it| it.voice == voice && it.words.repeat(words));
        if let Some(told) = same.find(|it| it.words.is_left(words, by, &it.by)) {
            told.by.push((by, words.print()));
            return true;
        }
        self.unsaid.iter().any(|it| it.voice == voice && it.words.repeat(words))
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

    /// Begins a prompt: answers and plans before it were told by now.
    pub(crate) fn prompt(&mut self) {
        self.told.retain(|told| told.voice == Voice::Prompt);
    }

    /// Begins a turn. The prompts before it may be its own: a store that was migrated has them so.
    pub(crate) fn begin_turn(&mut self, queue: &mut Queue) {
        self.prompt();
        self.unsaid.drain(..).for_each(|unsaid| queue.say(unsaid.number));
    }

    /// Makes rows of events before a number that no item repeated.
    pub(crate) fn end_before(&mut self, end: usize, queue: &mut Queue) {
        self.unsaid.retain(|unsaid| {
            let is_early = unsaid.number < end;
            if is_early {
                queue.say(unsaid.number);
            }
            !is_early
        });
    }

    /// Makes rows of all that no item repeated.
    pub(crate) fn end(&mut self, queue: &mut Queue) {
        self.told.clear();
        for unsaid in self.unsaid.drain(..) {
            queue.say(unsaid.number);
        }
    }
}

impl Voice {
    const ALL: [Self; 4] = [Self::Prompt, Self::Answer, Self::Thought, Self::Plan];
}

impl Words {
    /// Says whether these words of an item are those of an event, or hold them.
    fn repeat(&self, event: &Self) -> bool {
        match (self, event) {
            (Self::Prints { each, whole }, Self::Prints { .. }) => {
                each.contains(&event.print()) || *whole == Some(event.print())
            }
            (Self::Thoughts(item), Self::Thoughts(event)) => item.contains(event.as_str()),
            _ => false,
        }
    }

    /// Says whether an event of a kind may tell words of this item, after those that have told it.
    fn is_left(&self, event: &Self, kind: u64, by: &[(u64, u64)]) -> bool {
        let Self::Prints { each, whole } = self else { return true };
        let print = event.print();
        let told = || by.iter().filter(|(by, _)| *by == kind).map(|(_, print)| *print);
        let times = |all: &mut dyn Iterator<Item = u64>| all.filter(|it| *it == print).count();
        told().next().is_none()
            || whole.is_some_and(|whole| print != whole && told().all(|it| it != whole))
                && times(&mut told()) < times(&mut each.iter().copied())
    }

    /// Returns the print of an event's text.
    fn print(&self) -> u64 {
        match self {
            Self::Prints { each, .. } => each.first().copied().unwrap_or_default(),
            Self::Thoughts(_) => 0,
        }
    }
}

/// Returns what a message says, as far as there are words to compare: a text, and the plans in it.
fn heard(message: &Message) -> Vec<(Voice, Words)> {
    let Some(first) = message.parts.first() else { return Vec::new() };
    let is_plan = message.provider_type.as_deref() == Some(PLAN);
    let voice = match (message.role.as_str(), &first.content) {
        ("user", _) => Voice::Prompt,
        ("assistant", Content::Text(_)) if is_plan => Voice::Plan,
        ("assistant", Content::Text(_)) => Voice::Answer,
        ("assistant", Content::Thinking(_)) => Voice::Thought,
        _ => return Vec::new(),
    };
    if voice == Voice::Thought {
        let text = message.parts.iter().filter_map(thought);
        let words: String = text.flat_map(str::split_whitespace).collect();
        return if words.is_empty() { Vec::new() } else { vec![(voice, Words::Thoughts(words))] };
    }
    let mut prints = Prints::default();
    for part in &message.parts {
        match &part.content {
            Content::Text(text) => {
                prints.add(&text.value, voice == Voice::Prompt && stands_for_picture(&text.value));
            }
            Content::Other(Some(label)) => prints.add(&label.value, true),
            _ => {}
        }
    }
    let mut found = Vec::with_capacity(1);
    if voice == Voice::Answer {
        let whole: String = crate::item::texts(message).collect();
        let several = crate::item::texts(message).filter(|text| text.len() < whole.len());
        for shown in several.chain([whole.as_str()]).filter_map(shown) {
            prints.add(&shown, true);
        }
        let each: Vec<u64> = plans(&whole).map(print).collect();
        if !each.is_empty() {
            let whole = (each.len() > 1).then(|| print(&whole));
            found.push((Voice::Plan, Words::Prints { each, whole }));
        }
    }
    if let Some(words) = prints.finish() {
        found.insert(0, (voice, words));
    }
    found
}

/// Prints of texts, and of all that count as one.
#[derive(Debug, Default)]
struct Prints {
    each: Vec<u64>,
    all: DefaultHasher,
    joined: usize,
}

impl Prints {
    /// Adds a text; `is_alone` says that it is no part of the whole.
    fn add(&mut self, text: &str, is_alone: bool) {
        self.each.push(print(text));
        if !is_alone {
            hash(text, &mut self.all);
            self.joined += 1;
        }
    }

    fn finish(self) -> Option<Words> {
        let whole = (self.joined > 1).then(|| self.all.finish());
        (!self.each.is_empty()).then_some(Words::Prints { each: self.each, whole })
    }
}

fn print(text: &str) -> u64 {
    let mut one = DefaultHasher::new();
    hash(text, &mut one);
    one.finish()
}

fn hash(text: &str, into: &mut DefaultHasher) {
    text.split_whitespace().for_each(|word| into.write(word.as_bytes()));
}

fn thought(part: &hyp_sdk::Part) -> Option<&str> {
    match &part.content {
        Content::Thinking(thinking) => thinking.text.as_ref().map(|text| text.value.as_str()),
        _ => None,
    }
}
