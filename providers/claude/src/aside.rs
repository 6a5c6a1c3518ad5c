//! What sub-agents said, where only the session's transcript has it.
//!
//! Versions up to 2.1.80 noted the messages of a sub-agent in the session as it went on, beside the sub-agent's own
//! transcript. Where that is gone, the notes are the only copy.

use hyp_sdk::json::Value;
use hyp_sdk::{Context, Message, Record};

use crate::context::Hook;
use crate::line::{Line, owned};
use crate::message;

/// Returns the message of a sub-agent that a `progress` line holds, if its transcript is not among `agents`.
pub(crate) fn message(
    record: &Record<'_>,
    agents: &[String],
    hook: &Hook,
    thread: &Context,
) -> Option<Message> {
    let data = record.json.get("data")?;
    let said = data.get("message").filter(|said| said.get("message").is_some())?;
    let agent = owned(data.get("agentId"))?;
    if agents.contains(&agent) {
        return None;
    }
    let around = Line::of(record.json);
    let mut line = Line::of(said);
    line.agent = data.get("agentId");
    line.timestamp = line.timestamp.or(around.timestamp);
    line.cwd = around.cwd;
    line.branch = around.branch;
    line.version = around.version;
    line.entrypoint = around.entrypoint;
    line.user_type = around.user_type;
    let call = record.json.get("parentToolUseID").filter(|call| call.is_string());
    line.noted.extend(call.map(|call: Value<'_>| ("spawned_by_tool_use_id", call)));
    let mut message = message::spoken(record, &line, hook, thread)?;
    if let Some(context) = &mut message.context {
        context.is_sidechain = Some(true);
    }
    Some(message)
}
