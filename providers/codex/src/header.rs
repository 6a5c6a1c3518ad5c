//! The head of a thread, from the recording's own header and its first turn.

use hyp_sdk::json::{Object, Value};
use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Fact, Git, Subject, Thread, ThreadKind, time};

use crate::injected::is_absolute;
use crate::plan::is_uuid;

/// What is known of the thread so far.
#[derive(Debug)]
pub(crate) struct Header {
    thread: Thread,
    /// When the recording's name says that it was begun: in local time, and better than nothing.
    named_at: Option<i64>,
    /// The recording's name says whose it is.
    is_named: bool,
    /// The recording said who it is.
    is_own: bool,
    is_native: bool,
    originator: Option<String>,
    model_provider: Option<String>,
    source: Option<String>,
    nickname: Option<String>,
    /// What part of the client alone speaks to the thread.
    speaker: Option<String>,
    has_changes: Option<bool>,
}

/// What a further header in the same recording means.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    /// The recording's own header.
    First,
    /// The same again, written on resume.
    Again,
    /// The header of the thread whose history was copied.
    Other,
}

impl Header {
    /// Begins with what the file's name gives.
    pub(crate) fn new(id: &str, named_at: Option<i64>) -> Self {
        Self {
            thread: Thread {
                conversation_id: Some(id.to_owned()),
                ..Thread::new(id, "openai", id, "codex")
            },
            named_at,
            is_named: is_uuid(id),
            is_own: false,
            is_native: false,
            originator: None,
            model_provider: None,
            source: None,
            nickname: None,
            speaker: None,
            has_changes: None,
        }
    }

    /// Returns the id of the thread.
    pub(crate) fn id(&self) -> &str {
        &self.thread.id
    }

    /// Says whether the recording's own header has come.
    pub(crate) fn is_told(&self) -> bool {
        self.is_own
    }

    /// Says whether the thread goes on where another one was left.
    pub(crate) fn is_fork(&self) -> bool {
        self.thread.forked_from.is_some() || self.thread.may_start_with_copy
    }

    /// Says whether a copy may follow.
    pub(crate) fn may_copy(&self) -> bool {
        self.thread.may_start_with_copy
    }

    /// Returns when the thread started.
    pub(crate) fn started_at(&self) -> Option<i64> {
        self.thread.started_at.or(self.named_at)
    }

    /// Returns the thread as it is known by now.
    pub(crate) fn thread(&mut self) -> &mut Thread {
        &mut self.thread
    }

    /// Writes what is needed once the thread has begun.
    pub(crate) fn save(&self, out: &mut Writer) {
        let thread = &self.thread;
        out.text(&thread.id);
        out.maybe(thread.started_at, Writer::time);
        out.maybe_text(thread.forked_from.as_deref());
        out.flag(thread.may_start_with_copy);
        out.context(&thread.context);
        out.flag(self.is_own);
        out.maybe_text(self.speaker.as_deref());
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        let thread = &mut self.thread;
        thread.id = from.text()?;
        thread.started_at = from.maybe(Reader::time)?;
        thread.forked_from = from.maybe_text()?;
        thread.may_start_with_copy = from.flag()?;
        thread.context = from.context()?;
        self.is_own = from.flag()?;
        self.speaker = from.maybe_text()?;
        Some(())
    }

