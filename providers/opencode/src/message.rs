//! A message and its parts: what they become, and which of them a response's tokens belong to.
//!
//! An answer is made in steps, and each step is one response of the model: it begins with a `step-start` and ends with a
//! `step-finish`, which has its tokens. The message itself tells those of its last step alone.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{Content, Context, ErrorBlock, FailureClass, Message, Page, Part, Span, Usage, time};

use crate::part::Made;

/// A message whose parts are being collected.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    span: Span,
    role: String,
    created_at: Option<i64>,
    context: Context,
    vendor: Option<String>,
    agent: Option<String>,
    usage: Option<Usage>,
    finish: Option<String>,
    error: Option<(Option<String>, Option<hyp_sdk::Text>)>,
    is_summary: bool,
    parts: Vec<(String, Span, Made)>,
}

impl Held {
    /// Takes a message; nothing without a role.
    pub(crate) fn new(id: &str, json: Value<'_>, span: Span, of_session: &Context) -> Option<Self> {
        let text = |path: &[&str]| json.path(path).and_then(Value::non_empty);
        let mut context = of_session.clone();
        context.model = text(&["modelID"]).or_else(|| text(&["model", "modelID"]));
        context.cwd = text(&["path", "cwd"]).or(context.cwd);
        let error = json.get("error").filter(|error| error.is_object()).map(|error| {
            let message = error.path(&["data", "message"]).and_then(Value::text);
            (error.get("name").and_then(Value::non_empty), message)
        });
        Some(Self {
            id: id.to_owned(),
            span,
            role: text(&["role"])?,
            created_at: json
                .path(&["time", "created"])
                .and_then(Value::f64)
                .and_then(time::from_millis),
            context,
            vendor: text(&["providerID"]).or_else(|| text(&["model", "providerID"])),
            agent: text(&["agent"]).or_else(|| text(&["mode"])),
            usage: json.get("tokens").and_then(usage).filter(is_billed),
            finish: text(&["finish"]),
            error,
            is_summary: json.get("summary").and_then(Value::bool) == Some(true),
            parts: Vec::new(),
        })
    }

    pub(crate) fn vendor(&self) -> Option<&str> {
        self.vendor.as_deref()
    }

    pub(crate) fn created_at(&self) -> Option<i64> {
        self.created_at
    }

    pub(crate) fn part(&mut self, id: &str, made: Made, span: Span) {
        self.parts.push((id.to_owned(), span, made));
    }

    /// Emits the message: one of ours for each part that says something, and what its tokens need.
    pub(crate) fn emit(mut self, out: &mut Page) {
        let parts = std::mem::take(&mut self.parts);
        let has_steps = parts.iter().any(|(_, _, made)| matches!(made, Made::StepFinish { .. }));
        let mut step = Step::new(&self.id, 0);
        let mut is_empty = true;
        let mut events = vec![Event::Skip(self.span, "message".to_owned())];
        for (id, span, made) in parts {
            match made {
                Made::StepStart => events.push(Event::Skip(span, "step-start".to_owned())),
                Made::StepFinish { usage, reason } => {
                    let tokens = usage.filter(is_billed);
                    let is_said = step.settle(&mut events, tokens, reason.as_deref());
                    if !is_said && tokens.is_some() {
                        // A step that left nothing but its bill.
                        let mut message =
                            self.of_part(&id, span, Part::new("empty", Content::Other(None)));
                        message.response_id = Some(step.id.clone());
                        (message.usage, message.stop_reason) = (tokens, reason);
                        events.push(Event::Say(Box::new(message)));
                    } else {
                        events.push(Event::Skip(span, "step-finish".to_owned()));
                    }
                    is_empty = false;
                    step = Step::new(&self.id, step.number + 1);
                }
                Made::Known(kind) => events.push(Event::Skip(span, kind)),
                Made::Failed(class, reason) => events.push(Event::Fail(span, class, reason)),
                Made::Said(said) => {
                    is_empty = false;
                    let message = self.of_part(&id, span, said.part);
                    let message = Message { attributes: self.attributes(said.own), ..message };
                    step.say(&mut events, message);
                    if let Some(result) = said.result {
                        let mut message = self.of_part(&format!("{id}:result"), span, result);
                        "tool".clone_into(&mut message.role);
                        message.created_at = said.ended_at.or(message.created_at);
                        message.context = None;
                        events.push(Event::Say(Box::new(message)));
                    }
                }
            }
        }
        if !has_steps {
            let (usage, finish) = (self.usage, self.finish.clone());
            step.settle(&mut events, usage, finish.as_deref());
        }
        self.close(events, is_empty, has_steps, out);
    }

