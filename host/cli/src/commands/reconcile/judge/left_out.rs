//! Whether a total agrees once whole responses are taken away that its client may not have counted.
//!
//! What is taken away makes up the difference in every column at once, and is of a kind that clients are known to leave
//! out: responses that never came to their end, the last ones, and stretches of a process that ended before it wrote its
//! total. A stretch ends where the next process began, which is with a prompt. Where several stretches are missing, each
//! is of whole turns: of all that one or more prompts set off. Any few of thousands of responses add up to something;
//! turns are few.

use std::collections::{HashMap, HashSet};

use super::{Basis, Cause, Counted, Evidence, Response, Tokens, sum};

/// Unfinished responses of which any choice may be left out; a session has one or two.
const MOST_UNFINISHED: usize = 10;

/// Stretches of whole turns that are known at once; a thread of a thousand prompts has so many.
const MOST_STRETCHES: usize = 500_000;

/// Pairs of stretches that are tried for one thread, so that those of very many prompts take no longer than a moment.
const MOST_TRIES: usize = 5_000_000;

/// Returns why responses are not in a total, where it agrees without them.
pub(super) fn left_out(
    evidence: &Evidence,
    counted: Counted,
    sums: &[(Basis, Tokens)],
) -> Option<Cause> {
    let total = Tokens(counted.0.map(Option::unwrap_or_default));
    let lacking = |has: fn(&Basis) -> bool| -> Vec<Tokens> {
        let sums = sums.iter().filter(|(basis, _)| has(basis));
        let lacking = sums.filter_map(|(_, sum)| counted.columns_of(*sum).minus(total));
        lacking.filter(|it| !it.is_nothing()).collect()
    };
    let within = |responses: &[Response]| -> Vec<Response> {
        responses.iter().map(|response| response.within(counted)).collect()
    };
    let takes_up = evidence.takes_up;
    left_out_of(within(&evidence.responses), &lacking(|_| true), takes_up).or_else(|| {
        let lacking = lacking(|basis| basis.has_subagents());
        left_out_of(within(&evidence.with_subagents), &lacking, takes_up)
    })
}

/// Returns why some of these responses are not in a total that lacks one of these sums.
fn left_out_of(all: Vec<Response>, lacking: &[Tokens], takes_up: bool) -> Option<Cause> {
    let course = Course::new(&all);
    if lacking.iter().any(|lacking| course.ends_with(*lacking)) {
        return Some(Cause::CounterBehind);
    }
    let unfinished = all.iter().filter(|response| !response.is_finished);
    let unfinished: Vec<Tokens> = unfinished.map(|response| response.tokens).collect();
    if lacking.iter().any(|lacking| is_choice(&unfinished, *lacking)) {
        return Some(Cause::InterruptedResponses);
    }
    if !takes_up {
        return None;
    }
    let mut tries = MOST_TRIES;
    if course.lacks_any(lacking, &mut tries) {
        return Some(Cause::CounterBehind);
    }
    // The client counts no answer that was interrupted, wherever it is.
    let interrupted = sum(unfinished.iter().copied());
    let rest: Vec<Tokens> = lacking.iter().filter_map(|it| it.minus(interrupted)).collect();
    let finished: Vec<Response> = all.into_iter().map(Response::if_finished).collect();
    let is_behind =
        !interrupted.is_nothing() && Course::new(&finished).lacks_any(&rest, &mut tries);
    is_behind.then_some(Cause::CounterBehind)
}

/// Says whether some of the unfinished responses, or all of them, are just what is lacking.
fn is_choice(unfinished: &[Tokens], lacking: Tokens) -> bool {
    let few = &unfinished[..unfinished.len().min(MOST_UNFINISHED)];
    let is_chosen = |chosen: u32| {
        let some = few.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0);
        sum(some.map(|(_, tokens)| *tokens)) == lacking
    };
    sum(unfinished.iter().copied()) == lacking || (1..1_u32 << few.len()).any(is_chosen)
}

/// The responses of a thread, as sums from its beginning.
struct Course {
    /// Tokens before each response, and of all.
    until: Vec<Tokens>,
    /// Places in `until` at which a turn begins or the last one ends.
    borders: Vec<usize>,
}

