//! What is not stored although it was read: ignored folders, and what was purged.
//!
//! Judged message by message, by its own working directory, after all ids are made: what is left out changes
//! nothing of what is kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hyp_cache::{Fate, Fates, Forgotten, Told};
use hyp_model::event::{Fact, Subject};
use hyp_model::judge::ThreadFacts;
use hyp_model::row::{Key, Row, ThreadRow};

use crate::ignored::Ignored;

/// Reason of a row that a person does not want here.
pub(crate) const IGNORED: &str = "ignored";

/// Reason of a row that was purged.
pub(crate) const PURGED: &str = "purged";

/// What a run leaves out.
#[derive(Debug)]
pub(crate) struct Policy {
    ignored: Ignored,
    forgotten: Forgotten,
    provider: String,
    last: Option<Last>,
    /// Messages that were left out, by key.
    hidden: HashSet<Key>,
    threads: HashMap<String, Part>,
}

/// What became of the rows of a thread.
#[derive(Debug)]
struct Part {
    is_taken: bool,
    is_left_out: bool,
}

/// Of which rows the rules were looked up last.
#[derive(Debug)]
struct Last {
    thread: Arc<ThreadRow>,
    cwd: Option<String>,
    is_ignored: bool,
    fates: Fates,
}

/// What is known of a row before the store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It is stored, unless the store has it.
    Taken,
    /// It is judged, for the sake of its copies, and not stored.
    Forgotten,
    /// It is dropped, for this reason.
    LeftOut(&'static str),
}

impl Policy {
    pub(crate) fn new(ignored: Ignored, forgotten: Forgotten, provider: &str) -> Self {
        Self {
            ignored,
            forgotten,
            provider: provider.to_owned(),
            last: None,
            hidden: HashSet::new(),
            threads: HashMap::new(),
        }
    }

    /// Says what becomes of a row.
    pub(crate) fn ruling(&mut self, row: &Row) -> Ruling {
        let message = &row.message;
        let context = message.context.as_deref().unwrap_or(&message.thread.head.context);
        let cwd = context.cwd.as_deref();
        let is_same =
            |last: &Last| Arc::ptr_eq(&last.thread, &message.thread) && last.cwd.as_deref() == cwd;
        if !self.last.as_ref().is_some_and(is_same) {
            self.last = Some(self.look_up(&message.thread, cwd));
        }
        let Some(last) = &self.last else { return Ruling::Taken };
        let ruling = match last.fates.at(message.created_at) {
            _ if last.is_ignored => Ruling::LeftOut(IGNORED),
            Some(Fate::Alone) => Ruling::LeftOut(PURGED),
            Some(Fate::WithCopies) => Ruling::Forgotten,
            None => Ruling::Taken,
        };
        let (is_taken, is_left_out) =
            (!matches!(ruling, Ruling::LeftOut(_)), ruling != Ruling::Taken);
        if is_left_out {
            self.hidden.insert(Key::of(message.message_id.as_bytes()));
        }
        let thread = &message.thread.head.id;
        match self.threads.get_mut(thread) {
            Some(known) => {
                known.is_taken |= is_taken;
                known.is_left_out |= is_left_out;
            }
            None => _ = self.threads.insert(thread.clone(), Part { is_taken, is_left_out }),
        }
        ruling
    }

    fn look_up(&mut self, thread: &Arc<ThreadRow>, cwd: Option<&str>) -> Last {
        let head = &thread.head;
        let mut sessions = vec![head.session_id.as_str(), head.id.as_str()];
        if let Some(parent) = &head.parent_thread_id {
            sessions.push(parent);
            sessions.extend(head.root_thread_id.as_deref());
        }
        let told = Told { provider: &self.provider, sessions: &sessions, cwd };
        Last {
            fates: self.forgotten.fates(told),
            is_ignored: cwd.is_some_and(|cwd| self.ignored.is_ignored(cwd)),
            thread: Arc::clone(thread),
            cwd: cwd.map(str::to_owned),
        }
    }

    /// Takes out threads of which nothing may be told, and ignored folders where others are told of.
    pub(crate) fn settle(
        &mut self,
        threads: &mut Vec<ThreadFacts>,
        facts: &mut Vec<(String, Fact)>,
    ) {
        threads.retain_mut(|thread| {
            let is_ignored = thread.cwd.take_if(|cwd| self.ignored.is_ignored(cwd)).is_some();
            match self.threads.get(&thread.thread_id) {
                Some(part) => part.is_taken,
                // It has no rows, or none yet.
                None => !is_ignored,
            }
        });
        facts.retain(|(open, fact)| match &fact.about {
            Subject::ThisThread => self.may_tell(open, fact),
            Subject::Thread(thread) => self.may_tell(thread, fact),
            Subject::HolderOf(message) => !self.hidden.contains(&Key::of(message.as_bytes())),
            _ => true,
        });
    }

    /// A title may say what was left out; where a thread comes from is needed to tell copies.
    fn may_tell(&self, thread: &str, fact: &Fact) -> bool {
        self.threads
            .get(thread)
            .is_none_or(|part| !part.is_left_out || (part.is_taken && fact.is_lineage()))
    }

    /// Says whether something of a thread was left out: totals of the whole prove nothing then.
    pub(crate) fn is_in_part(&self, thread: &str) -> bool {
        self.threads.get(thread).is_some_and(|part| part.is_left_out)
    }

    /// Takes what is wrong with files that say what is ignored, a sentence each.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        self.ignored.warnings()
    }
}