    /// Emits events; what the message says of itself goes on the message's own record.
    fn close(mut self, mut events: Vec<Event>, is_empty: bool, has_steps: bool, out: &mut Page) {
        let own = match self.error.take() {
            Some((code, message)) => {
                Some(Part::new("error", Content::Error(ErrorBlock { code, message })))
            }
            None if !is_empty || has_steps || self.usage.is_none() => None,
            None => Some(Part::new("empty", Content::Other(None))),
        };
        if let Some(part) = own {
            let mut message = self.of_part(&self.id, self.span, part);
            if is_empty && !has_steps {
                message.usage = self.usage;
                message.response_id = Some(Step::new(&self.id, 0).id);
            }
            // Spans never go backwards: the message's record comes before those of its parts.
            events[0] = Event::Say(Box::new(message));
        }
        for event in events {
            match event {
                Event::Say(message) => out.message(*message),
                Event::Skip(span, kind) => out.skip(span, &kind),
                Event::Fail(span, class, reason) => out.failure(span, class, reason),
            }
        }
    }

    fn of_part(&self, id: &str, span: Span, part: Part) -> Message {
        let mut message = Message::new(span, &self.role);
        message.id = Some(id.to_owned());
        message.created_at = self.created_at;
        message.context = Some(self.context.clone());
        message.provider_uuid = Some(self.id.clone());
        message.provider_type = Some(self.role.clone());
        message.is_compact_summary = self.is_summary.then_some(true);
        let mut frame = Object::new();
        frame.text("id", id).text("message", &self.id).text("type", &part.block_type);
        message.raw_frame = frame.finish();
        message.attributes = self.attributes(Object::new());
        message.parts = vec![part];
        message
    }

    fn attributes(&self, mut own: Object) -> Option<String> {
        own.maybe_text("agent", self.agent.as_deref());
        own.maybe_text("provider", self.vendor.as_deref());
        let mut all = Object::new();
        all.object("opencode", own);
        all.finish()
    }
}

/// What is emitted, in the order of the records.
enum Event {
    Say(Box<Message>),
    Skip(Span, String),
    Fail(Span, FailureClass, String),
}

/// A response of the model within a message.
struct Step {
    number: usize,
    id: String,
    /// Where in the events what it said stands.
    said: Vec<usize>,
}

impl Step {
    fn new(message: &str, number: usize) -> Self {
        let id = if number == 0 { message.to_owned() } else { format!("{message}:{number}") };
        Self { number, id, said: Vec::new() }
    }

    fn say(&mut self, events: &mut Vec<Event>, mut message: Message) {
        if message.role == "assistant" {
            message.response_id = Some(self.id.clone());
            self.said.push(events.len());
        }
        events.push(Event::Say(Box::new(message)));
    }

    /// Gives the tokens to the first that was said, and the reason to the last; says whether anything was.
    fn settle(&self, events: &mut [Event], usage: Option<Usage>, reason: Option<&str>) -> bool {
        let (Some(&first), Some(&last)) = (self.said.first(), self.said.last()) else {
            return false;
        };
        if let Event::Say(message) = &mut events[first] {
            message.usage = usage;
        }
        if let Event::Say(message) = &mut events[last] {
            message.stop_reason = reason.map(str::to_owned);
        }
        true
    }
}

/// Returns the tokens that a record counts. Its input is without the cache.
///
/// Newer builds count reasoning apart from the output, and then a total adds up; older ones have it in the output.
pub(crate) fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |path: &[&str]| json.path(path).and_then(Value::u64);
    let (input, output, reasoning) = (count(&["input"]), count(&["output"]), count(&["reasoning"]));
    let (read, write) = (count(&["cache", "read"]), count(&["cache", "write"]));
    let total = count(&["total"]);
    let sum: u64 = [input, output, reasoning, read, write].into_iter().flatten().sum();
    let is_apart = reasoning.is_some_and(|it| it > 0) && total == Some(sum);
    let output = if is_apart { output.zip(reasoning).map(|(a, b)| a + b) } else { output };
    json.is_object().then(|| Usage {
        input,
        output,
        cache_read: read,
        cache_write: write,
        reasoning,
        total,
        ..Usage::default()
    })
}

fn is_billed(usage: &Usage) -> bool {
    let counts = [usage.input, usage.output, usage.cache_read, usage.cache_write];
    counts.into_iter().flatten().any(|count| count > 0)
}
