//! What the materializer asks the store about rows before they are written, and what it answers.
//!
//! Keys only: the store decides about copies without seeing content.

use crate::event::{Micros, ThreadKind};
use crate::row::Key;

/// What the store needs to know of a row to judge it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// `part_id`.
    pub part_id: String,
    /// Index into the threads of the batch.
    pub thread: usize,
    /// `message_index` in that thread.
    pub message_index: i32,
    /// Response that the row is of.
    pub response_id: Option<String>,
    /// Call made or answered by the row.
    pub call_id: Option<String>,
    /// Same for the same part said again.
    pub said_key: Key,
    /// `message_created_at`.
    pub created_at: Micros,
    /// True when the client or the materializer knows it for a copy.
    pub is_replay: bool,
    /// `part_id` of the original, where the client or the materializer knows it.
    pub replay_of: Option<String>,
    /// True when it is of what was purged, with its copies: it is judged, and not written.
    pub is_forgotten: bool,
    /// Offset and length of the record in its input.
    pub span: (u64, u64),
}

impl Candidate {
    /// Says whether it comes as a copy of what another thread said.
    pub fn is_copy_of_another(&self) -> bool {
        self.is_replay && self.replay_of.is_none()
    }
}

/// What the store keeps of a thread; the row of `sessions`.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadFacts {
    /// Identity of the thread.
    pub thread_id: String,
    /// Name of the hyp provider that read it.
    pub provider: String,
    /// Value of `session_id`.
    pub session_id: String,
    /// Value of `conversation_id`.
    pub conversation_id: Option<String>,
    /// `input_id` of the recording.
    pub input_id: String,
    /// `client_name`.
    pub client: String,
    /// What it is to its family.
    pub kind: ThreadKind,
    /// First own timestamp in file order.
    pub started_at: Option<Micros>,
    /// Earliest and latest message.
    pub first_at: Option<Micros>,
    /// Latest message.
    pub last_at: Option<Micros>,
    /// Fork parent.
    pub forked_from: Option<String>,
    /// Thread that started it.
    pub parent_thread_id: Option<String>,
    /// Topmost thread.
    pub root_thread_id: Option<String>,
    /// Working directory of the thread.
    pub cwd: Option<String>,
    /// Messages in the whole recording.
    pub messages: u64,
    /// Parts in the whole recording.
    pub parts: u64,
    /// True where its start may be a copy under new ids.
    pub may_start_with_copy: bool,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// New: write it.
    Write,
    /// New, and a copy of an earlier thread's part: write it without tokens.
    WriteReplay {
        /// `part_id` of the original, where it is known.
        replay_of: Option<String>,
    },
    /// New, and said to be a copy of what is not stored: write it as an original.
    WriteOriginal,
    /// Stored already, or twice in this batch: drop it.
    Stored,
    /// Its id is another message's, which an earlier thread said at another time: it has no place.
    IdTaken,
    /// Stored already under this id from a thread that began later: write it in place of that row.
    TakeOver,
    /// Stored already from the same input with other content: write it in place of that row.
    Refresh,
    /// Purged, or a copy of what was purged: drop it.
    Purged,
}

impl Verdict {
    /// Says whether the row is written and replaces no other.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Write | Self::WriteReplay { .. } | Self::WriteOriginal)
    }

    /// Says whether the row is written.
    pub fn is_written(&self) -> bool {
        !matches!(self, Self::Stored | Self::IdTaken | Self::Purged)
    }
}
