//! What a provider emits, as the host holds it: the owned mirror of `wit/types.wit`.
//!
//! The WIT files own the meaning of each field; nothing is said twice here.

/// Microseconds since the epoch, UTC.
pub type Micros = i64;

pub use crate::item::Item;

/// One finding of a provider, in input order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A thread begins.
    ThreadStart(Box<Thread>),
    /// A message of the open thread.
    Message(Box<Message>),
    /// The open thread is over.
    ThreadEnd,
    /// Something said about a thread.
    Fact(Fact),
    /// A finding for another materializer, and the bytes that it stands for.
    Item(Span, Item),
    /// Known records that give no row.
    Skip(Skip),
    /// A record that was not understood.
    Failure(Failure),
    /// Something worth telling.
    Note(Note),
    /// How long the work on one item took.
    Timing(Timing),
}

/// Text, and its JSON literal where the text could not hold it exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Text {
    pub value: String,
    pub literal: Option<String>,
}

/// The bytes of an input that an event stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Span {
    pub input: u32,
    pub offset: u64,
    pub length: u64,
}

/// Version control state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Git {
    pub branch: Option<String>,
    pub remote: Option<String>,
    pub head: Option<String>,
    pub root: Option<String>,
}

/// What holds for a message unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Context {
    pub cwd: Option<String>,
    pub git: Git,
    pub client_version: Option<String>,
    pub entrypoint: Option<String>,
    pub user_type: Option<String>,
    pub permission_mode: Option<String>,
    pub agent_id: Option<String>,
    pub is_sidechain: Option<bool>,
    pub model: Option<String>,
}

/// What a thread is to its family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
#[non_exhaustive]
pub enum ThreadKind {
    #[default]
    Main,
    Subagent,
    Review,
    Side,
}

impl ThreadKind {
    /// Returns the word that `sessions.kind` holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Subagent => "subagent",
            Self::Review => "review",
            Self::Side => "side",
        }
    }
}

/// The head of a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Thread {
    pub id: String,
    pub provider: String,
    pub session_id: String,
    pub conversation_id: Option<String>,
    pub client: String,
    pub kind: ThreadKind,
    pub started_at: Option<Micros>,
    pub forked_from: Option<String>,
    pub parent_thread_id: Option<String>,
    pub root_thread_id: Option<String>,
    pub spawned_by_call: Option<String>,
    pub may_start_with_copy: bool,
    pub context: Context,
    pub attributes: Option<String>,
}

/// Tokens of one API response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Usage {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    pub cache_write_1h: Option<u64>,
    pub reasoning: Option<u64>,
    pub total: Option<u64>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ToolCall {
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<String>,
    pub caller_type: Option<String>,
}

/// What a tool gave back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ToolResult {
    pub call_id: Option<String>,
    pub text: Option<Text>,
    pub content: Option<String>,
    pub is_error: Option<bool>,
}

/// Thoughts of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Thinking {
    pub text: Option<Text>,
    pub signature: Option<String>,
}

/// A picture or a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Blob {
    pub media_type: Option<String>,
    pub encoded_length: u64,
}

/// A failure that the client wrote into the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ErrorBlock {
    pub code: Option<String>,
    pub message: Option<Text>,
}

/// Content of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
#[non_exhaustive]
pub enum Content {
    Text(Text),
    Thinking(Thinking),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    Image(Blob),
    File(Blob),
    Error(ErrorBlock),
    Other(Option<Text>),
}

/// One content block of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Part {
    pub block_type: String,
    pub content: Content,
}

/// A message of a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Message {
    pub span: Span,
    pub id: Option<String>,
    pub role: String,
    pub created_at: Option<Micros>,
    pub response_id: Option<String>,
    pub usage: Option<Usage>,
    pub stop_reason: Option<String>,
    pub context: Option<Box<Context>>,
    pub provider_uuid: Option<String>,
    pub parent_uuid: Option<String>,
    pub logical_parent_uuid: Option<String>,
    pub source_tool_assistant_uuid: Option<String>,
    pub request_id: Option<String>,
    pub prompt_id: Option<String>,
    pub provider_type: Option<String>,
    pub provider_subtype: Option<String>,
    pub attachment_type: Option<String>,
    pub hook_event: Option<String>,
    pub is_compact_summary: Option<bool>,
    pub compact_metadata: Option<String>,
    pub attributes: Option<String>,
    pub raw_frame: Option<String>,
    pub identity: Option<String>,
    pub is_copy: bool,
    pub parts: Vec<Part>,
}

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
#[non_exhaustive]
pub enum Subject {
    ThisThread,
    Thread(String),
    HolderOf(String),
}

/// Something said about a thread that is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Fact {
    pub about: Subject,
    pub name: String,
    pub value: String,
    pub rank: u32,
}

impl Fact {
    /// Name of the fact that tells where a thread was forked from.
    pub const FORKED_FROM: &str = "forked-from";
    /// Name of the fact that tells how many messages at most a thread began with that it copied, if it is a fork. Of rank
    /// 0 it tells how many there are so far, of a higher one that something follows which is no copy.
    pub const COPIED_AT_MOST: &str = "copied-at-most";

    /// Says whether copies are told by it: nothing of what was said is in it.
    pub fn is_lineage(&self) -> bool {
        [Self::FORKED_FROM, Self::COPIED_AT_MOST].contains(&self.name.as_str())
    }
}

/// How long the work on one item took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/inputs.wit")]
pub struct Timing {
    pub id: String,
    pub elapsed_ms: u32,
}

/// Records of a known kind that give no row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Skip {
    pub span: Span,
    pub kind: String,
    pub count: u32,
}

/// Why a record was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
#[non_exhaustive]
pub enum FailureClass {
    Malformed,
    Unknown,
    TooLong,
    Unavailable,
}

impl FailureClass {
    /// Returns the word that reports and tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::TooLong => "too_long",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Failure {
    pub span: Span,
    pub class: FailureClass,
    pub reason: String,
}

/// Something worth telling that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct Note {
    pub event: String,
    pub attributes: Vec<(String, String)>,
}
