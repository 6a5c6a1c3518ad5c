//! Where the history that a recording was forked with ends.
//!
//! Paginated recordings say with which record their own part begins. Before, the client copied the parent's
//! lines with new times. Turns keep their ids, and ids grow with time: the first turn younger than the thread
//! is its own, with the prompt that stands before it. Where the clock was set back, one is that began just when its
//! record was written. Older recordings have no ids of turns, or only of some; there the pace tells: no model answers a
//! prompt within moments, nor fails, and nobody breaks off so soon, but a copy is written without pauses, and none of it
//! comes seconds behind another record of it. What may be a copy waits until an answer decides.

use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

use crate::plan::is_uuid;

/// Microseconds that a model takes at least, and that a copy never pauses.
const MOMENT: u64 = 10_000;
/// Microseconds that a copy never pauses, however busy the machine is.
const PAUSE: u64 = 1_500_000;
/// Microseconds between the beginning of a turn and the record that tells it, at most.
const SOON: u64 = 1_000_000;

/// How far a recording is a copy of another one.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    own: String,
    /// The first ordinal of the own part.
    start_ordinal: Option<u64>,
    is_copying: bool,
    /// A copy was told of, or seen.
    is_certain: bool,
    knows_turns: bool,
    /// An answer was seen that came at the pace of a copy.
    is_paced: bool,
    last_time: Option<i64>,
    turn: Option<Beginning>,
}

/// The beginning of a turn whose answer is not there yet.
#[derive(Debug)]
struct Beginning {
    number: usize,
    /// The first record of it that came after a pause.
    paused: Option<usize>,
    /// The first record of it that came after a long pause, behind others of the copy.
    late: Option<usize>,
    last_time: Option<i64>,
}

/// A record, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'s> {
    /// Its number in the queue.
    pub(crate) number: usize,
    pub(crate) ordinal: Option<u64>,
    pub(crate) turn: Option<&'s str>,
    /// It begins the turn that it names.
    pub(crate) is_start: bool,
    pub(crate) time: Option<i64>,
    pub(crate) role: Role,
}

/// What a record does in its turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Stands where a turn may begin: a prompt, or context.
    Begins,
    /// Comes from the model.
    Answers,
    /// Shows that the model works on the turn, or has to stop.
    Works,
    Other,
}

/// What a record says of the copy.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing yet; a turn may begin here.
    Doubt,
    /// Nothing new: the record is of the copy.
    Copy,
    /// All up to here is a copy.
    Proven,
    /// What comes from this number on is the thread's own.
    Own(usize),
}

impl Copied {
    /// Says whether the copied part is not over yet.
    pub(crate) fn is_copying(&self) -> bool {
        self.is_copying
    }

    /// Says whether there is a copy for sure.
    pub(crate) fn is_certain(&self) -> bool {
        self.is_certain
    }

    /// Takes the recording's own header; `is_fork` says that a copy may follow.
    pub(crate) fn own(&mut self, id: &str, meta: Value<'_>, is_fork: bool, time: Option<i64>) {
        id.clone_into(&mut self.own);
        self.start_ordinal = meta.get("subagent_history_start_ordinal").and_then(Value::u64);
        // A migration gives every child an ordinal, whether or not it copied anything.
        self.is_copying = is_fork;
        self.last_time = time;
    }

    /// Takes the header of another thread: what follows is a copy of that one's history.
    pub(crate) fn other(&mut self, time: Option<i64>) {
        (self.is_copying, self.is_certain, self.is_paced) = (true, true, false);
        self.last_time = time.or(self.last_time);
    }

