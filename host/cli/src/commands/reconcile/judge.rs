//! Whether what is stored of a thread agrees with what its client counted.
//!
//! What a client's total covers differs: Codex counts a thread, Claude Code a session with its sub-agents, and a fork
//! goes on from its origin's total. So several sums are compared, each named; one that agrees in every column that the
//! client counted is proof.

mod left_out;

use serde::Serialize;

use self::left_out::left_out;

/// Names of the columns that are compared, as clients' totals and rows have them.
pub(super) const COLUMNS: [&str; 5] = [
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
];

/// Tokens by column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Tokens(pub(super) [u64; 5]);

impl Tokens {
    pub(super) fn add(&mut self, other: Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    fn is_nothing(self) -> bool {
        self == Self::default()
    }

    fn minus(self, other: Self) -> Option<Self> {
        let mut rest = [0; 5];
        for (at, left) in rest.iter_mut().enumerate() {
            *left = self.0[at].checked_sub(other.0[at])?;
        }
        Some(Self(rest))
    }
}

/// What a client counted; columns that it does not count are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted(pub(super) [Option<u64>; 5]);

impl Counted {
    fn agrees(self, tokens: Tokens) -> bool {
        self.0.iter().zip(tokens.0).all(|(counted, stored)| counted.is_none_or(|it| it == stored))
    }

    /// Says whether the client counted at least as much in every column.
    fn covers(self, tokens: Tokens) -> bool {
        self.0.iter().zip(tokens.0).all(|(counted, stored)| counted.is_none_or(|it| it >= stored))
    }

    /// Returns what is left without some of it.
    fn without(self, tokens: Tokens) -> Self {
        let mut rest = self.0;
        let columns = rest.iter_mut().zip(tokens.0);
        columns.for_each(|(counted, less)| *counted = counted.map(|it| it.saturating_sub(less)));
        Self(rest)
    }

    /// Returns tokens with nothing in the columns that the client does not count.
    fn columns_of(self, tokens: Tokens) -> Tokens {
        let mut counted = tokens.0;
        for (tokens, is_counted) in counted.iter_mut().zip(self.0) {
            *tokens = is_counted.map_or(0, |_| *tokens);
        }
        Tokens(counted)
    }

    /// Returns how much there is in all; the reasoning is part of the output.
    pub(super) fn total(self) -> u64 {
        self.0[..4].iter().flatten().sum()
    }
}

/// A response of a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) tokens: Tokens,
    /// Whether somebody prompted since the one before.
    pub(super) begins_turn: bool,
    /// Whether it came to its end.
    pub(super) is_finished: bool,
}

impl Response {
    /// Returns it with nothing in the columns that the client does not count.
    fn within(self, counted: Counted) -> Self {
        Self { tokens: counted.columns_of(self.tokens), ..self }
    }

    /// Returns it without its tokens, unless it came to its end.
    fn if_finished(self) -> Self {
        let tokens = if self.is_finished { self.tokens } else { Tokens::default() };
        Self { tokens, ..self }
    }
}

/// What is known of a thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// What the client counted, where it did.
    pub(super) counted: Option<Counted>,
    /// The thread's own responses, in their order.
    pub(super) responses: Vec<Response>,
    /// Tokens of its sub-agents.
    pub(super) subagents: Tokens,
    /// Its own responses and those of its sub-agents, in the order of their times; none where it has no sub-agents.
    pub(super) with_subagents: Vec<Response>,
    /// Tokens of the copies that its recording holds.
    pub(super) copies: Tokens,
    /// Tokens of the sub-agents that its origins had before it began.
    pub(super) inherited: Tokens,
    /// Whether it began as a copy of another thread.
    pub(super) is_fork: bool,
    /// Whether it names that other thread, which is not stored.
    pub(super) is_orphan: bool,
    /// Whether rows were left out because of a window.
    pub(super) is_partial: bool,
    /// Whether its recording is gone.
    pub(super) is_gone: bool,
    /// Whether its recording holds records that were not understood.
    pub(super) has_failures: bool,
    /// What the client counted of models that answered nowhere in the recordings that a total may cover.
    pub(super) aside: Option<Tokens>,
    /// Whether its client counts responses that it writes no record of.
    pub(super) counts_unwritten: bool,
    /// Whether its client goes on from the total that it finds in the recording, whatever was answered since.
    pub(super) takes_up: bool,
}

