//! Decides what becomes of rows before they are written: one row per id, and it is the earliest thread's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use hyp_model::event::{Fact, Usage};
use hyp_model::judge::{Candidate, ThreadFacts, Verdict};
use hyp_model::row::Key;

use crate::again::Again;
use crate::beginnings;
use crate::burial::Burial;
use crate::error::StoreError;
use crate::facts;
use crate::heir::Heir;
use crate::index::Hit;
use crate::own::{Place, Print};
use crate::rows;
use crate::threads::{Moved, Number};
use crate::untold::Untold;
use crate::writer::Writer;

/// Rows that were made and are not stored yet, as far as the store has to see them.
#[derive(Clone, Copy)]
pub struct Arriving<'a> {
    /// Latest state of the rows' threads.
    pub threads: &'a [ThreadFacts],
    /// What was said about threads, each with the thread that was open.
    pub facts: &'a [(String, Fact)],
    /// The rows, without their content.
    pub rows: &'a [Candidate],
    /// Stored rows that their recording tells no longer.
    pub untold: &'a [Untold],
    /// Returns the rows at some positions with all their columns, for the few that are compared.
    pub content: &'a dyn Fn(&[usize]) -> RecordBatch,
}

/// What the store says of a chunk.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// One verdict for each candidate.
    pub verdicts: Vec<Verdict>,
    /// What has to change in stored rows; goes into the chunk's commit.
    pub corrections: Vec<Correction>,
    /// Positions of rows that are stored with other tokens. What holds is known when their unit was read to
    /// its end: tokens of a response may be learnt late.
    pub other_tokens: Vec<usize>,
}

/// A change to a row that is stored, or that is in the chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// Id of the row.
    pub part_id: String,
    /// What becomes of it.
    pub change: Change,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// It turned out to be a copy: its tokens no longer count.
    MarkReplay {
        /// `part_id` of the original; where none is given, the known one stays.
        replay_of: Option<String>,
    },
    /// It turned out to be no copy: its tokens count again.
    Original,
    /// Tokens of its response, learnt after it was handed out.
    Usage(Usage),
    /// It stays a copy, of something that is gone.
    NoOriginal,
    /// It is purged: nothing takes its place.
    Forget,
    /// Its recording tells it no longer: it goes, and an undo brings it back.
    Withdraw,
    /// Its thread is purged, and another one that saw it has it from now on.
    HandOver(Box<Heir>),
}

impl Correction {
    /// Returns the correction of a row's tokens.
    pub fn usage(part_id: String, usage: Usage) -> Self {
        Self { part_id, change: Change::Usage(usage) }
    }
}

/// A part that was seen in another place than the one that has its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) part_id: String,
    pub(crate) said_key: Key,
    pub(crate) message_index: i32,
    pub(crate) thread_id: String,
    pub(crate) input_id: String,
    pub(crate) span: (u64, u64),
}

/// A row that is stored under the id of an arriving one.
struct Held {
    /// Position of the arriving row.
    at: usize,
    place: Place,
    /// Where it is, unless this run wrote it.
    hit: Option<Hit>,
    print: Option<Print>,
}

fn print(row: &Candidate) -> Print {
    Print::of(row.said_key, row.created_at)
}

/// Says whether a row is of another message than the one that has its id; one that is told as a copy is of the same.
fn is_another(row: &Candidate, holder: Print) -> bool {
    !row.is_copy_of_another() && print(row).is_another(holder)
}

