//! The shapes of `wit/types.wit` and `sink`, as pointers into guest memory.

use wasmtime::component::{ComponentType, Lift, WasmList, WasmStr};

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LText {
    pub(crate) value: WasmStr,
    pub(crate) literal: Option<WasmStr>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LSpan {
    pub(crate) input: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LGit {
    pub(crate) branch: Option<WasmStr>,
    pub(crate) remote: Option<WasmStr>,
    pub(crate) head: Option<WasmStr>,
    pub(crate) root: Option<WasmStr>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LContext {
    pub(crate) cwd: Option<WasmStr>,
    pub(crate) git: LGit,
    #[component(name = "client-version")]
    pub(crate) client_version: Option<WasmStr>,
    pub(crate) entrypoint: Option<WasmStr>,
    #[component(name = "user-type")]
    pub(crate) user_type: Option<WasmStr>,
    #[component(name = "permission-mode")]
    pub(crate) permission_mode: Option<WasmStr>,
    #[component(name = "agent-id")]
    pub(crate) agent_id: Option<WasmStr>,
    #[component(name = "is-sidechain")]
    pub(crate) is_sidechain: Option<bool>,
    pub(crate) model: Option<WasmStr>,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "made by lifting alone")]
pub(crate) enum LThreadKind {
    #[component(name = "main")]
    Main,
    #[component(name = "subagent")]
    Subagent,
    #[component(name = "review")]
    Review,
    #[component(name = "side")]
    Side,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LThread {
    pub(crate) id: WasmStr,
    pub(crate) provider: WasmStr,
    #[component(name = "session-id")]
    pub(crate) session_id: WasmStr,
    #[component(name = "conversation-id")]
    pub(crate) conversation_id: Option<WasmStr>,
    pub(crate) client: WasmStr,
    pub(crate) kind: LThreadKind,
    #[component(name = "started-at")]
    pub(crate) started_at: Option<i64>,
    #[component(name = "forked-from")]
    pub(crate) forked_from: Option<WasmStr>,
    #[component(name = "parent-thread-id")]
    pub(crate) parent_thread_id: Option<WasmStr>,
    #[component(name = "root-thread-id")]
    pub(crate) root_thread_id: Option<WasmStr>,
    #[component(name = "spawned-by-call")]
    pub(crate) spawned_by_call: Option<WasmStr>,
    #[component(name = "may-start-with-copy")]
    pub(crate) may_start_with_copy: bool,
    pub(crate) context: LContext,
    pub(crate) attributes: Option<WasmStr>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LUsage {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    #[component(name = "cache-read")]
    pub(crate) cache_read: Option<u64>,
    #[component(name = "cache-write")]
    pub(crate) cache_write: Option<u64>,
    #[component(name = "cache-write1h")]
    pub(crate) cache_write_1h: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) total: Option<u64>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LToolCall {
    pub(crate) id: Option<WasmStr>,
    pub(crate) name: Option<WasmStr>,
    pub(crate) input: Option<WasmStr>,
    #[component(name = "caller-type")]
    pub(crate) caller_type: Option<WasmStr>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LToolResult {
    #[component(name = "call-id")]
    pub(crate) call_id: Option<WasmStr>,
    pub(crate) text: Option<LText>,
    pub(crate) content: Option<WasmStr>,
    #[component(name = "is-error")]
    pub(crate) is_error: Option<bool>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LThinking {
    pub(crate) text: Option<LText>,
    pub(crate) signature: Option<WasmStr>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LBlob {
    #[component(name = "media-type")]
    pub(crate) media_type: Option<WasmStr>,
    #[component(name = "encoded-length")]
    pub(crate) encoded_length: u64,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LError {
    pub(crate) code: Option<WasmStr>,
    pub(crate) message: Option<LText>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum LContent {
    #[component(name = "text")]
    Text(LText),
    #[component(name = "thinking")]
    Thinking(LThinking),
    #[component(name = "tool-call")]
    ToolCall(LToolCall),
    #[component(name = "tool-result")]
    ToolResult(LToolResult),
    #[component(name = "image")]
    Image(LBlob),
    #[component(name = "file")]
    File(LBlob),
    #[component(name = "error")]
    Error(LError),
    #[component(name = "other")]
    Other(Option<LText>),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LPart {
    #[component(name = "block-type")]
    pub(crate) block_type: WasmStr,
    pub(crate) content: LContent,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LMessage {
    pub(crate) span: LSpan,
    pub(crate) id: Option<WasmStr>,
    pub(crate) role: WasmStr,
    #[component(name = "created-at")]
    pub(crate) created_at: Option<i64>,
    #[component(name = "response-id")]
    pub(crate) response_id: Option<WasmStr>,
    pub(crate) usage: Option<LUsage>,
    #[component(name = "stop-reason")]
    pub(crate) stop_reason: Option<WasmStr>,
    pub(crate) context: Option<LContext>,
    #[component(name = "provider-uuid")]
    pub(crate) provider_uuid: Option<WasmStr>,
    #[component(name = "parent-uuid")]
    pub(crate) parent_uuid: Option<WasmStr>,
    #[component(name = "logical-parent-uuid")]
    pub(crate) logical_parent_uuid: Option<WasmStr>,
    #[component(name = "source-tool-assistant-uuid")]
    pub(crate) source_tool_assistant_uuid: Option<WasmStr>,
    #[component(name = "request-id")]
    pub(crate) request_id: Option<WasmStr>,
    #[component(name = "prompt-id")]
    pub(crate) prompt_id: Option<WasmStr>,
    #[component(name = "provider-type")]
    pub(crate) provider_type: Option<WasmStr>,
    #[component(name = "provider-subtype")]
    pub(crate) provider_subtype: Option<WasmStr>,
    #[component(name = "attachment-type")]
    pub(crate) attachment_type: Option<WasmStr>,
    #[component(name = "hook-event")]
    pub(crate) hook_event: Option<WasmStr>,
    #[component(name = "is-compact-summary")]
    pub(crate) is_compact_summary: Option<bool>,
    #[component(name = "compact-metadata")]
    pub(crate) compact_metadata: Option<WasmStr>,
    pub(crate) attributes: Option<WasmStr>,
    #[component(name = "raw-frame")]
    pub(crate) raw_frame: Option<WasmStr>,
    pub(crate) identity: Option<WasmStr>,
    #[component(name = "is-copy")]
    pub(crate) is_copy: bool,
    pub(crate) parts: WasmList<LPart>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum LSubject {
    #[component(name = "this-thread")]
    ThisThread,
    #[component(name = "thread")]
    Thread(WasmStr),
    #[component(name = "holder-of")]
    HolderOf(WasmStr),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LFact {
    pub(crate) about: LSubject,
    pub(crate) name: WasmStr,
    pub(crate) value: WasmStr,
    pub(crate) rank: u32,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum LDatum {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "real")]
    Real(f64),
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "timestamp")]
    Timestamp(i64),
    #[component(name = "json")]
    Json(WasmStr),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LCell {
    pub(crate) column: WasmStr,
    pub(crate) value: LDatum,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LOrigin {
    pub(crate) system: WasmStr,
    pub(crate) id: WasmStr,
    #[component(name = "ended-at")]
    pub(crate) ended_at: Option<i64>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LItem {
    pub(crate) kind: WasmStr,
    pub(crate) origin: LOrigin,
    pub(crate) cells: WasmList<LCell>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LFound {
    pub(crate) span: LSpan,
    pub(crate) item: LItem,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LTiming {
    pub(crate) id: WasmStr,
    #[component(name = "elapsed-ms")]
    pub(crate) elapsed_ms: u32,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LSkip {
    pub(crate) span: LSpan,
    pub(crate) kind: WasmStr,
    pub(crate) count: u32,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "made by lifting alone")]
pub(crate) enum LFailureClass {
    #[component(name = "malformed")]
    Malformed,
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "too-long")]
    TooLong,
    #[component(name = "unavailable")]
    Unavailable,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LFailure {
    pub(crate) span: LSpan,
    pub(crate) class: LFailureClass,
    pub(crate) reason: WasmStr,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LAttribute {
    pub(crate) name: WasmStr,
    pub(crate) value: WasmStr,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LNote {
    pub(crate) event: WasmStr,
    pub(crate) attributes: WasmList<LAttribute>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
#[expect(clippy::large_enum_variant, reason = "lives on the stack while one event is copied")]
pub(crate) enum LEvent {
    #[component(name = "thread-start")]
    ThreadStart(LThread),
    #[component(name = "message")]
    Message(LMessage),
    #[component(name = "thread-end")]
    ThreadEnd,
    #[component(name = "fact")]
    Fact(LFact),
    #[component(name = "item")]
    Item(LFound),
    #[component(name = "skip")]
    Skip(LSkip),
    #[component(name = "failure")]
    Failure(LFailure),
    #[component(name = "note")]
    Note(LNote),
    #[component(name = "timing")]
    Timing(LTiming),
}
