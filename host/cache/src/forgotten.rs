//! What is never imported again: rules, as hashes of what they are about.

use std::collections::{BTreeSet, HashMap};

use hyp_model::row::Key;
use rusqlite::{Connection, params};

use crate::purge::{Purge, Selector};

/// What becomes of something that was purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is left out, and copies of it elsewhere are what they would be without it.
    Alone,
    /// It is left out, and so are copies of it.
    WithCopies,
}

/// What a message is told by, but for its time.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Name of the hyp provider that read it.
    pub provider: &'a str,
    /// Names of the session: its own id, that of its thread, those of the threads that started it.
    pub sessions: &'a [&'a str],
    /// Working directory of the message.
    pub cwd: Option<&'a str>,
}

/// What becomes of something, and the last moment that it holds for.
type Rule = (Fate, Option<i64>);

/// Rules of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    rules: HashMap<Key, Vec<Rule>>,
}

/// The rules for messages that are told by the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fates(Vec<Rule>);

const ALL: &str = "all";
const BEFORE: &str = "before";
const PROVIDER: &str = "provider";
const SESSION: &str = "session";
const PATH: &str = "path";

impl Forgotten {
    /// Says whether nothing was ever purged.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the rules that hold for messages.
    pub fn fates(&self, told: Told<'_>) -> Fates {
        if self.rules.is_empty() {
            return Fates::default();
        }
        let named = [ALL, BEFORE].into_iter().map(|kind| (kind, ""));
        let named = named.chain([(PROVIDER, told.provider)]);
        let named = named.chain(told.sessions.iter().map(|id| (SESSION, *id)));
        let paths = told.cwd.into_iter().flat_map(ancestors).map(|path| (PATH, path));
        let found = named.chain(paths).filter_map(|(kind, name)| self.rules.get(&key(kind, name)));
        Fates(found.flatten().copied().collect())
    }

    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT key, keeps_copies, until FROM forgotten")?;
        let mut rows = statement.query([])?;
        let mut forgotten = Self::default();
        while let Some(row) = rows.next()? {
            let fate = if row.get(1)? { Fate::Alone } else { Fate::WithCopies };
            forgotten.rules.entry(Key(row.get(0)?)).or_default().push((fate, row.get(2)?));
        }
        Ok(forgotten)
    }
}

impl Fates {
    /// Says what becomes of a message of some time; none where it was not purged.
    pub fn at(&self, created_at: i64) -> Option<Fate> {
        let applies = |rule: &&Rule| rule.1.is_none_or(|until| created_at <= until);
        self.0.iter().filter(applies).map(|(fate, _)| *fate).max()
    }
}

/// Writes the rules of a purge; those that are about times hold for messages until `now`.
///
/// `threads` are those that go with the sessions that are asked for.
pub(crate) fn put<'a>(
    connection: &Connection,
    purge: &'a Purge,
    threads: impl Iterator<Item = &'a str>,
    now: i64,
) -> rusqlite::Result<()> {
    let rules: Vec<(&str, &str, Option<i64>)> = match &purge.what {
        Selector::All => vec![(ALL, "", Some(now))],
        Selector::Before(time) => vec![(BEFORE, "", Some(time.saturating_sub(1)))],
        Selector::Provider(name) => vec![(PROVIDER, name, Some(now))],
        Selector::Sessions(ids) => {
            let names: BTreeSet<&str> = ids.iter().map(String::as_str).chain(threads).collect();
            names.into_iter().map(|id| (SESSION, id, None)).collect()
        }
        Selector::Paths(paths) => {
            paths.iter().map(|path| (PATH, trimmed(path), Some(now))).collect()
        }
    };
    for (kind, name, until) in rules {
        connection
            .prepare(
                "INSERT INTO forgotten VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET
                 until = CASE WHEN until IS NULL OR excluded.until IS NULL THEN NULL
                              ELSE max(until, excluded.until) END",
            )?
            .execute(params![kind, key(kind, name).0, purge.keeps_copies, until])?;
    }
    Ok(())
}

fn key(kind: &str, name: &str) -> Key {
    Key::of(format!("{kind}\0{name}").as_bytes())
}

/// Says whether a folder is another one or lies below it.
pub(crate) fn is_below(folder: &str, top: &str) -> bool {
    let (folder, top) = (trimmed(folder), trimmed(top));
    folder.strip_prefix(top).is_some_and(|rest| rest.is_empty() || is_separator(rest, 0))
        || top == "/" && folder.starts_with('/')
}

/// Returns a folder and all above it.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    let folder = trimmed(folder);
    let ends = (1..folder.len()).filter(|at| is_separator(folder, *at)).map(|at| &folder[..at]);
    let root = folder.starts_with('/').then_some("/").filter(|_| folder != "/");
    ends.chain(root).chain([folder])
}

fn is_separator(path: &str, at: usize) -> bool {
    matches!(path.as_bytes()[at], b'/' | b'\\')
}

fn trimmed(path: &str) -> &str {
    let trimmed = path.trim_end_matches(['/', '\\']);
    if trimmed.is_empty() { "/" } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_at_or_below_another() {
        #[rustfmt::skip]
        let cases = [
            ("/w/a",    "/w/a",   true),
            ("/w/a/b/", "/w/a",   true),
            ("/w/ab",   "/w/a",   false),
            ("/w",      "/w/a",   false),
            ("/w/a",    "/",      true),
            ("/",       "/",      true),
            ("C:\\w\\a", "C:\\w", true),
            ("w/a",     "/",      false),
        ];
        for (folder, top, expect) in cases {
            assert_eq!(is_below(folder, top), expect, "{folder} {top}");
            let is_among = ancestors(folder).any(|path| path == trimmed(top));
            assert_eq!(is_among, expect, "{folder} {top}");
        }
    }
}