    /// Takes a record while the copied part is not over.
    pub(crate) fn look(&mut self, sight: Sight<'_>) -> Verdict {
        let before = self.last_time;
        self.last_time = sight.time.or(before);
        if let (Some(start), Some(ordinal)) = (self.start_ordinal, sight.ordinal) {
            let turn = sight.turn.filter(|turn| grows(turn) && grows(&self.own));
            let is_own = turn.is_some_and(|turn| *turn >= *self.own);
            return match turn {
                _ if is_own || ordinal >= start => self.end(sight.number),
                // A migration leaves the parent's header out.
                Some(_) => self.prove(),
                None => Verdict::Copy,
            };
        }
        if let Some(turn) = sight.turn
            && grows(turn)
            && grows(&self.own)
        {
            // What is said of a turn as it goes on, older clients said of some turns alone.
            self.knows_turns |= sight.is_start;
            if *turn >= *self.own || self.is_of_a_late_clock(turn, sight.time) {
                let turn = self.turn.take();
                return self.end(turn.map_or(sight.number, |turn| self.begun(&turn, sight)));
            }
            self.is_certain = true;
            return self.prove();
        }
        if self.start_ordinal.is_some() {
            return Verdict::Copy;
        }
        // A clock that is set back makes a pause, too.
        let since = |earlier: Option<i64>| earlier.zip(sight.time).map(|(a, b)| a.abs_diff(b));
        match sight.role {
            Role::Begins => {
                let after = |pause| since(before).is_some_and(|gap| gap > pause);
                let paused = after(MOMENT).then_some(sight.number);
                let is_behind = self.is_paced || self.turn.is_some();
                let late = (is_behind && after(PAUSE)).then_some(sight.number);
                if let Some(turn) = &mut self.turn {
                    turn.paused = turn.paused.or(paused);
                    turn.late = turn.late.or(late);
                    turn.last_time = sight.time.or(turn.last_time);
                    return Verdict::Copy;
                }
                let number = sight.number;
                self.turn = Some(Beginning { number, paused, late, last_time: sight.time });
                Verdict::Doubt
            }
            Role::Answers => {
                let Some(turn) = self.turn.take() else { return Verdict::Copy };
                let is_thought_over = since(turn.last_time).is_some_and(|gap| gap > MOMENT);
                if !self.knows_turns && (is_thought_over || turn.late.is_some()) {
                    let start = self.start(&turn);
                    return self.end(start);
                }
                self.is_paced = true;
                self.prove()
            }
            Role::Works => {
                let is_told = !self.knows_turns;
                let is_own = |turn: &mut Beginning| {
                    is_told && since(turn.last_time).is_some_and(|gap| gap > MOMENT)
                };
                match self.turn.take_if(is_own) {
                    Some(turn) => self.end(self.start(&turn)),
                    None => Verdict::Copy,
                }
            }
            Role::Other => Verdict::Copy,
        }
    }

    /// Returns true for a turn that began just now, by a clock that was set back after the thread was made.
    fn is_of_a_late_clock(&self, turn: &str, time: Option<i64>) -> bool {
        let Some(((own, turn), now)) = made_at(&self.own).zip(made_at(turn)).zip(time) else {
            return false;
        };
        now < own && turn.abs_diff(now) < SOON
    }

    /// Decides at last, where no answer has: returns where the own part begins.
    pub(crate) fn give_up(&mut self) -> Option<usize> {
        if !std::mem::take(&mut self.is_copying) {
            return None;
        }
        match self.turn.take() {
            _ if !self.is_certain => Some(0),
            Some(turn) => turn.late.or(turn.paused),
            None => None,
        }
    }

    /// Writes what is known, unless a copy is not over yet.
    pub(crate) fn save(&self, out: &mut Writer) -> Option<()> {
        if self.is_copying || self.turn.is_some() {
            return None;
        }
        out.text(&self.own);
        out.maybe(self.start_ordinal, Writer::number);
        out.flag(self.is_certain);
        out.flag(self.knows_turns);
        out.maybe(self.last_time, Writer::time);
        Some(())
    }

    /// Reads what was saved.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.own = from.text()?;
        self.start_ordinal = from.maybe(Reader::number)?;
        self.is_certain = from.flag()?;
        self.knows_turns = from.flag()?;
        self.last_time = from.maybe(Reader::time)?;
        Some(())
    }

    /// Returns where the own part begins, if it does with this turn.
    fn start(&self, turn: &Beginning) -> usize {
        if self.is_certain { turn.late.or(turn.paused).unwrap_or(turn.number) } else { 0 }
    }

    /// Returns where the own part begins, if it does with the turn that a record names: with the prompt, where that stands
    /// before.
    fn begun(&self, turn: &Beginning, sight: Sight<'_>) -> usize {
        match sight.role {
            Role::Begins if self.is_certain => turn.late.or(turn.paused).unwrap_or(sight.number),
            _ => self.start(turn),
        }
    }

    fn prove(&mut self) -> Verdict {
        (self.turn, self.is_certain) = (None, true);
        Verdict::Proven
    }

    fn end(&mut self, start: usize) -> Verdict {
        self.is_copying = false;
        Verdict::Own(if self.is_certain { start } else { 0 })
    }
}

/// Returns true for an id that begins with a time.
fn grows(id: &str) -> bool {
    is_uuid(id) && id.as_bytes()[14] == b'7'
}

