//! Exchanges that a client wrote twice into one recording, under new ids.
//!
//! An assistant message is a copy where its response and content were seen before under another id, in that message or
//! among its parts, and the response is over by then: a prompt came between, or the line follows none of the response's
//! own, as those of one response do. The prompts right before it are copies as far as they equal those before the first
//! sighting. What a tool gave back is a copy where the same call gave the same before.

use std::collections::VecDeque;

use hyp_model::row::Key;

use crate::said::{self, PrintMap};
use crate::saved::{Reader, Writer};

/// Messages that a copy is looked for among.
const REMEMBERED: usize = 4_096;

/// Prompts in a row that are compared.
const RUN: usize = 8;

/// Lines of a response that another one may follow.
const LINES: usize = 64;

/// A message as far as copies of it matter.
#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    /// Number of its message in the thread.
    pub(crate) index: i32,
    pub(crate) message_id: String,
    print: u64,
    /// Prints of its parts, where it has several.
    parts: Vec<u64>,
}

/// Which response a message is of, and what it follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) response: &'a str,
    pub(crate) parent: Option<&'a str>,
}

impl Sighting {
    /// Notes a message by the keys of its parts, and what else tells it from others.
    pub(crate) fn new(
        index: i32,
        message_id: &str,
        seed: u64,
        keys: impl ExactSizeIterator<Item = Key>,
    ) -> Self {
        let add = |print: u64, key: Key| {
            let mut first = [0; 8];
            first.copy_from_slice(&key.0[..8]);
            print.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from_le_bytes(first)
        };
        let mut parts = Vec::new();
        let is_one = keys.len() == 1;
        let print = keys.fold(seed, |print, key| {
            if !is_one {
                parts.push(add(seed, key));
            }
            add(print, key)
        });
        Self { index, message_id: message_id.to_owned(), print, parts }
    }
}

/// A message that turned out a copy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Its number.
    pub(crate) index: i32,
    /// Id of the message that it is a copy of,
    pub(crate) original: String,
    /// and the first of the parts that it copies.
    pub(crate) part: usize,
}

#[derive(Debug)]
struct First {
    message_id: String,
    part: usize,
    turn: u64,
    has_parent: bool,
    prompts: Vec<Sighting>,
}

/// What was said in a thread lately.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    turn: u64,
    prompts: Vec<Sighting>,
    first: PrintMap<First>,
    order: VecDeque<u64>,
    /// Lines of responses that are no copies: prints of their ids, and of their responses.
    lines: VecDeque<(u64, u64)>,
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

    /// Notes what a tool gave back; returns the copy that it is, if it is one.
    pub(crate) fn result(&mut self, sighting: Sighting) -> Option<Copy> {
        self.prompts.clear();
        match self.first.get(&sighting.print) {
            None => {
                self.remember(sighting, true, Vec::new());
                None
            }
            Some(first) if first.message_id == sighting.message_id => None,
            Some(first) => Some(first.copied_by(sighting.index)),
        }
    }

    /// Notes a message of a response. Returns the copies that it brings to light, itself the first.
    pub(crate) fn answer(&mut self, sighting: Sighting, line: Line<'_>) -> Vec<Copy> {
        let prompts = std::mem::take(&mut self.prompts);
        let own = (said::print(&sighting.message_id), said::print(line.response));
        let Some(first) = self.first.get(&sighting.print) else {
            self.go_on(own);
            self.remember(sighting, line.parent.is_some(), prompts);
            return Vec::new();
        };
        let is_over = first.turn != self.turn || self.is_apart(first, line.parent, own.1);
        if first.message_id == sighting.message_id || !is_over {
            self.go_on(own);
            return Vec::new();
        }
        let again = prompts.iter().rev().zip(first.prompts.iter().rev());
        let mut copies = vec![first.copied_by(sighting.index)];
        copies.extend(again.take_while(|(again, first)| again.print == first.print).map(
            |(again, first)| Copy {
                index: again.index,
                original: first.message_id.clone(),
                part: 0,
            },
        ));
        copies
    }

    /// Says whether prompts wait for an answer, which may show them to be copies.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.prompts.is_empty()
    }

    /// Says whether a line follows none of its response.
    fn is_apart(&self, first: &First, parent: Option<&str>, response: u64) -> bool {
        let Some(parent) = parent else { return first.has_parent };
        let parent = said::print(parent);
        !self.lines.iter().any(|line| *line == (parent, response))
    }

    fn go_on(&mut self, line: (u64, u64)) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Writes what was said lately, while no prompt waits.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.number(self.turn);
        out.list(self.order.iter(), |out, print| out.print(*print));
        out.list(self.first.iter(), |out, (print, first)| {
            out.print(*print);
            out.text(&first.message_id);
            out.number(first.part as u64);
            out.number(first.turn);
            out.number(first.has_parent.into());
            out.list(first.prompts.iter(), |out, prompt| {
                out.signed(prompt.index.into());
                out.text(&prompt.message_id);
                out.print(prompt.print);
            });
        });
        out.list(self.lines.iter(), |out, (line, response)| {
            out.print(*line);
            out.print(*response);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let turn = from.number()?;
        let order = from.list(Reader::print)?;
        let first = from.list(|from| {
            let print = from.print()?;
            let message_id = from.text()?;
            let part = usize::try_from(from.number()?).ok()?;
            let (turn, has_parent) = (from.number()?, from.number()? != 0);
            let prompts = from.list(|from| {
                let index = i32::try_from(from.signed()?).ok()?;
                let (message_id, print) = (from.text()?, from.print()?);
                Some(Sighting { index, message_id, print, parts: Vec::new() })
            })?;
            Some((print, First { message_id, part, turn, has_parent, prompts }))
        })?;
        let lines = from.list(|from| Some((from.print()?, from.print()?)))?;
        Some(Self { turn, prompts: Vec::new(), first, order, lines })
    }

    fn remember(&mut self, sighting: Sighting, has_parent: bool, prompts: Vec<Sighting>) {
        let Sighting { message_id, print, parts, .. } = sighting;
        for (part, print) in parts.into_iter().enumerate() {
            if !self.first.contains_key(&print) {
                let (message_id, turn) = (message_id.clone(), self.turn);
                let first = First { message_id, part, turn, has_parent, prompts: Vec::new() };
                self.put(print, first);
            }
        }
        self.put(print, First { message_id, part: 0, turn: self.turn, has_parent, prompts });
    }

    fn put(&mut self, print: u64, first: First) {
        self.order.push_back(print);
        self.first.insert(print, first);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.first.remove(&oldest);
        }
    }
}

impl First {
    fn copied_by(&self, index: i32) -> Copy {
        Copy { index, original: self.message_id.clone(), part: self.part }
    }
}
