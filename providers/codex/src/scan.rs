//! One rollout, record by record.

use hyp_sdk::json::{Object, Tape, Value};
use hyp_sdk::{
    Content, Counter, Fact, FailureClass, Message, Page, Part, Reading, Record, Scan, Span,
    Subject, Text, time,
};

use crate::copied::Copied;
use crate::event::{self, Event};
use crate::header::{Header, Told};
use crate::hold::{Hold, TOKEN_COUNT, TOKEN_USAGE_RECORD, row_of_tokens};
use crate::item::{self, Item};
use crate::turn::{self, Turn};
use crate::usage::{Tokens, Totals};
use crate::{injected, plan};

/// A rollout that is being read.
#[derive(Debug)]
pub struct Rollout {
    is_document: bool,
    header: Header,
    has_begun: bool,
    turn: Turn,
    copied: Copied,
    is_copy: bool,
    totals: Totals,
    /// Responses are told with their ids: totals say nothing more.
    has_records: bool,
    hold: Hold,
    tape: Tape,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    span: Span,
    time: Option<i64>,
}

impl Rollout {
    pub(crate) fn new(unit_id: &str, path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.split('.').next().unwrap_or(name);
        let id = plan::thread_id(path)
            .or_else(|| plan::is_uuid(unit_id).then(|| unit_id.to_owned()))
            .unwrap_or_else(|| stem.to_owned());
        Self {
            is_document: path.ends_with(".json"),
            header: Header::new(&id),
            has_begun: false,
            turn: Turn::default(),
            copied: Copied::default(),
            is_copy: false,
            totals: Totals::default(),
            has_records: false,
            hold: Hold::default(),
            tape: Tape::new(),
        }
    }

    fn take(&mut self, json: Value<'_>, span: Span, out: &mut Page) {
        let kind = json.get("type").and_then(Value::str);
        let payload = json.get("payload").filter(|payload| payload.is_object());
        let written = |at: Value<'_>| at.get("timestamp")?.str().and_then(|at| time::parse(&at));
        let place = Place { span, time: written(json).or_else(|| written(payload?)) };
        match (kind.as_deref(), payload) {
            (Some("session_meta"), Some(meta)) => self.meta(meta, place),
            (Some(kind), Some(payload)) => {
                self.follow(json, kind, payload, place);
                match kind {
                    "response_item" => self.item(payload, place, out),
                    "event_msg" => self.event(payload, place),
                    "turn_context" => self.turn_context(payload, place, out),
                    "token_usage_record" => self.usage_record(payload, place),
                    "compacted" => self.compacted(payload, place),
                    "world_state"
                    | "inter_agent_communication"
                    | "inter_agent_communication_metadata" => {
                        self.hold.skip(span, kind.to_owned());
                    }
                    kind if item::is_bare(kind) => self.item(payload, place, out),
                    kind => self.hold.failure(span, FailureClass::Unknown, item::word(kind)),
                }
            }
            (Some(kind), None) if item::is_bare(kind) => self.item(json, place, out),
            (None, _) if json.get("record_type").is_some() => self.hold.skip(span, "state"),
            (None, _) if json.get("items").is_some_and(Value::is_array) => {
                self.whole(json, place, out);
            }
            (None, None) if json.get("id").is_some() => self.meta(json, place),
            _ => {
                let reason =
                    kind.map_or_else(|| "record without a type".into(), |kind| item::word(&kind));
                self.hold.failure(span, FailureClass::Unknown, reason);
            }
        }
        if !self.has_begun && self.hold.is_full() {
            self.begin(self.has_ids(), out);
        }
        self.hold.flow(out);
    }

    /// Takes a document of the first client: header and items in one.
    fn whole(&mut self, json: Value<'_>, place: Place, out: &mut Page) {
        if let Some(session) = json.get("session") {
            self.header.tell(session);
        }
        self.hold.skip(place.span, "session");
        for item in json.get("items").into_iter().flat_map(Value::items) {
            self.item(item, place, out);
            if !self.has_begun && self.hold.is_full() {
                self.begin(self.has_ids(), out);
            }
            self.hold.flow(out);
        }
    }

    fn meta(&mut self, meta: Value<'_>, place: Place) {
        match self.header.tell(meta) {
            Told::First => {
                let thread = self.header.thread();
                thread.started_at = thread.started_at.or(place.time);
                self.copied.own(self.header.id(), meta);
            }
            Told::Other => {
                self.copied.other();
                self.hold.settle();
            }
            Told::Again => {}
        }
        self.copied.covers(None, None, place.time);
        self.hold.skip(place.span, "session_meta");
    }

