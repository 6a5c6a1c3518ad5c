//! Which of a client's counts stand for a response.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

use crate::first::{First, Said};
use crate::usage::Tokens;

/// Counts that are remembered.
const REMEMBERED: usize = 512;

/// A count that was told: prints of the totals, and of them with the response that moved them.
type Told = (u64, u64);

/// The running totals of a thread. They are told again and again; a response is where they move.
///
/// Several processes may go on with a thread, each with totals of its own, which it tells again before those of its next
/// response.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// There are several recordings, which may tell the same.
    is_shared: bool,
    before: Option<Tokens>,
    /// A process has begun since the last count: old ones start again at zero.
    is_fresh: bool,
    /// The first totals without the response that moved them.
    first: Tokens,
    /// A review was begun, and no turn of this thread since.
    is_in_review: bool,
    /// Another thread reviews: what is told meanwhile is that one's, which tells it in a recording of its own.
    is_reviewed_elsewhere: bool,
    /// What is known of the first count, where the thread goes on from its parent and copies nothing.
    pub(crate) fork: First,
    /// What was copied from the parent, where something was.
    copied: Option<Tokens>,
    /// Totals at records with which the own part may begin.
    marks: Vec<(usize, Option<Tokens>)>,
    /// What all processes have counted together, and the last step to it.
    sum: Tokens,
    step: Tokens,
    /// The last counts.
    told: VecDeque<Told>,
    /// A compaction of which no count has told.
    compaction: Option<Tokens>,
    /// Where this recording has come to, and those before it.
    now: Moment,
    until: Moment,
}

/// The time of the last count, and the totals told at that time.
#[derive(Debug, Default)]
struct Moment {
    time: Option<i64>,
    totals: Vec<Option<Tokens>>,
}

impl Totals {
    /// Prepares for so many recordings.
    pub(crate) fn new(recordings: usize) -> Self {
        Self { is_shared: recordings > 1, ..Self::default() }
    }

    /// Returns what the thread's own responses come to; a fork counts on from where its parent was.
    pub(crate) fn own(&self, is_fork: bool) -> Option<Tokens> {
        let parent = self.copied.or_else(|| is_fork.then_some(self.first)).unwrap_or_default();
        Some(self.so_far()?.minus(parent))
    }

    /// Begins a thread that goes on from its parent and copies nothing of it.
    pub(crate) fn begin_fork(&mut self) {
        if self.before.is_none() {
            self.fork = First::Awaited(Said::Nothing);
        }
    }

    /// Notes that a response was told with its id: a first count behind it is the thread's own.
    pub(crate) fn told_by_record(&mut self) {
        if matches!(self.fork, First::Awaited(_)) {
            self.fork = First::Recorded;
        }
    }

    /// Takes the first count for the parent's.
    pub(crate) fn disown(&mut self, tokens: Tokens) {
        self.first = self.first.plus(tokens);
    }

    /// Begins a review: 0.42 does it in the thread itself, 0.58 has another thread do it.
    pub(crate) fn begin_review(&mut self) {
        self.is_in_review = true;
    }

    /// Says whether a review was begun, and no turn of this thread since.
    pub(crate) fn is_in_review(&self) -> bool {
        self.is_in_review
    }

    /// Ends a review; so does a turn of the thread itself.
    pub(crate) fn end_review(&mut self) {
        (self.is_in_review, self.is_reviewed_elsewhere) = (false, false);
    }

    /// Notes where the totals are at a record with which the own part may begin: counts may come before the first answer.
    pub(crate) fn mark(&mut self, number: usize) {
        self.marks.push((number, self.so_far()));
    }

    /// Forgets what was noted: the own part begins later.
    pub(crate) fn forget_marks(&mut self) {
        self.marks.clear();
    }

    /// Ends what was copied from the parent; the own part begins with a record, which is the one at hand unless it was
    /// marked. At the first of all, nothing was copied.
    pub(crate) fn begin_own(&mut self, first: usize) {
        let marked = self.marks.drain(..).find(|(number, _)| *number == first);
        self.copied = match marked {
            Some((_, copied)) => copied,
            None if first == 0 => None,
            None => self.so_far(),
        };
    }

    fn so_far(&self) -> Option<Tokens> {
        self.before.map(|_| self.sum.plus(self.compaction.unwrap_or_default()))
    }

    /// Takes back the last step: the count was that of another thread's response.
    pub(crate) fn take_back(&mut self) {
        self.sum = self.sum.minus(std::mem::take(&mut self.step));
    }

    /// Notes a compaction that was recorded as a response: clients whose provider compacts leave it out of their totals.
    pub(crate) fn compacted(&mut self, recorded: Option<Tokens>) {
        self.settle_compaction();
        self.compaction = recorded;
    }

    fn settle_compaction(&mut self) {
        self.sum = self.sum.plus(self.compaction.take().unwrap_or_default());
    }

    /// Ends a recording of the thread: what another one tells of the same time is a repetition.
    pub(crate) fn end_recording(&mut self) {
        let now = std::mem::take(&mut self.now);
        if now.time > self.until.time {
            self.until = now;
        }
    }

