//! Tells copies under new ids from originals.
//!
//! Threads that share the id of a response or call share history. Of two such threads the later one
//! begins with a copy, and its copy ends at the last message with a shared id. The answer is the same in
//! whatever order threads arrive: what an arriving thread shows of stored ones is corrected in the store.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use hyp_model::judge::{Candidate, ThreadFacts, Verdict};
use hyp_model::row::Key;
use rusqlite::{Connection, params};

use crate::error::StoreError;
use crate::judge::{Change, Correction, Judgement, Sighting};
use crate::own::Place;
use crate::rows::{self, Part};
use crate::threads::Number;
use crate::writer::Writer;

/// Ids shorter than this are no ids of the world: some gateways count `call_0`, `call_1` anew each time.
const LEAST_ID: usize = 12;

/// What was judged and is not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) threads: Vec<(Number, ThreadFacts)>,
    pub(crate) sightings: Vec<Sighting>,
    claims: HashMap<Key, Vec<(Number, i32)>>,
    kin: BTreeSet<(Number, Number)>,
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

    fn of(&self, thread: Number) -> impl Iterator<Item = (Number, i32)> + '_ {
        let all = (thread, Number::MIN)..=(thread, Number::MAX);
        self.last.range(all).map(|((_, other), last)| (*other, *last))
    }
}

impl Pending {
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

/// The first row with each said key, per thread.
type Originals = HashMap<Number, HashMap<Key, (i32, i32, String)>>;

/// A chunk while it is being looked at.
struct Chunk<'a> {
    rows: &'a [Candidate],
    by_thread: BTreeMap<Number, Vec<usize>>,
    /// Stored rows that a row of the chunk replaces.
    replaced: HashSet<&'a str>,
}

impl Writer {
    /// Marks the copies that a chunk holds or brings to light.
    pub(crate) fn trace_copies(
        &mut self,
        rows: &[Candidate],
        places: &[Place],
        judgement: &mut Judgement,
    ) -> Result<(), StoreError> {
        let touched = self.claim(rows, places)?;
        let mut chunk = Chunk { rows, by_thread: BTreeMap::new(), replaced: HashSet::new() };
        for (at, row) in rows.iter().enumerate() {
            if judgement.verdicts[at] != Verdict::Stored {
                chunk.by_thread.entry(places[at].thread).or_default().push(at);
            }
            if judgement.verdicts[at] == Verdict::TakeOver {
                chunk.replaced.insert(row.part_id.as_str());
            }
        }
        let affected: BTreeSet<Number> =
            chunk.by_thread.keys().copied().chain(touched.iter().copied()).collect();
        let mut originals = Originals::new();
        for thread in affected {
            let mut earlier: Vec<(Number, i32)> = self
                .kin
                .of(thread)
                .filter(|(other, _)| self.threads.is_earlier(*other, thread))
                .collect();
            let Some(end) = earlier.iter().map(|(_, last)| *last).max() else { continue };
            earlier.sort_by(|(a, _), (b, _)| self.threads.order(*a, *b));
            for (other, _) in &earlier {
                if !originals.contains_key(other) {
                    let found = self.originals_of(*other, &chunk)?;
                    originals.insert(*other, found);
                }
            }
            let original = |key: &Key| {
                let maps = earlier.iter().filter_map(|(other, _)| originals.get(other));
                maps.filter_map(|map| map.get(key)).map(|(_, _, id)| id.clone()).next()
            };
            for at in chunk.by_thread.get(&thread).into_iter().flatten() {
                let row = &rows[*at];
                if row.message_index > end {
                    continue;
                }
                let replay_of = original(&row.said_key);
                if judgement.verdicts[*at] == Verdict::Write {
                    judgement.verdicts[*at] = Verdict::WriteReplay { replay_of };
                } else {
                    let change = Change::MarkReplay { replay_of };
                    judgement.corrections.push(Correction { part_id: row.part_id.clone(), change });
                }
            }
            if touched.contains(&thread) {
                for part in self.stored(thread, &chunk)? {
                    let replay_of = original(&part.said_key);
                    let is_told = replay_of.is_none() || replay_of == part.replay_of;
                    if part.message_index > end || (part.is_replay && is_told) {
                        continue;
                    }
                    let change = Change::MarkReplay { replay_of };
                    judgement.corrections.push(Correction { part_id: part.part_id, change });
                }
            }
        }
        Ok(())
    }

