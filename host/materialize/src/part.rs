//! One content block as one row: which column gets what.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hyp_model::event::{Content, ErrorBlock, Part, Text};
use hyp_model::row::Key;

use crate::said::{self, PrintMap};
use crate::saved::{Reader, Writer};
use crate::{json, strip};

/// The columns of a row that its part decides.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) part_type: String,
    pub(crate) block_type: String,
    pub(crate) content_text: Option<String>,
    pub(crate) tool_name: Option<String>,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) tool_args: Option<String>,
    pub(crate) caller_type: Option<String>,
    pub(crate) tool_result_for: Option<String>,
    pub(crate) thinking_signature: Option<String>,
    pub(crate) is_error: Option<bool>,
    pub(crate) status: Option<String>,
    pub(crate) said_key: Key,
    pub(crate) replay_of: Option<String>,
}

/// The message around a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) role: &'a str,
    pub(crate) response_id: Option<&'a str>,
    /// Why the model stopped; given for the last part of what an assistant says.
    pub(crate) stop_reason: Option<&'a str>,
}

/// Names of the tools called in a thread, by call.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    by_call: PrintMap<Arc<str>>,
    names: HashSet<Arc<str>>,
}

impl Tools {
    fn learn(&mut self, call: &str, name: &str) {
        let name = self.names.get(name).cloned().unwrap_or_else(|| {
            let name: Arc<str> = name.into();
            self.names.insert(Arc::clone(&name));
            name
        });
        self.by_call.insert(said::print(call), name);
    }

    fn name(&self, call: &str) -> Option<String> {
        self.by_call.get(&said::print(call)).map(|name| name.to_string())
    }

    /// Writes the names, each once.
    pub(crate) fn save(&self, out: &mut Writer) {
        let names: Vec<&Arc<str>> = self.names.iter().collect();
        let numbers: HashMap<&str, u64> = names.iter().map(|name| &***name).zip(0..).collect();
        out.list(names.iter(), |out, name| out.text(name));
        out.list(self.by_call.iter(), |out, (call, name)| {
            out.print(*call);
            out.number(numbers.get(&**name).copied().unwrap_or_default());
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let names: Vec<Arc<str>> = from.list(|from| from.text().map(Into::into))?;
        let by_call = from.list(|from| {
            let call = from.print()?;
            let name = names.get(usize::try_from(from.number()?).ok()?)?;
            Some((call, Arc::clone(name)))
        })?;
        Some(Self { by_call, names: names.into_iter().collect() })
    }
}

/// Returns the cells of a part, and remembers the name of the tool that it calls.
pub(crate) fn expand(part: Part, around: Around<'_>, tools: &mut Tools) -> Cells {
    let part_type = part_type(&part);
    let said_key = said::key(&part, part_type, around.role, around.response_id);
    let mut cells = Cells {
        part_type: part_type.to_owned(),
        block_type: String::new(),
        content_text: None,
        tool_name: None,
        tool_call_id: None,
        tool_args: None,
        caller_type: None,
        tool_result_for: None,
        thinking_signature: None,
        is_error: None,
        status: None,
        said_key,
        replay_of: None,
    };
    let mut status =
        Status { finish_reason: around.stop_reason.map(finish_reason), ..Status::default() };
    match part.content {
        Content::Text(text) => cells.content_text = readable(Some(text)),
        Content::Thinking(thinking) => {
            cells.content_text = readable(thinking.text);
            cells.thinking_signature = thinking.signature;
        }
        Content::ToolCall(call) => {
            if let (Some(id), Some(name)) = (&call.id, &call.name) {
                tools.learn(id, name);
            }
            cells.tool_call_id = call.id;
            cells.tool_name = call.name;
            cells.tool_args = call.input.filter(|input| input != "null").map(strip::json);
            cells.caller_type = call.caller_type;
        }
        Content::ToolResult(result) => {
            cells.tool_name = result.call_id.as_deref().and_then(|id| tools.name(id));
            cells.tool_result_for = result.call_id.clone();
            cells.tool_call_id = result.call_id;
            cells.content_text = readable(result.text);
            cells.is_error = result.is_error.filter(|is_error| *is_error);
            status.tool_status = Some(if cells.is_error.is_some() { "error" } else { "success" });
        }
        Content::Error(error) => {
            cells.content_text = readable(error.message.clone());
            status.error = Some(error);
        }
        Content::Other(text) => cells.content_text = readable(text),
        _ => {}
    }
    cells.status = status.json();
    cells.block_type = part.block_type;
    cells
}

fn readable(text: Option<Text>) -> Option<String> {
    text.map(|text| strip::text(text.value))
}

/// Returns the type of a part: by the client's word where it is known, else by what the block holds.
fn part_type(part: &Part) -> &str {
    match part.block_type.as_str() {
        "text" => "text",
        "thinking" | "redacted_thinking" => "reasoning",
        "tool_use" | "server_tool_use" => "tool_call",
        "tool_result" | "web_search_tool_result" => "tool_result",
        "image" => "image",
        "document" | "file" => "file",
        "error" => "error",
        word => match &part.content {
            Content::Text(_) => "text",
            Content::Thinking(_) => "reasoning",
            Content::ToolCall(_) => "tool_call",
            Content::ToolResult(_) => "tool_result",
            Content::Image(_) => "image",
            Content::File(_) => "file",
            Content::Error(_) => "error",
            _ if word.is_empty() => "text",
            _ => word,
        },
    }
}

fn finish_reason(word: &str) -> &str {
    match word {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" => "length",
        "pause_turn" => "pause",
        word => word,
    }
}

#[derive(Default)]
struct Status<'a> {
    error: Option<ErrorBlock>,
    finish_reason: Option<&'a str>,
    tool_status: Option<&'static str>,
}

impl Status<'_> {
    fn json(self) -> Option<String> {
        let mut out = String::new();
        let mut member = |key: &str, value: &str| {
            out.push(if out.is_empty() { '{' } else { ',' });
            json::push_string(&mut out, key);
            out.push(':');
            json::push_string(&mut out, value);
        };
        if let Some(error) = self.error {
            if let Some(code) = &error.code {
                member("error_code", code);
            }
            if let Some(message) = error.message {
                member("error_message", &strip::text(message.value));
            }
        }
        if let Some(reason) = self.finish_reason {
            member("finish_reason", reason);
        }
        if let Some(status) = self.tool_status {
            member("tool_status", status);
        }
        if out.is_empty() {
            return None;
        }
        out.push('}');
        Some(out)
    }
}

#[cfg(test)]
mod tests;
