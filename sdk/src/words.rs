//! Short ways to make the contract's records, most of whose fields are absent most of the time.

#![expect(clippy::derivable_impls, reason = "the types are generated")]

use crate::json::quote;
use crate::{
    Attribute, Candidate, Client, Content, Context, Description, EnvironmentCandidate, Fact, Fault,
    Git, Message, Note, Part, Purpose, Root, Setting, Span, Stamp, Subject, Table, Text, Thinking,
    Thread, ThreadKind, ToolCall, ToolResult, Unit, Usage,
};

/// The kind of items that messages are.
pub const MESSAGES: &str = "ai_gateway.projected_exchange";

/// Name of the fact that [`Fact::copied_at_most`] makes.
pub(crate) const COPIED_AT_MOST: &str = "copied-at-most";

impl Span {
    /// Returns the offset of the first byte after the span.
    pub fn end(self) -> u64 {
        self.offset + self.length
    }
}

impl From<String> for Text {
    fn from(value: String) -> Self {
        Self { value, literal: None }
    }
}

impl From<&str> for Text {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl Text {
    /// Returns two texts with a line feed between them.
    #[must_use]
    pub fn joined(mut self, below: Self) -> Self {
        if self.literal.is_some() || below.literal.is_some() {
            let mut literal = self.literal.take().unwrap_or_else(|| quote(&self.value));
            literal.pop();
            literal.push_str("\\n");
            literal.push_str(&below.literal.unwrap_or_else(|| quote(&below.value))[1..]);
            self.literal = Some(literal);
        }
        self.value.push('\n');
        self.value.push_str(&below.value);
        self
    }
}

impl Default for Git {
    fn default() -> Self {
        Self { branch: None, remote: None, head: None, root: None }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self {
            cwd: None,
            git: Git::default(),
            client_version: None,
            entrypoint: None,
            user_type: None,
            permission_mode: None,
            agent_id: None,
            is_sidechain: None,
            model: None,
        }
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            input: None,
            output: None,
            cache_read: None,
            cache_write: None,
            cache_write1h: None,
            reasoning: None,
            total: None,
        }
    }
}

impl Default for ToolCall {
    fn default() -> Self {
        Self { id: None, name: None, input: None, caller_type: None }
    }
}

impl Default for ToolResult {
    fn default() -> Self {
        Self { call_id: None, text: None, content: None, is_error: None }
    }
}

impl Default for Thinking {
    fn default() -> Self {
        Self { text: None, signature: None }
    }
}

impl Thread {
    /// Creates the head of a main thread of which nothing else is known.
    pub fn new(
        id: impl Into<String>,
        provider: impl Into<String>,
        session_id: impl Into<String>,
        client: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            provider: provider.into(),
            session_id: session_id.into(),
            conversation_id: None,
            client: client.into(),
            kind: ThreadKind::Main,
            started_at: None,
            forked_from: None,
            parent_thread_id: None,
            root_thread_id: None,
            spawned_by_call: None,
            may_start_with_copy: false,
            context: Context::default(),
            attributes: None,
        }
    }
}

impl Message {
    /// Creates a message without parts of which nothing else is known.
    pub fn new(span: Span, role: impl Into<String>) -> Self {
        Self {
            span,
            id: None,
            role: role.into(),
            created_at: None,
            response_id: None,
            usage: None,
            stop_reason: None,
            context: None,
            provider_uuid: None,
            parent_uuid: None,
            logical_parent_uuid: None,
            source_tool_assistant_uuid: None,
            request_id: None,
            prompt_id: None,
            provider_type: None,
            provider_subtype: None,
            attachment_type: None,
            hook_event: None,
            is_compact_summary: None,
            compact_metadata: None,
            attributes: None,
            raw_frame: None,
            identity: None,
            is_copy: false,
            parts: Vec::new(),
        }
    }
}

impl Part {
    /// Creates a part of a given type.
    pub fn new(block_type: impl Into<String>, content: Content) -> Self {
        Self { block_type: block_type.into(), content }
    }

    /// Creates a part of type `text`.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::new("text", Content::Text(text.into()))
    }
}

impl Fact {
    /// Creates a fact of rank 0.
    pub fn new(about: Subject, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { about, name: name.into(), value: value.into(), rank: 0 }
    }

    /// Says how many messages of the open thread can be copied from another one; `is_certain` where something follows them
    /// that is no copy, and otherwise there are no more yet.
    ///
    /// Of threads that began at the same moment, and do not say which was forked from which, the one that can have
    /// copied least is the original.
    pub fn copied_at_most(messages: u32, is_certain: bool) -> Self {
        Self::new(Subject::ThisThread, COPIED_AT_MOST, messages.to_string()).rank(is_certain.into())
    }

