//! A session: a document that holds all of it, or lines that add to it.
//!
//! A line is a header, a message, a change of the header (`$set`), or a step back (`$rewindTo`). A message comes again,
//! whole, when its tokens or the results of its calls are known: it is held until another one follows. What was stepped
//! back over stays history. When the client shortens what the model sees it sets all messages anew; of those, only what was
//! not said before is a message.

use std::collections::BTreeSet;

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{
    Context, Fact, FailureClass, Message, Page, Reading, Record, Scan, Span, Subject, Thread,
    ThreadKind, time,
};

use crate::message;

/// Length of a UUID in its usual form.
const UUID: usize = 36;

/// A session that is being read.
#[derive(Debug)]
pub struct Chat {
    is_document: bool,
    id: String,
    cwd: Option<String>,
    started_at: Option<i64>,
    parent: Option<String>,
    held: Option<Held>,
    /// Lines that came after the one that is held.
    after: Vec<(Span, &'static str)>,
    seen: BTreeSet<String>,
    is_open: bool,
}

/// A message that may come again.
#[derive(Debug)]
struct Held {
    id: String,
    span: Span,
    said: Vec<Message>,
}

impl Chat {
    pub(crate) fn new(path: &str, folder: Option<&str>) -> Self {
        let names: Vec<&str> = path.split('/').collect();
        let stem = names.last().copied().unwrap_or_default();
        let stem = stem.trim_end_matches(".jsonl").trim_end_matches(".json");
        // A sub-agent lies in a folder that is named for the session that started it.
        let parent = (names.len() == 4).then(|| names[2].to_owned());
        Self {
            is_document: path.ends_with(".json"),
            id: stem.to_owned(),
            cwd: folder.filter(|folder| !folder.is_empty()).map(str::to_owned),
            started_at: None,
            parent,
            held: None,
            after: Vec::new(),
            seen: BTreeSet::new(),
            is_open: false,
        }
    }

    fn header(&mut self, json: Value<'_>, out: &mut Page) {
        if let Some(id) = json.get("sessionId").and_then(Value::non_empty)
            && !self.is_open
        {
            self.id = id;
        }
        let started = json.get("startTime").and_then(Value::str);
        self.started_at = self.started_at.or_else(|| time::parse(&started?));
        if let Some(summary) = json.get("summary").and_then(Value::non_empty) {
            let about = Subject::Thread(self.id.clone());
            out.fact(Fact::new(about, "title", summary).rank(2));
        }
    }

    /// Returns the id of a message's row: the client's own where that is unique, as a UUID is, or else within the session.
    fn native(&self, id: &str) -> String {
        if id.len() == UUID { id.to_owned() } else { format!("{}:{id}", self.id) }
    }

    fn context(&self) -> Context {
        Context { cwd: self.cwd.clone(), ..Context::default() }
    }

    fn start(&mut self, out: &mut Page) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        let mut thread = Thread::new(&self.id, "google", &self.id, "gemini");
        thread.started_at = self.started_at;
        if let Some(parent) = &self.parent {
            thread.kind = ThreadKind::Subagent;
            thread.parent_thread_id = Some(parent.clone());
        }
        thread.context = self.context();
        out.thread_start(thread);
    }

    fn say(&mut self, said: Vec<Message>, out: &mut Page) {
        self.start(out);
        said.into_iter().for_each(|message| out.message(message));
    }

    /// Takes a message of a line.
    fn message(&mut self, id: String, json: Value<'_>, span: Span, out: &mut Page) {
        let Some(said) = message::read(&self.native(&id), json, span, &self.context()) else {
            self.release(out);
            let kind = json.get("type").and_then(Value::non_empty).unwrap_or_default();
            return out.failure(span, FailureClass::Unknown, format!("message {kind}"));
        };
        if let Some(held) = self.held.take_if(|held| held.id == id) {
            out.skip(held.span, "message written again");
            self.after.drain(..).for_each(|(span, kind)| out.skip(span, kind));
        } else {
            self.release(out);
        }
        self.seen.insert(id.clone());
        self.held = Some(Held { id, span, said });
        out.hold();
    }

