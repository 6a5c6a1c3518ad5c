//! Decides what has to be read: units against the unit ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use hyp_cache::UnitState;
use hyp_materialize::Window;
use hyp_plugin::{Lent, Plan, Plugin, Stamp, UnitInputs};
use sha2::{Digest, Sha256};

use crate::discover::{Found, hex};
use crate::secrets::Secrets;
use crate::worker::input_id;

/// What changed within this many microseconds before it was listed may change again unnoticed.
const SETTLE: i64 = 2_000_000;

/// Says whether a time is so long ago that a later change would show another one.
pub(crate) fn is_settled(modified: i64, now: i64) -> bool {
    modified.saturating_add(SETTLE) < now
}

/// A unit that has to be read.
pub(crate) struct Work {
    pub(crate) inputs: UnitInputs,
    /// Hash over its files' names, sizes and times, or its stamp in their place, and over what the plan knows of it.
    pub(crate) fingerprint: String,
    /// Size of its files on disk; of a database that holds many units, its share.
    pub(crate) size: u64,
    /// True where it is a part of a file: nobody knows its size before it is read.
    pub(crate) is_part: bool,
    /// Time of the last change.
    pub(crate) newest: i64,
    /// False while it is so young that a later change could keep its time.
    pub(crate) is_settled: bool,
    /// True where the ledger knows of an earlier reading.
    pub(crate) was_read: bool,
    /// What the ledger says of an earlier import that need not be repeated where files only grew since.
    pub(crate) grown_from: Option<UnitState>,
}

/// What a run will do with a provider's files.
#[derive(Default)]
pub(crate) struct Agenda {
    /// Units to read, newest first.
    pub(crate) work: Vec<Work>,
    /// Files of units that need not be opened.
    pub(crate) unchanged_files: u64,
    /// Units that need not be opened.
    pub(crate) unchanged_units: u64,
    /// Units that last changed before the window.
    pub(crate) outside_window: u64,
    /// Files that hold no history, by kind.
    pub(crate) ignored: BTreeMap<String, u64>,
    /// Files that are in no unit.
    pub(crate) not_understood: Vec<String>,
}

/// What a unit must match to be left alone.
pub(crate) struct Question<'a> {
    pub(crate) ledger: &'a HashMap<String, UnitState>,
    pub(crate) component_digest: &'a str,
    pub(crate) window: &'a Window,
    pub(crate) full: bool,
    /// Where only some units are to be read: which.
    pub(crate) only: Option<&'a Only>,
    /// The clock when the files were listed, in microseconds.
    pub(crate) now: i64,
}

/// Some units of a provider, by the inputs that they are.
pub(crate) struct Only {
    pub(crate) provider: String,
    pub(crate) inputs: HashSet<String>,
}

impl Only {
    fn has(&self, unit: &str) -> bool {
        self.inputs.contains(&input_id(&self.provider, unit))
    }
}

/// Returns what the ledger knows a reader by: all that makes other rows of the same files.
pub(crate) fn reader(plugin: &Plugin, secrets: Option<&Secrets>) -> String {
    let digest = plugin.digest();
    let version = hyp_materialize::VERSION;
    match secrets {
        Some(secrets) => format!("{digest}+{version}+{}", secrets.digest()),
        None => format!("{digest}+{version}"),
    }
}

/// Compares the plan with the ledger.
pub(crate) fn agenda(found: &Found, plan: Plan, question: &Question<'_>) -> Agenda {
    let mut agenda = Agenda::default();
    let mut known = BTreeSet::new();
    let mut shares: HashMap<u32, u64> = HashMap::new();
    for unit in plan.units.iter().filter(|unit| unit.stamp.is_some()) {
        unit.inputs.iter().for_each(|input| *shares.entry(*input).or_default() += 1);
    }
    for ignored in plan.ignored {
        known.insert(ignored.entry);
        *agenda.ignored.entry(ignored.kind).or_default() += 1;
    }
    for unit in plan.units {
        known.extend(unit.inputs.iter().copied());
        let lent: Vec<Lent> =
            unit.inputs.iter().filter_map(|at| found.files.get(*at as usize).cloned()).collect();
        let files = lent.len() as u64;
        let share = unit.inputs.iter().filter_map(|input| shares.get(input)).max().copied();
        if question.only.is_some_and(|only| !only.has(&unit.id)) {
            agenda.unchanged_units += 1;
            agenda.unchanged_files += files;
            continue;
        }
        let inputs = UnitInputs { id: unit.id, inputs: lent, context: unit.context };
        let (work, is_known) = work(inputs, unit.stamp, share.unwrap_or(1), question);
        if question.window.since.is_some_and(|since| work.newest < since) {
            agenda.outside_window += 1;
        } else if is_known {
            agenda.unchanged_units += 1;
            agenda.unchanged_files += files;
        } else {
            agenda.work.push(work);
        }
    }
    agenda.not_understood = (0u32..)
        .zip(&found.files)
        .filter(|(at, _)| !known.contains(at))
        .map(|(_, lent)| lent.file.display().to_string())
        .collect();
    agenda.work.sort_by(|a, b| b.newest.cmp(&a.newest).then_with(|| a.inputs.id.cmp(&b.inputs.id)));
    agenda
}

