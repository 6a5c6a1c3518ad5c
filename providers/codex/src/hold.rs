//! Records held back until it is known which tokens are theirs.
//!
//! The client tells the tokens of a response after its items, or before them (0.45), and since 2026
//! with the response's id. So items wait, in order and with everything that comes between, until
//! their response is over. Nothing waits for long: past a bound all goes out, and tokens that are
//! told later get a row of their own.

use std::borrow::Cow;
use std::collections::VecDeque;

use hyp_sdk::{Content, Context, Fact, FailureClass, Message, Page, Part, Span, Usage};

use crate::item::texts;
use crate::usage::add;

/// Messages that wait at most.
const MESSAGES: usize = 64;
/// Records that wait at most.
const RECORDS: usize = 1_024;
/// Bytes of records that wait at most.
const BYTES: u64 = 8 << 20;

/// Something that waits.
#[derive(Debug)]
enum Held {
    Message(Box<Message>),
    /// A record without a row; with what it becomes if nothing else says the same.
    Skip(Span, Cow<'static, str>, Option<Box<Message>>),
    Failure(Span, FailureClass, String),
    Fact(Fact),
}

/// The items of the response that is being read.
#[derive(Debug, Default)]
enum Response {
    #[default]
    None,
    /// Its items, without their tokens.
    Open(Vec<usize>),
    /// Its first item has the tokens; more items may come.
    Paid,
}

/// Which comes first, as this recording has shown.
#[derive(Debug, Default, PartialEq)]
enum Order {
    #[default]
    Unknown,
    ItemsFirst,
    CountFirst,
}

/// A text that is expected to come again as an item.
#[derive(Debug)]
struct Echo {
    number: usize,
    is_prompt: bool,
}

/// What waits, in input order.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    queue: VecDeque<Held>,
    /// How many went out: the queue's first has this number.
    gone: usize,
    messages: usize,
    bytes: u64,
    response: Response,
    order: Order,
    /// The row of a count that no item was found for yet.
    orphan: Option<usize>,
    /// Texts that no item has repeated yet.
    unsaid: Vec<Echo>,
    /// Prompts whose turn may be told after them.
    prompts: Vec<usize>,
    /// The last response that was told.
    last_response: Option<String>,
    is_open: bool,
}

impl Hold {
    /// Lets things through: the thread has begun.
    pub(crate) fn open(&mut self) {
        self.is_open = true;
    }

    /// Lets nothing through any longer: there is no thread yet.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }

    /// Says whether so much waits that the thread must begin.
    pub(crate) fn is_full(&self) -> bool {
        self.messages >= MESSAGES || self.queue.len() >= RECORDS || self.bytes >= BYTES
    }