    /// Takes a line that is no message: right away, or after the message that is held.
    fn aside(&mut self, span: Span, kind: &'static str, out: &mut Page) {
        if self.held.is_some() {
            self.after.push((span, kind));
            out.hold();
        } else {
            out.skip(span, kind);
        }
    }

    fn set(&mut self, json: Value<'_>, span: Span, out: &mut Page) {
        self.header(json, out);
        let (new, unknown) = self.unseen(json, span);
        if new.is_empty() && unknown.is_empty() {
            return self.aside(span, "$set", out);
        }
        self.release(out);
        self.say_all(new, &unknown, span, out);
    }

    /// Makes messages of those that were not seen before; returns the kinds of those that are none, too.
    fn unseen(&mut self, json: Value<'_>, span: Span) -> (Vec<Message>, BTreeSet<String>) {
        let (mut new, mut unknown) = (Vec::new(), BTreeSet::new());
        let all = json.get("messages").into_iter().flat_map(Value::items);
        for (number, json) in all.enumerate() {
            let told = json.get("id");
            let counted = || told.and_then(Value::u64).map(|id| id.to_string());
            // Where it has none, its place is the same each time.
            let id = told.and_then(Value::non_empty).or_else(counted);
            let id = id.unwrap_or_else(|| format!("#{number}"));
            if self.seen.insert(id.clone()) {
                match message::read(&self.native(&id), json, span, &self.context()) {
                    Some(said) => new.extend(said),
                    None => {
                        let kind = json.get("type").and_then(Value::non_empty);
                        unknown.insert(kind.unwrap_or_else(|| "without a type".to_owned()));
                    }
                }
            }
        }
        (new, unknown)
    }

    /// Emits the messages of a record that holds several, and what is none of them.
    fn say_all(
        &mut self,
        said: Vec<Message>,
        unknown: &BTreeSet<String>,
        span: Span,
        out: &mut Page,
    ) {
        if !said.is_empty() {
            self.say(said, out);
        }
        for kind in unknown {
            out.failure(span, FailureClass::Unknown, format!("message {kind}"));
        }
    }
}

impl Scan for Chat {
    fn reading(&self, _: u32) -> Reading {
        if self.is_document { Reading::Document } else { Reading::Lines }
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let (json, span) = (record.json, record.span);
        if json.get("$rewindTo").is_some() {
            self.aside(span, "$rewindTo", out);
        } else if let Some(set) = json.get("$set") {
            self.set(set, span, out);
        } else if let Some(id) = json.get("id").and_then(Value::non_empty) {
            self.message(id, json, span, out);
        } else if json.get("sessionId").is_some() {
            self.header(json, out);
            self.aside(span, "header", out);
        } else {
            self.release(out);
        }
    }

    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let span = Span { input, offset: 0, length: bytes.len() as u64 };
        let text = String::from_utf8_lossy(bytes);
        let mut tape = Tape::new();
        let text = text.trim_start_matches('\u{feff}');
        let Ok((json, _)) = tape.parse(text, 0) else {
            return out.failure(span, FailureClass::Malformed, "not JSON");
        };
        if json.get("sessionId").is_none() {
            return;
        }
        self.header(json, out);
        out.skip(span, "header");
        let (said, unknown) = self.unseen(json, span);
        self.say_all(said, &unknown, span, out);
    }

    fn release(&mut self, out: &mut Page) {
        if let Some(Held { span, said, .. }) = self.held.take() {
            if said.is_empty() {
                out.skip(span, "empty");
            } else {
                self.say(said, out);
            }
        }
        self.after.drain(..).for_each(|(span, kind)| out.skip(span, kind));
    }

    fn end(&mut self, out: &mut Page) {
        self.release(out);
        if self.is_open {
            out.thread_end();
        }
    }
}
