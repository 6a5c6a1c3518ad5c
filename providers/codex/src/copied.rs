//! Where the history that a recording was forked with ends.
//!
//! The client copies the parent's lines with new times, all within moments; turns keep their ids,
//! and ids grow with time. Paginated recordings say outright with which record their own part begins.

use hyp_sdk::json::Value;

use crate::plan::is_uuid;

/// A copy is written without pauses: microseconds that no two of its records lie apart.
const PAUSE: i64 = 10_000;

/// How far a recording is a copy of another one.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    own: String,
    /// The first ordinal of the own part.
    start_ordinal: Option<u64>,
    is_copying: bool,
    knows_turns: bool,
    last_time: Option<i64>,
}

impl Copied {
    /// Takes the recording's own header.
    pub(crate) fn own(&mut self, id: &str, meta: Value<'_>) {
        id.clone_into(&mut self.own);
        self.start_ordinal = meta.get("subagent_history_start_ordinal").and_then(Value::u64);
        self.is_copying = self.start_ordinal.is_some();
    }

    /// Takes the header of another thread: what follows is a copy of that one's history.
    pub(crate) fn other(&mut self) {
        self.is_copying = true;
    }

    /// Says whether a record belongs to the copied part.
    pub(crate) fn covers(
        &mut self,
        ordinal: Option<u64>,
        turn: Option<&str>,
        time: Option<i64>,
    ) -> bool {
        let before = self.last_time;
        self.last_time = time.or(before);
        if !self.is_copying {
            return false;
        }
        if let (Some(start), Some(ordinal)) = (self.start_ordinal, ordinal) {
            self.is_copying = ordinal < start;
            return self.is_copying;
        }
        if let Some(turn) = turn
            && grows(turn)
            && grows(&self.own)
        {
            self.knows_turns = true;
            self.is_copying = *turn < *self.own;
        }
        let paused = before.zip(time).is_some_and(|(before, time)| time - before > PAUSE);
        if paused && !self.knows_turns && self.start_ordinal.is_none() {
            self.is_copying = false;
        }
        self.is_copying
    }
}

/// Returns true for an id that begins with a time.
fn grows(id: &str) -> bool {
    is_uuid(id) && id.as_bytes()[14] == b'7'
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    const OWN: &str = "0199a0b2-0000-7000-8000-000000000000";
    const EARLIER: &str = "0199a0b1-0000-7000-8000-000000000000";
    const LATER: &str = "0199a0b3-0000-7000-8000-000000000000";

    fn forked(meta: &str) -> Copied {
        let mut copied = Copied::default();
        let mut tape = Tape::new();
        copied.own(OWN, tape.parse(meta, 0).expect("JSON").0);
        copied
    }

    #[test]
    fn the_first_turn_that_is_younger_than_the_thread_is_its_own() {
        let mut copied = forked("{}");
        assert!(!copied.covers(None, None, Some(0)));
        copied.other();
        assert!(copied.covers(None, Some(EARLIER), Some(1)));
        assert!(copied.covers(None, None, Some(90_000)));
        assert!(!copied.covers(None, Some(LATER), Some(90_001)));
        assert!(!copied.covers(None, Some(EARLIER), Some(90_002)));
    }

    #[test]
    fn without_turns_a_pause_ends_the_copy() {
        let mut copied = forked("{}");
        copied.other();
        assert!(copied.covers(None, None, Some(0)));
        assert!(copied.covers(None, None, Some(2_000)));
        assert!(!copied.covers(None, None, Some(900_000)));
    }

    #[test]
    fn an_ordinal_says_where_the_own_part_begins() {
        let mut copied = forked(r#"{"subagent_history_start_ordinal":7}"#);
        assert!(copied.covers(Some(6), Some(LATER), None));
        assert!(!copied.covers(Some(7), None, None));
    }
}
