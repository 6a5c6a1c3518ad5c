//! What becomes of a part once it is known whether it is a copy.

use hyp_model::judge::Verdict;

use crate::judge::Change;

/// A part as it is told so far, and as it is now known to be.
pub(crate) struct Standing<'v> {
    pub(crate) told: Told<'v>,
    /// An earlier thread said it.
    pub(crate) is_copy: bool,
    /// Its recording says that it is a copy.
    pub(crate) is_own_copy: bool,
    /// What its thread says that it comes from is stored, or it says nothing.
    pub(crate) has_origin: bool,
    /// What the earliest thread has in its place.
    pub(crate) original: Option<String>,
}

/// How a part is told so far.
pub(crate) enum Told<'v> {
    /// It arrives, and is judged like this.
    Arriving(&'v Verdict),
    Stored {
        is_replay: bool,
        replay_of: Option<String>,
        /// What it is told as a copy of is a part of its own thread.
        is_within: bool,
    },
}

/// What becomes of it.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is told as it should be.
    Stays,
    Judged(Verdict),
    Corrected(Change),
}

impl Standing<'_> {
    pub(crate) fn outcome(self) -> Outcome {
        let Self { is_copy, is_own_copy, has_origin, original, .. } = self;
        match self.told {
            Told::Arriving(verdict) => {
                let is_written = *verdict == Verdict::Write;
                match is_copy {
                    true if is_written => {
                        Outcome::Judged(Verdict::WriteReplay { replay_of: original })
                    }
                    true => Outcome::Corrected(Change::MarkReplay { replay_of: original }),
                    // A copy of what is not there may be the only one there is.
                    false if !is_own_copy || has_origin => Outcome::Stays,
                    false if is_written => Outcome::Judged(Verdict::WriteOriginal),
                    false => Outcome::Corrected(Change::Original),
                }
            }
            Told::Stored { is_replay, replay_of, .. } if is_copy => {
                let is_told = original.is_none() || original == replay_of;
                match is_replay && is_told {
                    true => Outcome::Stays,
                    false => Outcome::Corrected(Change::MarkReplay { replay_of: original }),
                }
            }
            Told::Stored { is_replay, replay_of, is_within } => {
                match (is_replay, is_own_copy && (has_origin || is_within)) {
                    // It says itself that it is a copy, and of what only where that is told in its own thread.
                    (true, true) if replay_of.is_some() && !is_within => {
                        Outcome::Corrected(Change::NoOriginal)
                    }
                    (true, false) => Outcome::Corrected(Change::Original),
                    (false, true) => Outcome::Corrected(Change::MarkReplay { replay_of: None }),
                    _ => Outcome::Stays,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    #[test]
    fn what_arrives_is_judged_or_corrected_once_written() {
        let (write, known) = (Verdict::Write, Verdict::TakeOver);
        let replay = |of| Outcome::Judged(Verdict::WriteReplay { replay_of: of });
        let marked = |of| Outcome::Corrected(Change::MarkReplay { replay_of: of });
        #[rustfmt::skip]
        let cases = [
            // what it is                        verdict  copy   says so  origin  expect
            ("new",                              &write,  false, false,   true,   Outcome::Stays),
            ("a copy",                           &write,  true,  false,   true,   replay(id("o"))),
            ("a copy of what it replaces",       &known,  true,  false,   true,   marked(id("o"))),
            ("a copy in its own words",          &write,  false, true,    true,   Outcome::Stays),
            ("a copy of what is not there",      &write,  false, true,    false,  Outcome::Judged(Verdict::WriteOriginal)),
            ("one that replaces a stored row",   &known,  false, true,    false,  Outcome::Corrected(Change::Original)),
        ];
        for (name, verdict, is_copy, is_own_copy, has_origin, expect) in cases {
            let original = id("o").filter(|_| is_copy);
            let told = Told::Arriving(verdict);
            let standing = Standing { told, is_copy, is_own_copy, has_origin, original };
            assert_eq!(standing.outcome(), expect, "{name}");
        }
    }

    #[test]
    fn what_is_stored_is_corrected_where_it_is_told_otherwise() {
        let marked = |of| Outcome::Corrected(Change::MarkReplay { replay_of: of });
        let original = || Outcome::Corrected(Change::Original);
        #[rustfmt::skip]
        let cases = [
            // what it is                        told as           copy of        says so  origin  within  expect
            ("an original",                      (false, None),    None,          false,   true,   false,  Outcome::Stays),
            ("a copy that was told as none",     (false, None),    Some(id("o")), false,   true,   false,  marked(id("o"))),
            ("a copy of what is not known",      (false, None),    Some(None),    false,   true,   false,  marked(None)),
            ("a copy",                           (true, id("o")),  Some(id("o")), false,   true,   false,  Outcome::Stays),
            ("a copy of something else",         (true, id("p")),  Some(id("o")), false,   true,   false,  marked(id("o"))),
            ("whose original nobody names now",  (true, id("p")),  Some(None),    false,   true,   false,  Outcome::Stays),
            ("no copy after all",                (true, id("o")),  None,          false,   true,   false,  original()),
            ("in its own words, of something",   (true, id("o")),  None,          true,    true,   false,  Outcome::Corrected(Change::NoOriginal)),
            ("of something in its own thread",   (true, id("o")),  None,          true,    false,  true,   Outcome::Stays),
            ("of nothing, in its own words",     (true, None),     None,          true,    true,   false,  Outcome::Stays),
            ("of what is not there any more",    (true, None),     None,          true,    false,  false,  original()),
            ("of what has come meanwhile",       (false, None),    None,          true,    true,   false,  marked(None)),
        ];
        for (name, (is_replay, replay_of), copy_of, is_own_copy, has_origin, is_within, expect) in
            cases
        {
            let is_copy = copy_of.is_some();
            let (told, original) =
                (Told::Stored { is_replay, replay_of, is_within }, copy_of.flatten());
            let standing = Standing { told, is_copy, is_own_copy, has_origin, original };
            assert_eq!(standing.outcome(), expect, "{name}");
        }
    }
}
