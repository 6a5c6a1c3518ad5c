//! Whose the first count of a fork is that copies nothing.
//!
//! Its client counts on from the totals of the parent, and tells them before the first answer and behind one that broke
//! off; nothing in such a count says so. One that a record backs is the fork's own. Else it has its tokens until
//! something tells that they are the parent's: a record that comes only then, an answer that is given again.

use hyp_sdk::state::{Reader, Writer};

use crate::scan::Rollout;
use crate::usage::Tokens;

/// What a turn of the fork has brought before the first count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said {
    Nothing,
    /// Words, with which a turn ends: none comes behind them, unless they broke off.
    Words,
    /// Calls, behind which more comes.
    Calls,
}

/// How far a fork is that copies nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum First {
    /// There is no such fork, or its first count is understood.
    #[default]
    Known,
    /// There was no count yet.
    Awaited(Said),
    /// There was no count yet, but a record of a response.
    Recorded,
    /// The first count was taken for the fork's own, with these tokens.
    Doubted(Said, Tokens),
}

impl First {
    /// Takes note of what the turn has brought.
    pub(crate) fn say(&mut self, said: Said) {
        match self {
            Self::Awaited(before) if *before != Said::Calls => *before = said,
            _ => {}
        }
    }

    /// Begins a turn. What comes from here on is no repetition of the answer before.
    pub(crate) fn begin_turn(&mut self) {
        match self {
            Self::Awaited(said) => *said = Said::Nothing,
            Self::Doubted(said @ Said::Words, _) => *said = Said::Calls,
            _ => {}
        }
    }

    pub(crate) fn save(self, out: &mut Writer) {
        out.number(match self {
            Self::Known | Self::Doubted(..) => 0,
            Self::Awaited(Said::Nothing) => 1,
            Self::Awaited(Said::Words) => 2,
            Self::Awaited(Said::Calls) => 3,
            Self::Recorded => 4,
        });
    }

    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        Some(match from.number()? {
            0 => Self::Known,
            1 => Self::Awaited(Said::Nothing),
            2 => Self::Awaited(Said::Words),
            3 => Self::Awaited(Said::Calls),
            4 => Self::Recorded,
            _ => return None,
        })
    }
}

/// What tells of a first count whose it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sign {
    /// A response was told with its id: the count before had none.
    Record,
    /// The model goes on.
    Answer,
    /// The model is given what it answers next: a prompt, a result, a compaction, another turn.
    Given,
    /// The turn failed, or was broken off.
    Broken,
    /// The turn is over as it should be.
    Complete,
    /// The totals have moved.
    Count,
    /// Nothing more comes, or what waits must go out.
    End,
}

impl Rollout {
    /// Takes a sign of whose the first count was, where that is in doubt.
    pub(crate) fn weigh(&mut self, sign: Sign) {
        let First::Doubted(said, tokens) = self.totals.fork else { return };
        let is_own = match (said, sign) {
            (Said::Nothing, Sign::Complete) => true,
            (Said::Nothing, _) | (_, Sign::Record) => false,
            (Said::Words, Sign::Answer | Sign::Broken) => false,
            (_, Sign::Count | Sign::End) => true,
            (Said::Words, Sign::Given) => return self.totals.fork.begin_turn(),
            _ => return,
        };
        self.totals.fork = First::Known;
        if is_own {
            self.hold.keep_count();
        } else if self.hold.take_count() {
            self.totals.disown(tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_awaited_is_saved() {
        for (first, told) in [
            (First::Known, "Known"),
            (First::Awaited(Said::Nothing), "Awaited(Nothing)"),
            (First::Awaited(Said::Words), "Awaited(Words)"),
            (First::Awaited(Said::Calls), "Awaited(Calls)"),
            (First::Recorded, "Recorded"),
        ] {
            let mut out = Writer::new();
            first.save(&mut out);
            let saved = out.finish();
            let restored = First::restore(&mut Reader::new(&saved)).expect("what was saved");
            assert_eq!(format!("{restored:?}"), told);
        }
    }

    #[test]
    fn a_turn_that_called_goes_on_whatever_it_says() {
        let mut first = First::Awaited(Said::Nothing);
        for (said, told) in [(Said::Words, "Words"), (Said::Calls, "Calls"), (Said::Words, "Calls")]
        {
            first.say(said);
            assert_eq!(format!("{first:?}"), format!("Awaited({told})"));
        }
        first.begin_turn();
        assert_eq!(format!("{first:?}"), "Awaited(Nothing)");
    }
}
