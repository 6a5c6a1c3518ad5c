//! Which row the tokens of a response belong to.
//!
//! The client tells the tokens of a response after its items, or before them (0.45), and since 2026 with
//! the response's id. So items wait until their response is over; tokens that no item is found for get a
//! row of their own.

use std::collections::VecDeque;

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Message, Usage, is_telling};

use crate::queue::Queue;
use crate::usage::add;

/// Responses whose records may come again.
const REMEMBERED: usize = 16;

/// The items of the response that is being read.
#[derive(Debug, Default)]
enum Response {
    #[default]
    None,
    /// Its items, without their tokens.
    Open(Vec<usize>),
    /// Its items, the first with tokens that were counted before it: of a response before, if a record says so.
    Counted(Vec<usize>),
    /// Its first item has the tokens; more items may come, also after what a tool gave back.
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

/// Tokens on their way to a row.
#[derive(Debug, Default)]
pub(crate) struct Bill {
    response: Response,
    order: Order,
    /// The row of a count that no item was found for yet.
    orphan: Option<usize>,
    /// The item, or the row of its own, with tokens that may be another thread's.
    doubted: Option<usize>,
    /// The last row that got the tokens of a count.
    counted: Option<usize>,
    /// The last responses that were told; see [`known_by`].
    responses: VecDeque<String>,
}

impl Bill {
    /// Returns the number of the first record that still may get tokens, or lose them.
    pub(crate) fn first(&self) -> Option<usize> {
        let open = match &self.response {
            Response::Open(items) | Response::Counted(items) => items.first().copied(),
            _ => None,
        };
        [open, self.orphan, self.doubted].into_iter().flatten().min()
    }

    /// Writes what is remembered while nothing waits for tokens.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.flag(matches!(self.response, Response::Paid));
        out.flag(self.order == Order::ItemsFirst);
        out.flag(self.order == Order::CountFirst);
        out.list(self.responses.iter(), |out, response| out.text(response));
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let response = if from.flag()? { Response::Paid } else { Response::None };
        let order = match (from.flag()?, from.flag()?) {
            (true, _) => Order::ItemsFirst,
            (_, true) => Order::CountFirst,
            _ => Order::Unknown,
        };
        let responses: Vec<String> = from.list(Reader::text)?;
        Some(Self { response, order, responses: responses.into(), ..Self::default() })
    }

    /// Adds an item of a response.
    pub(crate) fn item(&mut self, mut message: Message, queue: &mut Queue) {
        if self.order != Order::ItemsFirst
            && let Some(usage) = self.take_orphan(queue)
        {
            message.usage = Some(usage);
            self.response = match self.order {
                Order::CountFirst if self.responses.is_empty() => Response::Paid,
                _ => Response::Counted(Vec::new()),
            };
            self.order = Order::CountFirst;
        }
        let number = queue.message(message);
        match &mut self.response {
            Response::None => self.response = Response::Open(vec![number]),
            Response::Open(items) | Response::Counted(items) => items.push(number),
            Response::Paid => {}
        }
    }

    /// Takes tokens that are told without the response's id; `row` is theirs if no item is found.
    pub(crate) fn count(&mut self, usage: Usage, mut row: Message, queue: &mut Queue) {
        match std::mem::take(&mut self.response) {
            Response::Open(items) => {
                self.order = Order::ItemsFirst;
                self.counted = items.first().copied();
                if let Some(first) = items.first().and_then(|&number| queue.at(number)) {
                    first.usage = Some(first.usage.map_or(usage, |before| add(before, usage)));
                }
                let is_record = row.provider_type.as_deref() == Some(TOKEN_USAGE_RECORD);
                queue.skip(row.span, if is_record { TOKEN_USAGE_RECORD } else { TOKEN_COUNT });
            }
            Response::None | Response::Counted(_) | Response::Paid => {
                row.usage = Some(usage);
                self.orphan = Some(queue.message(row));
                self.counted = self.orphan;
            }
        }
    }

    /// Takes tokens that are told with the response's id; `row` is theirs if no item is found.
    ///
    /// Where that id tells nothing, the first item's stands for it; without either, the first item has the tokens.
    ///
    /// Returns the tokens that the first item had from a count.
    pub(crate) fn response(
        &mut self,
        id: String,
        usage: Option<Usage>,
        mut row: Message,
        queue: &mut Queue,
    ) -> Option<Usage> {
        let mut counted = None;
        let known_by = known_by(&id, usage);
        let told = Some(id).filter(|id| is_telling(id));
        match std::mem::take(&mut self.response) {
            Response::Open(items) | Response::Counted(items) => {
                let first = items.first().and_then(|&number| queue.at(number)?.id.clone());
                let name = told.or(first);
                for (at, number) in items.into_iter().enumerate() {
                    if let Some(message) = queue.at(number) {
                        message.response_id.clone_from(&name);
                        counted = counted.or(message.usage);
                        message.usage = usage.or(counted).filter(|_| at == 0 || name.is_some());
                    }
                }
                queue.skip(row.span, TOKEN_USAGE_RECORD);
            }
            _ if self.responses.contains(&known_by) => {
                queue.skip(row.span, TOKEN_USAGE_RECORD);
            }
            _ => {
                row.response_id = told;
                row.usage = usage;
                queue.message(row);
            }
        }
        if !self.responses.contains(&known_by) {
            self.responses.push_back(known_by);
            if self.responses.len() > REMEMBERED {
                self.responses.pop_front();
            }
        }
        if counted.is_some() {
            self.order = Order::Unknown;
        }
        counted
    }

    /// Ends the response: its items have what they get.
    pub(crate) fn settle(&mut self) {
        self.response = Response::None;
        self.orphan = None;
    }

    /// Notes that the last count may be another thread's.
    pub(crate) fn doubt(&mut self) {
        self.doubted = self.counted;
    }

    /// Ends the doubt: the tokens stay.
    pub(crate) fn keep(&mut self) {
        let doubted = self.doubted.take();
        self.orphan = self.orphan.filter(|row| Some(*row) != doubted);
    }

    /// Takes the tokens of a doubted count from where they are; returns true if they were still there.
    pub(crate) fn take(&mut self, queue: &mut Queue) -> bool {
        let Some(number) = self.doubted.take() else { return false };
        if self.orphan == Some(number) {
            return self.take_orphan(queue).is_some();
        }
        queue.at(number).is_some_and(|message| message.usage.take().is_some())
    }

    /// Takes the tokens from the row that was made for them, which is none then.
    pub(crate) fn take_orphan(&mut self, queue: &mut Queue) -> Option<Usage> {
        queue.unsay(self.orphan.take()?, TOKEN_COUNT)?.usage
    }
}

/// Returns what a response is known by when it is told again: its id, or with its tokens, where that tells nothing.
fn known_by(id: &str, usage: Option<Usage>) -> String {
    if is_telling(id) { id.to_owned() } else { format!("{id} {usage:?}") }
}

/// The client's word for tokens without the response's id.
pub(crate) const TOKEN_COUNT: &str = "event_msg.token_count";
/// The client's word for tokens with it.
pub(crate) const TOKEN_USAGE_RECORD: &str = "token_usage_record";