    /// Notes whether a record belongs to what was copied from another thread.
    fn follow(&mut self, json: Value<'_>, kind: &str, payload: Value<'_>, place: Place) {
        let ordinal = json.get("ordinal").and_then(Value::u64);
        let turn = if matches!(kind, "turn_context" | "event_msg") {
            payload.get("turn_id").and_then(Value::str)
        } else {
            None
        };
        let is_copy = self.copied.covers(ordinal, turn.as_deref(), place.time);
        if self.is_copy && !is_copy {
            self.hold.break_off();
        }
        self.is_copy = is_copy;
        let thread = self.header.thread();
        thread.started_at = thread.started_at.or(place.time);
    }

    fn turn_context(&mut self, context: Value<'_>, place: Place, out: &mut Page) {
        let context = context.get("turn_context").unwrap_or(context);
        self.hold.skip(place.span, "turn_context");
        self.turn.tell(context);
        self.hold.turn(&self.turn.context());
        if self.has_begun {
            return;
        }
        let told = &mut self.header.thread().context;
        let own = told.clone();
        turn::fill(told, context);
        told.cwd = own.cwd.or(told.cwd.take());
        told.model = own.model.or(told.model.take());
        told.permission_mode = own.permission_mode.or(told.permission_mode.take());
        let has_ids = self.has_ids();
        if has_ids.is_some() {
            self.begin(has_ids, out);
        }
    }

    fn item(&mut self, payload: Value<'_>, place: Place, out: &mut Page) {
        match item::read(payload, place.span, &mut self.tape) {
            Item::Answer(mut message) => {
                if !self.has_begun {
                    let has_ids = self.has_ids().or(Some(message.id.is_some()));
                    self.begin(has_ids, out);
                }
                self.stamp(&mut message, place);
                self.turn.answered();
                self.hold.said(&message);
                self.hold.item(message);
            }
            Item::Output(mut message) => {
                self.stamp(&mut message, place);
                self.hold.output(message);
            }
            Item::Prompt(mut message) => {
                self.stamp(&mut message, place);
                if message.role == "user" {
                    self.prompt(&message);
                }
                self.hold.message(message);
            }
            Item::Nothing(kind) => self.hold.skip(place.span, kind),
            Item::Unknown(reason) => {
                self.hold.failure(place.span, FailureClass::Unknown, reason);
            }
        }
    }

    fn prompt(&mut self, message: &Message) {
        self.hold.said(message);
        for text in item::texts(message) {
            self.turn.prompt(text);
            let context = &mut self.header.thread().context;
            if context.cwd.is_none() && text.starts_with("<environment_context>") {
                context.cwd = injected::cwd(text).map(str::to_owned);
            }
        }
    }

    fn event(&mut self, payload: Value<'_>, place: Place) {
        let (kind, event) = event::read(payload);
        match event {
            Event::Prompt(word, text) => {
                let is_news = self.turn.prompt(&text.value);
                if is_news {
                    let message = self.echo("user", word, text, place);
                    self.hold.echo(kind, message);
                    return;
                }
            }
            Event::Said(word, text) => {
                let message = self.echo("assistant", word, text, place);
                self.hold.echo(kind, message);
                return;
            }
            Event::Count(info) => {
                let tokens = self.totals.count(info);
                if let Some(tokens) = tokens.filter(|_| !self.has_records) {
                    let row = self.row(place, "token_count");
                    self.hold.count(tokens.usage(), row);
                    return;
                }
                self.hold.skip(place.span, TOKEN_COUNT);
                return;
            }
            Event::Started => {
                self.turn.answered();
                self.hold.settle();
            }
            Event::Aborted => self.hold.break_off(),
            Event::Title(title) => {
                let about = Subject::Thread(self.header.id().to_owned());
                self.hold.fact(Fact::new(about, "title", title).rank(2));
            }
            Event::Spawned { call, threads } => {
                for thread in threads {
                    let about = Subject::Thread(thread);
                    self.hold.fact(Fact::new(about, "spawned-by-call", call.clone()));
                }
            }
            Event::Known => {}
            Event::Unknown(reason) => {
                self.hold.failure(place.span, FailureClass::Unknown, reason);
                return;
            }
        }
        self.hold.skip(place.span, kind);
    }