    /// Sets the rank: of two facts with one name, the higher stands.
    pub fn rank(mut self, rank: u32) -> Self {
        self.rank = rank;
        self
    }
}

impl Note {
    /// Creates a note without attributes.
    pub fn new(event: impl Into<String>) -> Self {
        Self { event: event.into(), attributes: Vec::new() }
    }

    /// Adds an attribute.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute { name: name.into(), value: value.into() });
        self
    }
}

impl Description {
    /// Creates the description of a provider that emits messages.
    pub fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            version: version.into(),
            summary: String::new(),
            kinds: vec![MESSAGES.to_owned()],
            clients: Vec::new(),
            roots: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Says that items of these kinds are emitted, instead of messages.
    pub fn kinds(mut self, kinds: &[&str]) -> Self {
        self.kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        self
    }

    /// Adds something that may be set for a run.
    pub fn setting(mut self, name: &str, default: &str, summary: &str) -> Self {
        let [name, default, summary] = [name, default, summary].map(str::to_owned);
        self.settings.push(Setting { name, default, summary });
        self
    }

    /// Adds a client whose files are read, with the versions, and the recordings that this was checked against.
    pub fn client(
        mut self,
        title: impl Into<String>,
        versions: impl Into<String>,
        checked: Option<&str>,
    ) -> Self {
        let checked = checked.map(str::to_owned);
        self.clients.push(Client { title: title.into(), versions: versions.into(), checked });
        self
    }

    /// Sets the sentence that says what is read.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Adds a root.
    pub fn root(mut self, root: Root) -> Self {
        self.roots.push(root);
        self
    }
}

impl Root {
    /// Creates a root with history in it, eight levels deep at most, without globs yet.
    pub fn new(name: impl Into<String>, candidate: Candidate) -> Self {
        Self {
            name: name.into(),
            purpose: Purpose::History,
            candidates: vec![candidate],
            globs: Vec::new(),
            depth: 8,
            tables: Vec::new(),
        }
    }

    /// Creates a root that is noted where it exists, and never listed nor opened.
    pub fn notice(name: impl Into<String>, candidate: Candidate) -> Self {
        Self { purpose: Purpose::Notice, ..Self::new(name, candidate) }
    }

    /// Adds a place to look at when those before do not exist.
    pub fn or(mut self, candidate: Candidate) -> Self {
        self.candidates.push(candidate);
        self
    }

    /// Adds a glob.
    pub fn glob(mut self, glob: impl Into<String>) -> Self {
        self.globs.push(glob.into());
        self
    }

    /// Declares columns of a table: the root's files are databases.
    pub fn table(mut self, name: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        self.tables.push(Table { name: name.into(), columns });
        self
    }

    /// Sets how many levels of folders to go down at most.
    pub fn depth(mut self, depth: u32) -> Self {
        self.depth = depth;
        self
    }
}

impl Unit {
    /// Creates a unit of entries, the main one first.
    pub fn new(id: impl Into<String>, inputs: Vec<u32>) -> Self {
        Self { id: id.into(), inputs, context: Vec::new(), stamp: None }
    }

    /// Sets what [`Provider::open`](crate::Provider::open) is told.
    pub fn context(mut self, context: impl Into<Vec<u8>>) -> Self {
        self.context = context.into();
        self
    }

    /// Sets what tells the unit from what it was, in place of the sizes and times of its inputs.
    pub fn stamp(mut self, fingerprint: impl Into<Vec<u8>>, modified: Option<i64>) -> Self {
        self.stamp = Some(Stamp { fingerprint: fingerprint.into(), modified });
        self
    }
}

impl Candidate {
    /// Creates a candidate from an environment variable that, when set, is the only place.
    pub fn overriding(variable: impl Into<String>, below: impl Into<String>) -> Self {
        Self::Environment(EnvironmentCandidate {
            variable: variable.into(),
            is_list: false,
            below: below.into(),
            overrides: true,
        })
    }
}

impl Fault {
    /// Creates the fault of an input that is not what this provider reads.
    pub fn source(reason: impl Into<String>) -> Self {
        Self::Source(reason.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_texts_keep_what_only_json_can_spell() {
        let half = || Text { value: "\u{fffd}".into(), literal: Some(r#""\ud83d""#.into()) };
        let plain = Text::from("a\tb").joined("c".into());
        assert_eq!((plain.value.as_str(), plain.literal), ("a\tb\nc", None));
        let above = half().joined("c".into());
        assert_eq!(above.value, "\u{fffd}\nc");
        assert_eq!(above.literal.as_deref(), Some(r#""\ud83d\nc""#));
        let below = Text::from("a\tb").joined(half());
        assert_eq!(below.literal.as_deref(), Some(r#""a\tb\n\ud83d""#));
    }
}
