//! Tokens as the client counts them, and which of its counts stand for a response.

use hyp_sdk::Usage;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

/// Tokens as written: input with the cached ones in it, output with the reasoning in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    input: u64,
    cached: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    total: u64,
}

impl Tokens {
    /// Reads a usage object.
    pub(crate) fn read(json: Value<'_>) -> Option<Self> {
        let told = |key| json.get(key).and_then(number);
        let count = |key| told(key).unwrap_or(0);
        json.is_object().then(|| Self {
            input: count("input_tokens"),
            // Some builds have the name that the API has.
            cached: told("cached_input_tokens").unwrap_or_else(|| count("cache_read_input_tokens")),
            cache_write: count("cache_write_input_tokens"),
            output: count("output_tokens"),
            reasoning: count("reasoning_output_tokens"),
            total: count("total_tokens"),
        })
    }

    /// Returns the tokens as rows have them.
    pub(crate) fn usage(self) -> Usage {
        Usage {
            input: Some(self.input.saturating_sub(self.cached).saturating_sub(self.cache_write)),
            output: Some(self.output),
            cache_read: Some(self.cached),
            cache_write: Some(self.cache_write).filter(|&tokens| tokens > 0),
            cache_write1h: None,
            reasoning: Some(self.reasoning),
            total: Some(self.total).filter(|&tokens| tokens > 0),
        }
    }

    /// Returns all input and all output.
    pub(crate) fn all(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    fn save(self, out: &mut Writer) {
        let Self { input, cached, cache_write, output, reasoning, total } = self;
        for tokens in [input, cached, cache_write, output, reasoning, total] {
            out.number(tokens);
        }
    }

    fn restore(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            input: from.number()?,
            cached: from.number()?,
            cache_write: from.number()?,
            output: from.number()?,
            reasoning: from.number()?,
            total: from.number()?,
        })
    }

    /// Returns true where nothing was billed.
    pub(crate) fn is_zero(self) -> bool {
        self.same(Self::default())
    }

    /// Compares what is billed: the total alone is moved to the window's size when that is full.
    fn same(self, other: Self) -> bool {
        Self { total: 0, ..self } == Self { total: 0, ..other }
    }

    fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            input: each(self.input, other.input),
            cached: each(self.cached, other.cached),
            cache_write: each(self.cache_write, other.cache_write),
            output: each(self.output, other.output),
            reasoning: each(self.reasoning, other.reasoning),
            total: each(self.total, other.total),
        }
    }
}

/// Returns a count, which old clients may have written as text.
fn number(json: Value<'_>) -> Option<u64> {
    json.u64().or_else(|| json.str()?.trim().parse().ok())
}

/// Adds two usages: tokens without a row of their own.
pub(crate) fn add(left: Usage, right: Usage) -> Usage {
    let plus = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Usage {
        input: plus(left.input, right.input),
        output: plus(left.output, right.output),
        cache_read: plus(left.cache_read, right.cache_read),
        cache_write: plus(left.cache_write, right.cache_write),
        cache_write1h: plus(left.cache_write1h, right.cache_write1h),
        reasoning: plus(left.reasoning, right.reasoning),
        total: plus(left.total, right.total),
    }
}