    /// Says whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Looks at the messages that wait.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.queue.iter().filter_map(|held| match held {
            Held::Message(message) => Some(&**message),
            _ => None,
        })
    }

    /// Adds an item of a response.
    pub(crate) fn item(&mut self, mut message: Message) {
        self.say_prompts();
        self.prompts.clear();
        if self.order != Order::ItemsFirst
            && let Some(usage) = self.take_orphan()
        {
            self.order = Order::CountFirst;
            message.usage = Some(usage);
            self.response = Response::Paid;
        }
        let number = self.push_message(message);
        match &mut self.response {
            Response::None => self.response = Response::Open(vec![number]),
            Response::Open(items) => items.push(number),
            Response::Paid => {}
        }
    }

    /// Adds what a tool gave back.
    pub(crate) fn output(&mut self, message: Message) {
        self.prompts.clear();
        self.push_message(message);
        if matches!(self.response, Response::Paid) {
            self.response = Response::None;
        }
    }

    /// Adds a message that is neither: a prompt, or context.
    pub(crate) fn message(&mut self, message: Message) {
        self.settle();
        let number = self.push_message(message);
        self.prompts.push(number);
    }

    /// Takes what holds for the turn that the prompts before this began.
    pub(crate) fn turn(&mut self, context: &Option<Context>) {
        self.step();
        for number in std::mem::take(&mut self.prompts) {
            let held = number.checked_sub(self.gone).and_then(|at| self.queue.get_mut(at));
            if let Some(Held::Message(message) | Held::Skip(_, _, Some(message))) = held {
                message.context.clone_from(context);
            }
        }
    }

    /// Adds the summary that takes the place of what was said before; tokens that nothing else was made of are its own.
    pub(crate) fn compacted(&mut self, mut message: Message) {
        message.usage = self.take_orphan();
        self.settle();
        self.push_message(message);
    }

    /// Adds a record of a known kind that gives no row.
    pub(crate) fn skip(&mut self, span: Span, kind: impl Into<Cow<'static, str>>) {
        self.push(span, Held::Skip(span, kind.into(), None));
    }

    /// Adds a text that an item repeats, unless the turn breaks off before.
    pub(crate) fn echo(&mut self, kind: Cow<'static, str>, message: Message) {
        let (span, is_prompt) = (message.span, message.role == "user");
        let number = self.push(span, Held::Skip(span, kind, Some(Box::new(message))));
        self.unsaid.push(Echo { number, is_prompt });
        if is_prompt {
            self.prompts.push(number);
        }
    }

    /// Forgets the text that an item repeats.
    pub(crate) fn said(&mut self, message: &Message) {
        if self.unsaid.is_empty() {
            return;
        }
        let (queue, gone) = (&self.queue, self.gone);
        let found = self.unsaid.iter().position(|echo| {
            let held = echo.number.checked_sub(gone).and_then(|at| queue.get(at));
            matches!(held, Some(Held::Skip(_, _, Some(echo))) if repeats(message, echo))
        });
        if let Some(found) = found {
            self.unsaid.remove(found);
        }
    }

    /// Makes rows of the texts that no item repeated: the turn broke off.
    pub(crate) fn break_off(&mut self) {
        let echoes = std::mem::take(&mut self.unsaid);
        echoes.iter().for_each(|echo| self.say(echo));
        self.prompts.clear();
        self.settle();
    }

    /// Ends a step of the turn: an answer without an item was the client's own word.
    pub(crate) fn step(&mut self) {
        self.unsaid.retain(|echo| echo.is_prompt);
    }

    fn say_prompts(&mut self) {
        if self.unsaid.iter().any(|echo| echo.is_prompt) {
            let (prompts, rest) =
                std::mem::take(&mut self.unsaid).into_iter().partition(|echo| echo.is_prompt);
            self.unsaid = rest;
            let prompts: Vec<Echo> = prompts;
            prompts.iter().for_each(|echo| self.say(echo));
        }
    }

    fn say(&mut self, echo: &Echo) {
        let held = echo.number.checked_sub(self.gone).and_then(|at| self.queue.get_mut(at));
        if let Some(held) = held
            && let Held::Skip(_, _, message) = held
            && let Some(message) = message.take()
        {
            *held = Held::Message(message);
            self.messages += 1;
        }
    }

    /// Adds a record that was not understood.
    pub(crate) fn failure(&mut self, span: Span, class: FailureClass, reason: impl Into<String>) {
        self.push(span, Held::Failure(span, class, reason.into()));
    }

    /// Adds something said about a thread.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.queue.push_back(Held::Fact(fact));
    }

    /// Takes the tokens of a response that is told without its id; `row` is theirs if no item is found.
    pub(crate) fn count(&mut self, usage: Usage, mut row: Message) {
        match std::mem::take(&mut self.response) {
            Response::Open(items) => {
                self.order = Order::ItemsFirst;
                if let Some(first) = items.first().and_then(|&number| self.at(number)) {
                    first.usage = Some(first.usage.map_or(usage, |before| add(before, usage)));
                }
                self.skip(row.span, TOKEN_COUNT);
            }
            Response::None | Response::Paid => {
                row.usage = Some(usage);
                self.orphan = Some(self.push_message(row));
            }
        }
    }

    /// Takes the tokens of a response that is told with its id; `row` is theirs if no item is found.
    pub(crate) fn response(&mut self, id: String, usage: Option<Usage>, mut row: Message) {
        match std::mem::take(&mut self.response) {
            Response::Open(items) => {
                for number in items {
                    if let Some(message) = self.at(number) {
                        message.response_id = Some(id.clone());
                        message.usage = usage;
                    }
                }
                self.skip(row.span, TOKEN_USAGE_RECORD);
            }
            _ if self.last_response.as_ref() == Some(&id) => {
                self.skip(row.span, TOKEN_USAGE_RECORD)
            }
            _ => {
                row.response_id = Some(id.clone());
                row.usage = usage;
                self.push_message(row);
            }
        }
        self.last_response = Some(id);
    }

    /// Ends the response: its items have what they get.
    pub(crate) fn settle(&mut self) {
        self.response = Response::None;
        self.orphan = None;
        self.step();
    }

    /// Sends out what need not wait any longer.
    pub(crate) fn flow(&mut self, out: &mut Page) {
        if !self.is_open {
            return;
        }
        if self.is_full() {
            self.prompts.clear();
            self.say_prompts();
            self.settle();
        }
        let open = match &self.response {
            Response::Open(items) => items.first().copied(),
            _ => None,
        };
        let unsaid = self.unsaid.first().map(|echo| echo.number);
        let waiting = [open, self.orphan, unsaid, self.prompts.first().copied()];
        let first = waiting.into_iter().flatten().min().unwrap_or(usize::MAX);
        while self.gone < first
            && let Some(held) = self.queue.pop_front()
        {
            self.gone += 1;
            emit(held, out);
        }
        if self.queue.is_empty() {
            (self.messages, self.bytes) = (0, 0);
        }
    }

    fn push_message(&mut self, message: Message) -> usize {
        self.messages += 1;
        self.push(message.span, Held::Message(Box::new(message)))
    }

    fn push(&mut self, span: Span, held: Held) -> usize {
        self.bytes += span.length;
        self.queue.push_back(held);
        self.gone + self.queue.len() - 1
    }

    fn at(&mut self, number: usize) -> Option<&mut Message> {
        match self.queue.get_mut(number.checked_sub(self.gone)?)? {
            Held::Message(message) => Some(message),
            _ => None,
        }
    }

    /// Takes the tokens from the row that was made for them, which is none then.
    fn take_orphan(&mut self) -> Option<Usage> {
        let number = self.orphan.take()?;
        let held = self.queue.get_mut(number.checked_sub(self.gone)?)?;
        let Held::Message(message) = held else { return None };
        let (span, usage) = (message.span, message.usage);
        *held = Held::Skip(span, TOKEN_COUNT.into(), None);
        usage
    }
}

/// The client's word for tokens without the response's id.
pub(crate) const TOKEN_COUNT: &str = "event_msg.token_count";
/// The client's word for tokens with it.
pub(crate) const TOKEN_USAGE_RECORD: &str = "token_usage_record";

/// Makes the row of tokens that no item is there for.
pub(crate) fn row_of_tokens(mut message: Message, kind: &'static str) -> Message {
    message.provider_type = Some(kind.to_owned());
    message.parts.push(Part::new(kind, Content::Other(None)));
    message
}

fn emit(held: Held, out: &mut Page) {
    match held {
        Held::Message(message) => out.message(*message),
        Held::Skip(span, kind, _) => out.skip(span, &kind),
        Held::Failure(span, class, reason) => out.failure(span, class, reason),
        Held::Fact(fact) => out.fact(fact),
    }
}

/// Says whether one of a message's texts is that of an echo.
fn repeats(message: &Message, echo: &Message) -> bool {
    let echoed = texts(echo).next().map(str::trim);
    message.role == echo.role && texts(message).any(|text| Some(text.trim()) == echoed)
}
