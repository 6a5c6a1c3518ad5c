//! Copies past the last shared id: a prompt that was never answered, an error that the client wrote.
//!
//! Such messages have no id that two threads could share, and a person may say the same thing twice. So a
//! message past the shared history counts as copied only if three things hold: the message before it is
//! copied; the original goes on with the same parts; and its time shows that it was not said anew, as it is
//! that of the original, or that at which the client wrote the whole copy. The original must have said it
//! at another moment than what comes before: clients that write no times prove nothing.

use hyp_model::row::Key;

use crate::rows::Part;

/// A message of a thread.
struct Message {
    index: i32,
    created_at: i64,
    keys: Vec<Key>,
}

/// Returns the last message of a thread that is copied.
///
/// `end` is the last message with a shared id; `originals` are the earlier threads that share it, each with
/// its own last message that has a shared id. All parts are in order.
pub(crate) fn copied_to<'a>(
    parts: impl Iterator<Item = &'a Part>,
    end: i32,
    originals: impl Iterator<Item = (&'a [Part], i32)>,
) -> i32 {
    let messages = messages(parts, end);
    let (shared, mine) = match messages.split_first() {
        Some((first, rest)) if first.index == end => (Some(first.created_at), rest),
        _ => (None, &messages[..]),
    };
    if mine.is_empty() {
        return end;
    }
    originals.map(|(parts, at)| goes_on(mine, end, shared, parts, at)).max().unwrap_or(end)
}

fn goes_on(mine: &[Message], end: i32, shared: Option<i64>, parts: &[Part], at: i32) -> i32 {
    let theirs = messages(parts.iter(), at);
    let Some((before, theirs)) = theirs.split_first().filter(|(first, _)| first.index == at) else {
        return end;
    };
    let mut theirs = theirs.iter();
    let mut last = end;
    for mine in mine {
        let is_copied = theirs.any(|theirs| {
            theirs.keys == mine.keys
                && theirs.created_at != before.created_at
                && (mine.created_at == theirs.created_at || Some(mine.created_at) == shared)
        });
        if !is_copied {
            break;
        }
        last = mine.index;
    }
    last
}

/// Returns the messages from an index on.
fn messages<'a>(parts: impl Iterator<Item = &'a Part>, from: i32) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for part in parts.filter(|part| part.message_index >= from) {
        match messages.last_mut() {
            Some(last) if last.index == part.message_index => last.keys.push(part.said_key),
            _ => messages.push(Message {
                index: part.message_index,
                created_at: part.created_at,
                keys: vec![part.said_key],
            }),
        }
    }
    messages
}
