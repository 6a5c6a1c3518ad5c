//! Rows on their way to a commit.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use hyp_cache::{Arriving, Correction, Judgement, Untold, Writer};
use hyp_materialize::Produced;
use hyp_model::event::{Fact, Usage};
use hyp_model::judge::{ThreadFacts, Verdict};
use hyp_model::row::Row;
use hyp_model::usage;

use crate::error::BackfillError;
use crate::policy::{PURGED, Policy, Ruling};
use crate::scope::Scope;
use crate::tally::RowTally;

/// Rows of about this size are committed together.
pub(crate) const CHUNK_BYTES: usize = 24 << 20;

/// The first rows of a provider are committed at about this size: somebody waits to see them.
pub(crate) const FIRST_CHUNK_BYTES: usize = 512 << 10;

/// Returns about how many bytes a row holds.
pub(crate) fn weight(row: &Row) -> usize {
    let long = [&row.content_text, &row.tool_args, &row.attributes, &row.thinking_signature];
    400 + long.into_iter().flatten().map(String::len).sum::<usize>()
}

/// What waits for the next commit.
#[derive(Default)]
pub(crate) struct Chunk {
    rows: Vec<(usize, Row)>,
    /// Positions of rows that were purged.
    forgotten: BTreeSet<usize>,
    threads: Vec<ThreadFacts>,
    /// Positions of threads by their id and input: two recordings of one thread tell it each in its way.
    by_id: HashMap<(String, String), usize>,
    facts: Vec<(String, Fact)>,
    late: Vec<(String, Usage)>,
    /// Units that end in this chunk.
    pub(crate) done: Vec<usize>,
    /// Stored rows of these that they no longer tell.
    pub(crate) untold: Vec<Untold>,
    weight: usize,
}

/// Rows that were judged.
pub(crate) struct Judged {
    pub(crate) batch: Option<RecordBatch>,
    pub(crate) take_over: Vec<String>,
    pub(crate) refreshed: Vec<String>,
    pub(crate) corrections: Vec<Correction>,
    pub(crate) threads: Vec<ThreadFacts>,
    pub(crate) facts: Vec<(String, Fact)>,
    pub(crate) late: Vec<(String, Usage)>,
    /// Tokens of stored rows that the unit tells otherwise so far.
    pub(crate) other_tokens: Vec<(usize, String, Usage)>,
    pub(crate) done: Vec<usize>,
    pub(crate) rows: u64,
    /// Threads that get at least one row.
    pub(crate) sessions: Vec<String>,
}

impl Chunk {
    /// Says whether it holds as many bytes of rows as are committed together.
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        self.weight >= limit
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.done.is_empty() && self.late.is_empty()
    }

    /// Takes a unit's rows; those that are not to be stored are counted and dropped.
    pub(crate) fn add(
        &mut self,
        unit: usize,
        produced: Produced,
        (scope, policy): (&Scope, &mut Policy),
        tally: &mut RowTally,
    ) {
        for thread in produced.threads {
            match self.by_id.entry((thread.thread_id.clone(), thread.input_id.clone())) {
                Entry::Occupied(at) => self.threads[*at.get()] = thread,
                Entry::Vacant(entry) => {
                    entry.insert(self.threads.len());
                    self.threads.push(thread);
                }
            }
        }
        for row in produced.rows {
            let ruling = policy.ruling(&row);
            let left_out = match ruling {
                Ruling::LeftOut(reason) => Some(reason),
                _ => scope.left_out(row.message.created_at),
            };
            match left_out {
                Some(reason) => tally.note(row.message.span, reason),
                None => {
                    if ruling == Ruling::Forgotten {
                        self.forgotten.insert(self.rows.len());
                    }
                    self.weight += weight(&row);
                    self.rows.push((unit, row));
                }
            }
        }
        self.facts.extend(produced.facts);
        self.late.extend(produced.late);
    }

    /// Asks the store about every row, and makes a batch of those that are to be written.
    pub(crate) fn judge(
        mut self,
        writer: &mut Writer,
        policy: &mut Policy,
        run_id: &str,
        tallies: &mut HashMap<usize, RowTally>,
    ) -> Result<Judged, BackfillError> {
        policy.settle(&mut self.threads, &mut self.facts);
        let (units, mut rows): (Vec<usize>, Vec<Row>) = self.rows.into_iter().unzip();
        let late = settle(&mut rows, self.late);
        let mut candidates = hyp_materialize::candidates(&rows, &self.threads);
        self.forgotten.iter().for_each(|at| candidates[*at].is_forgotten = true);
        let content = |at: &[usize]| hyp_materialize::batch(at.iter().map(|at| &rows[*at]), run_id);
        let judgement = writer.judge(Arriving {
            threads: &self.threads,
            facts: &self.facts,
            rows: &candidates,
            untold: &self.untold,
            content: &content,
        })?;
        let Judgement { verdicts, corrections, other_tokens, .. } = judgement;
        drop(candidates);
        let told = |at: usize| {
            let row = &rows[at];
            let usage = row.usage.or_else(|| usage::of_copy(row.attributes.as_deref()?));
            (units[at], row.part_id.clone(), usage.unwrap_or_default())
        };
        let other_tokens = other_tokens.into_iter().map(told).collect();
        let mut kept = Vec::with_capacity(rows.len());
        let (mut take_over, mut refreshed) = (Vec::new(), Vec::new());
        let mut sessions: Vec<String> = Vec::new();
        for ((unit, mut row), verdict) in units.into_iter().zip(rows).zip(verdicts) {
            let reason = match verdict {
                Verdict::Stored => "stored_already",
                Verdict::IdTaken => {
                    tallies.entry(unit).or_default().note_taken(row.message.span);
                    continue;
                }
                Verdict::Purged => {
                    tallies.entry(unit).or_default().note(row.message.span, PURGED);
                    continue;
                }
                Verdict::WriteReplay { replay_of } => {
                    hyp_materialize::as_replay(&mut row, replay_of);
                    "written_as_replay"
                }
                Verdict::WriteOriginal => {
                    hyp_materialize::as_original(&mut row);
                    "written"
                }
                Verdict::TakeOver => {
                    take_over.push(row.part_id.clone());
                    "taken_over"
                }
                Verdict::Refresh => {
                    refreshed.push(row.part_id.clone());
                    "refreshed"
                }
                _ if row.is_replay => "written_as_replay",
                _ => "written",
            };
            tallies.entry(unit).or_default().note(row.message.span, reason);
            if reason != "stored_already" {
                let thread = &row.message.thread.head.id;
                if sessions.last() != Some(thread) {
                    sessions.push(thread.clone());
                }
                kept.push(row);
            }
        }
        Ok(Judged {
            batch: (!kept.is_empty()).then(|| hyp_materialize::batch(&kept, run_id)),
            rows: kept.len() as u64,
            take_over,
            refreshed,
            corrections,
            threads: self.threads,
            facts: self.facts,
            late,
            other_tokens,
            done: self.done,
            sessions,
        })
    }
}

/// Gives late tokens to the rows that are still here; returns those whose rows were committed.
fn settle(rows: &mut [Row], late: Vec<(String, Usage)>) -> Vec<(String, Usage)> {
    let mut late: BTreeMap<String, Usage> = late.into_iter().collect();
    if !late.is_empty() {
        for row in rows {
            if let Some(usage) = late.remove(&row.part_id) {
                hyp_materialize::with_usage(row, usage);
            }
        }
    }
    late.into_iter().collect()
}
