//! What holds for the turn that is read: model, directory, sandbox, effort, approval.

use hyp_sdk::Context;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

use crate::injected::is_absolute;

/// The turn that is read.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// What holds for the thread.
    thread: Context,
    now: Context,
    differs: bool,
    has_begun: bool,
    effort: Option<String>,
    approval: Option<String>,
}

impl Turn {
    /// Takes what holds for the thread, once that has begun.
    pub(crate) fn begin_thread(&mut self, context: &Context) {
        self.has_begun = true;
        self.thread = context.clone();
        let told = std::mem::replace(&mut self.now, context.clone());
        let now = &mut self.now;
        now.cwd = told.cwd.or(now.cwd.take());
        now.model = told.model.or(now.model.take());
        now.permission_mode = told.permission_mode.or(now.permission_mode.take());
        self.compare();
    }

    /// Takes what the client says of a turn.
    pub(crate) fn tell(&mut self, turn: Value<'_>) {
        fill(&mut self.now, turn);
        self.effort = effort(turn);
        self.approval = turn.get("approval_policy").and_then(word);
        self.compare();
    }

    fn compare(&mut self) {
        let (now, thread) = (&self.now, &self.thread);
        self.differs = now.cwd != thread.cwd
            || now.model != thread.model
            || now.permission_mode != thread.permission_mode;
    }

    /// Returns what holds for a message of this turn, where that differs from what holds for the thread.
    pub(crate) fn context(&self) -> Option<Context> {
        (self.has_begun && self.differs).then(|| self.now.clone())
    }

    /// Writes the turn of a thread that has begun.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.context(&self.thread);
        out.context(&self.now);
        out.maybe_text(self.effort.as_deref());
        out.maybe_text(self.approval.as_deref());
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.thread = from.context()?;
        self.now = from.context()?;
        self.effort = from.maybe_text()?;
        self.approval = from.maybe_text()?;
        self.has_begun = true;
        self.compare();
        Some(())
    }

    /// Returns what else the client says of the turn, for the attributes of its prompt.
    pub(crate) fn words(&self) -> [(&'static str, Option<&str>); 2] {
        [("effort", self.effort.as_deref()), ("approval_policy", self.approval.as_deref())]
    }
}

/// Fills a context with what the client says of a turn.
pub(crate) fn fill(context: &mut Context, turn: Value<'_>) {
    let text = |key| turn.get(key).and_then(Value::non_empty);
    if let Some(cwd) = text("cwd").filter(|cwd| is_absolute(cwd)) {
        context.cwd = Some(cwd);
    }
    if let Some(model) = text("model") {
        context.model = Some(model);
    }
    if let Some(sandbox) = sandbox(turn) {
        context.permission_mode = Some(sandbox);
    }
}

fn sandbox(turn: Value<'_>) -> Option<String> {
    let policy = turn.get("sandbox_policy").filter(|policy| !policy.is_null());
    let Some(policy) = policy else { return turn.get("sandbox").and_then(Value::non_empty) };
    word(policy)
}

/// Returns how hard the model was told to think.
fn effort(turn: Value<'_>) -> Option<String> {
    let nested = || turn.get("collaboration_mode")?.get("settings")?.get("reasoning_effort");
    turn.get("effort").filter(|effort| !effort.is_null()).or_else(nested)?.non_empty()
}

/// Returns a word, or that which names the kind of an object.
fn word(value: Value<'_>) -> Option<String> {
    let named = |key| value.get(key).and_then(Value::non_empty);
    value.non_empty().or_else(|| named("type")).or_else(|| named("mode"))
}
