//! A chat: what people asked, what the model answered, and the calls of tools in between.

use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{
    Content, Fact, Message, Page, Part, Record, Scan, Subject, Thread, ToolCall, ToolResult, Usage,
    time,
};

/// A chat that is being read.
#[derive(Debug)]
pub struct Chat {
    id: String,
    is_open: bool,
}

impl Chat {
    /// Begins with a chat. Its file is called by its id.
    pub(crate) fn new(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let id = name.strip_suffix(".jsonl").unwrap_or(name);
        Self { id: id.to_owned(), is_open: false }
    }

    /// Goes on with a chat that was [saved](Scan::save).
    pub(crate) fn restore(state: &[u8]) -> Option<Self> {
        let mut from = Reader::new(state);
        Some(Self { id: from.text()?, is_open: from.flag()? })
    }

    /// Emits a message, and before the first one the head of the thread.
    fn say(&mut self, record: &Record<'_>, role: &str, parts: Vec<Part>, out: &mut Page) {
        let text = |key: &str| record.json.get(key).and_then(Value::non_empty);
        let at = text("at").and_then(|at| time::parse(&at));
        if !self.is_open {
            self.is_open = true;
            let mut thread = Thread::new(&self.id, "unknown", &self.id, "note-book");
            thread.started_at = at;
            thread.context.cwd = text("folder");
            out.thread_start(thread);
        }
        let mut message = Message::new(record.span, role);
        message.id = text("id");
        message.created_at = at;
        message.parts = parts;
        if role == "assistant" {
            // One response may be several messages: its tokens count once.
            message.response_id = text("id");
            message.usage = record.json.get("tokens").map(usage);
            message.context =
                text("model").map(|model| hyp_sdk::Context { model: Some(model), ..Default::default() });
        }
        out.message(message);
    }
}

impl Scan for Chat {
    /// Takes a record. One that is neither emitted nor skipped is kept as not understood, so a kind that is not known
    /// yet is best left alone.
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let json = record.json;
        let text = |key: &str| json.get(key).and_then(Value::non_empty);
        let said = || json.get("text").and_then(Value::text).map(Part::text).into_iter().collect();
        match json.get("type").and_then(Value::str).as_deref() {
            Some("asked") => self.say(record, "user", said(), out),
            Some("answered") => self.say(record, "assistant", said(), out),
            Some("called") => {
                let call = ToolCall {
                    id: text("call"),
                    name: text("tool"),
                    input: json.get("input").map(|input| input.raw().to_owned()),
                    ..ToolCall::default()
                };
                let part = Part::new("tool_use", Content::ToolCall(call));
                self.say(record, "assistant", vec![part], out);
            }
            Some("returned") => {
                let result = ToolResult {
                    call_id: text("call"),
                    text: json.get("text").and_then(Value::text),
                    is_error: json.get("failed").and_then(Value::bool),
                    ..ToolResult::default()
                };
                let part = Part::new("tool_result", Content::ToolResult(result));
                self.say(record, "tool", vec![part], out);
            }
            Some("title") => {
                if let Some(title) = text("text") {
                    out.fact(Fact::new(Subject::Thread(self.id.clone()), "title", title));
                }
                out.skip(record.span, "title");
            }
            _ => {}
        }
    }

    /// Says what it takes to go on from here once the file has grown.
    fn save(&self) -> Option<Vec<u8>> {
        let mut out = Writer::new();
        out.text(&self.id);
        out.flag(self.is_open);
        Some(out.finish())
    }

    fn end(&mut self, out: &mut Page) {
        if self.is_open {
            out.thread_end();
        }
    }
}

fn usage(tokens: Value<'_>) -> Usage {
    let count = |key: &str| tokens.get(key).and_then(Value::u64);
    Usage { input: count("input"), output: count("output"), ..Usage::default() }
}
