//! Which of two threads came first, and which have turned out earlier or later than they were.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use hyp_model::row::Key;

use super::{Known, Number, Threads};

/// When a thread began: whether it is not known at all, the moment, and how many origins it has that began at that moment.
pub(crate) type Beginning = (bool, i64, usize);

/// Threads that are earlier or later than others were, each with its beginning before.
pub(crate) type Moved = BTreeMap<Number, Beginning>;

/// Forks of forks that are followed, so that threads which name each other come to an end.
pub(super) const DEPTH: usize = 64;

impl Threads {
    /// Says which of two threads began first.
    ///
    /// A fork comes after what it was forked from, and a sub-agent after what started it, whatever their times say. Of
    /// threads that began at the same moment and say nothing of each other, that comes first which can have copied least.
    pub(crate) fn order(&self, a: Number, b: Number) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        let id = |number| {
            let known = self.by_number.get(&number);
            known.map(|known| (known.is_ghost, known.thread_id.as_str()))
        };
        let copied = |number| {
            let known = self.by_number.get(&number);
            known.filter(|known| known.started_at.is_some()).map(|known| known.copied)
        };
        self.beginning(a)
            .cmp(&self.beginning(b))
            .then_with(|| copied(a).cmp(&copied(b)))
            .then_with(|| id(a).cmp(&id(b)))
    }

    /// Says whether `a` began before `b`.
    pub(crate) fn is_earlier(&self, a: Number, b: Number) -> bool {
        self.order(a, b) == Ordering::Less
    }

    /// Returns when a thread began, as far as its place among others goes: not before its origin. Threads that are not known
    /// come last, and those without a time before them.
    pub(super) fn beginning(&self, number: Number) -> Beginning {
        self.beginning_within(number, DEPTH)
    }

    fn beginning_within(&self, number: Number, depth: usize) -> Beginning {
        let Some(known) = self.by_number.get(&number) else { return (true, i64::MAX, 0) };
        let Some(started_at) = known.started_at else { return (false, i64::MAX, 0) };
        let origin = known.origin.filter(|_| depth > 0);
        let origin = origin.and_then(|origin| self.by_id.get(&origin)).filter(|it| **it != number);
        match origin.map(|origin| self.beginning_within(*origin, depth - 1)) {
            Some((_, at, forks)) if at != i64::MAX && at >= started_at => (false, at, forks + 1),
            _ => (false, started_at, 0),
        }
    }

    /// Returns where the forks of a thread stand among others, and theirs.
    pub(super) fn places_below(&self, key: Key) -> Moved {
        let mut places = Moved::new();
        let mut keys = vec![key];
        while let Some(key) = keys.pop() {
            for fork in self.forks.get(&key).into_iter().flatten() {
                if places.insert(*fork, self.beginning(*fork)).is_none() {
                    keys.extend(self.get(*fork).map(Known::key));
                }
            }
        }
        places
    }

    /// Adds the threads that stand somewhere else now.
    pub(super) fn note_moved(&self, before: Moved, moved: &mut Moved) {
        for (number, place) in before {
            if self.beginning(number) != place {
                moved.entry(number).or_insert(place);
            }
        }
    }

    /// Returns the threads that come before one now and may have come after it when it began at another time.
    pub(crate) fn passed_by(
        &self,
        number: Number,
        before: Beginning,
    ) -> impl Iterator<Item = Number> {
        let now = self.beginning(number);
        let others = self.by_number.keys().copied().filter(move |_| before <= now);
        others.filter(move |other| {
            (before..=now).contains(&self.beginning(*other)) && self.is_earlier(*other, number)
        })
    }

    /// Says whether a thread may come now before others that came before it when it began at another time.
    pub(crate) fn may_pass(&self, number: Number, before: Beginning) -> bool {
        self.beginning(number) <= before
    }
}