/// Returns the work that a unit is, and whether it was done already.
fn work(
    inputs: UnitInputs,
    stamp: Option<Stamp>,
    share: u64,
    question: &Question<'_>,
) -> (Work, bool) {
    let newest = inputs.inputs.iter().map(|lent| lent.entry.modified).max().unwrap_or(0);
    let newest = stamp.as_ref().and_then(|stamp| stamp.modified).unwrap_or(newest);
    let fingerprint = fingerprint(&inputs, stamp.as_ref());
    let earlier = question.ledger.get(&inputs.id).filter(|state| {
        let is_same_reader = state.component_digest == question.component_digest;
        !question.full && is_same_reader && covers(state, question.window)
    });
    let is_known = earlier.is_some_and(|state| state.fingerprint == fingerprint);
    let work = Work {
        size: inputs.inputs.iter().map(|lent| lent.entry.size).sum::<u64>() / share,
        is_part: stamp.is_some(),
        was_read: question.ledger.contains_key(&inputs.id),
        grown_from: earlier.filter(|_| !is_known).cloned(),
        is_settled: is_settled(newest, question.now),
        fingerprint,
        newest,
        inputs,
    };
    (work, is_known)
}

fn fingerprint(unit: &UnitInputs, stamp: Option<&Stamp>) -> String {
    let mut hash = Sha256::new();
    for lent in &unit.inputs {
        hash.update(lent.file.as_os_str().as_encoded_bytes());
        match stamp {
            Some(_) => hash.update("\0\n"),
            None => hash.update(format!("\0{}\0{}\n", lent.entry.size, lent.entry.modified)),
        }
    }
    if let Some(stamp) = stamp {
        hash.update(format!("{}\n", stamp.fingerprint.len()));
        hash.update(&stamp.fingerprint);
    }
    hash.update(&unit.context);
    hex(&hash.finalize()[..16])
}

/// Says whether the part of the unit that the window asks for was imported already.
fn covers(state: &UnitState, window: &Window) -> bool {
    let (Some(first), Some(last)) = (state.first_at, state.last_at) else { return true };
    let from = window.since.map_or(first, |since| since.max(first));
    let to = window.until.map_or(last, |until| until.min(last));
    let starts = state.since.is_none_or(|since| since <= from);
    let ends = state.until.is_none_or(|until| to <= until);
    from > to || (starts && ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(first: i64, last: i64, since: Option<i64>, until: Option<i64>) -> UnitState {
        UnitState {
            provider: "claude".into(),
            unit_id: "u".into(),
            fingerprint: "f".into(),
            component_digest: "d".into(),
            first_at: Some(first),
            last_at: Some(last),
            since,
            until,
        }
    }

    #[test]
    fn a_unit_is_left_alone_when_what_is_asked_for_was_imported() {
        #[rustfmt::skip]
        let cases = [
            // what is asked           imported               asked                  expect
            ("all again",              (None, None),          (None, None),          true),
            ("wider than before",      (Some(15), None),      (None, None),          false),
            ("the same window",        (Some(15), None),      (Some(15), None),      true),
            ("narrower",               (Some(12), None),      (Some(15), None),      true),
            ("other side",             (None, Some(15)),      (None, Some(18)),      false),
            ("beyond the unit's span", (None, Some(20)),      (None, Some(99)),      true),
            ("a window without it",    (Some(30), None),      (Some(25), None),      true),
        ];
        for (name, (since, until), (asked_since, asked_until), expect) in cases {
            let window = Window { since: asked_since, until: asked_until };
            assert_eq!(covers(&state(10, 20, since, until), &window), expect, "{name}");
        }
    }
}
