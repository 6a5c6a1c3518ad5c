//! A session: prompts, answers, results of tools, and what the client notes for itself.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{
    Content, Context, Fact, Message, Page, Part, Record, Scan, Subject, Thread, Usage, gemini, time,
};

/// A session that is being read.
#[derive(Debug)]
pub struct Chat {
    id: String,
    is_open: bool,
}

impl Chat {
    pub(crate) fn new(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        Self { id: name.trim_end_matches(".jsonl").to_owned(), is_open: false }
    }

    /// Goes on with a session.
    pub(crate) fn restore(state: &[u8]) -> Option<Self> {
        let mut from = Reader::new(state);
        Some(Self { id: from.text()?, is_open: from.flag()? })
    }

    fn start(&mut self, json: Value<'_>, out: &mut Page) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        if let Some(id) = json.get("sessionId").and_then(Value::non_empty) {
            self.id = id;
        }
        let mut thread = Thread::new(&self.id, "qwen", &self.id, "qwen");
        thread.started_at = at(json);
        thread.context = context(json);
        out.thread_start(thread);
    }

    fn say(&mut self, record: &Record<'_>, kind: &str, role: &str, out: &mut Page) {
        let json = record.json;
        let text = |key: &str| json.get(key).and_then(Value::non_empty);
        let mut message = Message::new(record.span, role);
        message.id = text("uuid");
        message.provider_uuid = text("uuid");
        message.parent_uuid = text("parentUuid");
        message.provider_type = Some(kind.to_owned());
        message.provider_subtype = text("subtype");
        message.created_at = at(json);
        message.context = Some(context(json));
        message.parts = gemini::parts(json.path(&["message", "parts"]));
        if role == "assistant" {
            message.response_id = text("uuid");
            message.usage = json.get("usageMetadata").and_then(usage);
        }
        if kind == "tool_result" {
            let failed = json.path(&["toolCallResult", "status"]).and_then(Value::str);
            let failed = failed.map(|status| status == "error");
            for part in &mut message.parts {
                if let Content::ToolResult(result) = &mut part.content {
                    result.is_error = failed.or(result.is_error);
                }
            }
        }
        if message.parts.is_empty() {
            if message.usage.is_none() {
                return out.skip(record.span, "empty");
            }
            message.parts.push(Part::new("empty", Content::Other(None)));
        }
        let mut frame = Object::new();
        frame.maybe_text("uuid", message.provider_uuid.as_deref());
        frame.maybe_text("parent_uuid", message.parent_uuid.as_deref()).text("type", kind);
        message.raw_frame = frame.finish();
        self.start(json, out);
        out.message(message);
    }
}

impl Scan for Chat {
    fn record(&mut self, record: &Record<'_>, out: &mut Page) {
        let json = record.json;
        let Some(kind) = json.get("type").and_then(Value::str) else { return };
        match &*kind {
            "user" => self.say(record, &kind, "user", out),
            "assistant" => self.say(record, &kind, "assistant", out),
            "tool_result" => self.say(record, &kind, "tool", out),
            "system" => {
                let subtype = json.get("subtype").and_then(Value::non_empty).unwrap_or_default();
                let title = json.path(&["systemPayload", "customTitle"]).and_then(Value::non_empty);
                if let Some(title) = title {
                    let id = json.get("sessionId").and_then(Value::non_empty);
                    let about = Subject::Thread(id.unwrap_or_else(|| self.id.clone()));
                    out.fact(Fact::new(about, "title", title).rank(3));
                }
                let kind: String = format!("system {subtype}").chars().take(64).collect();
                out.skip(record.span, kind.trim_end());
            }
            _ => {}
        }
    }

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

fn at(json: Value<'_>) -> Option<i64> {
    time::parse(&json.get("timestamp")?.str()?)
}

fn context(json: Value<'_>) -> Context {
    let text = |key: &str| json.get(key).and_then(Value::non_empty);
    let mut context = Context {
        cwd: text("cwd"),
        client_version: text("version"),
        model: text("model"),
        ..Context::default()
    };
    context.git.branch = text("gitBranch");
    context
}

/// Returns the tokens of a response. The prompt's count has what was read from the cache in it; whether that of the answer
/// has the thoughts, the total tells: it depends on whose interface was asked.
fn usage(json: Value<'_>) -> Option<Usage> {
    let count = |key: &str| json.get(key).and_then(Value::u64);
    let (prompt, answer) = (count("promptTokenCount"), count("candidatesTokenCount"));
    let (cached, thoughts) = (count("cachedContentTokenCount"), count("thoughtsTokenCount"));
    let total = count("totalTokenCount");
    let sum: u64 = [prompt, answer, thoughts].into_iter().flatten().sum();
    let apart = if total == Some(sum) { thoughts.unwrap_or(0) } else { 0 };
    json.is_object().then(|| Usage {
        input: prompt.map(|prompt| prompt.saturating_sub(cached.unwrap_or(0))),
        output: answer.map(|answer| answer + apart),
        cache_read: cached,
        reasoning: thoughts,
        total,
        ..Usage::default()
    })
}