/// How a thread fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(super) enum Status {
    #[serde(rename = "FAIL")]
    Fail,
    #[serde(rename = "UNPROVABLE")]
    Unprovable,
    #[serde(rename = "PASS")]
    Pass,
}

/// What a client's total turned out to cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Basis {
    /// The thread's own responses.
    Thread,
    /// Those and its sub-agents'.
    WithSubagents,
    /// Those and the copies in its recording.
    WithCopies,
    /// All of these.
    WithSubagentsAndCopies,
    /// All of these, and the sub-agents that its origin had until then.
    WithOrigin,
    /// The total of the thread that started it covers it.
    InParent,
}

impl Basis {
    /// Says whether the responses of sub-agents are among it.
    pub(super) fn has_subagents(self) -> bool {
        matches!(self, Self::WithSubagents | Self::WithSubagentsAndCopies | Self::WithOrigin)
    }
}

/// Why nothing can be said. The list is closed; docs/reconcile.md explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    NoCounter,
    SourceGone,
    PartialImport,
    CounterBehind,
    InterruptedResponses,
    ForkCarriesParent,
    OriginMissing,
    UnwrittenResponses,
    BrokenRecords,
}

impl Cause {
    /// Says it in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NoCounter => "the client wrote no total of it",
            Self::SourceGone => "no total was kept, and its recording is gone",
            Self::PartialImport => "only a window of it was imported",
            Self::CounterBehind => {
                "the client's total leaves out what it had not counted when it ended"
            }
            Self::InterruptedResponses => "the client did not count answers that were interrupted",
            Self::ForkCarriesParent => "the client's total goes on from its origin's",
            Self::OriginMissing => "it was forked from a thread that is not stored",
            Self::UnwrittenResponses => "the client counted responses that it did not write",
            Self::BrokenRecords => "its recording holds records that were not understood",
        }
    }
}

/// The answer, with the sum that stands beside the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) basis: Basis,
    /// It agrees but for models that answered in no recording.
    pub(super) has_side_requests: bool,
    pub(super) cause: Option<Cause>,
    pub(super) stored: Tokens,
}

/// Compares.
pub(super) fn judge(evidence: &Evidence) -> Verdict {
    let own = sum(evidence.responses.iter().map(|response| response.tokens));
    let nothing_agrees = |status, cause| Verdict {
        status,
        basis: Basis::Thread,
        has_side_requests: false,
        cause,
        stored: own,
    };
    let unprovable = |cause| nothing_agrees(Status::Unprovable, Some(cause));
    let Some(counted) = evidence.counted else {
        return unprovable(if evidence.is_gone { Cause::SourceGone } else { Cause::NoCounter });
    };
    let sums = sums(evidence, own);
    let agreed = |counted: Counted| sums.iter().copied().find(|(_, sum)| counted.agrees(*sum));
    let without_aside = evidence.aside.map(|aside| counted.without(aside));
    let plain = agreed(counted);
    if let Some((basis, stored)) = plain.or_else(|| without_aside.and_then(agreed)) {
        let has_side_requests = plain.is_none();
        return Verdict { status: Status::Pass, basis, has_side_requests, cause: None, stored };
    }
    let cause = cause(evidence, counted, &sums);
    match cause.or_else(|| left_out(evidence, without_aside?, &sums)) {
        Some(cause) => unprovable(cause),
        None => nothing_agrees(Status::Fail, None),
    }
}

