//! Tells copies under new ids from originals.
//!
//! Threads that share the id of a response or call share history. Of two such threads the later one
//! begins with a copy, and its copy ends at the last message with a shared id, or goes on past it as
//! [`tail`] says; what stands between copies and has ids that no earlier thread knows is none. Where a
//! recording says itself what it copied, that counts as long as its origin is stored: without it, the copy may
//! be the only one there is. The answer is the same in whatever order threads arrive: what an arriving thread
//! shows of stored ones is corrected in the store.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

use hyp_model::ids::of_part;
use hyp_model::judge::{Candidate, Verdict};
use hyp_model::row::Key;
use rusqlite::Connection;

use crate::burial::Burial;
use crate::error::StoreError;
use crate::judge::{Change, Correction, Judgement};
use crate::own::Place;
use crate::rows::{self, Part};
use crate::standing::{Outcome, Standing, Told};
use crate::threads::Number;
use crate::untold::Untold;
use crate::writer::Writer;
use crate::{kin, tail};

/// A chunk while it is being looked at.
pub(crate) struct Chunk<'a> {
    rows: &'a [Candidate],
    /// Rows that will be written, by thread.
    by_thread: BTreeMap<Number, Vec<usize>>,
    /// Stored rows of other threads that a row of the chunk replaces.
    taken: HashSet<&'a str>,
    /// Stored rows that the same recording now tells otherwise.
    refreshed: HashSet<&'a str>,
    /// Stored rows that their recording tells no longer.
    gone: HashSet<&'a str>,
    /// Threads that may be earlier than some of their relatives now, or later.
    turned: BTreeSet<Number>,
    /// True where threads may have lost all their relatives.
    is_left: bool,
}

/// A part of a thread that is being traced: stored, or a row of the chunk.
struct Traced {
    part: Part,
    in_chunk: Option<usize>,
}

/// What decides about the parts of a thread.
struct Course {
    /// The relatives before it with the last message that it shares with each, in order.
    earlier: Vec<(Number, i32)>,
    /// The last message that any of them has as well.
    shared: i32,
    /// The messages that are copies, but for what stands between them for itself.
    copied: RangeInclusive<i32>,
    is_fork: bool,
    /// What it says that it comes from is stored, or it says nothing.
    has_origin: bool,
}

/// What was read of threads while a chunk is traced.
#[derive(Default)]
struct Looked {
    originals: HashMap<Number, HashMap<Key, (i32, i32, String)>>,
    parts: HashMap<Number, Vec<Part>>,
    burial: Burial,
}

impl Looked {
    /// Returns the part of the earliest thread that said or saw the same.
    fn original(&self, key: &Key, earlier: &[(Number, i32)]) -> Option<&str> {
        let mut maps = earlier.iter().filter_map(|(other, _)| self.originals.get(other));
        maps.find_map(|map| map.get(key)).map(|(_, _, id)| id.as_str())
    }

    /// Says whether earlier threads have the call that a part is of.
    fn has_call(&self, part: &Part, earlier: &[(Number, i32)]) -> bool {
        let mut parts = earlier.iter().filter_map(|(other, _)| self.parts.get(other)).flatten();
        parts.any(|it| part.keys.iter().any(|key| it.keys.contains(key)))
    }
}

impl<'a> Chunk<'a> {
    fn new(rows: &'a [Candidate], places: &[Place], verdicts: &[Verdict]) -> Self {
        let (by_thread, taken, refreshed, gone, turned) = Default::default();
        let mut chunk = Self { rows, by_thread, taken, refreshed, gone, turned, is_left: false };
        for (at, row) in rows.iter().enumerate() {
            if verdicts[at].is_written() {
                chunk.by_thread.entry(places[at].thread).or_default().push(at);
            }
            match verdicts[at] {
                Verdict::TakeOver => chunk.taken.insert(row.part_id.as_str()),
                Verdict::Refresh => chunk.refreshed.insert(row.part_id.as_str()),
                _ => false,
            };
        }
        chunk
    }