impl Writer {
    /// Decides about the rows of one chunk. The commit that follows has to carry out the answer.
    ///
    /// When no commit follows, as in a dry run, the chunk's rows count as stored from then on.
    ///
    /// # Errors
    /// Fails when a file of the table cannot be read: a row that cannot be looked for is not taken for new.
    pub fn judge(&mut self, arriving: Arriving<'_>) -> Result<Judgement, StoreError> {
        self.load_lineage()?;
        self.own.make_room();
        let Arriving { threads, rows, .. } = arriving;
        let mut moved = Moved::new();
        // Threads from here on are new.
        let next = self.threads.next();
        let numbers = self.number(arriving, &mut moved)?;
        self.note_stale(moved.range(..next))?;
        let mut moved: BTreeSet<Number> = moved.into_keys().collect();
        // What forks say that they copied counts from now on.
        for number in numbers.iter().filter(|number| **number >= next) {
            moved.extend(self.threads.forks(*number));
        }
        self.pending.seen_again.clear();
        let places: Vec<Place> = rows
            .iter()
            .map(|row| Place {
                thread: numbers.get(row.thread).copied().unwrap_or_default(),
                input: self.own.input(threads.get(row.thread).map_or("", |facts| &facts.input_id)),
            })
            .collect();

        let keys: Vec<Key> = rows.iter().map(|row| Key::of(row.part_id.as_bytes())).collect();
        let mut judgement =
            Judgement { verdicts: vec![Verdict::Write; rows.len()], ..Judgement::default() };
        let burial = self.burial(rows, &keys)?;
        let first = self.first_of_each(&keys, &places);
        for (at, key) in keys.iter().enumerate() {
            let winner = first[key];
            if winner != at {
                let is_another = places[at].thread != places[winner].thread
                    && is_another(&rows[at], print(&rows[winner]));
                judgement.verdicts[at] =
                    if is_another { Verdict::IdTaken } else { Verdict::Stored };
                self.note_sighting(&rows[at], places[at], places[winner]);
            }
        }
        let again = self.judge_stored(rows, &keys, &places, &burial, &mut judgement.verdicts)?;
        self.compare(again, arriving, &places, &mut judgement)?;
        let gone = self.withdraw(arriving.untold, |key| first.contains_key(key), &mut judgement)?;
        let burial = self.trace_copies(rows, &places, &moved, (burial, &gone), &mut judgement)?;
        for (at, key) in keys.iter().enumerate() {
            self.note(&rows[at], *key, places[at], &judgement.verdicts[at]);
        }
        if burial.is_needed {
            self.bury(&burial, rows, &keys, &places, &mut judgement)?;
            self.tell_ghosts(arriving, &numbers, next, &judgement.verdicts);
        }
        Ok(judgement)
    }

    /// Remembers what becomes of a row, for later chunks and for the commit.
    fn note(&mut self, row: &Candidate, key: Key, place: Place, verdict: &Verdict) {
        if !verdict.is_written() {
            return;
        }
        self.own.insert(key, place, print(row));
        if row.is_replay {
            self.pending.own_copies.push(row.part_id.clone());
            let origin = self.threads.origins(place.thread).next();
            self.pending.seen_with.extend(origin.map(|origin| (place.thread, origin)));
        } else if matches!(verdict, Verdict::Refresh | Verdict::TakeOver) {
            self.pending.no_copies.push(row.part_id.clone());
        }
        if *verdict == Verdict::TakeOver {
            let thread = self.threads.get(place.thread).map(|known| known.thread_id.clone());
            let input = self.own.input_id(place.input).to_owned();
            let place = (row.part_id.clone(), thread.unwrap_or_default(), input);
            self.pending.no_sightings.push(place);
        }
    }

    /// Gives threads their numbers, and takes in what is said about their origins.
    fn number(
        &mut self,
        arriving: Arriving<'_>,
        moved: &mut Moved,
    ) -> Result<Vec<Number>, StoreError> {
        let mut numbers = Vec::with_capacity(arriving.threads.len());
        for thread in arriving.threads {
            let is_new = !self.threads.is_known(&thread.thread_id);
            numbers.push(self.threads.number(thread, moved));
            if is_new {
                let origin = facts::origin_of(&self.catalog.connection, &thread.thread_id)
                    .map_err(|error| self.catalog.error(error))?;
                if let Some(origin) = origin {
                    self.threads.learn_fork(&thread.thread_id, &origin, moved);
                }
            }
        }
        for (thread, origin) in arriving.facts.iter().filter_map(facts::origin) {
            self.threads.learn_fork(thread, origin, moved);
        }
        for (thread, copied) in arriving.facts.iter().filter_map(beginnings::copied) {
            let learnt = self.threads.learn_copied(thread, copied, moved);
            self.pending.copied.extend(learnt.map(|number| (number, copied)));
        }
        let threads = numbers.iter().zip(arriving.threads).map(|(number, facts)| {
            let mut facts = facts.clone();
            if let Some(known) = self.threads.get(*number) {
                facts.forked_from.clone_from(&known.forked_from);
            }
            (*number, facts)
        });
        self.pending.threads = threads.collect();
        Ok(numbers)
    }

