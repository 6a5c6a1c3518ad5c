//! What each sort of record does to the thread.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{Content, Fact, FailureClass, Message, Page, Part, Span, Subject, is_telling};

use crate::bill::TOKEN_USAGE_RECORD;
use crate::copied::{Role, Sight, Verdict};
use crate::first::{Said, Sign};
use crate::header::Told;
use crate::item::{self, Item};
use crate::queue::row_of;
use crate::scan::Rollout;
use crate::usage::Tokens;
use crate::{IMPORTS, attributes, call, injected, plan, turn, when};

/// Where a record stands, and what its envelope says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) span: Span,
    pub(crate) time: Option<i64>,
    /// It is the summary that a compaction made.
    pub(crate) is_summary: bool,
}

impl Rollout {
    /// Takes a record of whichever layout.
    pub(crate) fn take(&mut self, json: Value<'_>, span: Span, out: &mut Page) {
        let kind = json.get("type").and_then(Value::str);
        let payload = json.get("payload").filter(|payload| payload.is_object());
        let written = |at: Value<'_>| at.get("timestamp").and_then(when::read);
        let is_summary = json.path(&["metadata", "compaction_output"]).and_then(Value::bool);
        let place = Place {
            span,
            time: written(json).or_else(|| written(payload?)),
            is_summary: is_summary == Some(true),
        };
        self.latest = place.time.or(self.latest);
        match (kind.as_deref(), payload) {
            (Some("session_meta"), Some(meta)) => self.meta(meta, place, out),
            (Some(kind), Some(payload)) => {
                self.follow(json, kind, payload, place);
                match kind {
                    "response_item" => self.item(payload, false, place, out),
                    "event_msg" => self.event(payload, place),
                    "turn_context" => self.turn_context(payload, place, out),
                    "token_usage_record" => self.usage_record(payload, place),
                    "compacted" => self.compacted(payload, place),
                    "inter_agent_communication" => self.between_agents(payload, place),
                    "realtime_item" => self.voice(payload, place),
                    "inter_agent_communication_metadata"
                    | "retained_context"
                    | "security_risk_score"
                    | "world_state" => self.hold.skip(span, kind.to_owned()),
                    kind if item::is_bare(kind) => self.item(payload, false, place, out),
                    kind => self.hold.failure(span, FailureClass::Unknown, item::word(kind)),
                }
            }
            (Some(kind), None) if item::is_bare(kind) => self.item(json, true, place, out),
            (None, _) if json.get("record_type").is_some() => self.hold.skip(span, "state"),
            (None, None) if json.get("thread_name").is_some() => self.name(json, span),
            (None, None) if json.get("records").is_some_and(Value::is_array) => {
                self.imports(json, span);
            }
            (None, _) if json.get("items").is_some_and(Value::is_array) => {
                self.whole(json, place, out);
            }
            (None, None) if json.get("id").is_some() => self.meta(json, place, out),
            _ => {
                let reason =
                    kind.map_or_else(|| "record without a type".into(), |kind| item::word(&kind));
                self.hold.failure(span, FailureClass::Unknown, reason);
            }
        }
        self.flow(out);
    }

    /// Takes a document of the first client: header and items in one.
    fn whole(&mut self, json: Value<'_>, place: Place, out: &mut Page) {
        if let Some(session) = json.get("session") {
            self.header.tell(session, true);
        }
        self.hold.skip(place.span, "session");
        for item in json.get("items").into_iter().flat_map(Value::items) {
            self.item(item, true, place, out);
            self.flow(out);
        }
    }

    /// Takes a line of the client's index: the name of a thread, which is told last.
    fn name(&mut self, line: Value<'_>, span: Span) {
        let text = |key| line.get(key).and_then(Value::non_empty);
        if let (Some(id), Some(name)) = (text("id"), text("thread_name")) {
            self.hold.fact(Fact::new(Subject::Thread(id), "title", name).rank(2));
        }
        self.hold.skip(span, "session_index");
    }

