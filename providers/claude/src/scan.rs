//! A transcript being read.

use hyp_sdk::{
    Context, Entry, Fact, Fault, Page, Reading, Record, Scan, Span, Subject, Thread, ThreadKind,
};

use crate::context::{Hook, Meta, beside};
use crate::line::{Line, owned};
use crate::path::{Place, is_uuid};
use crate::{DESKTOP, kind, message, notice};

/// Sub-agents of these names are requests of the client's own: summaries, suggestions.
const SIDE_AGENTS: [&str; 2] = ["agent-acompact-", "agent-aprompt_suggestion-"];
/// What the client sends to warm up, in a transcript of its own.
const WARM_UP: &str = "Warmup";

/// One transcript: one thread.
#[derive(Debug)]
pub struct Transcript {
    path: String,
    /// Identity of the thread where the place of the file gives it.
    id: String,
    client: &'static str,
    hook: Hook,
    meta: Meta,
    /// First time in the file, of any line: a fork's own first line may be one that is no message.
    first: Option<i64>,
    open: Option<Open>,
    /// Facts that came before the thread.
    early: Vec<Fact>,
}

/// The thread, once its first message has come.
#[derive(Debug)]
struct Open {
    session: String,
    context: Context,
    knows_origin: bool,
}

impl Transcript {
    /// Prepares to read a unit of the plan.
    pub(crate) fn open(unit: &str, entries: &[Entry], context: &[u8]) -> Result<Self, Fault> {
        let entry = entries.first().ok_or_else(|| Fault::source("a unit without a transcript"))?;
        let place = Place::of(&entry.path);
        let (hook, meta) = beside(context);
        Ok(Self {
            id: if place.is_unique() { place.id() } else { unit.to_owned() },
            path: entry.path.clone(),
            client: if entry.root == DESKTOP { "claude-desktop" } else { "claude" },
            hook,
            meta,
            first: None,
            open: None,
            early: Vec::new(),
        })
    }

    /// Begins the thread with the first line that gives a message.
    fn begin(&mut self, line: &Line<'_>, out: &mut Page) -> Context {
        let place = Place::of(&self.path);
        let (id, session) = match place {
            Place::Session { .. } => (self.id.clone(), self.id.clone()),
            Place::Agent { session, .. } => (self.id.clone(), session.to_owned()),
            Place::Stray { stem } => match owned(line.session) {
                Some(session) => (format!("{session}/{stem}"), session),
                None => (self.id.clone(), self.id.clone()),
            },
        };
        let context = self.hook.thread(line);
        let is_desktop =
            context.entrypoint.as_deref().is_some_and(|it| it.starts_with("claude-desktop"));
        let client = if is_desktop { "claude-desktop" } else { self.client };
        let mut thread = Thread::new(id, "anthropic", &session, client);
        thread.started_at = self.first;
        thread.context = context.clone();
        let mut knows_origin = true;
        match place {
            Place::Session { .. } => {
                let version = context.client_version.as_deref().unwrap_or_default();
                thread.may_start_with_copy = version.starts_with("0.") || version.starts_with("1.");
                thread.forked_from = origin(line, &session);
                knows_origin = thread.forked_from.is_some();
            }
            Place::Agent { stem, .. } | Place::Stray { stem } => {
                thread.kind = agent_kind(stem, line);
                if session != thread.id {
                    thread.parent_thread_id = Some(session.clone());
                    thread.root_thread_id = Some(session.clone());
                }
                thread.spawned_by_call = self.meta.tool_use.clone();
                thread.attributes = self.meta.attributes();
            }
        }
        out.thread_start(thread);
        self.early.drain(..).for_each(|fact| out.fact(fact));
        self.open = Some(Open { session, context: context.clone(), knows_origin });
        context
    }

