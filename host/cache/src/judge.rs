//! Decides what becomes of rows before they are written: one row per id, and it is the earliest thread's.

use std::collections::HashMap;

use hyp_model::event::Usage;
use hyp_model::judge::{Candidate, ThreadFacts, Verdict};
use hyp_model::row::Key;

use crate::error::StoreError;
use crate::own::Place;
use crate::threads::Number;
use crate::writer::Writer;

/// What the store says of a chunk.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// One verdict for each candidate.
    pub verdicts: Vec<Verdict>,
    /// What has to change in stored rows; goes into the chunk's commit.
    pub corrections: Vec<Correction>,
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
    /// Tokens of its response, learnt after it was handed out.
    Usage(Usage),
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

impl Writer {
    /// Decides about the rows of one chunk. The commit that follows has to carry out the answer.
    ///
    /// When no commit follows, as in a dry run, the chunk's rows count as stored from then on.
    ///
    /// # Errors
    /// Fails when a file of the table cannot be read: a row that cannot be looked for is not taken for new.
    pub fn judge(
        &mut self,
        threads: &[ThreadFacts],
        rows: &[Candidate],
    ) -> Result<Judgement, StoreError> {
        self.load_lineage()?;
        let mut numbers = Vec::with_capacity(threads.len());
        for facts in threads {
            let number = self.threads.number(facts);
            numbers.push(number);
        }
        self.pending.threads = numbers.iter().copied().zip(threads.iter().cloned()).collect();
        let places: Vec<Place> = rows
            .iter()
            .map(|row| Place {
                thread: numbers.get(row.thread).copied().unwrap_or_default(),
                input: self.own.input(threads.get(row.thread).map_or("", |facts| &facts.input_id)),
            })
            .collect();

        let keys: Vec<Key> = rows.iter().map(|row| Key::of(row.part_id.as_bytes())).collect();
        let mut verdicts = vec![Verdict::Write; rows.len()];
        let first = self.first_of_each(&keys, &places);
        for (at, key) in keys.iter().enumerate() {
            let winner = first[key];
            if winner != at {
                verdicts[at] = Verdict::Stored;
                self.note_sighting(&rows[at], places[at], places[winner]);
            }
        }
        self.judge_stored(rows, &keys, &places, &mut verdicts)?;
        let mut judgement = Judgement { verdicts, corrections: Vec::new() };
        self.trace_copies(rows, &places, &mut judgement)?;
        for (at, key) in keys.iter().enumerate() {
            if judgement.verdicts[at] != Verdict::Stored {
                self.own.insert(*key, places[at]);
            }
        }
        Ok(judgement)
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

    fn judge_stored(
        &mut self,
        rows: &[Candidate],
        keys: &[Key],
        places: &[Place],
        verdicts: &mut [Verdict],
    ) -> Result<(), StoreError> {
        let mut unknown = Vec::new();
        let mut stored: Vec<(usize, Place)> = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            if verdicts[at] == Verdict::Stored {
                continue;
            }
            match self.own.get(key) {
                Some(place) => stored.push((at, place)),
                None => unknown.push(at),
            }
        }
        let wanted: Vec<(Key, &str)> =
            unknown.iter().map(|at| (keys[*at], rows[*at].part_id.as_str())).collect();
        let hits = self.index.find(&self.table.data, self.own.files(), &wanted)?;
        for at in unknown {
            let Some(hit) = hits.get(&keys[at]) else { continue };
            let owner = self.index.owner(hit.owner).cloned().unwrap_or_default();
            let thread = self.threads.of_row(&owner).unwrap_or(Number::MIN);
            stored.push((at, Place { thread, input: self.own.input(&owner.2) }));
        }
        for (at, holder) in stored {
            // A row whose thread is not known stays whose it is.
            let is_known = holder.thread != Number::MIN;
            if is_known && self.is_earlier(places[at], holder) {
                verdicts[at] = Verdict::TakeOver;
            } else {
                verdicts[at] = Verdict::Stored;
                self.note_sighting(&rows[at], places[at], holder);
            }
        }
        Ok(())
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
