//! What goes into an exchange beside events, and what comes out of it.

use hyp_model::event::{Fact, Usage};
use hyp_model::judge::ThreadFacts;
use hyp_model::row::Row;

/// Where a unit comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Name of the hyp provider that reads it.
    pub provider: String,
    /// Identity of the unit.
    pub unit_id: String,
    /// Hex of the key of provider and unit id.
    pub input_id: String,
    /// First 16 hex digits of the SHA-256 of the path below the root.
    pub source_path_hash: String,
    /// Path of the main input below its root.
    pub path_below_root: String,
    /// True where it is no recording, but what a client says while it works.
    pub is_live: bool,
}

/// What is settled: nothing in it changes any more, save by way of [`Produced::late`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Produced {
    /// Rows in file order.
    pub rows: Vec<Row>,
    /// Latest state of each thread that began or gained rows since the last call.
    pub threads: Vec<ThreadFacts>,
    /// Tokens learnt after the row that carries them was handed out: `part_id` and the new values.
    ///
    /// Of several for one row, the last one stands.
    pub late: Vec<(String, Usage)>,
    /// Facts, each with the thread that was open when it was said, or else the thread before; empty where
    /// none had begun.
    pub facts: Vec<(String, Fact)>,
}

/// What became of the events of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that became rows.
    pub messages: u64,
    /// Rows.
    pub parts: u64,
    /// Threads without provider or session id, and messages outside a thread or in such a one.
    pub malformed: u64,
    /// Messages without a role or without content.
    pub empty: u64,
    /// Messages whose native id was seen in their thread before.
    pub duplicates: u64,
    /// Messages of [`Counts::messages`] that are copies.
    pub replays: u64,
    /// Times before 2020 or after 2100, replaced by a neighbour's.
    pub doubtful_times: u64,
    /// Messages with a number of tokens that no response has: it is left out.
    pub doubtful_tokens: u64,
    /// Messages without a time, which got a neighbour's, where there is one.
    pub missing_times: u64,
    /// Messages of threads in which nothing has a time: their rows stand at 1970-01-01.
    pub timeless: u64,
}