    /// Says whether a stored copy loses what it was copied from.
    fn has_lost(&self, original: &str, in_chunk: Option<usize>) -> bool {
        let is_gone = self.gone.contains(original);
        in_chunk.is_none() && (is_gone || self.is_left && self.refreshed.contains(original))
    }

    /// Says whether a thread says of rows here that they are copies of another one's.
    fn has_copies(&self, thread: Number) -> bool {
        let mut rows = self.by_thread.get(&thread).into_iter().flatten();
        rows.any(|at| self.rows[*at].is_copy_of_another())
    }

    /// Says whether a stored row counts for its thread no longer, or as the chunk has it.
    fn has_replaced(&self, part_id: &str) -> bool {
        self.refreshed.contains(part_id) || self.gone.contains(part_id)
    }

    /// Returns the rows of a thread.
    fn of(&self, thread: Number) -> impl Iterator<Item = Traced> + '_ {
        self.by_thread.get(&thread).into_iter().flatten().map(|at| {
            let row = &self.rows[*at];
            let part = Part {
                part_id: row.part_id.clone(),
                message_index: row.message_index,
                part_index: of_part(&row.part_id).1,
                said_key: row.said_key,
                created_at: row.created_at,
                is_replay: row.is_replay,
                replay_of: None,
                keys: kin::of_row(row).collect(),
                is_of_call: row.call_id.is_some() && row.response_id.is_none(),
            };
            Traced { part, in_chunk: Some(*at) }
        })
    }
}

impl Writer {
    /// Marks the copies that a chunk holds or brings to light, and unmarks those that turn out original.
    ///
    /// `moved` are threads that are earlier or later than others since this chunk, or whose origin came with it.
    pub(crate) fn trace_copies(
        &mut self,
        rows: &[Candidate],
        places: &[Place],
        moved: &BTreeSet<Number>,
        (burial, gone): (Burial, &[&Untold]),
        judgement: &mut Judgement,
    ) -> Result<Burial, StoreError> {
        let mut changed = self.claim(rows, places)?;
        let mut chunk = Chunk::new(rows, places, &judgement.verdicts);
        for thread in moved {
            chunk.turned.extend(self.kin.of(*thread).map(|(other, _)| other));
        }
        chunk.turned.extend(moved);
        changed.extend(&chunk.turned);
        chunk.gone = gone.iter().map(|row| row.part_id.as_str()).collect();
        let mut affected = changed.clone();
        // What a thread says, saw or no longer says decides about copies of it.
        let news = chunk.by_thread.keys().chain(&self.pending.seen_again).copied();
        let news = news.chain(gone.iter().map(|row| row.thread));
        for thread in news {
            let later = self.kin.of(thread).map(|(other, _)| other);
            affected.extend(later.filter(|other| self.threads.is_earlier(thread, *other)));
            affected.insert(thread);
        }
        let mut looked = Looked { burial, ..Looked::default() };
        for thread in affected {
            let is_changed = changed.contains(&thread);
            self.trace(thread, is_changed, &chunk, &mut looked, judgement)?;
        }
        Ok(looked.burial)
    }

    /// Judges copies again that lose what they were copied from: rows in `gone` count for no thread any more.
    pub(crate) fn trace_left(
        &self,
        rows: &[Candidate],
        places: &[Place],
        gone: HashSet<&str>,
        threads: &BTreeSet<Number>,
        judgement: &mut Judgement,
    ) -> Result<(), StoreError> {
        judgement.verdicts = vec![Verdict::TakeOver; rows.len()];
        let mut chunk = Chunk { rows, refreshed: gone, is_left: true, ..Chunk::new(&[], &[], &[]) };
        for (at, place) in places.iter().enumerate() {
            chunk.by_thread.entry(place.thread).or_default().push(at);
        }
        let mut looked = Looked::default();
        for thread in threads {
            self.trace(*thread, true, &chunk, &mut looked, judgement)?;
        }
        Ok(())
    }

