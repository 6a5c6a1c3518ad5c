//! The client's own totals, in the words and the sense of our columns.

use hyp_sdk::Counter;

use crate::usage::Tokens;

/// Returns the totals of a thread: what its own responses cost by the client's count.
///
/// Names and sense are those of the columns, so that each is comparable with the sum over the thread's rows
/// that are no replays: `input_tokens` without what the cache gave or took, `cache_read_tokens`,
/// `cache_write_tokens` where there are some, `output_tokens` with the `reasoning_tokens` that are in them.
/// `total_tokens` is all input, cached too, and all output; the client's own word for that is not used, as it
/// becomes the size of the window when that is full. Compactions and the client's side requests count.
/// What a fork or a sub-agent took over from its parent does not. Where counting began again after a resume
/// (before 0.98), the totals until then are added, and so are those of other processes, and compactions that the
/// client's totals leave out. A client that tells no totals has no counters.
pub(crate) fn of(thread: &str, total: Tokens) -> Vec<Counter> {
    let usage = total.usage();
    let totals = [
        ("input_tokens", usage.input),
        ("cache_read_tokens", usage.cache_read),
        ("cache_write_tokens", usage.cache_write),
        ("output_tokens", usage.output),
        ("reasoning_tokens", usage.reasoning),
        ("total_tokens", Some(total.all())),
    ];
    let counter = |(name, value): (&str, Option<u64>)| {
        value.map(|value| Counter { thread_id: thread.to_owned(), name: name.to_owned(), value })
    };
    totals.into_iter().filter_map(counter).collect()
}