    /// Notes the keys of a chunk; returns the threads that now may begin with more of a copy.
    fn claim(
        &mut self,
        rows: &[Candidate],
        places: &[Place],
    ) -> Result<BTreeSet<Number>, StoreError> {
        let mut last: BTreeMap<(Key, Number), i32> = BTreeMap::new();
        for (row, place) in rows.iter().zip(places) {
            if place.thread == 0 {
                continue;
            }
            for (kind, id) in [("response", &row.response_id), ("call", &row.call_id)] {
                let Some(id) = id.as_deref().filter(|id| id.len() >= LEAST_ID) else { continue };
                let key = Key::of(format!("{kind}:{id}").as_bytes());
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
                    let is_first = self.threads.is_earlier(thread, *other);
                    touched.insert(if is_first { *other } else { thread });
                }
            }
        }
        Ok(touched)
    }

    /// Reads a thread's stored rows, without those that the chunk replaces.
    fn stored(&self, thread: Number, chunk: &Chunk<'_>) -> Result<Vec<Part>, StoreError> {
        let Some(known) = self.threads.get(thread) else { return Ok(Vec::new()) };
        let mut parts = rows::of_thread(&self.table.data, known)?;
        parts.retain(|part| !chunk.replaced.contains(part.part_id.as_str()));
        Ok(parts)
    }

    /// Returns the parts that a thread said or saw first, whosever row they are.
    fn originals_of(
        &self,
        thread: Number,
        chunk: &Chunk<'_>,
    ) -> Result<HashMap<Key, (i32, i32, String)>, StoreError> {
        let Some(known) = self.threads.get(thread) else { return Ok(HashMap::new()) };
        let seen = |said_key, message_index, part_id: String| {
            (said_key, (message_index, part_index(&part_id), part_id))
        };
        let mut parts: Vec<_> = rows::of_thread(&self.table.data, known)?
            .into_iter()
            .map(|part| seen(part.said_key, part.message_index, part.part_id))
            .collect();
        let elsewhere = sightings_of(&self.catalog.connection, &known.thread_id)
            .map_err(|error| self.catalog.error(error))?;
        parts.extend(elsewhere.into_iter().map(|(key, index, id)| seen(key, index, id)));
        let pending = &self.pending.sightings;
        parts.extend(
            pending
                .iter()
                .filter(|sighting| sighting.thread_id == known.thread_id)
                .map(|it| seen(it.said_key, it.message_index, it.part_id.clone())),
        );
        parts.extend(chunk.by_thread.get(&thread).into_iter().flatten().map(|at| {
            let row = &chunk.rows[*at];
            seen(row.said_key, row.message_index, row.part_id.clone())
        }));
        let mut first = HashMap::new();
        for (key, place) in parts {
            let least = first.entry(key).or_insert_with(|| place.clone());
            if place < *least {
                *least = place;
            }
        }
        Ok(first)
    }
}

/// Returns the parts that a thread saw and that are rows of others.
fn sightings_of(
    connection: &Connection,
    thread_id: &str,
) -> rusqlite::Result<Vec<(Key, i32, String)>> {
    connection
        .prepare("SELECT said_key, message_index, part_id FROM sightings WHERE thread_id = ?1")?
        .query_map([thread_id], |row| Ok((Key(row.get(0)?), row.get(1)?, row.get(2)?)))?
        .collect()
}

/// Returns the part's position in its message, which ends its id.
fn part_index(part_id: &str) -> i32 {
    part_id.rsplit_once('#').and_then(|(_, index)| index.parse().ok()).unwrap_or_default()
}