    /// Returns the candidate that keeps each id: the one of the thread that began first.
    fn first_of_each(&self, keys: &[Key], places: &[Place]) -> HashMap<Key, usize> {
        let mut first: HashMap<Key, usize> = HashMap::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            let holder = first.entry(*key).or_insert(at);
            if *holder != at && self.is_earlier(places[at], places[*holder]) {
                *holder = at;
            }
        }
        first
    }

    /// Judges rows whose ids are stored; returns those that come again from where they came from.
    fn judge_stored(
        &mut self,
        rows: &[Candidate],
        keys: &[Key],
        places: &[Place],
        burial: &Burial,
        verdicts: &mut [Verdict],
    ) -> Result<Again, StoreError> {
        let mut unknown = Vec::new();
        let mut stored = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            if !verdicts[at].is_written() {
                continue;
            }
            if let Some((place, print)) = self.own.get(key) {
                stored.push(Held { at, place, hit: None, print: Some(print) });
            } else if let Some(thread) = burial.holders.get(key).copied() {
                let input = self.threads.get(thread).map(|known| known.input_id.clone());
                let input = self.own.input(&input.unwrap_or_default());
                stored.push(Held { at, place: Place { thread, input }, hit: None, print: None });
            } else {
                unknown.push(at);
            }
        }
        let wanted: Vec<(Key, &str)> =
            unknown.iter().map(|at| (keys[*at], rows[*at].part_id.as_str())).collect();
        let mut hits = self.index.find(&self.table.data, self.own.files(), &wanted)?;
        for at in unknown {
            let Some(hit) = hits.remove(&keys[at]) else { continue };
            let owner = self.index.owner(hit.owner).cloned().unwrap_or_default();
            let thread = self.threads.of_row(&owner).unwrap_or(Number::MIN);
            let place = Place { thread, input: self.own.input(&owner.2) };
            stored.push(Held { at, place, hit: Some(hit), print: None });
        }
        self.look_up_prints(&mut stored, places)?;
        let mut again = Again::default();
        for Held { at, place: holder, hit, print: stored } in stored {
            let is_another = places[at].thread != holder.thread
                && stored.is_some_and(|stored| is_another(&rows[at], stored));
            // A row whose thread is not known stays whose it is.
            let is_known = holder.thread != Number::MIN;
            if is_known && self.is_earlier(places[at], holder) {
                verdicts[at] = Verdict::TakeOver;
                if is_another {
                    self.pending.displaced.push(rows[at].part_id.clone());
                }
            } else {
                verdicts[at] = if is_another { Verdict::IdTaken } else { Verdict::Stored };
                self.note_sighting(&rows[at], places[at], holder);
                let is_again = holder == places[at] && !burial.is_purged(&rows[at].part_id);
                if let Some(hit) = hit.filter(|_| is_again) {
                    again.add(at, hit);
                }
            }
        }
        Ok(again)
    }

    /// Reads what stored rows are told by, of those that other threads hold.
    fn look_up_prints(&self, stored: &mut [Held], places: &[Place]) -> Result<(), StoreError> {
        let mut by_file: BTreeMap<&str, BTreeMap<u64, &mut Option<Print>>> = BTreeMap::new();
        for Held { at, place, hit, print } in stored {
            if let Some(hit) = hit.as_ref().filter(|_| place.thread != places[*at].thread) {
                by_file.entry(&hit.file).or_default().insert(hit.row, print);
            }
        }
        for (file, wanted) in by_file {
            let path = self.store.layout().resolve(file);
            let prints = rows::prints_at(&path, &wanted.keys().copied().collect())?;
            for (slot, print) in wanted.into_values().zip(prints) {
                *slot = Some(print);
            }
        }
        Ok(())
    }

    /// Returns the thread that has a stored row.
    pub(crate) fn holder(&self, hit: &Hit) -> Option<Number> {
        self.index.owner(hit.owner).and_then(|owner| self.threads.of_row(owner))
    }

    /// Says which of two places has the row: that of the earlier thread, then of the lesser input id.
    fn is_earlier(&self, a: Place, b: Place) -> bool {
        self.threads
            .order(a.thread, b.thread)
            .then_with(|| self.own.input_id(a.input).cmp(self.own.input_id(b.input)))
            .is_lt()
    }

    fn note_sighting(&mut self, row: &Candidate, loser: Place, keeper: Place) {
        if loser == keeper {
            return;
        }
        let thread = self.threads.get(loser.thread);
        self.pending.seen_again.insert(loser.thread);
        self.pending.seen_with.insert((loser.thread, keeper.thread));
        self.pending.sightings.push(Sighting {
            part_id: row.part_id.clone(),
            said_key: row.said_key,
            message_index: row.message_index,
            thread_id: thread.map_or_else(String::new, |known| known.thread_id.clone()),
            input_id: self.own.input_id(loser.input).to_owned(),
            span: row.span,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_as_a_copy_has_not_taken_the_id_of_another_message() {
        let said = Candidate {
            part_id: "m#0".into(),
            thread: 0,
            message_index: 0,
            response_id: None,
            call_id: None,
            said_key: Key([1; 16]),
            created_at: 7,
            is_replay: false,
            replay_of: None,
            is_forgotten: false,
            span: (0, 1),
        };
        let holder = Print::of(Key([2; 16]), 5);
        assert!(is_another(&said, holder), "it says something else, at another time");
        assert!(!is_another(&Candidate { created_at: 5, ..said.clone() }, holder));
        // The original may have a response that nothing tells of the copy.
        assert!(!is_another(&Candidate { is_replay: true, ..said }, holder));
    }
}
