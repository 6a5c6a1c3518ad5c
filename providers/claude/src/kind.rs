//! Kinds of lines that are no messages.

use hyp_sdk::json::Value;
use hyp_sdk::{Fact, Subject};

/// Kinds that hold state of the client, or repeat what other lines say.
const KNOWN: [&str; 45] = [
    "agent-color",
    "agent-name",
    "agent-setting",
    "ai-title",
    "api-request",
    "api-request-blob",
    "api-request-shape",
    "artifact-autoreact-ledger",
    "artifact-comment-monitor",
    "atis-latch",
    "attribution-snapshot",
    "bridge-session",
    "content-replacement",
    "continued-in",
    "cost-state",
    "custom-title",
    "dev-mods",
    "ended-by-model",
    "file-history-delta",
    "file-history-snapshot",
    "fork-context-ref",
    "frame-link",
    "history-suppression",
    "isolation-latch",
    "last-prompt",
    "marble-origami-commit",
    "marble-origami-reset",
    "marble-origami-snapshot",
    "memory-mode",
    "mode",
    "observer-ref",
    "permission-mode",
    "pr-link",
    "progress",
    "queue-operation",
    "relocated",
    "result",
    "speculation-accept",
    "started",
    "summary",
    "tag",
    "task-summary",
    "tool-use-summary",
    "tools-used",
    "worktree-state",
];

/// Returns true for a kind that gives no message.
pub(crate) fn is_known(kind: &str) -> bool {
    KNOWN.contains(&kind)
}

/// Returns true for what is a message, whatever the line around it says.
pub(crate) fn is_message(message: Value<'_>) -> bool {
    ["role", "usage"].iter().any(|key| message.get(key).is_some())
}

/// Returns what a line says about a thread as a whole; `own` is the thread that it stands in.
///
/// A summary is often written into the next session's file: it names the last message of the one that it is about. A
/// session that was sent to the background ends with the name of the one that goes on with a copy of it.
pub(crate) fn fact(kind: &str, json: Value<'_>, own: &str) -> Option<Fact> {
    let text = |key: &str| json.get(key).and_then(Value::non_empty);
    let this = Subject::ThisThread;
    match kind {
        "summary" => {
            let about = text("leafUuid").map_or(this, Subject::HolderOf);
            Some(Fact::new(about, "title", text("summary")?).rank(1))
        }
        "ai-title" => Some(Fact::new(this, "title", text("aiTitle")?).rank(2)),
        "custom-title" => Some(Fact::new(this, "title", text("customTitle")?).rank(3)),
        "continued-in" => {
            let next = text("continuedInSessionId").filter(|next| next != own)?;
            Some(Fact::new(Subject::Thread(next), "forked-from", own))
        }
        "agent-name" => Some(Fact::new(this, "agent-name", text("agentName")?)),
        _ => None,
    }
}
