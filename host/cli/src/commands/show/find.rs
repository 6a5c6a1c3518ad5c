//! Finds the thread that an id, or the start of one, stands for.

use super::COMMAND;
use crate::commands::ask::{self, Lake, Row};
use crate::failure::Failure;

/// Ids that are named where several fit.
const NAMED: usize = 4;

/// A thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Thread {
    pub(super) thread_id: String,
    pub(super) session_id: String,
    pub(super) client: String,
    pub(super) kind: String,
    pub(super) title: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) cwd: Option<String>,
    pub(super) first_at: Option<i64>,
    pub(super) last_at: Option<i64>,
    pub(super) messages: u64,
}

impl Thread {
    pub(super) fn of(row: &Row) -> Self {
        let text = |name| ask::text(row, name);
        Self {
            thread_id: text("thread_id").unwrap_or_default(),
            session_id: text("session_id").unwrap_or_default(),
            client: text("client_name").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            title: text("title"),
            parent: text("parent_thread_id"),
            cwd: text("cwd"),
            first_at: ask::long(row, "first"),
            last_at: ask::long(row, "last"),
            messages: ask::count(row, "messages"),
        }
    }
}

/// Returns all threads.
pub(super) fn all(lake: &Lake) -> Result<Vec<Thread>, Failure> {
    let rows = lake.rows(
        "select thread_id, session_id, client_name, kind, title, parent_thread_id, cwd, messages, \
           cast(first_at as bigint) as first, cast(last_at as bigint) as last \
         from sessions order by thread_id",
    )?;
    Ok(rows.iter().map(Thread::of).collect())
}

/// Returns the one thread that is meant.
pub(super) fn find(lake: &Lake, id: &str) -> Result<Thread, Failure> {
    let threads = all(lake)?;
    choose(&threads, id).cloned().map_err(|message| Failure::Refused { command: COMMAND, message })
}

fn choose<'a>(threads: &'a [Thread], id: &str) -> Result<&'a Thread, String> {
    if let Some(exact) = threads.iter().find(|thread| thread.thread_id == id) {
        return Ok(exact);
    }
    let fits = |thread: &&Thread| {
        let last = thread.thread_id.rsplit('/').next().unwrap_or_default();
        !id.is_empty() && (thread.thread_id.starts_with(id) || last.starts_with(id))
    };
    let found: Vec<&Thread> = threads.iter().filter(fits).collect();
    // A sub-agent's id may go on from its session's, which is the one that is meant then.
    let mut heads = found.iter().filter(|thread| {
        let is_below = |other: &&&Thread| {
            let below = thread.thread_id.strip_prefix(&other.thread_id);
            below.is_some_and(|below| below.starts_with('/'))
        };
        !found.iter().any(|other| is_below(&other))
    });
    match (heads.next(), heads.count()) {
        (None, _) => Err(format!("no session begins with `{id}`; `hyp sessions` lists them")),
        (Some(thread), 0) => Ok(thread),
        (Some(_), more) => {
            let names: Vec<_> =
                found.iter().take(NAMED).map(|thread| thread.thread_id.as_str()).collect();
            let rest = if found.len() > NAMED { ", …" } else { "" };
            Err(format!("{} sessions begin with `{id}`: {}{rest}", more + 1, names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_an_id_is_enough_where_no_other_has_it() {
        let threads = ["01a1fbd8-ed", "01a1fbd8-f5", "01a1fbd8-f5/agent-a1", "7e928a78"]
            .map(|id| Thread { thread_id: id.to_owned(), ..Thread::default() });
        let chosen = |id: &str| match choose(&threads, id) {
            Ok(thread) => thread.thread_id.clone(),
            Err(message) => message,
        };
        #[rustfmt::skip]
        let cases = [
            ("7e",                  "7e928a78"),
            ("01a1fbd8-f5",         "01a1fbd8-f5"),
            ("01a1fbd8-f",          "01a1fbd8-f5"),
            ("01a1fbd8-f5/a",       "01a1fbd8-f5/agent-a1"),
            ("agent-a1",            "01a1fbd8-f5/agent-a1"),
            ("01a1", "2 sessions begin with `01a1`: 01a1fbd8-ed, 01a1fbd8-f5, 01a1fbd8-f5/agent-a1"),
            ("zz",                  "no session begins with `zz`; `hyp sessions` lists them"),
            ("",                    "no session begins with ``; `hyp sessions` lists them"),
        ];
        for (id, expected) in cases {
            assert_eq!(chosen(id), expected, "{id}");
        }
    }
}