    /// Takes the `info` of a count; returns the tokens of the response that it stands for, if it does. `recorded` is one
    /// that was told with its id since the last count.
    pub(crate) fn count(
        &mut self,
        info: Option<Value<'_>>,
        time: Option<i64>,
        recorded: Option<Tokens>,
    ) -> Option<Tokens> {
        if self.is_shared && self.is_repeated(info, time) {
            return None;
        }
        // A thread of its own has counted nothing when it begins.
        self.is_reviewed_elsewhere |= self.is_in_review && !info.is_some_and(Value::is_object);
        if self.is_reviewed_elsewhere {
            return None;
        }
        let Some(info) = info.filter(|info| info.is_object()) else {
            self.is_fresh = true;
            return None;
        };
        let last = info.get("last_token_usage").and_then(Tokens::read);
        let Some(total) = info.get("total_token_usage").and_then(Tokens::read) else {
            // Some builds tell the tokens of the response and nothing else.
            let last = last.or_else(|| Tokens::read(info));
            return last.filter(|last| !last.is_zero());
        };
        let is_start = last.is_some_and(|last| last.same(total));
        let is_recorded = last.zip(recorded).is_some_and(|(last, recorded)| last.same(recorded));
        let is_news = self.is_news(total, last);
        if !(is_news || is_recorded || self.is_fresh && is_start) {
            return None;
        }
        let before = self.before.replace(total);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let fork = match self.fork {
            First::Doubted(..) => First::Known,
            _ => std::mem::take(&mut self.fork),
        };
        if !matches!(fork, First::Known) && (recorded.is_some() || last.is_none()) {
            let own = recorded.unwrap_or_default();
            (self.first, self.sum, self.step) = (total.minus(own), total, own);
            return recorded;
        }
        let moved = is_recorded || before.is_none_or(|before| !before.same(total));
        // Totals that are those of one response have nothing of those before: not every process says that it is new.
        let is_anew = is_fresh || (moved && before.is_some_and(|before| !before.is_zero()));
        let restarted = is_anew && is_start;
        let response = last.unwrap_or(total);
        match before {
            None => {
                self.first = total.minus(response);
                (self.sum, self.step) = (total, response);
            }
            Some(before) => {
                if self.compaction.is_some_and(|compaction| last != Some(compaction)) {
                    self.settle_compaction();
                }
                self.compaction = None;
                // A process begins at zero, and one that goes on from an earlier point of the thread at what it was then.
                let is_back = restarted || total.input < before.input;
                let goes_on = !response.is_zero() && self.was_told(total.minus(response));
                self.step = if is_back || goes_on { response } else { total.minus(before) };
                if moved || restarted {
                    self.sum = self.sum.plus(self.step);
                }
            }
        }
        if !moved && !restarted {
            return None;
        }
        let tokens = last.unwrap_or_else(|| total.minus(before.unwrap_or_default()));
        if let First::Awaited(said) = fork
            && !tokens.is_zero()
        {
            self.fork = First::Doubted(said, tokens);
        }
        Some(tokens).filter(|tokens| !tokens.is_zero())
    }

    /// Says whether a count is of another response than the one that was recorded: it goes on from totals that were told
    /// without that.
    pub(crate) fn is_of_another(&self, info: Option<Value<'_>>, recorded: Tokens) -> bool {
        let read = |key| info.and_then(|info| info.get(key)).and_then(Tokens::read);
        let last = read("last_token_usage").filter(|last| !last.is_zero() && !last.same(recorded));
        last.zip(read("total_token_usage")).is_some_and(|(last, total)| {
            total.minus(last).plus(last).same(total) && self.was_told(total.minus(last))
        })
    }

    /// Says whether the totals are others than they were.
    pub(crate) fn has_moved(&self, info: Option<Value<'_>>) -> bool {
        let total = info.and_then(|info| info.get("total_token_usage")).and_then(Tokens::read);
        total.is_some_and(|total| !total.same(self.before.unwrap_or_default()))
    }

    /// Says whether a count was not told before, and remembers it.
    fn is_news(&mut self, total: Tokens, last: Option<Tokens>) -> bool {
        let told = (print(&total.billed()), print(&(total.billed(), last.map(Tokens::billed))));
        let is_last = self.before.is_some_and(|before| before.same(total));
        if self.told.contains(&told) {
            return is_last || last.is_none();
        }
        if self.told.len() == REMEMBERED {
            self.told.pop_front();
        }
        self.told.push_back(told);
        true
    }

    fn was_told(&self, total: Tokens) -> bool {
        let total = print(&total.billed());
        self.told.iter().any(|(told, _)| *told == total)
    }

    /// Writes the totals of a thread that has one recording.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.maybe(self.before.as_ref(), |out, tokens| tokens.save(out));
        out.flag(self.is_fresh);
        out.flag(self.is_in_review);
        out.flag(self.is_reviewed_elsewhere);
        self.first.save(out);
        self.fork.save(out);
        out.maybe(self.copied.as_ref(), |out, tokens| tokens.save(out));
        self.sum.save(out);
        out.maybe(self.compaction.as_ref(), |out, tokens| tokens.save(out));
        out.list(self.told.iter(), |out, (total, count)| {
            out.number(*total);
            out.number(*count);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.before = from.maybe(Tokens::restore)?;
        self.is_fresh = from.flag()?;
        self.is_in_review = from.flag()?;
        self.is_reviewed_elsewhere = from.flag()?;
        self.first = Tokens::restore(from)?;
        self.fork = First::restore(from)?;
        self.copied = from.maybe(Tokens::restore)?;
        self.sum = Tokens::restore(from)?;
        self.compaction = from.maybe(Tokens::restore)?;
        let told: Vec<Told> = from.list(|from| Some((from.number()?, from.number()?)))?;
        self.told = told.into();
        Some(())
    }

    /// Says whether a recording before this one has the count.
    fn is_repeated(&mut self, info: Option<Value<'_>>, time: Option<i64>) -> bool {
        let Some(at) = time else { return false };
        let total = || info?.get("total_token_usage").and_then(Tokens::read);
        if Some(at) == self.now.time {
            self.now.totals.push(total());
        } else if Some(at) > self.now.time {
            self.now = Moment { time, totals: vec![total()] };
        }
        let until = &self.until;
        until.time.is_some_and(|end| at < end || (at == end && until.totals.contains(&total())))
    }
}

/// Returns what tells something from others within one build.
fn print(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
