//! Threads that share history: who holds which response or call, and how far two threads go together.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use hyp_model::ids::{is_of_world, of_part};
use hyp_model::judge::{Candidate, ThreadFacts};
use hyp_model::row::Key;
use rusqlite::{Connection, params};

use crate::beginnings::{self, Copied};
use crate::error::StoreError;
use crate::graves::{self, Grave};
use crate::judge::Sighting;
use crate::own::Place;
use crate::threads::Number;
use crate::writer::Writer;

/// How ids of messages begin that the model's API gave.
const OF_API: &str = "msg_";

/// What was judged and is not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) threads: Vec<(Number, ThreadFacts)>,
    pub(crate) sightings: Vec<Sighting>,
    claims: HashMap<Key, Vec<(Number, i32)>>,
    kin: BTreeSet<(Number, Number)>,
    /// How much threads can have copied, in the order in which it was learnt.
    pub(crate) copied: Vec<(Number, Copied)>,
    /// Rows that came as copies, whatever the store says of them.
    pub(crate) own_copies: Vec<String>,
    /// Rows that came as copies once, and no longer do.
    pub(crate) no_copies: Vec<String>,
    /// Parts that were only seen in a place and now have their row there: part, thread, input.
    pub(crate) no_sightings: Vec<(String, String, String)>,
    /// Rows that an earlier thread's message takes the id of, though it is another one.
    pub(crate) displaced: Vec<String>,
    /// Parts that are purged, in each thread that holds or saw them.
    pub(crate) graves: Vec<Grave>,
    /// Pairs of threads that saw one part.
    pub(crate) seen_with: BTreeSet<(Number, Number)>,
    /// Threads that saw parts of others since the last judgement began.
    pub(crate) seen_again: BTreeSet<Number>,
}

/// Threads that share keys: for each pair, the last message of the first with a key of both.
#[derive(Debug, Default)]
pub(crate) struct Kin {
    last: BTreeMap<(Number, Number), i32>,
}

impl Kin {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT thread, other, last_index FROM kin")?;
        let pairs = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        Ok(Self { last: pairs.collect::<rusqlite::Result<_>>()? })
    }

    /// Raises a pair; true when that changed something.
    fn raise(&mut self, thread: Number, other: Number, index: i32) -> bool {
        match self.last.get_mut(&(thread, other)) {
            Some(last) if *last >= index => false,
            Some(last) => {
                *last = index;
                true
            }
            None => {
                self.last.insert((thread, other), index);
                true
            }
        }
    }

    /// Returns the last message of a thread that has a key of both.
    pub(crate) fn last(&self, thread: Number, other: Number) -> Option<i32> {
        self.last.get(&(thread, other)).copied()
    }

    /// Returns the relatives of a thread, each with the last message of the thread that has a key of both.
    pub(crate) fn of(&self, thread: Number) -> impl Iterator<Item = (Number, i32)> + '_ {
        let all = (thread, Number::MIN)..=(thread, Number::MAX);
        self.last.range(all).map(|((_, other), last)| (*other, *last))
    }
}

impl Pending {
    /// Returns the pairs of threads that are joined by what was judged.
    pub(crate) fn links(&self) -> impl Iterator<Item = (Number, Number)> + '_ {
        self.kin.iter().chain(&self.seen_with).copied()
    }

    /// Writes what was judged, and forgets it.
    pub(crate) fn flush(&self, connection: &Connection, kin: &Kin) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "INSERT INTO claims VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
             SET last_index = max(last_index, excluded.last_index)",
        )?;
        let mut claims: Vec<_> = self.claims.iter().collect();
        claims.sort_unstable_by_key(|(key, _)| **key);
        for (key, threads) in claims {
            for (thread, index) in threads {
                statement.execute(params![key.0.as_slice(), thread, index])?;
            }
        }
        let mut statement = connection.prepare("INSERT OR REPLACE INTO kin VALUES (?1, ?2, ?3)")?;
        for pair in &self.kin {
            statement.execute(params![pair.0, pair.1, kin.last.get(pair)])?;
        }
        let mut statement = connection.prepare("INSERT OR IGNORE INTO own_copies VALUES (?1)")?;
        for part_id in &self.own_copies {
            statement.execute([part_id])?;
        }
        let mut statement = connection.prepare("DELETE FROM own_copies WHERE part_id = ?1")?;
        for part_id in &self.no_copies {
            statement.execute([part_id])?;
        }
        let mut statement = connection.prepare(
            "DELETE FROM sightings WHERE part_id = ?1 AND thread_id = ?2 AND input_id = ?3",
        )?;
        for (part, thread, input) in &self.no_sightings {
            statement.execute([part, thread, input])?;
        }
        beginnings::put(connection, &self.copied)?;
        graves::put(connection, &self.graves)?;
        put_sightings(connection, &self.sightings)
    }
}