    /// Says where threads come from whose history was taken over from another client.
    fn imports(&mut self, json: Value<'_>, span: Span) {
        for record in json.get("records").into_iter().flat_map(Value::items) {
            let text = |key| record.get(key).and_then(Value::non_empty);
            let source = text("source_path").unwrap_or_default();
            let name =
                source.rsplit(['/', '\\']).next().and_then(|name| name.strip_suffix(".jsonl"));
            let origin = name.filter(|name| plan::is_uuid(name));
            if let Some((thread, origin)) = text("imported_thread_id").zip(origin) {
                self.hold.fact(Fact::new(Subject::Thread(thread), "forked-from", origin));
            }
        }
        self.hold.skip(span, IMPORTS);
    }

    fn meta(&mut self, meta: Value<'_>, place: Place, out: &mut Page) {
        // Behind what was not understood alone, its own header may have been there.
        let is_first = place.span.offset == 0 || self.has_begun || self.has_ids().is_some();
        match self.header.tell(meta, is_first) {
            Told::First => {
                let thread = self.header.thread();
                thread.started_at = thread.started_at.or(place.time);
                let (id, may_copy) = (self.header.id().to_owned(), self.header.may_copy());
                self.copied.own(&id, meta, may_copy, place.time);
                if self.header.is_fork() && !may_copy {
                    self.totals.begin_fork();
                }
                if self.has_begun {
                    // The header came late: the thread is told again, with what it says.
                    self.drain(out);
                    self.begin(self.has_ids(), out);
                }
            }
            Told::Other => {
                if !self.header.is_told() && !self.copied.is_copying() {
                    let id = self.header.id().to_owned();
                    self.copied.own(&id, meta, true, place.time);
                }
                self.copied.other(place.time);
                self.hold.settle();
            }
            Told::Again => {}
        }
        self.is_copy = self.copied.is_copying();
        self.hold.skip(place.span, "session_meta");
    }

    /// Notes whether a record belongs to what was copied from another thread.
    fn follow(&mut self, json: Value<'_>, kind: &str, payload: Value<'_>, place: Place) {
        let thread = self.header.thread();
        thread.started_at = thread.started_at.or(place.time);
        if !self.copied.is_copying() {
            return;
        }
        let turn = matches!(kind, "turn_context" | "event_msg")
            .then(|| payload.get("turn_id").and_then(Value::str))
            .flatten();
        let word = payload.get("type").and_then(Value::str);
        // What a migration makes up of the end of a turn has the time of what comes after it.
        if is_made_up(payload) && word.as_deref() == Some("task_complete") {
            return;
        }
        let starts = ["task_started", "turn_started"];
        let sight = Sight {
            is_start: kind == "turn_context" || word.is_some_and(|it| starts.contains(&&*it)),
            number: self.hold.next(),
            ordinal: json.get("ordinal").and_then(Value::u64),
            turn: turn.as_deref(),
            time: place.time,
            role: self.role(kind, payload),
        };
        if sight.role == Role::Begins {
            self.totals.mark(sight.number);
        }
        match self.copied.look(sight) {
            Verdict::Doubt => self.hold.doubt(),
            Verdict::Copy => {}
            Verdict::Proven => {
                self.totals.forget_marks();
                self.hold.end_doubt();
            }
            Verdict::Own(first) => {
                if first == sight.number {
                    self.hold.end_turn();
                }
                self.hold.own_from(first);
                self.totals.begin_own(first);
            }
        }
        self.is_copy = self.copied.is_copying();
    }

    /// Returns what a record does in its turn, as far as the copied part asks: where totals move, the model has answered.
    fn role(&self, kind: &str, payload: Value<'_>) -> Role {
        let role = role(kind, payload);
        let is_answer = role == Role::Works && self.totals.has_moved(payload.get("info"));
        if is_answer { Role::Answers } else { role }
    }

