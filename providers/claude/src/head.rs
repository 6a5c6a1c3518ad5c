//! The head of a thread, from the place of its file and its first message.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::{Context, Thread, ThreadKind};

use crate::context::{Meta, resumes_by_copy};
use crate::line::{Line, owned};
use crate::path::{Place, is_uuid};

/// Sub-agents of these names are requests on the side: summaries, suggestions, notes, questions that leave no trace.
const SIDE_AGENTS: [&str; 4] = [
    "agent-acompact-",
    "agent-aprompt_suggestion-",
    "agent-asession_memory-",
    "agent-aside_question-",
];
/// What the client sends to warm up, in a transcript of its own.
const WARM_UP: &str = "Warmup";

/// Returns the head of the thread that a file holds; `id` is what its place says, and `goes_on` that it is of the session
/// that is in it, whatever its name.
pub(crate) fn head(
    place: Place<'_>,
    id: &str,
    line: &Line<'_>,
    meta: &Meta,
    goes_on: bool,
) -> Thread {
    let said = owned(line.session);
    let is_agent = line.agent.is_some() && line.is_sidechain.and_then(Value::bool) == Some(true);
    let (id, session, stem) = match place {
        // Files are copied and named by hand; then the lines know better.
        Place::Session { session } if !is_uuid(session) || goes_on => {
            (id.to_owned(), said.unwrap_or_else(|| id.to_owned()), is_agent.then_some(session))
        }
        Place::Session { .. } => (id.to_owned(), id.to_owned(), None),
        Place::Agent { session, stem } => (id.to_owned(), session.to_owned(), Some(stem)),
        Place::Stray { stem } => match said {
            Some(session) => (format!("{session}/{stem}"), session, Some(stem)),
            None => (id.to_owned(), id.to_owned(), Some(stem)),
        },
    };
    let mut thread = Thread::new(id, "anthropic", session, "claude");
    match stem {
        None => {
            let version = line.version.and_then(Value::str);
            thread.may_start_with_copy = version.is_some_and(|it| resumes_by_copy(&it));
            thread.forked_from = origin(line, &thread.session_id);
        }
        Some(stem) => {
            thread.kind = agent_kind(stem, line);
            if thread.session_id != thread.id {
                thread.parent_thread_id = Some(thread.session_id.clone());
                thread.root_thread_id = Some(thread.session_id.clone());
            }
            thread.spawned_by_call = meta.tool_use.clone();
            thread.attributes = attributes(meta);
        }
    }
    thread
}

/// Says whether the first line of a file follows what another session has in another file, where a copy has what it
/// follows. The file goes on with that session then, as version 2.0.10 has it; unless the line is the interruption that the
/// client notes as it leaves that session for this one, to carry out a plan in a context that is cleared.
pub(crate) fn follows_another(line: &Line<'_>, file: &str) -> bool {
    let is_other = owned(line.session).is_some_and(|said| said != file && is_uuid(&said));
    let is_main = line.is_sidechain.and_then(Value::bool) != Some(true);
    let is_user = line.kind().as_deref() == Some("user") && is_main;
    is_other && is_user && line.parent.is_some() && line.forked_from.is_none()
}

/// Returns the name that the client has in this place.
pub(crate) fn client(is_desktop_tree: bool, context: &Context) -> &'static str {
    let is_desktop =
        context.entrypoint.as_deref().is_some_and(|it| it.starts_with("claude-desktop"));
    if is_desktop || is_desktop_tree { "claude-desktop" } else { "claude" }
}

/// Returns the session that a line was copied from, where it says so.
pub(crate) fn origin(line: &Line<'_>, session: &str) -> Option<String> {
    let said = owned(line.forked_from.and_then(|from| from.get("sessionId")));
    // Early forks left the old session on some of the lines; late ones note which session made the request.
    let said = said.or_else(|| owned(line.request_session)).or_else(|| owned(line.session));
    said.filter(|origin| origin != session)
}

/// Returns true for a line that may be all there is of a warm-up: an answer to nothing.
pub(crate) fn is_stub(thread: &Thread, line: &Line<'_>) -> bool {
    thread.kind == ThreadKind::Subagent
        && line.parent.is_none()
        && line.kind().as_deref() == Some("assistant")
}

fn agent_kind(stem: &str, line: &Line<'_>) -> ThreadKind {
    let is_named = SIDE_AGENTS.iter().any(|name| stem.starts_with(name));
    let content = line.message.and_then(|message| message.get("content"));
    let is_warm_up = content.and_then(crate::content::said).is_some_and(|it| it.value == WARM_UP);
    if is_named || is_warm_up { ThreadKind::Side } else { ThreadKind::Subagent }
}

fn attributes(meta: &Meta) -> Option<String> {
    let mut claude = Object::new();
    claude
        .maybe_text("spawned_by_tool_use_id", meta.tool_use.as_deref())
        .maybe_text("agent_type", meta.agent_type.as_deref())
        .maybe_text("agent_description", meta.description.as_deref());
    let mut attributes = Object::new();
    attributes.object("claude", claude);
    attributes.finish()
}
