//! Which call started which thread, where only the call's output says so.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Fact, Message, Subject};

/// The tool that starts a thread.
const SPAWN: &str = "spawn_agent";

/// Calls that started a thread which is not known yet.
#[derive(Debug, Default)]
pub(crate) struct Spawns(Vec<String>);

impl Spawns {
    /// Notes a call.
    pub(crate) fn call(&mut self, message: &Message) {
        if let Some(Content::ToolCall(call)) = message.parts.first().map(|part| &part.content)
            && call.name.as_deref() == Some(SPAWN)
        {
            self.0.extend(call.id.clone());
        }
    }

    /// Writes what is waited for.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.0.iter(), |out, call| out.text(call));
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.0 = from.list(Reader::text)?;
        Some(())
    }

    /// Takes what a tool gave back; returns what it says of a thread that was started.
    pub(crate) fn output(&mut self, message: &Message, tape: &mut Tape) -> Option<Fact> {
        let Content::ToolResult(result) = &message.parts.first()?.content else { return None };
        let call = self.0.iter().position(|call| Some(call) == result.call_id.as_ref())?;
        let call = self.0.swap_remove(call);
        let json = tape.parse_document(result.text.as_ref()?.value.as_bytes()).ok()?;
        let thread = json.get("agent_id").and_then(Value::non_empty)?;
        Some(Fact::new(Subject::Thread(thread), "spawned-by-call", call))
    }
}