    fn usage_record(&mut self, record: Value<'_>, place: Place) {
        self.has_records = true;
        let thread = record.get("thread_id").and_then(Value::str);
        let is_own = self.is_copy || thread.is_none_or(|thread| thread == self.header.id());
        let Some(id) = record.get("response_id").and_then(Value::non_empty).filter(|_| is_own)
        else {
            self.hold.skip(place.span, TOKEN_USAGE_RECORD);
            return;
        };
        let usage = record.get("usage").and_then(Tokens::read).map(Tokens::usage);
        let row = self.row(place, TOKEN_USAGE_RECORD);
        self.hold.response(id, usage, row);
    }

    fn compacted(&mut self, payload: Value<'_>, place: Place) {
        let mut message = Message::new(place.span, "system");
        self.stamp(&mut message, place);
        message.provider_type = Some("compacted".to_owned());
        message.is_compact_summary = Some(true);
        message.response_id = payload.get("compaction_response_id").and_then(Value::non_empty);
        let mut metadata = Object::new();
        metadata
            .maybe_u64("window_number", payload.get("window_number").and_then(Value::u64))
            .maybe_raw("window_id", payload.get("window_id").map(Value::raw));
        message.compact_metadata = metadata.finish();
        let summary = payload.get("message").and_then(Value::text);
        message.parts.push(match summary.filter(|summary| !summary.value.is_empty()) {
            Some(summary) => Part::text(summary),
            None => Part::new("compacted", Content::Other(None)),
        });
        self.hold.compacted(message);
    }

    fn stamp(&self, message: &mut Message, place: Place) {
        message.created_at = place.time.or(self.header.started_at());
        message.context = self.turn.context();
        message.is_copy = self.is_copy;
    }

    fn echo(&self, role: &str, word: &str, text: Text, place: Place) -> Message {
        let mut message = Message::new(place.span, role);
        self.stamp(&mut message, place);
        message.provider_type = Some(word.to_owned());
        message.parts.push(Part::text(text));
        message
    }

    fn row(&self, place: Place, kind: &'static str) -> Message {
        let mut message = Message::new(place.span, "system");
        self.stamp(&mut message, place);
        row_of_tokens(message, kind)
    }

    /// Says whether items have ids of their own, as far as there are any.
    fn has_ids(&self) -> Option<bool> {
        let mut messages = self.hold.messages().peekable();
        messages.peek()?;
        Some(messages.any(|message| message.id.is_some()))
    }

    fn begin(&mut self, has_ids: Option<bool>, out: &mut Page) {
        let thread = self.header.finish(has_ids == Some(true));
        self.turn.begin_thread(&thread.context);
        out.thread_start(thread);
        if let Some(nickname) = self.header.nickname() {
            out.fact(nickname);
        }
        self.hold.open();
        self.has_begun = true;
    }

    /// Sends out all that waits. A recording without messages opens no thread.
    fn drain(&mut self, out: &mut Page) {
        self.hold.break_off();
        if !self.has_begun && self.has_ids().is_some() {
            self.begin(self.has_ids(), out);
        }
        self.hold.open();
        self.hold.flow(out);
        if !self.has_begun {
            self.hold.close();
        }
    }
}

impl Scan for Rollout {
    fn reading(&self, _input: u32) -> Reading {
        if self.is_document { Reading::Document } else { Reading::Lines }
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
        match tape.parse_document(bytes) {
            Ok(json) => self.take(json, span, out),
            Err(_) => out.failure(span, FailureClass::Malformed, "not JSON"),
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

    fn end(&mut self, out: &mut Page) {
        self.drain(out);
        if self.has_begun {
            out.thread_end();
        }
    }

    fn counters(&self) -> Vec<Counter> {
        let whole = self.totals.whole().filter(|_| self.has_begun && self.header.is_alone());
        let Some(usage) = whole else { return Vec::new() };
        let totals = [
            ("input_tokens", usage.input),
            ("output_tokens", usage.output),
            ("cache_read_tokens", usage.cache_read),
            ("reasoning_tokens", usage.reasoning),
        ];
        let counter = |(name, value): (&str, Option<u64>)| {
            let thread_id = self.header.id().to_owned();
            value.map(|value| Counter { thread_id, name: name.to_owned(), value })
        };
        totals.into_iter().filter_map(counter).collect()
    }
}
