//! A thread being read: its recordings one after the other, its head first.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{Counter, Entry, FailureClass, Page, Reading, Record, Scan, Span};

use crate::copied::Copied;
use crate::failed::Failed;
use crate::first::Sign;
use crate::goal::Goals;
use crate::header::Header;
use crate::hold::Hold;
use crate::spawn::Spawns;
use crate::told::Thought;
use crate::totals::Totals;
use crate::turn::Turn;
use crate::usage::Tokens;
use crate::{IMPORTS, counters, plan, when};

/// A rollout that is being read, or several of one thread.
#[derive(Debug)]
pub struct Rollout {
    pub(crate) paths: Vec<String>,
    /// It is the list of what was taken over from other clients.
    is_imports: bool,
    pub(crate) header: Header,
    pub(crate) has_begun: bool,
    pub(crate) turn: Turn,
    /// The time of the last record that had one.
    pub(crate) latest: Option<i64>,
    pub(crate) copied: Copied,
    pub(crate) is_copy: bool,
    pub(crate) totals: Totals,
    /// The last response that was told with its id, until totals tell of it.
    pub(crate) recorded: Option<Tokens>,
    /// When the turn at hand was in another client, whose history was taken over.
    pub(crate) imported: Option<i64>,
    pub(crate) spawns: Spawns,
    pub(crate) failed: Failed,
    pub(crate) thought: Thought,
    pub(crate) goals: Goals,
    pub(crate) hold: Hold,
    pub(crate) tape: Tape,
}

impl Rollout {
    pub(crate) fn new(unit_id: &str, entries: &[Entry]) -> Self {
        let paths: Vec<String> = entries.iter().map(|entry| entry.path.clone()).collect();
        let path = paths.first().map_or(unit_id, String::as_str);
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.split('.').next().unwrap_or(name);
        let id = plan::thread_id(path)
            .or_else(|| plan::is_uuid(unit_id).then(|| unit_id.to_owned()))
            .unwrap_or_else(|| stem.to_owned());
        Self {
            header: Header::new(&id, when::named(name)),
            has_begun: false,
            turn: Turn::default(),
            latest: None,
            copied: Copied::default(),
            is_copy: false,
            totals: Totals::new(paths.len()),
            recorded: None,
            spawns: Spawns::default(),
            failed: Failed::default(),
            thought: Thought::default(),
            goals: Goals::default(),
            hold: Hold::new(paths.len()),
            tape: Tape::new(),
            imported: None,
            is_imports: entries.first().is_some_and(|entry| entry.root == IMPORTS),
            paths,
        }
    }

    /// Sends out what may go; the thread begins where more would wait than may.
    pub(crate) fn flow(&mut self, out: &mut Page) {
        if self.hold.is_full() {
            self.waive();
            if !self.has_begun {
                self.begin(self.has_ids(), out);
            }
        }
        self.hold.flow(out);
    }

    /// Says whether items have ids of their own, as far as there are any.
    pub(crate) fn has_ids(&self) -> Option<bool> {
        let mut messages = self.hold.messages().peekable();
        messages.peek()?;
        Some(messages.any(|message| message.id.is_some()))
    }

    /// Begins the thread; `has_ids` says whether its items have ids of their own.
    pub(crate) fn begin(&mut self, has_ids: Option<bool>, out: &mut Page) {
        let thread = self.header.finish(has_ids);
        self.turn.begin_thread(&thread.context);
        out.thread_start(thread);
        if let Some(nickname) = self.header.nickname() {
            out.fact(nickname);
        }
        self.hold.open();
        self.has_begun = true;
    }

    /// Decides what is a copy, where nothing has decided it until now.
    fn decide(&mut self) {
        if let Some(first) = self.copied.give_up() {
            self.hold.own_from(first);
            self.totals.begin_own(first);
        }
        self.is_copy = self.copied.is_copying();
    }

    /// Decides for what must not wait any longer: without a proof nothing is a copy.
    fn waive(&mut self) {
        if !self.copied.is_certain() {
            self.decide();
        }
    }

    /// Sends out all that waits. A recording without messages opens no thread.
    pub(crate) fn drain(&mut self, out: &mut Page) {
        self.weigh(Sign::End);
        self.waive();
        self.hold.end_turn();
        self.hold.end_doubt();
        if !self.has_begun && self.has_ids().is_some() {
            self.begin(self.has_ids(), out);
        }
        self.hold.open();
        self.hold.flow(out);
        if !self.has_begun {
            self.hold.close();
        }
    }

    /// Reads lines in what was named a document.
    fn lines(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let mut tape = Tape::new();
        let mut offset = 0;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let span = Span { input, offset, length: line.len() as u64 };
            offset += span.length;
            match tape.parse_document(line) {
                Ok(json) => self.take(json, span, out),
                Err(_) if line.trim_ascii().is_empty() => self.hold.skip(span, "blank"),
                Err(_) => self.hold.failure(span, FailureClass::Malformed, "not JSON"),
            }
        }
    }
}

impl Scan for Rollout {
    fn reading(&self, input: u32) -> Reading {
        match self.paths.get(input as usize) {
            Some(path) if path.ends_with(".json") || self.is_imports => Reading::Document,
            _ => Reading::Lines,
        }
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        self.take(record.json, record.span, out);
        if !out.is_claimed() {
            out.hold();
        }
    }

    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let span = Span { input, offset: 0, length: bytes.len() as u64 };
        let mut tape = Tape::new();
        let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        match tape.parse_document(bytes) {
            Ok(json) => self.take(json, span, out),
            Err(_) if Tape::new().parse_document(first).is_ok_and(Value::is_object) => {
                self.lines(input, bytes, out);
            }
            Err(_) => self.hold.failure(span, FailureClass::Malformed, "not JSON"),
        }
        if !out.is_claimed() {
            out.hold();
        }
    }

    fn release(&mut self, out: &mut Page) {
        if !self.hold.is_empty() {
            self.drain(out);
        }
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.saved()
    }

    fn input_end(&mut self, _input: u32, out: &mut Page) {
        self.decide();
        self.drain(out);
        self.hold.end_recording();
        self.thought = Thought::default();
        self.latest = None;
        self.totals.end_recording();
        self.recorded = None;
    }

    fn end(&mut self, out: &mut Page) {
        if self.has_begun {
            out.thread_end();
        }
    }

    /// Returns what the thread's own responses cost by the client's count; see `counters`.
    fn counters(&self) -> Vec<Counter> {
        let total = self.totals.own(self.header.is_fork()).filter(|_| self.has_begun);
        total.map_or_else(Vec::new, |total| counters::of(self.header.id(), total))
    }
}
