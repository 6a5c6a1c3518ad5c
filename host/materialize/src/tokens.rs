//! Tokens of a response on a row, and what becomes of them in a copy.

use hyp_model::event::Usage;
use hyp_model::row::Row;
use hyp_model::usage;

/// Tokens that no response has: more is a damaged number.
const TOO_MANY: u64 = 1 << 40;

/// Takes out counts that are not believed; says whether there were any.
pub(crate) fn disbelieve(usage: &mut Usage) -> bool {
    let Usage { input, output, cache_read, cache_write, cache_write_1h, reasoning, total } = usage;
    let mut is_doubtful = false;
    for count in [input, output, cache_read, cache_write, cache_write_1h, reasoning, total] {
        is_doubtful |= count.take_if(|count| *count >= TOO_MANY).is_some();
    }
    is_doubtful
}

/// Puts the tokens of a response on a row, in place of those that it has.
///
/// For tokens that were learnt after the row was handed out.
pub fn with_usage(row: &mut Row, tokens: Usage) {
    let attributes = row.attributes.as_deref().unwrap_or("{}");
    row.attributes = Some(usage::put(attributes, &tokens, row.is_replay));
    if !row.is_replay {
        row.usage = Some(tokens);
    }
}

/// Makes a row a copy of `replay_of`: its tokens stay readable, and no longer count.
pub fn as_replay(row: &mut Row, replay_of: Option<String>) {
    row.is_replay = true;
    row.replay_of = replay_of.or(row.replay_of.take());
    if let Some(tokens) = row.usage.take() {
        let attributes = row.attributes.as_deref().unwrap_or("{}");
        row.attributes = Some(usage::put(attributes, &tokens, true));
    }
}

/// Makes a row that came as a copy an original: its tokens count.
pub fn as_original(row: &mut Row) {
    row.is_replay = false;
    row.usage = row.attributes.as_deref().and_then(usage::of_copy);
    if let (Some(attributes), Some(tokens)) = (&row.attributes, &row.usage) {
        row.attributes = Some(usage::put(attributes, tokens, false));
    }
}
