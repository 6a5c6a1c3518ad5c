//! A session: its head, then message after message, each with its parts.
//!
//! Records are edited in place: a message is held until all its parts came, because what its tokens belong to is known at
//! the end of a step. Ids are the client's own, so that an edited record reaches its row.

use hyp_sdk::json::Value;
use hyp_sdk::{Context, Fact, FailureClass, Page, Span, Subject, Thread, ThreadKind};

use crate::message::Held;
use crate::part::Made;

/// What a session says of itself.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) parent: Option<String>,
    pub(crate) directory: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) created_at: Option<i64>,
}

/// A session that is being read.
#[derive(Debug)]
pub(crate) struct Session {
    id: String,
    head: Head,
    worktree: Option<String>,
    held: Option<Held>,
    is_open: bool,
}

impl Session {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            head: Head::default(),
            worktree: None,
            held: None,
            is_open: false,
        }
    }

    pub(crate) fn head(&mut self, head: Head, out: &mut Page) {
        // What the client calls a session before it has a title of its own is none.
        let named = head.title.as_deref().filter(|title| {
            !title.starts_with("New session - ") && !title.starts_with("Child session - ")
        });
        if let Some(title) = named {
            let about = Subject::Thread(self.id.clone());
            out.fact(Fact::new(about, "title", title).rank(2));
        }
        self.head = head;
    }

    pub(crate) fn worktree(&mut self, worktree: Option<String>) {
        // The project of what lies in no repository has the root of all files.
        self.worktree = worktree.filter(|path| path != "/");
    }

    /// Takes a message; its parts follow.
    pub(crate) fn message(&mut self, id: &str, json: Value<'_>, span: Span, out: &mut Page) {
        self.flush(out);
        match Held::new(id, json, span, &self.context()) {
            Some(held) => {
                self.held = Some(held);
                out.hold();
            }
            None => out.failure(span, FailureClass::Unknown, "message without a role"),
        }
    }

    /// Takes a part of the message that is held, or of one that is not there any more.
    pub(crate) fn part(
        &mut self,
        (message, id): (&str, &str),
        made: Made,
        span: Span,
        out: &mut Page,
    ) {
        match &mut self.held {
            Some(held) if held.id == message => {
                held.part(id, made, span);
                out.hold();
            }
            _ => {
                self.flush(out);
                out.failure(span, FailureClass::Unknown, "part without its message");
            }
        }
    }

    /// Emits what is held.
    pub(crate) fn flush(&mut self, out: &mut Page) {
        let Some(held) = self.held.take() else { return };
        if !self.is_open {
            self.is_open = true;
            out.thread_start(self.thread(held.vendor(), held.created_at()));
        }
        held.emit(out);
    }

    pub(crate) fn end(&mut self, out: &mut Page) {
        self.flush(out);
        if self.is_open {
            out.thread_end();
        }
    }

    fn thread(&self, vendor: Option<&str>, first: Option<i64>) -> Thread {
        let mut thread = Thread::new(&self.id, vendor.unwrap_or("unknown"), &self.id, "opencode");
        thread.started_at = self.head.created_at.or(first);
        if let Some(parent) = &self.head.parent {
            thread.kind = ThreadKind::Subagent;
            thread.parent_thread_id = Some(parent.clone());
        }
        thread.context = self.context();
        thread
    }

    fn context(&self) -> Context {
        let mut context = Context {
            cwd: self.head.directory.clone(),
            client_version: self.head.version.clone(),
            is_sidechain: self.head.parent.as_ref().map(|_| true),
            ..Context::default()
        };
        context.git.root.clone_from(&self.worktree);
        context
    }
}
