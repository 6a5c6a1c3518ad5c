//! A session: a header, then entries in the order in which they were written.
//!
//! Branches are entries whose parent is not the one before; all of them are history. What a compaction leaves out of the
//! model's context stays in the file, so that its summary is one more entry and nothing is said twice.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Context, Fact, Page, Record, Scan, Span, Subject, Thread, time};

use crate::message;

/// A session that is being read.
#[derive(Debug, Default)]
pub struct Session {
    id: String,
    cwd: Option<String>,
    /// Vendor of the model that the session began with.
    vendor: Option<String>,
    started_at: Option<i64>,
    forked_from: Option<String>,
    is_open: bool,
}

/// Returns the session's id out of a file's name: `2026-05-20T10-00-33-231Z_ID.jsonl`.
pub(crate) fn id_of(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let (_, id) = name.strip_suffix(".jsonl")?.split_once('_')?;
    (!id.is_empty()).then_some(id)
}

impl Session {
    /// Begins a session of a file.
    pub(crate) fn new(path: &str) -> Self {
        let stem = path.strip_suffix(".jsonl").unwrap_or(path);
        Self { id: id_of(path).unwrap_or(stem).to_owned(), ..Self::default() }
    }

    /// Goes on with a session.
    pub(crate) fn restore(state: &[u8]) -> Option<Self> {
        let mut from = Reader::new(state);
        Some(Self {
            id: from.text()?,
            cwd: from.maybe_text()?,
            vendor: from.maybe_text()?,
            started_at: from.maybe(Reader::time)?,
            forked_from: from.maybe_text()?,
            is_open: from.flag()?,
        })
    }

    fn header(&mut self, json: Value<'_>) {
        let text = |key: &str| json.get(key).and_then(Value::non_empty);
        if let Some(id) = text("id") {
            self.id = id;
        }
        self.cwd = text("cwd");
        self.vendor = text("provider");
        self.started_at = at(json);
        let parent = text("parentSession").or_else(|| text("branchedFrom"));
        self.forked_from = parent.as_deref().and_then(id_of).map(str::to_owned);
    }

    fn start(&mut self, out: &mut Page) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        let vendor = self.vendor.as_deref().map_or("unknown", message::vendor);
        let mut thread = Thread::new(&self.id, vendor, &self.id, "pi");
        thread.started_at = self.started_at;
        thread.forked_from.clone_from(&self.forked_from);
        thread.may_start_with_copy = self.forked_from.is_some();
        thread.context.cwd.clone_from(&self.cwd);
        out.thread_start(thread);
    }

    /// Emits an entry that says something.
    fn say(&mut self, record: &Record<'_>, kind: &str, out: &mut Page) {
        let json = record.json;
        let said = match kind {
            "message" => json.get("message").and_then(|it| message::message(it, record.span)),
            "custom_message" => message::custom(json, record.span),
            _ => message::summary(json, kind, record.span),
        };
        let Some(mut said) = said else { return };
        if said.parts.is_empty() && said.usage.is_none() {
            return out.skip(record.span, "empty");
        }
        let text = |key: &str| json.get(key).and_then(Value::non_empty);
        said.provider_uuid = text("id");
        said.parent_uuid = text("parentId");
        // The entry's time is when it was written; the message's own is when it was asked for.
        said.created_at = at(json).or(said.created_at);
        let mut frame = Object::new();
        frame.maybe_text("id", said.provider_uuid.as_deref());
        frame.maybe_text("parent_id", said.parent_uuid.as_deref());
        frame.text("type", kind).maybe_text("timestamp", text("timestamp").as_deref());
        said.raw_frame = frame.finish();
        if let Some(context) = &mut said.context {
            context.cwd.clone_from(&self.cwd);
        }
        if self.vendor.is_none() {
            self.vendor = json.path(&["message", "provider"]).and_then(Value::non_empty);
        }
        self.start(out);
        out.message(said);
    }
}

impl Scan for Session {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let json = record.json;
        let Some(kind) = json.get("type").and_then(Value::str) else { return };
        match &*kind {
            "session" => {
                if !self.is_open {
                    self.header(json);
                }
                out.skip(record.span, "session");
            }
            "message" | "custom_message" | "compaction" | "branch_summary" => {
                self.say(record, &kind, out);
            }
            "model_change" => {
                if self.vendor.is_none() {
                    self.vendor = json.get("provider").and_then(Value::non_empty);
                }
                out.skip(record.span, &kind);
            }
            "session_info" => {
                if let Some(name) = json.get("name").and_then(Value::non_empty) {
                    let about = Subject::Thread(self.id.clone());
                    out.fact(Fact::new(about, "title", name.trim()).rank(3));
                }
                out.skip(record.span, &kind);
            }
            "thinking_level_change" | "label" | "custom" => out.skip(record.span, &kind),
            _ => {}
        }
    }

    fn save(&self) -> Option<Vec<u8>> {
        let mut out = Writer::new();
        out.text(&self.id);
        out.maybe_text(self.cwd.as_deref());
        out.maybe_text(self.vendor.as_deref());
        out.maybe(self.started_at, Writer::time);
        out.maybe_text(self.forked_from.as_deref());
        out.flag(self.is_open);
        Some(out.finish())
    }

    fn end(&mut self, out: &mut Page) {
        if self.is_open {
            out.thread_end();
        }
    }
}

/// Returns an entry's time.
fn at(json: Value<'_>) -> Option<i64> {
    let at = json.get("timestamp")?;
    at.str().and_then(|text| time::parse(&text)).or_else(|| time::from_millis(at.f64()?))
}

/// Returns the context of a message of a model.
pub(crate) fn of_model(model: Option<String>) -> Context {
    Context { model, ..Context::default() }
}

/// Returns a span's message with nothing in it but its role and the client's word for it.
pub(crate) fn empty(span: Span, role: &str, kind: &str) -> hyp_sdk::Message {
    let mut message = hyp_sdk::Message::new(span, role);
    message.provider_type = Some(kind.to_owned());
    message
}
