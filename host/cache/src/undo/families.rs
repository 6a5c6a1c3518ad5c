//! Which threads stay as they are in an undo: later runs worked on them, or on their relatives.
//!
//! A thread's rows and ledgers were made from one another. So those of relatives go back together, and only where
//! nothing was built on them since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::kin::Kin;
use crate::threads::Number;
use crate::undo::log::Touched;

/// Returns the threads of a run that later commits touched, or whose relatives they touched, each with the run that
/// did so last.
pub(crate) fn held(of_run: &Touched, later: &[Touched], kin: &Kin) -> BTreeMap<Number, String> {
    let mut families = Families::default();
    let mut nodes: BTreeSet<Number> = of_run.threads.clone();
    nodes.extend(later.iter().flat_map(|touched| &touched.threads));
    for node in &nodes {
        for (other, _) in kin.of(*node).filter(|(other, _)| nodes.contains(other)) {
            families.join(*node, other);
        }
    }
    for (a, b) in later.iter().chain([of_run]).flat_map(|touched| &touched.links) {
        families.join(*a, *b);
    }
    let mut runs: HashMap<Number, &str> = HashMap::new();
    for touched in later {
        for thread in &touched.threads {
            runs.insert(families.of(*thread), &touched.run_id);
        }
    }
    let held = |thread: &Number| Some((*thread, (*runs.get(&families.of(*thread))?).to_owned()));
    of_run.threads.iter().filter_map(held).collect()
}

/// Sets of threads that are joined by something.
#[derive(Default)]
struct Families {
    above: HashMap<Number, Number>,
}

impl Families {
    fn of(&self, thread: Number) -> Number {
        let mut top = thread;
        while let Some(above) = self.above.get(&top) {
            top = *above;
        }
        top
    }

    fn join(&mut self, a: Number, b: Number) {
        let (a, b) = (self.of(a), self.of(b));
        if a != b {
            self.above.insert(a.max(b), a.min(b));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(run: &str, threads: &[Number], links: &[(Number, Number)]) -> Touched {
        Touched {
            run_id: run.to_owned(),
            threads: threads.iter().copied().collect(),
            links: links.iter().copied().collect(),
        }
    }

    #[test]
    fn a_thread_is_held_by_whoever_touched_it_or_a_relative_last() {
        let of_run = touched("a", &[1, 2, 3, 4], &[(2, 3)]);
        let later = [touched("b", &[3, 9], &[]), touched("c", &[9, 4], &[(9, 4)])];
        let held = held(&of_run, &later, &Kin::default());
        let held: Vec<_> = held.iter().map(|(thread, run)| (*thread, run.as_str())).collect();
        assert_eq!(held, [(2, "b"), (3, "b"), (4, "c")]);
    }
}