/// Returns the sums that a total may stand for, the plainest first.
fn sums(evidence: &Evidence, own: Tokens) -> Vec<(Basis, Tokens)> {
    let plus = |parts: &[Tokens]| {
        let mut sum = own;
        parts.iter().for_each(|part| sum.add(*part));
        sum
    };
    let Evidence { subagents, copies, inherited, .. } = *evidence;
    let mut sums = vec![(Basis::Thread, own)];
    for (basis, sum) in [
        (Basis::WithSubagents, plus(&[subagents])),
        (Basis::WithCopies, plus(&[copies])),
        (Basis::WithSubagentsAndCopies, plus(&[subagents, copies])),
        (Basis::WithOrigin, plus(&[subagents, copies, inherited])),
    ] {
        if sums.iter().all(|(_, known)| *known != sum) {
            sums.push((basis, sum));
        }
    }
    sums
}

/// Returns why a total that agrees with no sum is no proof of a mistake, if it is none.
fn cause(evidence: &Evidence, counted: Counted, sums: &[(Basis, Tokens)]) -> Option<Cause> {
    if evidence.is_partial {
        return Some(Cause::PartialImport);
    }
    if let Some(cause) = left_out(evidence, counted, sums) {
        return Some(cause);
    }
    if evidence.is_orphan && is_of_an_end(evidence, counted) {
        return Some(Cause::OriginMissing);
    }
    // Less than what is stored cannot be explained by anything that is not stored; answers that were interrupted need not
    // be counted beside what is.
    let (_, own) = sums.first()?;
    if !counted.covers(*own) {
        let unfinished = evidence.responses.iter().filter(|response| !response.is_finished);
        let unfinished = sum(unfinished.map(|response| response.tokens));
        let is_covered = own.minus(unfinished).is_some_and(|rest| counted.covers(rest));
        return (evidence.counts_unwritten && is_covered).then_some(Cause::UnwrittenResponses);
    }
    if evidence.has_failures {
        return Some(Cause::BrokenRecords);
    }
    if evidence.is_fork {
        return Some(match evidence.is_orphan {
            true => Cause::OriginMissing,
            false => Cause::ForkCarriesParent,
        });
    }
    evidence.counts_unwritten.then_some(Cause::UnwrittenResponses)
}

/// Says whether a total is that of a thread's last responses: those before them are copies whose originals are not stored.
fn is_of_an_end(evidence: &Evidence, counted: Counted) -> bool {
    let mut tokens = Tokens::default();
    let last = evidence.responses.iter().skip(1).rev();
    counted.agrees(tokens)
        || last.into_iter().any(|response| {
            tokens.add(response.tokens);
            counted.agrees(tokens)
        })
}

