//! What events do to the thread.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, ErrorBlock, Fact, FailureClass, Message, Part, Subject, Text, Thinking};

use crate::bill::TOKEN_COUNT;
use crate::echo::PLAN;
use crate::event::{self, Event, is_of_api};
use crate::first::{First, Sign};
use crate::injected;
use crate::item::joined_from;
use crate::record::{Place, is_made_up};
use crate::scan::Rollout;

impl Rollout {
    /// Takes an event.
    pub(crate) fn event(&mut self, payload: Value<'_>, place: Place) {
        let (kind, event) = event::read(payload);
        match event {
            Event::Prompt(word, text) => {
                let mut message = self.echo("user", word, Part::text(text), place);
                // Clients of 2025 say themselves what is none of theirs.
                if payload.get("kind").and_then(Value::str).as_deref() != Some("plain") {
                    injected::mark_event(&mut message);
                }
                self.prompt(&mut message);
                return self.hold.event(kind, message);
            }
            Event::Said(_, _, text) if self.imported.is_some() && text.value == IMPORTED => {}
            Event::Said(word, id, text) => {
                let mut message = self.echo("assistant", word, Part::text(text), place);
                message.id = id;
                return self.hold.event(kind, message);
            }
            Event::Thought(word, text) => {
                let message = self.echo("assistant", word, thinking(text), place);
                return self.hold.event(kind, message);
            }
            Event::Thinks(told, texts) => {
                // What it grows by is a row of its own.
                let is_new = !self.thought.is_of(&told);
                let id = Some(told.clone()).filter(|id| is_new && is_of_api(id, "rs_"));
                if let Some(text) = self.thought.news(told, texts) {
                    let mut message = self.echo("assistant", "Reasoning", thinking(text), place);
                    message.id = id;
                    return self.hold.event(kind, message);
                }
            }
            Event::Planned(text) => {
                let message = self.echo("assistant", PLAN, Part::text(text), place);
                return self.hold.event(kind, message);
            }
            Event::Failed(word, code, text) => {
                self.weigh(Sign::Broken);
                let error = Content::Error(ErrorBlock { code, message: Some(text) });
                let message = self.echo("system", word, Part::new("error", error), place);
                return self.hold.aside(message);
            }
            Event::Warned(text) => {
                let message = self.echo("system", "warning", Part::text(text), place);
                return self.hold.aside(message);
            }
            Event::RolledBack(turns) => {
                self.hold.end_turn();
                let message = self.taken_back(turns, place);
                return self.hold.aside(message);
            }
            Event::Count(info) => {
                let was_doubted = matches!(self.totals.fork, First::Doubted(..));
                // A client that is older than the one before it goes on without records.
                let totals = &self.totals;
                self.recorded.take_if(|recorded| totals.is_of_another(info, *recorded));
                let tokens = self.totals.count(info, place.time, self.recorded);
                if tokens.is_some() && was_doubted {
                    self.weigh(Sign::Count);
                }
                let is_recorded = tokens.is_some() && self.recorded.take().is_some();
                return match tokens.filter(|_| !is_recorded) {
                    Some(tokens) => {
                        self.hold.count(tokens.usage(), self.row(place, "token_count"));
                        if matches!(self.totals.fork, First::Doubted(..)) {
                            self.hold.doubt_count();
                        }
                    }
                    None => self.hold.skip(place.span, TOKEN_COUNT),
                };
            }
            // The order for a review is told twice, and a migration makes up two turns of it.
            Event::Started if is_made_up(payload) && self.totals.is_in_review() => {}
            Event::Started => {
                self.weigh(Sign::Given);
                self.totals.fork.begin_turn();
                self.imported = imported(payload, place);
                // Totals of the response before would have come by now.
                self.recorded = None;
                self.hold.begin_turn();
            }
            Event::Aborted => {
                self.weigh(Sign::Broken);
                self.hold.end_turn();
            }
            Event::Review(true) => self.totals.begin_review(),
            Event::Review(false) => self.totals.end_review(),
            Event::Goal(goal) => {
                if let Some(words) = self.goals.news(goal) {
                    let message = self.echo("user", GOAL, Part::text(words), place);
                    return self.hold.aside(message);
                }
            }
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
            Event::CallFailed(call) => self.failed.call(call),
            Event::Known if COMPLETE.contains(&&*kind) => {
                let has_failed = payload.get("error").is_some_and(|error| error.is_object());
                self.weigh(if has_failed { Sign::Broken } else { Sign::Complete });
            }
            Event::Known => {}
            Event::Unknown(reason) => {
                return self.hold.failure(place.span, FailureClass::Unknown, reason);
            }
        }
        self.hold.skip(place.span, kind);
    }

    /// Makes the row that says how many turns before it were taken back. They were said and paid for, so they stay.
    fn taken_back(&self, turns: Option<u64>, place: Place) -> Message {
        let mut message = self.row(place, "thread_rolled_back");
        let mut codex = Object::new();
        codex.maybe_u64("num_turns", turns);
        let mut attributes = Object::new();
        attributes.object("codex", codex);
        message.attributes = attributes.finish();
        message
    }
}

/// The event that tells of a goal.
const GOAL: &str = "thread_goal_updated";

/// The ends of turns.
const COMPLETE: [&str; 2] = ["event_msg.task_complete", "event_msg.turn_complete"];

/// What the client says behind what it took over from another client.
const IMPORTED: &str = "<EXTERNAL SESSION IMPORTED>";

/// Returns when a turn was in another client, whose history was taken over.
fn imported(turn: Value<'_>, place: Place) -> Option<i64> {
    let id = turn.get("turn_id").and_then(Value::str)?;
    let seconds = turn.get("started_at").and_then(Value::i64);
    let began = seconds.and_then(|seconds| seconds.checked_mul(1_000_000)).or(place.time);
    began.filter(|_| id.starts_with("external-import-turn-"))
}

/// The thought that was told last: a store that was migrated tells it again with each text that it grows by.
#[derive(Debug, Default)]
pub(crate) struct Thought {
    id: String,
    /// Texts of it that were told.
    texts: usize,
}

impl Thought {
    fn is_of(&self, id: &str) -> bool {
        self.id == id
    }

    /// Returns what is new in a thought.
    fn news(&mut self, id: String, texts: Value<'_>) -> Option<Text> {
        let is_same = !id.is_empty() && self.id == id;
        let told = if is_same { self.texts } else { 0 };
        // A text that is no list counts as one.
        (self.id, self.texts) = (id, texts.items().count().max(told).max(1));
        joined_from(texts, told)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.text(&self.id);
        out.number(self.texts as u64);
    }

    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.id = from.text()?;
        self.texts = usize::try_from(from.number()?).ok()?;
        Some(())
    }
}

fn thinking(text: Text) -> Part {
    Part::new("thinking", Content::Thinking(Thinking { text: Some(text), signature: None }))
}