impl Course {
    fn new(responses: &[Response]) -> Self {
        let mut sum = Tokens::default();
        let mut until = vec![sum];
        for response in responses {
            sum.add(response.tokens);
            until.push(sum);
        }
        let begins = responses.iter().enumerate().filter(|(_, response)| response.begins_turn);
        let mut borders: Vec<usize> = begins.map(|(at, _)| at).collect();
        borders.extend([0, responses.len()]);
        borders.sort_unstable();
        borders.dedup();
        Self { until, borders }
    }

    fn between(&self, begin: usize, end: usize) -> Tokens {
        self.until[end].minus(self.until[begin]).unwrap_or_default()
    }

    /// Returns what the last responses add up to, the fewest first, with the place where they begin.
    fn tails(&self) -> impl Iterator<Item = (usize, Tokens)> {
        let end = self.until.len() - 1;
        (0..end).rev().map(move |begin| (begin, self.between(begin, end)))
    }

    /// Says whether some last responses are just what is lacking.
    fn ends_with(&self, lacking: Tokens) -> bool {
        self.tails().any(|(_, tail)| tail == lacking)
    }

    /// Says whether up to two stretches, and besides two the last responses, are just what one of these sums lacks.
    fn lacks_any(&self, lacking: &[Tokens], tries: &mut usize) -> bool {
        if lacking.iter().any(|it| self.ends_with(*it) || self.lacks_one(*it)) {
            return true;
        }
        let turns = self.stretches_of_turns();
        lacking.iter().any(|it| self.lacks_one_and_the_last(*it, &turns))
            || lacking.iter().any(|it| self.lacks_two(*it, &turns, tries))
    }

    /// Says whether a stretch that ends with a turn is just what is lacking.
    fn lacks_one(&self, lacking: Tokens) -> bool {
        let begins: HashSet<Tokens> = self.until.iter().copied().collect();
        let ends = self.borders.iter().filter_map(|end| self.until[*end].minus(lacking));
        ends.into_iter().any(|begin| begins.contains(&begin))
    }

    /// Returns what stretches of whole turns add up to, with the place where the first one of each sum ends.
    fn stretches_of_turns(&self) -> HashMap<Tokens, usize> {
        let mut found = HashMap::new();
        let pairs =
            self.borders.iter().enumerate().flat_map(|(at, end)| {
                self.borders[..at].iter().rev().map(move |begin| (*begin, *end))
            });
        for (begin, end) in pairs.take(MOST_STRETCHES) {
            found.entry(self.between(begin, end)).or_insert(end);
        }
        found
    }

    /// Says whether a stretch of whole turns and some last responses after it are just what is lacking.
    fn lacks_one_and_the_last(&self, lacking: Tokens, turns: &HashMap<Tokens, usize>) -> bool {
        self.tails().any(|(begin, tail)| {
            let rest = lacking.minus(tail).and_then(|rest| turns.get(&rest));
            rest.is_some_and(|end| *end < begin)
        })
    }

    /// Says whether two stretches of whole turns, perhaps with some last responses, are just what is lacking.
    fn lacks_two(
        &self,
        lacking: Tokens,
        turns: &HashMap<Tokens, usize>,
        tries: &mut usize,
    ) -> bool {
        let whole = (self.until.len() - 1, Tokens::default());
        [whole].into_iter().chain(self.tails()).any(|(end, tail)| {
            let Some(rest) = lacking.minus(tail) else { return false };
            let borders = self.borders.iter().take_while(|border| **border <= end);
            let borders: Vec<usize> = borders.copied().collect();
            borders.iter().enumerate().any(|(at, begin)| {
                let later = borders[at + 1..].iter().map(|end| self.between(*begin, *end));
                let fitting = later.map_while(|second| rest.minus(second));
                fitting
                    .take_while(|_| spend(tries))
                    .any(|first| turns.get(&first).is_some_and(|end| end < begin))
            })
        })
    }
}

/// Takes one try; says whether there was one left.
fn spend(tries: &mut usize) -> bool {
    *tries = tries.saturating_sub(1);
    *tries > 0
}

#[cfg(test)]
mod tests;