/// The running totals of a thread. They are told again and again; a response is where they move.
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
    /// What is told now is still the parent's: this thread has no answer yet.
    is_parents: bool,
    /// What was copied from the parent, where something was.
    copied: Option<Tokens>,
    /// Totals at records with which the own part may begin.
    marks: Vec<(usize, Option<Tokens>)>,
    /// The totals from before they started again.
    earlier: Tokens,
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
        Some(self.earlier.plus(self.before?).minus(parent))
    }

    /// Begins a thread that goes on from its parent and copies nothing of it.
    pub(crate) fn begin_fork(&mut self) {
        self.is_parents = true;
    }

    /// Notes an answer: from now on, what is told is the thread's own.
    pub(crate) fn answered(&mut self) {
        self.is_parents = false;
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
        self.before.map(|before| self.earlier.plus(before))
    }

    /// Ends a recording of the thread: what another one tells of the same time is a repetition.
    pub(crate) fn end_recording(&mut self) {
        let now = std::mem::take(&mut self.now);
        if now.time > self.until.time {
            self.until = now;
        }
    }

    /// Takes the `info` of a count; returns the tokens of the response that it stands for, if it does.
    pub(crate) fn count(&mut self, info: Option<Value<'_>>, time: Option<i64>) -> Option<Tokens> {
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
        let before = self.before.replace(total);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        if self.is_parents {
            self.first = total;
            return None;
        }
        let moved = before.is_none_or(|before| !before.same(total));
        // Totals that are those of one response have nothing of those before: not every process says that it is new.
        let is_anew = is_fresh || (moved && before.is_some_and(|before| !before.is_zero()));
        let restarted = is_anew && last.is_some_and(|last| last.same(total));
        match before {
            None => self.first = total.minus(last.unwrap_or(total)),
            // A process begins at zero, and a thread that goes on from an earlier point of its own at what it was then.
            Some(before) if restarted || total.input < before.input => {
                let point = total.minus(last.unwrap_or(total));
                self.earlier = self.earlier.plus(before.minus(point));
            }
            Some(_) => {}
        }
        if !moved && !restarted {
            return None;
        }
        let tokens = last.unwrap_or_else(|| total.minus(before.unwrap_or_default()));
        Some(tokens).filter(|tokens| !tokens.is_zero())
    }

    /// Writes the totals of a thread that has one recording.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.maybe(self.before.as_ref(), |out, tokens| tokens.save(out));
        out.flag(self.is_fresh);
        out.flag(self.is_in_review);
        out.flag(self.is_reviewed_elsewhere);
        self.first.save(out);
        out.flag(self.is_parents);
        out.maybe(self.copied.as_ref(), |out, tokens| tokens.save(out));
        self.earlier.save(out);
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.before = from.maybe(Tokens::restore)?;
        self.is_fresh = from.flag()?;
        self.is_in_review = from.flag()?;
        self.is_reviewed_elsewhere = from.flag()?;
        self.first = Tokens::restore(from)?;
        self.is_parents = from.flag()?;
        self.copied = from.maybe(Tokens::restore)?;
        self.earlier = Tokens::restore(from)?;
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

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    type Info = Option<(u64, u64, u64)>;

    /// Counts infos given as total and last input; a window given as the total's `total_tokens`.
    fn counted(infos: &[Info]) -> Vec<u64> {
        read(infos).0
    }

    fn read(infos: &[Info]) -> (Vec<u64>, Totals) {
        let mut totals = Totals::default();
        let mut tape = Tape::new();
        let mut found = Vec::new();
        for info in infos {
            let text = match info {
                None => "null".to_owned(),
                Some((total, last, window)) => format!(
                    r#"{{"total_token_usage":{{"input_tokens":{total},"total_tokens":{window}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
                ),
            };
            let (json, _) = tape.parse(&text, 0).expect("JSON");
            found.extend(totals.count(Some(json), None).map(|tokens| tokens.input));
        }
        (found, totals)
    }

    #[test]
    fn the_totals_of_a_thread_are_its_own() {
        #[rustfmt::skip]
        let cases: &[(&str, &[Info], bool, Option<u64>)] = &[
            ("none",              &[None],                                                false, None),
            ("one process",       &[Some((10, 10, 0)), Some((15, 5, 0))],                 false, Some(15)),
            ("window full",       &[Some((10, 10, 0)), Some((10, 10, 258_400))],          false, Some(10)),
            ("starts again",      &[Some((30, 10, 0)), None, Some((7, 7, 0))],            false, Some(37)),
            ("starts again, and higher", &[Some((30, 30, 0)), Some((40, 40, 0))],         false, Some(70)),
            ("a fork goes on",    &[Some((1_000, 10, 0)), Some((1_005, 5, 0))],           true,  Some(15)),
            ("goes back, and on", &[Some((10, 10, 0)), Some((30, 20, 0)), Some((25, 15, 0)), Some((31, 6, 0))], false, Some(51)),
        ];
        for (name, infos, is_fork, expect) in cases {
            let own = read(infos).1.own(*is_fork).map(|own| own.input);
            assert_eq!(own, *expect, "{name}");
        }
        let (_, mut totals) = read(&[Some((30, 10, 0))]);
        totals.begin_own(1);
        let mut tape = Tape::new();
        let json =
            r#"{"total_token_usage":{"input_tokens":34},"last_token_usage":{"input_tokens":4}}"#;
        totals.count(Some(tape.parse(json, 0).expect("JSON").0), None);
        assert_eq!(totals.own(true).map(|own| own.input), Some(4));
    }

    #[test]
    fn what_is_counted_before_the_first_answer_is_the_forks_own() {
        let mut tape = Tape::new();
        let mut tell = |totals: &mut Totals, total: u64, last: u64| {
            let text = format!(
                r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#
            );
            totals.count(Some(tape.parse(&text, 0).expect("JSON").0), None);
        };
        for (first, expect) in [(3, 7), (0, 17), (9, 0)] {
            let mut totals = Totals::default();
            tell(&mut totals, 10, 10);
            totals.mark(3);
            tell(&mut totals, 17, 7);
            totals.begin_own(first);
            assert_eq!(totals.own(true).map(|own| own.input), Some(expect), "{first}");
        }
    }

    #[test]
    fn what_a_fork_tells_before_its_first_answer_is_its_parents() {
        let tell = |totals: &mut Totals, total: u64| {
            let text = format!(
                r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":10}}}}"#
            );
            let mut tape = Tape::new();
            let (json, _) = tape.parse(&text, 0).expect("JSON");
            totals.count(Some(json), None).map(|tokens| tokens.input)
        };
        let mut totals = Totals::default();
        totals.begin_fork();
        assert_eq!((tell(&mut totals, 20), tell(&mut totals, 20)), (None, None));
        totals.answered();
        assert_eq!((tell(&mut totals, 20), tell(&mut totals, 30)), (None, Some(10)));
        assert_eq!(totals.own(true).map(|own| own.input), Some(10));
    }

    #[test]
    fn what_another_thread_costs_that_reviews_is_its_own() {
        let mut totals = Totals::default();
        let tell = |totals: &mut Totals, info: Info| {
            let mut tape = Tape::new();
            let text = info.map_or("null".to_owned(), |(total, last, _)| {
                format!(r#"{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}"#)
            });
            totals.count(Some(tape.parse(&text, 0).expect("JSON").0), None).map(|it| it.input)
        };
        assert_eq!(tell(&mut totals, Some((60, 60, 0))), Some(60));
        totals.begin_review();
        assert_eq!(tell(&mut totals, None), None);
        assert_eq!(tell(&mut totals, Some((20, 20, 0))), None);
        assert_eq!(tell(&mut totals, Some((45, 25, 0))), None);
        totals.end_review();
        assert_eq!(tell(&mut totals, Some((60, 60, 0))), None, "told again");
        assert_eq!(tell(&mut totals, Some((90, 30, 0))), Some(30));
        // Earlier clients reviewed in the thread itself.
        totals.begin_review();
        assert_eq!(tell(&mut totals, Some((100, 10, 0))), Some(10));
    }

    #[test]
    fn a_response_is_where_the_totals_move() {
        #[rustfmt::skip]
        let cases: &[(&str, &[Info], &[u64])] = &[
            ("told again",              &[Some((10, 10, 0)), Some((10, 10, 0)), Some((15, 5, 0))],  &[10, 5]),
            ("window full",             &[Some((10, 10, 0)), Some((10, 10, 258_400))],              &[10]),
            ("compacted",               &[Some((10, 10, 0)), Some((10, 0, 0))],                     &[10]),
            ("starts again lower",      &[Some((30, 10, 0)), None, Some((7, 7, 0))],                &[10, 7]),
            ("starts again equal",      &[Some((7, 7, 0)), None, Some((7, 7, 0))],                  &[7, 7]),
            ("goes on after a restart", &[Some((30, 10, 0)), None, Some((30, 10, 0))],              &[10]),
            ("a fork goes on",          &[Some((1_000, 10, 0)), Some((1_005, 5, 0))],               &[10, 5]),
        ];
        for (name, infos, expect) in cases {
            assert_eq!(counted(infos), *expect, "{name}");
        }
    }

    #[test]
    fn input_is_net_of_what_the_cache_gave() {
        let tokens = Tokens { input: 100, cached: 80, output: 5, total: 105, ..Tokens::default() };
        let usage = tokens.usage();
        assert_eq!((usage.input, usage.cache_read, usage.total), (Some(20), Some(80), Some(105)));
        assert_eq!(usage.cache_write, None);
    }
}
