//! Exchanges that a client wrote twice into one recording, under new ids.
//!
//! An assistant message is a copy where its response and content were seen before under another id and a
//! prompt came between: a response whose lines are alike is over by then. The prompts right before it are
//! copies as far as they equal those before the first sighting.

use std::collections::VecDeque;

use hyp_model::row::Key;

use crate::said::PrintMap;
use crate::saved::{Reader, Writer};

/// Messages that a copy is looked for among.
const REMEMBERED: usize = 4_096;

/// Prompts in a row that are compared.
const RUN: usize = 8;

/// A message as far as copies of it matter.
#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    /// Number of its message in the thread.
    pub(crate) index: i32,
    pub(crate) message_id: String,
    print: u64,
}

impl Sighting {
    /// Notes a message by the keys of its parts.
    pub(crate) fn new(index: i32, message_id: &str, keys: impl Iterator<Item = Key>) -> Self {
        let print = keys.fold(0u64, |print, key| {
            let mut first = [0; 8];
            first.copy_from_slice(&key.0[..8]);
            print.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from_le_bytes(first)
        });
        Self { index, message_id: message_id.to_owned(), print }
    }
}

/// A message that turned out a copy, by its number, and the id of the original.
pub(crate) type Copy = (i32, String);

#[derive(Debug)]
struct First {
    message_id: String,
    turn: u64,
    prompts: Vec<Sighting>,
}

/// What was said in a thread lately.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    turn: u64,
    prompts: Vec<Sighting>,
    first: PrintMap<First>,
    order: VecDeque<u64>,
}

impl Copies {
    /// Notes what a person said.
    pub(crate) fn prompt(&mut self, sighting: Sighting) {
        self.turn += 1;
        if self.prompts.len() == RUN {
            self.prompts.remove(0);
        }
        self.prompts.push(sighting);
    }

    /// Notes a message that stands between prompts and answers.
    pub(crate) fn other(&mut self) {
        self.prompts.clear();
    }

    /// Notes a message of a response. Returns the copies that it brings to light, itself the first.
    pub(crate) fn answer(&mut self, sighting: Sighting) -> Vec<Copy> {
        let prompts = std::mem::take(&mut self.prompts);
        let Some(first) = self.first.get(&sighting.print) else {
            self.remember(sighting, prompts);
            return Vec::new();
        };
        if first.turn == self.turn || first.message_id == sighting.message_id {
            return Vec::new();
        }
        let again = prompts.iter().rev().zip(first.prompts.iter().rev());
        let mut copies = vec![(sighting.index, first.message_id.clone())];
        copies.extend(
            again
                .take_while(|(again, first)| again.print == first.print)
                .map(|(again, first)| (again.index, first.message_id.clone())),
        );
        copies
    }

    /// Says whether prompts wait for an answer, which may show them to be copies.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.prompts.is_empty()
    }

    /// Writes what was said lately, while no prompt waits.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.number(self.turn);
        out.list(self.order.iter(), |out, print| out.print(*print));
        out.list(self.first.iter(), |out, (print, first)| {
            out.print(*print);
            out.text(&first.message_id);
            out.number(first.turn);
            out.list(first.prompts.iter(), |out, prompt| {
                out.signed(prompt.index.into());
                out.text(&prompt.message_id);
                out.print(prompt.print);
            });
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let turn = from.number()?;
        let order = from.list(Reader::print)?;
        let first = from.list(|from| {
            let print = from.print()?;
            let message_id = from.text()?;
            let turn = from.number()?;
            let prompts = from.list(|from| {
                let index = i32::try_from(from.signed()?).ok()?;
                Some(Sighting { index, message_id: from.text()?, print: from.print()? })
            })?;
            Some((print, First { message_id, turn, prompts }))
        })?;
        Some(Self { turn, prompts: Vec::new(), first, order })
    }

    fn remember(&mut self, sighting: Sighting, prompts: Vec<Sighting>) {
        self.order.push_back(sighting.print);
        let first = First { message_id: sighting.message_id, turn: self.turn, prompts };
        self.first.insert(sighting.print, first);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.first.remove(&oldest);
        }
    }
}