    /// Takes a header: `session_meta`, the first line of a bare recording, or the `session` of a document. `is_first` says
    /// whether nothing stands before it: behind a damaged line, the recording's own may have been there.
    pub(crate) fn tell(&mut self, meta: Value<'_>, is_first: bool) -> Told {
        let text = |key| meta.get(key).and_then(Value::non_empty);
        let id = text("id").or_else(|| text("session_id"));
        let is_lost = !is_first && self.is_named && id.as_ref().is_some_and(|id| is_uuid(id));
        if self.is_own || (is_lost && id.as_ref() != Some(&self.thread.id)) {
            let is_other = id.is_some_and(|id| id != self.thread.id);
            self.thread.may_start_with_copy |= is_other;
            return if is_other { Told::Other } else { Told::Again };
        }
        self.is_own = true;
        let thread = &mut self.thread;
        if let Some(id) = id {
            thread.conversation_id = Some(id.clone());
            thread.session_id.clone_from(&id);
            thread.id = id;
        }
        if let Some(session) = text("session_id") {
            if session != thread.id {
                thread.root_thread_id = Some(session.clone());
            }
            thread.session_id = session;
        }
        thread.started_at = text("timestamp").and_then(|at| time::parse(&at)).or(thread.started_at);
        let base = meta.get("history_base").filter(|base| !base.is_null());
        let based_on = base.and_then(|base| base.get("thread_id")?.non_empty());
        thread.forked_from = text("forked_from_id").or(based_on);
        thread.parent_thread_id = text("parent_thread_id");
        let refers = base.is_some()
            || meta.get("forked_from_ordinal_exclusive").is_some_and(|at| !at.is_null());
        thread.may_start_with_copy = thread.forked_from.is_some() && !refers;

        let context = &mut thread.context;
        context.cwd = text("cwd").filter(|cwd| is_absolute(cwd));
        context.client_version = text("cli_version");
        context.entrypoint = text("originator");
        context.user_type = text("thread_source");
        context.is_sidechain = context.user_type.as_deref().map(|source| source == "subagent");
        if let Some(git) = meta.get("git").filter(|git| git.is_object()) {
            self.has_changes = ["dirty", "is_dirty"].iter().find_map(|key| git.get(key)?.bool());
            context.git = repository(git);
        }
        self.originator = text("originator");
        self.model_provider = text("model_provider");
        self.nickname = text("agent_nickname");
        self.source(meta.get("source"));
        Told::First
    }

    fn source(&mut self, source: Option<Value<'_>>) {
        let thread = &mut self.thread;
        let context = &mut thread.context;
        if context.is_sidechain == Some(true) {
            thread.kind = ThreadKind::Subagent;
        }
        if matches!(context.user_type.as_deref(), Some("memory_consolidation" | "feature")) {
            thread.kind = ThreadKind::Side;
        }
        let Some(source) = source else { return };
        if let Some(word) = source.non_empty() {
            self.source = Some(word);
            return;
        }
        let Some((kind, what)) = source.entries().next() else { return };
        self.source = Some(kind.clone().into_owned());
        if kind == "internal" {
            thread.kind = ThreadKind::Side;
        }
        if kind != "subagent" {
            return;
        }
        context.is_sidechain = Some(true);
        thread.kind = match what.str().as_deref() {
            Some("review") => ThreadKind::Review,
            Some("compact" | "memory_consolidation") => ThreadKind::Side,
            _ => ThreadKind::Subagent,
        };
        self.speaker = what.get("other").and_then(Value::non_empty);
        if let Some(spawn) = what.get("thread_spawn") {
            let parent = spawn.get("parent_thread_id").and_then(Value::non_empty);
            thread.parent_thread_id = thread.parent_thread_id.take().or(parent);
            let nickname = spawn.get("agent_nickname").and_then(Value::non_empty);
            self.nickname = self.nickname.take().or(nickname);
        }
    }

    /// Returns the head of the thread; `is_native` says whether its items have ids of their own, where that is known.
    pub(crate) fn finish(&mut self, is_native: Option<bool>) -> Thread {
        let is_native = is_native.unwrap_or(self.is_native);
        self.is_native = is_native;
        let thread = &mut self.thread;
        thread.started_at = thread.started_at.or(self.named_at);
        let (context, git) = (&thread.context, &thread.context.git);
        let thread_id = Some(thread.id.as_str()).filter(|id| *id != thread.session_id);
        let mut codex = Object::new();
        codex
            .text("identity_source", if is_native { "native" } else { "gateway_fallback" })
            .text("session_id", &thread.session_id)
            .maybe_text("thread_id", thread_id)
            .maybe_text("workspace", context.cwd.as_deref())
            .maybe_text("git_origin_url", git.remote.as_deref())
            .maybe_text("git_commit", git.head.as_deref())
            .maybe_text("sandbox", context.permission_mode.as_deref())
            .maybe_text("originator", self.originator.as_deref())
            .maybe_text("thread_source", context.user_type.as_deref())
            .maybe_text("model_provider", self.model_provider.as_deref())
            .maybe_text("source", self.source.as_deref())
            .maybe_bool("has_changes", self.has_changes);
        let mut attributes = Object::new();
        attributes.object("codex", codex);
        thread.attributes = attributes.finish();
        thread.clone()
    }