fn sum(all: impl Iterator<Item = Tokens>) -> Tokens {
    let mut sum = Tokens::default();
    all.for_each(|tokens| sum.add(tokens));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens([input, output, 0, 0, 0])
    }

    /// A response to a prompt.
    fn response(input: u64, output: u64) -> Response {
        Response { tokens: tokens(input, output), begins_turn: true, is_finished: true }
    }

    /// A thread of two responses, 30 and 5 tokens together.
    fn counted(input: u64, output: u64) -> Evidence {
        Evidence {
            counted: Some(Counted([Some(input), Some(output), None, None, None])),
            responses: vec![response(10, 2), response(20, 3)],
            subagents: tokens(100, 7),
            ..Evidence::default()
        }
    }

    fn told(evidence: &Evidence) -> String {
        let verdict = judge(evidence);
        let cause = verdict.cause.map_or_else(String::new, |cause| format!(" {cause:?}"));
        let side = if verdict.has_side_requests { " but for side requests" } else { "" };
        format!("{:?} {:?}{cause}{side}", verdict.status, verdict.basis)
    }

    #[test]
    fn a_total_is_compared_with_what_it_may_cover() {
        let fork = Evidence {
            copies: tokens(1_000, 50),
            inherited: tokens(4_000, 60),
            is_fork: true,
            ..counted(0, 0)
        };
        let with = |evidence: &Evidence, input, output| Evidence {
            counted: counted(input, output).counted,
            ..evidence.clone()
        };
        let orphan = Evidence { is_orphan: true, ..fork.clone() };
        let partial = Evidence { is_partial: true, ..counted(31, 5) };
        let broken = Evidence { has_failures: true, ..counted(31, 5) };
        let unfinished = Response { is_finished: false, ..response(10, 2) };
        let interrupted =
            Evidence { responses: vec![unfinished, response(20, 3)], ..counted(20, 3) };
        let unwritten = Evidence { counts_unwritten: true, ..counted(31, 5) };
        let both = Evidence { counts_unwritten: true, ..with(&interrupted, 29, 9) };
        let titled = Evidence { aside: Some(tokens(300, 9)), ..counted(330, 14) };
        #[rustfmt::skip]
        let cases = [
            ("its own",                     counted(30, 5),           "Pass Thread"),
            ("one token less",              counted(29, 5),           "Fail Thread"),
            ("one token more",              counted(31, 5),           "Fail Thread"),
            ("with sub-agents",             counted(130, 12),         "Pass WithSubagents"),
            ("a fork's own",                with(&fork, 30, 5),       "Pass Thread"),
            ("with copies",                 with(&fork, 1_030, 55),   "Pass WithCopies"),
            ("with both",                   with(&fork, 1_130, 62),   "Pass WithSubagentsAndCopies"),
            ("with the origin's",           with(&fork, 5_130, 122),  "Pass WithOrigin"),
            ("with something of it",        with(&fork, 3_130, 122),  "Unprovable Thread ForkCarriesParent"),
            ("less than the fork's own",    with(&fork, 29, 5),       "Fail Thread"),
            ("an orphan's own part",        with(&orphan, 20, 3),     "Unprovable Thread OriginMissing"),
            ("one token less than that",    with(&orphan, 19, 3),     "Fail Thread"),
            ("before the last response",    counted(10, 2),           "Unprovable Thread CounterBehind"),
            ("before all of them",          counted(0, 0),            "Unprovable Thread CounterBehind"),
            ("without the first response",  counted(20, 3),           "Fail Thread"),
            ("without an interrupted one",  interrupted.clone(),      "Unprovable Thread InterruptedResponses"),
            ("and less than that",          with(&interrupted, 19, 3), "Fail Thread"),
            ("a window",                    partial,                  "Unprovable Thread PartialImport"),
            ("broken records",              broken.clone(),           "Unprovable Thread BrokenRecords"),
            ("broken, and counted less",    with(&broken, 29, 5),     "Fail Thread"),
            ("unwritten responses",         unwritten.clone(),        "Unprovable Thread UnwrittenResponses"),
            ("unwritten and interrupted",   both.clone(),             "Unprovable Thread UnwrittenResponses"),
            ("and less than that",          with(&both, 19, 9),       "Fail Thread"),
            ("with side requests",          titled.clone(),           "Pass Thread but for side requests"),
            ("those, and not the last",     with(&titled, 310, 11),   "Unprovable Thread CounterBehind"),
            ("those, and a token less",     with(&titled, 329, 14),   "Fail Thread"),
            ("unwritten, counted less",     with(&unwritten, 31, 4),  "Fail Thread"),
        ];
        for (name, evidence, expected) in cases {
            assert_eq!(told(&evidence), expected, "{name}");
        }
    }

    #[test]
    fn without_a_total_nothing_is_proved() {
        let none = Evidence { counted: None, ..counted(0, 0) };
        assert_eq!(told(&none), "Unprovable Thread NoCounter");
        let gone = Evidence { is_gone: true, ..none };
        assert_eq!(told(&gone), "Unprovable Thread SourceGone");
    }
}