    fn trace(
        &self,
        thread: Number,
        is_changed: bool,
        chunk: &Chunk<'_>,
        looked: &mut Looked,
        judgement: &mut Judgement,
    ) -> Result<(), StoreError> {
        let Some(earlier) = self.earlier(thread, is_changed, chunk) else { return Ok(()) };
        for (other, _) in &earlier {
            self.look_at(*other, chunk, looked)?;
        }
        let parts = self.parts_of(thread, chunk, &looked.burial)?;
        let course = self.course(thread, earlier, &parts, looked)?;
        let within = copied_within(&parts);
        let of_later = self.parts_of_later(thread, &parts, chunk)?;
        for Traced { mut part, in_chunk } in parts {
            let is_lost = |id: &mut String| chunk.has_lost(id, in_chunk) || of_later.contains(id);
            let lost = part.replay_of.take_if(is_lost);
            if lost.is_some() {
                let change = Change::NoOriginal;
                judgement.corrections.push(Correction { part_id: part.part_id.clone(), change });
            }
            let is_own_copy = match in_chunk {
                Some(at) => chunk.rows[at].is_copy_of_another(),
                None => {
                    let may_become = course.is_fork && (is_changed || !course.has_origin);
                    (part.is_replay || may_become) && self.is_own_copy(&part.part_id)?
                }
            };
            let original = looked.original(&part.said_key, &course.earlier).map(str::to_owned);
            // Copies of one thing that is not there are copies of the first of them.
            let is_told_copy = !course.has_origin && is_own_copy && original.is_some();
            let is_copy = self.is_within_copy(&part, &course, looked)? || is_told_copy;
            if is_copy && looked.burial.is_needed {
                if let Some(original) = original.as_ref().or(part.replay_of.as_ref()) {
                    looked.burial.link(&part.part_id, original);
                }
                if in_chunk.is_none() && looked.burial.is_grave(&part.part_id) {
                    continue;
                }
            }
            let told = match in_chunk {
                Some(at) => Told::Arriving(&judgement.verdicts[at]),
                None => Told::Stored {
                    is_replay: part.is_replay,
                    is_within: part.replay_of.as_ref().is_some_and(|id| within.contains(id)),
                    replay_of: part.replay_of,
                },
            };
            let has_origin = course.has_origin;
            let standing = Standing { told, is_copy, is_own_copy, has_origin, original };
            match (standing.outcome(), in_chunk) {
                (Outcome::Judged(verdict), Some(at)) => judgement.verdicts[at] = verdict,
                (Outcome::Corrected(change), _) => {
                    judgement.corrections.push(Correction { part_id: part.part_id, change });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the relatives before a thread with the last message that it shares with each, in order; nothing where
    /// nothing about the thread can have changed.
    fn earlier(
        &self,
        thread: Number,
        is_changed: bool,
        chunk: &Chunk<'_>,
    ) -> Option<Vec<(Number, i32)>> {
        let before = |other: &(Number, i32)| self.threads.is_earlier(other.0, thread);
        let mut earlier: Vec<(Number, i32)> = self.kin.of(thread).filter(before).collect();
        let is_alone =
            self.kin.of(thread).next().is_none() && !chunk.is_left && !self.threads.is_fork(thread);
        let is_orphan = !self.threads.has_origin(thread) && chunk.has_copies(thread);
        if earlier.is_empty() && !is_orphan && (!is_changed || is_alone) {
            return None;
        }
        earlier.sort_by(|(a, _), (b, _)| self.threads.order(*a, *b));
        Some(earlier)
    }

    /// Returns the parts of a thread, of the chunk and stored, in order.
    fn parts_of(
        &self,
        thread: Number,
        chunk: &Chunk<'_>,
        burial: &Burial,
    ) -> Result<Vec<Traced>, StoreError> {
        let mut stored = self.stored(thread, chunk)?;
        let (buried, _) = self.buried(thread, burial)?;
        stored.extend(buried);
        stored.retain(|part| !chunk.taken.contains(part.part_id.as_str()));
        let stored = stored.into_iter().map(|part| Traced { part, in_chunk: None });
        let mut parts: Vec<Traced> = chunk.of(thread).chain(stored).collect();
        parts.sort_by_key(|it| (it.part.message_index, it.part.part_index));
        Ok(parts)
    }

    fn course(
        &self,
        thread: Number,
        earlier: Vec<(Number, i32)>,
        parts: &[Traced],
        looked: &Looked,
    ) -> Result<Course, StoreError> {
        let shared = earlier.iter().map(|(_, last)| *last).max().unwrap_or(-1);
        let originals =
            earlier.iter().filter(|(_, last)| *last == shared).filter_map(|(other, _)| {
                let theirs = self.kin.last(*other, thread)?;
                Some((looked.parts.get(other)?.as_slice(), theirs))
            });
        let end = tail::copied_to(parts.iter().map(|it| &it.part), shared, originals);
        let is_said = |key: &Key| looked.original(key, &earlier).is_some();
        let own = self.own_beginning(parts, &earlier, is_said)?;
        Ok(Course {
            shared,
            copied: own + 1..=end,
            is_fork: self.threads.is_fork(thread),
            has_origin: self.threads.has_origin(thread),
            earlier,
        })
    }

    /// Says whether a part stands where its thread is a copy, and is none of what stands there for itself.
    fn is_within_copy(
        &self,
        part: &Part,
        course: &Course,
        looked: &Looked,
    ) -> Result<bool, StoreError> {
        if !course.copied.contains(&part.message_index) {
            return Ok(false);
        }
        let is_said = looked.original(&part.said_key, &course.earlier).is_some();
        // Beside the last thing that is shared may stand something that nobody said before.
        let is_added = part.message_index == course.shared && part.keys.is_empty() && !is_said;
        // Nor is the result of a call a copy where nobody had one before.
        let is_answer = part.is_of_call && !is_said && looked.has_call(part, &course.earlier);
        Ok(!is_added && !is_answer && !self.is_news(part, &course.earlier)?)
    }

    /// Returns the parts of relatives that come after a thread now, where parts of it may be told as copies of theirs.
    fn parts_of_later(
        &self,
        thread: Number,
        parts: &[Traced],
        chunk: &Chunk<'_>,
    ) -> Result<HashSet<String>, StoreError> {
        let mut found = HashSet::new();
        let is_told = |it: &Traced| it.in_chunk.is_none() && it.part.replay_of.is_some();
        if !chunk.turned.contains(&thread) || !parts.iter().any(is_told) {
            return Ok(found);
        }
        let others = self.kin.of(thread).map(|(other, _)| other);
        for later in others.filter(|other| self.threads.is_earlier(thread, *other)) {
            found.extend(self.stored(later, chunk)?.into_iter().map(|part| part.part_id));
            found.extend(chunk.of(later).map(|it| it.part.part_id));
        }
        Ok(found)
    }

    /// Returns the last message that a thread began with before all that it copied: an answer of its own, with nothing before
    /// it that earlier relatives have. -1 where it begins with copies, as a fork does.
    fn own_beginning(
        &self,
        parts: &[Traced],
        earlier: &[(Number, i32)],
        is_said: impl Fn(&Key) -> bool,
    ) -> Result<i32, StoreError> {
        let mut own = -1;
        for Traced { part, .. } in parts {
            if is_said(&part.said_key) {
                break;
            }
            if !part.keys.is_empty() {
                if !self.is_news(part, earlier)? {
                    break;
                }
                own = part.message_index;
            }
        }
        Ok(own)
    }

    /// Says whether a part has ids of the world that no earlier relative has: it stands between copies and
    /// is none.
    fn is_news(&self, part: &Part, earlier: &[(Number, i32)]) -> Result<bool, StoreError> {
        let mut is_news = false;
        for key in &part.keys {
            if self.is_claimed(*key, |thread| earlier.iter().any(|(other, _)| *other == thread))? {
                return Ok(false);
            }
            is_news = true;
        }
        Ok(is_news)
    }

    /// Reads a thread's stored rows, without those that the chunk tells anew.
    fn stored(&self, thread: Number, chunk: &Chunk<'_>) -> Result<Vec<Part>, StoreError> {
        let Some(known) = self.threads.get(thread) else { return Ok(Vec::new()) };
        let mut parts = rows::of_thread(&self.table.data, known)?;
        parts.retain(|part| !chunk.has_replaced(&part.part_id));
        Ok(parts)
    }

    /// Reads what a thread said, and which of its parts it said or saw first, whosever row they are.
    fn look_at(
        &self,
        thread: Number,
        chunk: &Chunk<'_>,
        looked: &mut Looked,
    ) -> Result<(), StoreError> {
        if looked.parts.contains_key(&thread) {
            return Ok(());
        }
        let Some(known) = self.threads.get(thread) else { return Ok(()) };
        let mut parts = self.stored(thread, chunk)?;
        let (buried, seen_buried) = self.buried(thread, &looked.burial)?;
        parts.extend(buried);
        let mut lost: Vec<Part> =
            parts.extract_if(.., |part| chunk.taken.contains(part.part_id.as_str())).collect();
        lost.extend(seen_buried);
        parts.extend(chunk.of(thread).map(|it| it.part));
        parts.sort_by_key(|part| (part.message_index, part.part_index));
        let seen = |said_key, message_index, part_id: String| {
            (said_key, (message_index, of_part(&part_id).1, part_id))
        };
        let said: Vec<_> = parts
            .iter()
            .chain(&lost)
            .map(|part| {
                (part.said_key, (part.message_index, part.part_index, part.part_id.clone()))
            })
            .collect();
        let elsewhere = sightings_of(&self.catalog.connection, &known.thread_id)
            .map_err(|error| self.catalog.error(error))?;
        let pending = self.pending.sightings.iter();
        let pending = pending
            .filter(|sighting| sighting.thread_id == known.thread_id)
            .map(|it| seen(it.said_key, it.message_index, it.part_id.clone()));
        let elsewhere = elsewhere.into_iter().map(|(key, index, id)| seen(key, index, id));
        let mut first = HashMap::new();
        for (key, place) in said.into_iter().chain(elsewhere).chain(pending) {
            let least = first.entry(key).or_insert_with(|| place.clone());
            if place < *least {
                *least = place;
            }
        }
        looked.originals.insert(thread, first);
        looked.parts.insert(thread, parts);
        Ok(())
    }

    /// Says whether a row came as a copy, before the store judged it.
    pub(crate) fn is_own_copy(&self, part_id: &str) -> Result<bool, StoreError> {
        self.catalog
            .connection
            .prepare("SELECT 1 FROM own_copies WHERE part_id = ?1")
            .and_then(|mut found| found.exists([part_id]))
            .map_err(|error| self.catalog.error(error))
    }
}

/// Returns the parts of a thread that others of its parts are copies of.
fn copied_within(parts: &[Traced]) -> HashSet<String> {
    let originals = parts.iter().filter_map(|it| it.part.replay_of.as_deref());
    let mut originals: HashSet<&str> = originals.collect();
    if !originals.is_empty() {
        let own: HashSet<&str> = parts.iter().map(|it| it.part.part_id.as_str()).collect();
        originals.retain(|id| own.contains(id));
    }
    originals.into_iter().map(str::to_owned).collect()
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