    fn message(&mut self, record: &Record<'_>, line: &Line<'_>, kind: &str, out: &mut Page) {
        // A thread without a message is none, so the first one is made before the thread is there.
        let unset = Context::default();
        let thread = self.open.as_ref().map_or(&unset, |open| &open.context);
        let made = match kind {
            "system" => Some(notice::system(record, line, &self.hook, thread)),
            "attachment" => {
                let name = owned(line.attachment.and_then(|it| it.get("type")));
                let name = name.as_deref().unwrap_or("unnamed");
                let made = notice::attached(record, line, name, &self.hook, thread);
                if made.is_none() {
                    out.skip(record.span, &format!("attachment.{name}"));
                }
                made
            }
            _ => {
                let made = message::spoken(record, line, &self.hook, thread);
                if made.is_none() && line.message.is_some_and(|message| message.is_object()) {
                    out.skip(record.span, "empty");
                }
                made
            }
        };
        let Some(mut made) = made else { return };
        if self.open.is_none() {
            let context = self.begin(line, out);
            let model = made.context.take().and_then(|context| context.model);
            made.context = self.hook.message(line, model, &context);
        }
        out.message(made);
        self.note_origin(line, out);
    }

    /// Says that a thread is a fork where that shows only after its start.
    fn note_origin(&mut self, line: &Line<'_>, out: &mut Page) {
        let Some(open) = self.open.as_mut().filter(|open| !open.knows_origin) else { return };
        if let Some(origin) = origin(line, &open.session) {
            open.knows_origin = true;
            out.fact(Fact::new(Subject::ThisThread, "forked-from", origin));
        }
    }

    fn fact(&mut self, fact: Fact, out: &mut Page) {
        if self.open.is_some() {
            out.fact(fact);
        } else {
            self.early.push(fact);
        }
    }
}

impl Scan for Transcript {
    fn reading(&self, input: u32) -> Reading {
        if input == 0 { Reading::Lines } else { Reading::Document }
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let json = record.json;
        let known = json.get("type").and_then(|kind| kind.str());
        if let Some(word) = known.as_deref()
            && kind::is_known(word)
        {
            if self.first.is_none() {
                self.first = Line::of(json).time();
            }
            if let Some(fact) = kind::fact(word, json) {
                self.fact(fact, out);
            }
            return out.skip(record.span, word);
        }
        if !json.is_object() {
            return;
        }
        let line = Line::of(json);
        self.first = self.first.or_else(|| line.time());
        match known.as_deref() {
            Some(word @ ("user" | "assistant" | "system" | "attachment")) => {
                self.message(record, &line, word, out);
            }
            // Some tools write messages in the client's form without saying what they are.
            None if line.message.and_then(|message| message.get("role")).is_some() => {
                self.message(record, &line, "user", out);
            }
            _ => {}
        }
    }

    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        out.skip(Span { input, offset: 0, length: bytes.len() as u64 }, "agent-meta");
    }

    fn end(&mut self, out: &mut Page) {
        if self.open.is_some() {
            out.thread_end();
        }
        for mut fact in self.early.drain(..) {
            if matches!(fact.about, Subject::ThisThread) {
                fact.about = Subject::Thread(self.id.clone());
            }
            out.fact(fact);
        }
    }
}

impl Meta {
    fn attributes(&self) -> Option<String> {
        let mut claude = hyp_sdk::json::Object::new();
        claude
            .maybe_text("spawned_by_tool_use_id", self.tool_use.as_deref())
            .maybe_text("agent_type", self.agent_type.as_deref())
            .maybe_text("agent_description", self.description.as_deref());
        let mut attributes = hyp_sdk::json::Object::new();
        attributes.object("claude", claude);
        attributes.finish()
    }
}

/// Returns the session that a line was copied from, where it says so.
fn origin(line: &Line<'_>, session: &str) -> Option<String> {
    let said = owned(line.forked_from.and_then(|from| from.get("sessionId")));
    // Early forks left the old session on some of the lines. Files may be renamed by hand, though.
    let left = || owned(line.session).filter(|_| is_uuid(session));
    said.or_else(left).filter(|origin| origin != session)
}

fn agent_kind(stem: &str, line: &Line<'_>) -> ThreadKind {
    let is_named = SIDE_AGENTS.iter().any(|name| stem.starts_with(name));
    let content = line.message.and_then(|message| message.get("content"));
    let is_warm_up = content.and_then(crate::content::said).is_some_and(|it| it.value == WARM_UP);
    if is_named || is_warm_up { ThreadKind::Side } else { ThreadKind::Subagent }
}