/// Returns the time that an id begins with.
fn made_at(id: &str) -> Option<i64> {
    let millis = i64::from_str_radix(&format!("{}{}", id.get(..8)?, id.get(9..13)?), 16).ok()?;
    millis.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::Role::{Answers, Begins, Other, Works};
    use super::*;

    const OWN: &str = "0199a0b2-0000-7000-8000-000000000000";
    const EARLIER: &str = "0199a0b1-0000-7000-8000-000000000000";
    const LATER: &str = "0199a0b3-0000-7000-8000-000000000000";

    fn forked(meta: &str) -> Copied {
        let mut copied = Copied::default();
        copied.own(OWN, Tape::new().parse(meta, 0).expect("JSON").0, true, Some(0));
        copied
    }

    /// A record as role and time in milliseconds.
    type Step = (Role, i64);

    /// Returns where the own part begins.
    fn own_from(copied: &mut Copied, records: &[Step]) -> Option<usize> {
        for (number, &(role, millis)) in records.iter().enumerate() {
            let time = Some(millis * 1000);
            let sight = Sight { number, ordinal: None, turn: None, is_start: false, time, role };
            if let Verdict::Own(start) = copied.look(sight) {
                return Some(start);
            }
        }
        copied.give_up()
    }

    #[test]
    fn the_first_turn_that_is_younger_than_the_thread_is_its_own() {
        let mut copied = forked("{}");
        copied.other(None);
        let turn = |turn, number, time| Sight {
            number,
            ordinal: None,
            turn: Some(turn),
            is_start: true,
            time: Some(time),
            role: Other,
        };
        assert_eq!(copied.look(turn(EARLIER, 0, 1)), Verdict::Proven);
        assert_eq!(copied.look(turn(EARLIER, 1, 900_000)), Verdict::Proven);
        assert_eq!(copied.look(turn(LATER, 2, 900_001)), Verdict::Own(2));
        assert!(!copied.is_copying());
    }

    #[test]
    fn a_turn_of_a_late_clock_is_the_threads_own() {
        let mut copied = forked("{}");
        copied.other(None);
        let now = made_at(EARLIER).expect("a time") + 300_000;
        let sight = |turn, number, time| Sight {
            number,
            ordinal: None,
            turn: Some(turn),
            is_start: true,
            time: Some(time),
            role: Other,
        };
        let long_ago = "0199a000-0000-7000-8000-000000000000";
        assert_eq!(copied.look(sight(long_ago, 0, now)), Verdict::Proven);
        assert_eq!(copied.look(sight(EARLIER, 1, now)), Verdict::Own(1));
    }

    #[test]
    fn without_ids_of_turns_the_pace_tells() {
        let copy = [(Begins, 0), (Begins, 0), (Answers, 1), (Other, 90), (Answers, 91)];
        #[rustfmt::skip]
        let cases: &[(&str, &[Step], Option<usize>)] = &[
            ("a prompt, and its answer after a while", &[(Begins, 500), (Begins, 501), (Answers, 560)],          Some(5)),
            ("the copied turn had no answer",          &[(Begins, 92), (Begins, 500), (Begins, 501), (Answers, 560)], Some(6)),
            ("the own turn has no answer",             &[(Begins, 500), (Begins, 501)],                          Some(5)),
            ("nothing of its own",                     &[],                                                     None),
            ("the clock is set back meanwhile",        &[(Begins, 500), (Begins, 501), (Answers, -900)],         Some(5)),
            ("an answer at once, long after the copy", &[(Begins, 9_500), (Begins, 9_501), (Answers, 9_504)],   Some(5)),
            ("a slow disk, and no answer before it",  &[(Begins, 92), (Begins, 140), (Begins, 9_500), (Answers, 9_501)], Some(7)),
            ("broken off, and asked again",            &[(Begins, 140), (Works, 1_500), (Begins, 9_500), (Answers, 9_600)], Some(5)),
            ("broken off at once behind the copy",     &[(Begins, 93), (Works, 1_500)],                          Some(5)),
            ("a copied turn that was broken off",      &[(Begins, 92), (Works, 92), (Begins, 500), (Answers, 560)], Some(7)),
            ("a slow disk between two turns",          &[(Begins, 500), (Answers, 501), (Begins, 900), (Answers, 990)], Some(7)),
        ];
        for (name, rest, expect) in cases {
            let records: Vec<_> = copy.iter().chain(*rest).copied().collect();
            let mut told = forked("{}");
            told.other(Some(0));
            assert_eq!(own_from(&mut told, &records), *expect, "{name}, with the parent's header");
            assert_eq!(own_from(&mut forked("{}"), &records), *expect, "{name}, without");
        }
    }

    #[test]
    fn a_prompt_seconds_behind_copied_context_is_the_forks_own() {
        let records = [(Begins, 0), (Begins, 0), (Begins, 1_990), (Answers, 1_993)];
        let mut told = forked("{}");
        told.other(Some(0));
        assert_eq!(own_from(&mut told, &records), Some(2));
        let at_once = [(Begins, 0), (Begins, 0), (Begins, 1), (Answers, 3)];
        let mut told = forked("{}");
        told.other(Some(0));
        assert_eq!(own_from(&mut told, &at_once), None);
    }

    #[test]
    fn a_fork_without_a_copy_is_all_its_own() {
        let records = [(Begins, 0), (Begins, 0), (Begins, 900), (Answers, 960)];
        assert_eq!(own_from(&mut forked("{}"), &records), Some(0));
        assert_eq!(own_from(&mut forked("{}"), &records[..1]), Some(0));
    }

    #[test]
    fn an_id_of_a_turn_that_only_goes_on_leaves_it_to_the_pace() {
        let mut copied = forked("{}");
        copied.other(Some(0));
        let sight = |number, millis: i64, role, turn| Sight {
            number,
            ordinal: None,
            turn,
            is_start: false,
            time: Some(millis * 1000),
            role,
        };
        copied.look(sight(0, 0, Begins, None));
        assert_eq!(copied.look(sight(1, 1, Other, Some(EARLIER))), Verdict::Proven);
        assert_eq!(copied.look(sight(2, 900, Begins, None)), Verdict::Doubt);
        assert_eq!(copied.look(sight(3, 960, Answers, None)), Verdict::Own(2));
    }

    #[test]
    fn the_prompt_before_the_first_own_turn_is_its_own() {
        let copy = [(Begins, 0, Some(EARLIER)), (Begins, 1, None), (Answers, 1, None)];
        #[rustfmt::skip]
        let cases: [(&str, &[Looked], usize); 4] = [
            ("a prompt, and then its turn",   &[(Begins, 900, None), (Other, 901, Some(LATER))],                     3),
            ("at the pace of the copy",       &[(Begins, 2, None), (Other, 2, Some(LATER))],                         3),
            ("behind a prompt of the copy",   &[(Begins, 2, None), (Begins, 900, None), (Other, 901, Some(LATER))],  4),
            ("the turn, and then its prompt", &[(Begins, 2, None), (Begins, 3, Some(LATER)), (Begins, 3, None)],     4),
        ];
        for (name, rest, expect) in cases {
            let mut copied = forked("{}");
            copied.other(Some(0));
            let records = copy.iter().chain(rest).enumerate();
            let mut verdicts = records.map(|(number, &(role, millis, turn))| {
                let time = Some(millis * 1000);
                copied.look(Sight { number, ordinal: None, turn, is_start: true, time, role })
            });
            let own = verdicts.find(|verdict| matches!(verdict, Verdict::Own(_)));
            assert_eq!(own, Some(Verdict::Own(expect)), "{name}");
        }
    }

    /// A record as role, time in milliseconds, and turn that it begins.
    type Looked = (Role, i64, Option<&'static str>);

    #[test]
    fn an_ordinal_says_where_the_own_part_begins() {
        let mut copied = forked(r#"{"subagent_history_start_ordinal":7}"#);
        copied.other(None);
        let sight = |ordinal, turn| Sight {
            number: 3,
            ordinal: Some(ordinal),
            turn,
            is_start: true,
            time: None,
            role: Other,
        };
        assert_eq!(copied.look(sight(6, Some(EARLIER))), Verdict::Proven);
        assert_eq!(copied.look(sight(7, None)), Verdict::Own(3));
        // A migration counts all lines of a child as its parent's; a turn as young as the child is its own, and an older one
        // is a copy, whether or not the parent's header is there.
        let mut copied = forked(r#"{"subagent_history_start_ordinal":7}"#);
        assert_eq!(copied.look(sight(2, Some(EARLIER))), Verdict::Proven);
        assert_eq!(copied.look(sight(4, None)), Verdict::Copy);
        assert_eq!(copied.look(sight(5, Some(LATER))), Verdict::Own(3));
        let mut copied = forked(r#"{"subagent_history_start_ordinal":7}"#);
        copied.other(None);
        assert_eq!(copied.look(sight(6, Some(LATER))), Verdict::Own(3));
    }

    #[test]
    fn an_ordinal_without_a_sign_of_another_thread_says_nothing() {
        let (meta, mut copied) = (r#"{"subagent_history_start_ordinal":7}"#, Copied::default());
        copied.own(OWN, Tape::new().parse(meta, 0).expect("JSON").0, false, Some(0));
        assert!(!copied.is_copying());
    }
}