    /// Returns what part of the client alone speaks to the thread, if no person and no other thread does.
    pub(crate) fn speaker(&self) -> Option<&str> {
        self.speaker.as_deref()
    }

    /// Returns the name that the client gave the agent.
    pub(crate) fn nickname(&self) -> Option<Fact> {
        let nickname = self.nickname.as_deref()?;
        Some(Fact::new(Subject::ThisThread, "agent-name", nickname))
    }
}

fn repository(git: Value<'_>) -> Git {
    let first = |keys: [&str; 2]| keys.iter().find_map(|key| git.get(key)?.non_empty());
    Git {
        branch: git.get("branch").and_then(Value::non_empty),
        remote: first(["repository_url", "origin_url"]).map(without_user),
        head: first(["commit_hash", "commit"]),
        root: None,
    }
}

/// Takes name and password out of an address.
fn without_user(remote: String) -> String {
    let Some((scheme, rest)) = remote.split_once("://") else { return remote };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => remote,
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    fn told(meta: &str) -> Thread {
        let mut header = Header::new("from-the-name", None);
        let mut tape = Tape::new();
        assert_eq!(header.tell(tape.parse(meta, 0).expect("JSON").0, true), Told::First);
        header.finish(None)
    }

    #[test]
    fn a_thread_is_keyed_by_its_own_id() {
        let thread = told(r#"{"session_id":"root","id":"child","thread_source":"subagent"}"#);
        assert_eq!((thread.id.as_str(), thread.session_id.as_str()), ("child", "root"));
        assert_eq!(thread.root_thread_id.as_deref(), Some("root"));
        assert_eq!(thread.context.is_sidechain, Some(true));
        assert_eq!(told("{}").id, "from-the-name");
    }

    #[test]
    fn the_source_says_what_kind_of_thread_it_is() {
        #[rustfmt::skip]
        let cases = [
            (r#"{"source":"cli"}"#,                                                        ThreadKind::Main,     None),
            (r#"{"source":{"subagent":"review"},"parent_thread_id":"p"}"#,                 ThreadKind::Review,   Some("p")),
            (r#"{"source":{"subagent":{"thread_spawn":{"parent_thread_id":"p"}}}}"#,       ThreadKind::Subagent, Some("p")),
            (r#"{"source":{"subagent":{"other":"x"}}}"#,                                   ThreadKind::Subagent, None),
            (r#"{"source":{"internal":"memory_consolidation"}}"#,                          ThreadKind::Side,     None),
        ];
        for (meta, kind, parent) in cases {
            let thread = told(meta);
            assert_eq!(thread.kind, kind, "{meta}");
            assert_eq!(thread.parent_thread_id.as_deref(), parent, "{meta}");
        }
    }

    #[test]
    fn a_fork_that_refers_to_its_parent_copies_nothing() {
        assert!(told(r#"{"id":"c","forked_from_id":"p"}"#).may_start_with_copy);
        let refers = r#"{"id":"c","forked_from_id":"p","history_base":{"thread_id":"p"}}"#;
        assert!(!told(refers).may_start_with_copy);
        let alone = told(r#"{"id":"c","history_base":{"thread_id":"p"}}"#);
        assert_eq!((alone.forked_from.as_deref(), alone.may_start_with_copy), (Some("p"), false));
    }

    #[test]
    fn a_recording_whose_header_is_damaged_is_still_of_the_thread_in_its_name() {
        const OWN: &str = "0199a0b2-0000-7000-8000-000000000000";
        let parents = r#"{"id":"0199a0b1-0000-7000-8000-000000000000"}"#;
        for (is_first, told, id) in
            [(false, Told::Other, OWN), (true, Told::First, "0199a0b1-0000-7000-8000-000000000000")]
        {
            let mut header = Header::new(OWN, None);
            let mut tape = Tape::new();
            let meta = tape.parse(parents, 0).expect("JSON").0;
            assert_eq!(header.tell(meta, is_first), told);
            assert_eq!((header.id(), header.may_copy()), (id, !is_first));
        }
    }

    #[test]
    fn passwords_stay_where_they_are() {
        let remote = |url: &str| without_user(url.to_owned());
        assert_eq!(remote("https://me:secret@host/a@b.git"), "https://host/a@b.git");
        assert_eq!(remote("git@host:acme/widget.git"), "git@host:acme/widget.git");
    }
}
