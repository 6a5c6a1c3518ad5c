//! Days, weeks or months: what one bar of a chart over time stands for.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{ToSpan, Unit};

use crate::commands::figures::{Day, Usage};

/// Bars that fit side by side.
const MOST: i32 = 92;

/// How long a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
}

impl Step {
    /// Returns what it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Returns the shortest that gives few enough bars.
    fn between(first: Date, last: Date) -> Self {
        let days = first.until((Unit::Day, last)).map_or(i32::MAX, |span| span.get_days());
        match days {
            ..MOST => Self::Day,
            days if days / 7 < MOST - 1 => Self::Week,
            _ => Self::Month,
        }
    }

    fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let after = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(after.days()).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        let span = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
        };
        start.checked_add(span).ok()
    }
}

/// A bar: from its first day to the next one's.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) start: Date,
    pub(super) usage: Usage,
    /// Tokens by model.
    pub(super) models: BTreeMap<String, u64>,
}

/// The bars, without a gap.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) step: Step,
    pub(super) all: Vec<Bucket>,
}

impl Buckets {
    /// Sorts days, which come in order, into bars.
    pub(super) fn of(days: &[Day]) -> Self {
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Self { step: Step::Day, all: Vec::new() };
        };
        let step = Step::between(first.day, last.day);
        let mut all = Vec::new();
        let mut start = Some(step.start(first.day));
        let mut days = days.iter().peekable();
        while let Some(at) = start.filter(|at| *at <= last.day) {
            let next = step.next(at);
            let mut bucket = Bucket { start: at, usage: Usage::default(), models: BTreeMap::new() };
            while let Some(day) = days.next_if(|day| next.is_none_or(|next| day.day < next)) {
                bucket.usage.add(&day.usage);
                for (model, tokens) in &day.models {
                    *bucket.models.entry(model.clone()).or_default() += tokens;
                }
            }
            all.push(bucket);
            start = next;
        }
        Self { step, all }
    }

    /// Returns a short name of a bar.
    pub(super) fn label(&self, start: Date) -> String {
        let format = if self.step == Step::Month { "%b %Y" } else { "%-d %b" };
        start.strftime(format).to_string()
    }

    /// Returns a name of a bar that tells it from every other.
    pub(super) fn name(&self, start: Date) -> String {
        match self.step {
            Step::Day => start.strftime("%-d %b %Y").to_string(),
            Step::Week => start.strftime("week of %-d %b %Y").to_string(),
            Step::Month => start.strftime("%B %Y").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::commands::figures::Tokens;

    fn day(day: Date, output: u64) -> Day {
        let tokens = Tokens { output, ..Tokens::default() };
        let usage = Usage { messages: 1, tokens, total_tokens: output, cost_usd: None };
        Day { day, usage, models: [("m".to_owned(), output)].into() }
    }

    #[test]
    fn bars_have_no_gaps_and_add_up() {
        #[rustfmt::skip]
        let cases = [
            // last day             step         bars
            (date(2026, 1, 7),      Step::Day,   1),
            (date(2026, 1, 10),     Step::Day,   4),
            (date(2026, 4, 8),      Step::Day,   92),
            (date(2026, 4, 9),      Step::Week,  14),
            (date(2027, 9, 30),     Step::Week,  91),
            (date(2029, 1, 1),      Step::Month, 37),
        ];
        for (last, step, bars) in cases {
            let days = [day(date(2026, 1, 7), 3), day(last, 4)];
            let buckets = Buckets::of(&days);
            assert_eq!((buckets.step, buckets.all.len()), (step, bars), "{last}");
            assert_eq!(buckets.all.iter().map(|it| it.usage.total_tokens).sum::<u64>(), 7);
            assert_eq!(
                buckets.all.iter().map(|it| it.models.values().sum::<u64>()).sum::<u64>(),
                7
            );
        }
        assert!(Buckets::of(&[]).all.is_empty());
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(Step::Week.start(date(2026, 1, 11)), date(2026, 1, 5));
        assert_eq!(Step::Week.start(date(2026, 1, 5)), date(2026, 1, 5));
    }
}