/// Writes where parts were seen.
pub(crate) fn put_sightings(
    connection: &Connection,
    sightings: &[Sighting],
) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare("INSERT OR REPLACE INTO sightings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for sighting in sightings {
        statement.execute(params![
            sighting.thread_id,
            sighting.part_id,
            sighting.input_id,
            sighting.said_key.0.as_slice(),
            sighting.message_index,
            crate::ledger::number(sighting.span.0),
            crate::ledger::number(sighting.span.1)
        ])?;
    }
    Ok(())
}

/// Returns the keys of a part: of its response, its call and its message, where their ids are of the world. That of a
/// message is where the model's API gave it.
pub(crate) fn keys(
    part_id: &str,
    response: Option<&str>,
    call: Option<&str>,
) -> impl Iterator<Item = Key> + use<> {
    let key = |kind, id: Option<&str>| {
        let id = id.filter(|id| is_of_world(id))?;
        Some(Key::of(format!("{kind}:{id}").as_bytes()))
    };
    let message = Some(of_part(part_id).0).filter(|id| id.starts_with(OF_API));
    [key("response", response), key("call", call), key("message", message)].into_iter().flatten()
}

/// Returns the keys of a row that arrives.
pub(crate) fn of_row(row: &Candidate) -> impl Iterator<Item = Key> + use<> {
    keys(&row.part_id, row.response_id.as_deref(), row.call_id.as_deref())
}

impl Writer {
    /// Says whether one of some threads has a key.
    pub(crate) fn is_claimed(
        &self,
        key: Key,
        by: impl Fn(Number) -> bool,
    ) -> Result<bool, StoreError> {
        if let Some(claims) = self.pending.claims.get(&key) {
            return Ok(claims.iter().any(|(thread, _)| by(*thread)));
        }
        let claims = || -> rusqlite::Result<Vec<Number>> {
            let mut select =
                self.catalog.connection.prepare("SELECT thread FROM claims WHERE key = ?1")?;
            select.query_map([key.0.as_slice()], |row| row.get(0))?.collect()
        };
        let claims = claims().map_err(|error| self.catalog.error(error))?;
        Ok(claims.into_iter().any(by))
    }

    /// Notes the keys of a chunk; returns the threads that share more with one another than before.
    pub(crate) fn claim(
        &mut self,
        rows: &[Candidate],
        places: &[Place],
    ) -> Result<BTreeSet<Number>, StoreError> {
        let mut last: BTreeMap<(Key, Number), i32> = BTreeMap::new();
        for (row, place) in rows.iter().zip(places) {
            // What a recording tells twice says nothing of what it shares with others.
            if place.thread == 0 || row.replay_of.is_some() {
                continue;
            }
            for key in of_row(row) {
                let index = last.entry((key, place.thread)).or_insert(row.message_index);
                *index = row.message_index.max(*index);
            }
        }
        let catalog = &self.catalog;
        // One read transaction for all lookups: without it, each one takes and drops SQLite's lock.
        let reading =
            catalog.connection.unchecked_transaction().map_err(|error| catalog.error(error))?;
        let mut select = reading
            .prepare("SELECT thread, last_index FROM claims WHERE key = ?1")
            .map_err(|error| catalog.error(error))?;
        let mut touched = BTreeSet::new();
        for ((key, thread), index) in last {
            if let Entry::Vacant(entry) = self.pending.claims.entry(key) {
                let found = select
                    .query_map([key.0.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .and_then(Iterator::collect::<rusqlite::Result<Vec<(Number, i32)>>>)
                    .map_err(|error| catalog.error(error))?;
                entry.insert(found);
            }
            let Some(claims) = self.pending.claims.get_mut(&key) else { continue };
            match claims.iter_mut().find(|(other, _)| *other == thread) {
                Some((_, last)) if *last >= index => continue,
                Some((_, last)) => *last = index,
                None => claims.push((thread, index)),
            }
            for (other, theirs) in claims.iter().filter(|(other, _)| *other != thread) {
                let mut is_new = false;
                for (pair, index) in [((thread, *other), index), ((*other, thread), *theirs)] {
                    if self.kin.raise(pair.0, pair.1, index) {
                        self.pending.kin.insert(pair);
                        is_new = true;
                    }
                }
                if is_new {
                    touched.extend([thread, *other]);
                }
            }
        }
        Ok(touched)
    }
}
