//! Why a row stands: the rule that decided between the places in which its part was seen.

use serde::Serialize;

/// Which rule a row stands by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    /// Seen in one place.
    OnlyCopy,
    /// Seen in several threads: the one that began first has it.
    EarliestThread,
    /// The same, and a later thread had the row until the first one was imported.
    TookOver,
    /// A copy under an id of its own; its tokens do not count.
    ReplayOf,
    /// Read again with another outcome; the newer one stands.
    Refreshed,
}

impl Rule {
    /// Says it in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::OnlyCopy => "it was seen nowhere else",
            Self::EarliestThread => {
                "of the threads that hold it, this one began first (of equals, the lesser id)"
            }
            Self::TookOver => {
                "of the threads that hold it, this one began first; another was imported before it"
            }
            Self::ReplayOf => "a copy under an id of its own; its tokens do not count",
            Self::Refreshed => "its recording was read again, and the newer reading stands",
        }
    }

    /// Returns what the bytes of the row's record count as.
    pub(super) fn accounting(self) -> &'static str {
        match self {
            Self::OnlyCopy | Self::EarliestThread => "written",
            Self::TookOver => "taken_over",
            Self::ReplayOf => "written_as_replay",
            Self::Refreshed => "refreshed",
        }
    }
}

/// A run, as far as rules ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    pub(super) started_at: i64,
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Run {
    /// Says whether the run wanted a message of that time.
    fn wanted(&self, at: i64) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at <= until)
    }
}

/// What is known of a row.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) is_replay: bool,
    /// When the message was said.
    pub(super) at: i64,
    /// The run that wrote the row.
    pub(super) run: Option<&'a Run>,
    /// Runs that wrote rows which lie behind this one in the same recording.
    pub(super) runs_behind: Vec<&'a Run>,
    /// Runs that wrote rows of the other threads that hold the part.
    pub(super) runs_of_others: Vec<&'a Run>,
    /// Whether other threads hold the part.
    pub(super) has_others: bool,
}

/// Tells the rule.
///
/// What was replaced is not kept. It shows in the runs: a recording is read from its start to its end, so a row that was
/// written later than one behind it, by a run whose window would have had it, was written a second time.
pub(super) fn rule(known: &Known<'_>) -> Rule {
    if known.is_replay {
        return Rule::ReplayOf;
    }
    let is_earlier = |run: &&&Run| known.run.is_some_and(|own| run.started_at < own.started_at);
    if known.has_others {
        let did_take_over =
            known.runs_of_others.iter().filter(is_earlier).any(|run| run.wanted(known.at));
        return if did_take_over { Rule::TookOver } else { Rule::EarliestThread };
    }
    if known.runs_behind.iter().filter(is_earlier).any(|run| run.wanted(known.at)) {
        return Rule::Refreshed;
    }
    Rule::OnlyCopy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_from_the_runs() {
        let first = Run { started_at: 1, ..Run::default() };
        let late = Run { started_at: 1, since: Some(100), ..Run::default() };
        let second = Run { started_at: 2, ..Run::default() };
        let of = |others: &[&'static str], is_replay| Known {
            is_replay,
            at: 50,
            has_others: !others.is_empty(),
            ..Known::default()
        };
        #[rustfmt::skip]
        let cases = [
            ("alone",              Known { run: Some(&first), ..of(&[], false) },                                    Rule::OnlyCopy),
            ("a copy",             Known { run: Some(&first), ..of(&["b"], true) },                                  Rule::ReplayOf),
            ("with others",        Known { run: Some(&first), runs_of_others: vec![&first], ..of(&["b"], false) },   Rule::EarliestThread),
            ("after others",       Known { run: Some(&second), runs_of_others: vec![&first], ..of(&["b"], false) },  Rule::TookOver),
            ("before others",      Known { run: Some(&first), runs_of_others: vec![&second], ..of(&["b"], false) },  Rule::EarliestThread),
            ("after a window",     Known { run: Some(&second), runs_behind: vec![&late], ..of(&[], false) },         Rule::OnlyCopy),
            ("appended",           Known { run: Some(&second), runs_behind: vec![&second], ..of(&[], false) },       Rule::OnlyCopy),
            ("written again",      Known { run: Some(&second), runs_behind: vec![&first, &second], ..of(&[], false) }, Rule::Refreshed),
        ];
        for (name, known, expected) in cases {
            assert_eq!(rule(&known), expected, "{name}");
        }
    }
}
