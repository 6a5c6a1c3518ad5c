//! What holds for the turn that is read: model, directory, sandbox.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use hyp_sdk::Context;
use hyp_sdk::json::Value;

use crate::injected::is_absolute;

/// Prompts of the turn that are remembered.
const PROMPTS: usize = 64;

/// The turn that is read.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// What holds for the thread.
    thread: Context,
    now: Context,
    differs: bool,
    has_begun: bool,
    prompts: VecDeque<u64>,
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

    /// Remembers a text under the name of the user; returns false if it was there already.
    pub(crate) fn prompt(&mut self, text: &str) -> bool {
        let print = print(text);
        if self.prompts.contains(&print) {
            return false;
        }
        if self.prompts.len() == PROMPTS {
            self.prompts.pop_front();
        }
        self.prompts.push_back(print);
        true
    }

    /// Forgets what was asked: an event that comes later is of another prompt.
    pub(crate) fn answered(&mut self) {
        self.prompts.clear();
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
    let word = |key| policy.get(key).and_then(Value::non_empty);
    policy.non_empty().or_else(|| word("type")).or_else(|| word("mode"))
}

fn print(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.trim().hash(&mut hasher);
    hasher.finish()
}
