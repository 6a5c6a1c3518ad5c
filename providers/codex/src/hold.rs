//! Records held back until it is known what they are.
//!
//! Items wait for their tokens (`bill`), events for the items that repeat them (`echo`), prompts for the
//! turn that they begin, and what may be a copy of another thread for the proof. All wait in one queue, in
//! order. Nothing waits for long: past a bound all goes out as it is.

use std::borrow::Cow;

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Context, Fact, FailureClass, Message, Page, Span, Usage};

use crate::bill::Bill;
use crate::echo::Echoes;
use crate::heard::Heard;
use crate::queue::Queue;
use crate::{attributes, injected};

/// What waits, in input order.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    queue: Queue,
    bill: Bill,
    echoes: Echoes,
    /// Prompts whose turn may be told after them.
    prompts: Vec<usize>,
    /// Where the turn was told to begin.
    turn: usize,
    /// Where what may be a copy begins.
    doubt: Option<usize>,
    heard: Heard,
    is_open: bool,
}

impl Hold {
    /// Creates an empty one, for a thread in so many recordings.
    pub(crate) fn new(recordings: usize) -> Self {
        Self { heard: Heard::new(recordings), ..Self::default() }
    }

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
        self.queue.is_full()
    }

    /// Says whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Says whether nothing waits, and nothing that comes can change what went out.
    pub(crate) fn is_at_rest(&self) -> bool {
        let is_billed = self.bill.first().is_none() && self.echoes.first().is_none();
        self.is_open && is_billed && self.doubt.is_none() && self.is_empty()
    }

    /// Writes what is remembered, while all is at rest.
    pub(crate) fn save(&self, out: &mut Writer) {
        self.bill.save(out);
        self.echoes.save(out);
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.bill = Bill::restore(from)?;
        self.echoes = Echoes::restore(from)?;
        self.is_open = true;
        Some(())
    }

    /// Looks at the messages that wait.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.queue.messages()
    }

    /// Adds an item of a response.
    pub(crate) fn item(&mut self, message: Message) {
        self.echoes.answer(&mut self.queue);
        self.echoes.item(&message);
        self.prompts.clear();
        self.bill.item(message, &mut self.queue);
    }

    /// Adds what a tool gave back.
    pub(crate) fn output(&mut self, message: Message) {
        self.prompts.clear();
        self.queue.message(message);
    }

    /// Adds a message that is neither: a prompt, or context.
    pub(crate) fn message(&mut self, mut message: Message) {
        self.bill.settle();
        for number in self.echoes.waiting() {
            if let Some(event) = self.queue.any(number) {
                injected::confirm(&mut message, event);
            }
        }
        if injected::is_human(&message) {
            self.echoes.prompt();
        }
        self.echoes.item(&message);
        let number = self.queue.message(message);
        self.prompts.push(number);
    }

    /// Adds an event that an item may repeat.
    pub(crate) fn event(&mut self, kind: Cow<'static, str>, message: Message) {
        let is_prompt = message.role == "user";
        for number in &self.prompts {
            if let Some(item) = self.queue.any(*number) {
                injected::confirm(item, &message);
                // A store that was migrated has the prompt before the turn that it begins, and the event within.
                if is_prompt && injected::is_same(item, &message) {
                    self.turn = self.turn.min(*number);
                }
            }
        }
        let number = self.echoes.event(kind, message, &mut self.queue);
        self.prompts.extend(number.filter(|_| is_prompt));
    }

    /// Takes what holds for the turn that the prompts before this began.
    pub(crate) fn turn(&mut self, context: &Option<Context>, words: &[(&str, Option<&str>)]) {
        let prompts = std::mem::take(&mut self.prompts);
        for number in prompts.into_iter().filter(|number| *number >= self.turn) {
            if let Some(message) = self.queue.any(number) {
                message.context.clone_from(context);
                if injected::is_human(message) {
                    attributes::set(message, words);
                }
            }
        }
    }

    /// Adds the summary that takes the place of what was said before; tokens that nothing else was made of are its own.
    pub(crate) fn compacted(&mut self, mut message: Message) {
        message.usage = self.bill.take_orphan(&mut self.queue);
        self.bill.settle();
        self.queue.message(message);
    }

    /// Adds a message that no tokens belong to.
    pub(crate) fn aside(&mut self, message: Message) {
        self.queue.message(message);
    }

    /// Adds a record of a known kind that gives no row.
    pub(crate) fn skip(&mut self, span: Span, kind: impl Into<Cow<'static, str>>) {
        self.queue.skip(span, kind);
    }

    /// Adds a record that was not understood.
    pub(crate) fn failure(&mut self, span: Span, class: FailureClass, reason: impl Into<String>) {
        self.queue.failure(span, class, reason);
    }

    /// Adds something said about a thread.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.queue.fact(fact);
    }

    /// Takes the tokens of a response that is told without its id; `row` is theirs if no item is found.
    pub(crate) fn count(&mut self, usage: Usage, row: Message) {
        self.bill.count(usage, row, &mut self.queue);
    }

    /// Takes the tokens of a response that is told with its id; `row` is theirs if no item is found. Returns the tokens
    /// that its first item had from a count.
    pub(crate) fn response(
        &mut self,
        id: String,
        usage: Option<Usage>,
        row: Message,
    ) -> Option<Usage> {
        self.bill.response(id, usage, row, &mut self.queue)
    }

    /// Notes that the count at hand may be another thread's: its row waits until that is known.
    pub(crate) fn doubt_count(&mut self) {
        self.bill.doubt();
    }

    /// Ends the doubt: the row keeps the tokens of the count.
    pub(crate) fn keep_count(&mut self) {
        self.bill.keep();
    }

    /// Ends the doubt: the count was another thread's. Returns true if its tokens were still there to be taken.
    pub(crate) fn take_count(&mut self) -> bool {
        self.bill.take(&mut self.queue)
    }

    /// Begins what may be a copy: it waits for the proof.
    pub(crate) fn doubt(&mut self) {
        self.doubt = Some(self.queue.next());
    }

    /// Returns the number that the next record gets.
    pub(crate) fn next(&self) -> usize {
        self.queue.next()
    }

    /// Ends the doubt: what comes from this number on is the thread's own.
    pub(crate) fn own_from(&mut self, first: usize) {
        self.end_doubt();
        for number in first..self.queue.next() {
            if let Some(message) = self.queue.any(number) {
                message.is_copy = false;
            }
        }
    }

    /// Ends the doubt: what waits stays as it is.
    pub(crate) fn end_doubt(&mut self) {
        self.doubt = None;
    }

    /// Begins a turn: what was said before is over, its prompts aside, which may stand before it.
    pub(crate) fn begin_turn(&mut self) {
        self.echoes.begin_turn(&mut self.queue);
        self.bill.settle();
        self.turn = self.queue.next();
    }

    /// Ends the turn: what no item has repeated is a row, and tokens have found theirs.
    pub(crate) fn end_turn(&mut self) {
        self.echoes.end(&mut self.queue);
        self.prompts.clear();
        self.bill.settle();
    }

    /// Lets go of the older half of what waits: its other halves and its tokens would have come by now.
    fn relieve(&mut self) {
        let middle = self.queue.middle();
        self.echoes.end_before(middle, &mut self.queue);
        self.prompts.retain(|number| *number >= middle);
        if self.bill.first().is_some_and(|first| first < middle) {
            self.bill.settle();
            self.bill.keep();
        }
        self.doubt = self.doubt.filter(|first| *first >= middle);
    }

    /// Ends a recording of the thread.
    pub(crate) fn end_recording(&mut self) {
        self.heard.next();
    }

    /// Ends the response: its items have what they get.
    pub(crate) fn settle(&mut self) {
        self.bill.settle();
    }

    /// Sends out what need not wait any longer.
    pub(crate) fn flow(&mut self, out: &mut Page) {
        if !self.is_open {
            return;
        }
        if self.queue.is_full() {
            self.relieve();
        }
        let waiting =
            [self.bill.first(), self.echoes.first(), self.prompts.first().copied(), self.doubt];
        let first = waiting.into_iter().flatten().min().unwrap_or(usize::MAX);
        self.queue.flow(first, &mut self.heard, out);
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::Part;

    use super::*;

    fn said(role: &str, text: &str, length: u64) -> Message {
        let mut message = Message::new(Span { input: 0, offset: 0, length }, role);
        message.provider_type = Some("message".to_owned());
        message.parts.push(Part::text(text));
        message
    }

    fn rows(hold: &mut Hold) -> usize {
        hold.flow(&mut Page::new());
        hold.messages().count()
    }

    #[test]
    fn a_prompt_is_one_row_however_long_its_pictures_are() {
        let mut hold = Hold::new(1);
        hold.open();
        hold.message(said("user", "Look", 64 << 20));
        assert_eq!(rows(&mut hold), 1);
        hold.event("event_msg.user_message".into(), said("user", "Look", 64 << 20));
        hold.end_turn();
        assert_eq!(hold.messages().count(), 1);
    }

    #[test]
    fn what_goes_out_early_is_told_once_all_the_same() {
        let mut hold = Hold::new(1);
        hold.open();
        for number in 0..200 {
            hold.item(said("assistant", &format!("answer {number}"), 100));
            assert!(rows(&mut hold) <= 64, "{number}");
        }
        hold.event("event_msg.agent_message".into(), said("assistant", "answer 199", 100));
        hold.message(said("user", "Go on", 100));
        rows(&mut hold);
        hold.event("event_msg.user_message".into(), said("user", "Go on", 100));
        let before = hold.messages().count();
        hold.end_turn();
        assert_eq!(hold.messages().count(), before);
    }
}