    fn turn_context(&mut self, context: Value<'_>, place: Place, out: &mut Page) {
        let context = context.get("turn_context").unwrap_or(context);
        self.hold.skip(place.span, "turn_context");
        self.totals.end_review();
        self.turn.tell(context);
        self.hold.turn(&self.turn.context(), &self.turn.words());
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

    /// Takes an item; `is_bare` says that it has no envelope.
    fn item(&mut self, payload: Value<'_>, is_bare: bool, place: Place, out: &mut Page) {
        let item = item::read(payload, place.span, &mut self.tape);
        match item {
            Item::Answer(mut message) => {
                self.weigh(Sign::Answer);
                let is_call = item::is_call(payload);
                self.totals.fork.say(if is_call { Said::Calls } else { Said::Words });
                if !self.has_begun {
                    let has_ids = self.has_ids().or(Some(message.id.is_some()));
                    self.begin(has_ids, out);
                }
                self.stamp(&mut message, place);
                message.is_compact_summary = place.is_summary.then_some(true);
                self.spawns.call(&message);
                self.hold.item(message);
            }
            Item::Output(mut message) => {
                self.weigh(Sign::Given);
                self.totals.fork.say(Said::Calls);
                self.stamp(&mut message, place);
                call::finish(&mut message, &mut self.failed);
                if let Some(fact) = self.spawns.output(&message, &mut self.tape) {
                    self.hold.fact(fact);
                }
                self.hold.output(message);
            }
            Item::Prompt(mut message) => {
                self.weigh(if item::is_abort(payload) { Sign::Broken } else { Sign::Given });
                self.stamp(&mut message, place);
                if message.role == "user" {
                    if injected::is_goal(payload) {
                        self.goals.item();
                    }
                    injected::mark(&mut message, payload, is_bare);
                    self.prompt(&mut message);
                }
                self.hold.message(message);
            }
            Item::Event => self.event(payload, place),
            Item::Nothing(kind) => self.hold.skip(place.span, kind),
            Item::Unknown(reason) => {
                self.hold.failure(place.span, FailureClass::Unknown, reason);
            }
        }
    }

    pub(crate) fn prompt(&mut self, message: &mut Message) {
        if let Some(speaker) = self.header.speaker() {
            injected::mark_of(message, speaker);
        }
        if injected::is_human(message) {
            attributes::set(message, &self.turn.words());
            return;
        }
        let context = &mut self.header.thread().context;
        if context.cwd.is_none() {
            let mut texts = item::texts(message);
            let environment = texts.find(|text| text.starts_with("<environment_context>"));
            context.cwd = environment.and_then(injected::cwd).map(str::to_owned);
        }
    }

    /// Takes what another agent said: builds that write this record write no item of it.
    fn between_agents(&mut self, payload: Value<'_>, place: Place) {
        match item::said_to_agent(payload, place.span, "inter_agent_communication") {
            Some(mut message) => {
                // The message has one id, whoever gets it.
                message.id = None;
                self.stamp(&mut message, place);
                self.hold.message(message);
            }
            None => self.hold.skip(place.span, "inter_agent_communication"),
        }
    }

    /// Takes what was said aloud; the rest of a conversation by voice is no more than its beginning and end.
    fn voice(&mut self, payload: Value<'_>, place: Place) {
        let text = payload.get("text").and_then(Value::text).filter(|it| !it.value.is_empty());
        let role = payload.get("role").and_then(Value::str);
        let role = role.filter(|role| matches!(&**role, "user" | "assistant"));
        match text.zip(role) {
            Some((text, role)) => {
                let message = self.echo(&role, "realtime_item", Part::text(text), place);
                self.hold.aside(message);
            }
            None => self.hold.skip(place.span, "realtime_item"),
        }
    }

    fn usage_record(&mut self, record: Value<'_>, place: Place) {
        let thread = record.get("thread_id").and_then(Value::str);
        let is_own = self.is_copy || thread.is_none_or(|thread| thread == self.header.id());
        let tokens = record.get("usage").and_then(Tokens::read);
        if is_own {
            self.weigh(Sign::Record);
            self.totals.told_by_record();
        }
        self.recorded = tokens.filter(|tokens| is_own && !tokens.is_zero()).or(self.recorded);
        let usage = tokens.map(Tokens::usage);
        let row = self.row(place, TOKEN_USAGE_RECORD);
        match (record.get("response_id").and_then(Value::non_empty), usage) {
            (Some(id), usage) if is_own => match self.hold.response(id, usage, row) {
                None => {}
                counted if counted == usage => self.recorded = None,
                // A record without tokens says nothing of whose the count was.
                Some(_) if usage.is_none() => {}
                Some(_) => self.totals.take_back(),
            },
            (None, Some(usage)) if is_own => self.hold.count(usage, row),
            _ => self.hold.skip(place.span, TOKEN_USAGE_RECORD),
        }
    }

    fn compacted(&mut self, payload: Value<'_>, place: Place) {
        let summary = payload.get("message").and_then(Value::text);
        let part = match summary.filter(|summary| !summary.value.is_empty()) {
            Some(summary) => Part::text(summary),
            None => Part::new("compacted", Content::Other(None)),
        };
        let mut message = self.echo("system", "compacted", part, place);
        message.is_compact_summary = Some(true);
        let response = payload.get("compaction_response_id").and_then(Value::non_empty);
        message.response_id = response.filter(|id| is_telling(id));
        let mut metadata = Object::new();
        metadata
            .maybe_u64("window_number", payload.get("window_number").and_then(Value::u64))
            .maybe_raw("window_id", payload.get("window_id").map(Value::raw));
        message.compact_metadata = metadata.finish();
        self.weigh(Sign::Given);
        self.totals.fork.say(Said::Calls);
        self.totals.compacted(self.recorded.take());
        self.hold.compacted(message);
    }

    fn stamp(&self, message: &mut Message, place: Place) {
        let told = self.imported.or(place.time).or(self.latest);
        message.created_at = told.or(self.header.started_at());
        message.context = self.turn.context();
        message.is_copy = self.is_copy || self.imported.is_some();
    }

    /// Makes a message of one part, of a record that is no item.
    pub(crate) fn echo(&self, role: &str, word: &str, part: Part, place: Place) -> Message {
        let mut message = Message::new(place.span, role);
        self.stamp(&mut message, place);
        message.provider_type = Some(word.to_owned());
        message.parts.push(part);
        message
    }

    pub(crate) fn row(&self, place: Place, kind: &'static str) -> Message {
        let mut message = Message::new(place.span, "system");
        self.stamp(&mut message, place);
        row_of(message, kind)
    }
}

/// Returns what a record does in its turn, by itself.
fn role(kind: &str, payload: Value<'_>) -> Role {
    let word = payload.get("type").and_then(Value::str);
    match (kind, word.as_deref().unwrap_or_default()) {
        ("response_item", "message") if item::is_communication(payload) => Role::Begins,
        ("response_item", "message") => match payload.get("role").and_then(Value::str).as_deref() {
            Some("assistant") => Role::Answers,
            _ if item::is_abort(payload) => Role::Works,
            _ => Role::Begins,
        },
        ("response_item", "reasoning") => Role::Answers,
        ("response_item", word) if word.ends_with("_call") => Role::Answers,
        ("event_msg", "agent_message" | "agent_reasoning") => Role::Answers,
        ("event_msg", "token_count" | "turn_aborted" | "error") => Role::Works,
        ("event_msg", "user_message" | "task_started" | "turn_started") => Role::Begins,
        ("turn_context", _) => Role::Begins,
        ("event_msg", "item_completed") => {
            match payload.path(&["item", "type"]).and_then(Value::str).as_deref() {
                Some("UserMessage") => Role::Begins,
                Some("AgentMessage" | "Reasoning") => Role::Answers,
                _ => Role::Other,
            }
        }
        _ => Role::Other,
    }
}

/// Returns true for an event of a turn that a migration made up, where the client had not told of any.
pub(crate) fn is_made_up(event: Value<'_>) -> bool {
    event.get("turn_id").and_then(Value::str).is_some_and(|turn| turn.starts_with("rollout-"))
}
