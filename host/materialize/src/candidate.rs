//! What the store is asked about rows: keys, no content.

use std::collections::HashMap;
use std::sync::Arc;

use hyp_model::judge::{Candidate, ThreadFacts};
use hyp_model::row::{Row, ThreadRow};

/// Returns what the store needs to judge these rows.
///
/// `threads` are those that were handed out with the rows; a row of a thread that is not among them points
/// past their end.
pub fn candidates(rows: &[Row], threads: &[ThreadFacts]) -> Vec<Candidate> {
    let positions: HashMap<(&str, &str), usize> = threads
        .iter()
        .enumerate()
        .map(|(at, thread)| ((thread.thread_id.as_str(), thread.input_id.as_str()), at))
        .collect();
    let mut last: Option<(&Arc<ThreadRow>, usize)> = None;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let owner = &row.message.thread;
        let thread = match last {
            Some((known, position)) if Arc::ptr_eq(known, owner) => position,
            _ => {
                let recording = (owner.head.id.as_str(), owner.input_id.as_str());
                positions.get(&recording).copied().unwrap_or(threads.len())
            }
        };
        last = Some((owner, thread));
        found.push(Candidate {
            part_id: row.part_id.clone(),
            thread,
            message_index: row.message.message_index,
            response_id: row.message.response_id.clone(),
            call_id: row.tool_call_id.clone(),
            said_key: row.said_key,
            created_at: row.message.created_at,
            is_replay: row.is_replay,
            replay_of: row.replay_of.clone(),
            is_forgotten: false,
            span: (row.message.span.offset, row.message.span.length),
        });
    }
    found
}

#[cfg(test)]
mod tests;
