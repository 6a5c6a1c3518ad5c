//! Times on the command line.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::env;
use crate::failure::Failure;

/// Which end of a day a plain date stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Its first microsecond.
    Start,
    /// Its last microsecond.
    End,
}

/// Returns microseconds since the epoch for an RFC 3339 time, or a date or time of day in `zone`.
///
/// `None` for anything else: no guesses about other notations.
pub(crate) fn parse(value: &str, edge: Edge, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = value.parse::<Timestamp>() {
        return Some(at.as_microsecond());
    }
    // jiff reads the date of a longer text, too, so a plain date is told by its want of a time.
    if !value.contains(['T', 't', ' ']) {
        let day: Date = value.parse().ok()?;
        let first = match edge {
            Edge::Start => day,
            Edge::End => day.checked_add(1.day()).ok()?,
        };
        let at = first.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond();
        return Some(if edge == Edge::End { at - 1 } else { at });
    }
    let local: DateTime = value.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

/// Says what is wrong with the time that the environment gives, if it gives one that is none.
pub(crate) fn check() -> Result<(), Failure> {
    match env::now() {
        Some(text) if text.parse::<Timestamp>().is_err() => {
            let message = format!("{} is `{text}`, no time; 2026-01-31T09:00:00Z is one", env::NOW);
            Err(Failure::Usage { command: "hyp", message })
        }
        _ => Ok(()),
    }
}

/// Returns the time in microseconds.
pub(crate) fn now() -> i64 {
    let given = env::now().and_then(|text| text.parse::<Timestamp>().ok());
    given.unwrap_or_else(Timestamp::now).as_microsecond()
}

/// Returns a time as people read it, in the zone of the machine, or `-`.
pub(crate) fn show(micros: Option<i64>) -> String {
    in_zone(micros, &TimeZone::system())
}

/// Returns a time as people of a zone read it, or `-`.
pub(crate) fn in_zone(micros: Option<i64>, zone: &TimeZone) -> String {
    micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()).map_or_else(
        || "-".to_owned(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// Returns the day of a zone that a time is on, or `-` in its place.
pub(crate) fn day(micros: Option<i64>, zone: &TimeZone) -> String {
    micros
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .map_or_else(|| "-".repeat(10), |at| at.to_zoned(zone.clone()).date().to_string())
}

/// Returns the day of the machine's zone that a time is on.
pub(crate) fn local_day(micros: i64) -> String {
    day(Some(micros), &TimeZone::system())
}

/// Returns the time so many days earlier.
pub(crate) fn days_before(micros: i64, days: u32) -> i64 {
    micros.saturating_sub(i64::from(days) * 86_400_000_000)
}

/// Returns a time as programs read it.
pub(crate) fn rfc3339(micros: i64) -> Option<String> {
    Timestamp::from_microsecond(micros).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_day_is_a_day_of_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap().as_microsecond());
        #[rustfmt::skip]
        let cases = [
            ("2026-01-31",                Edge::Start, at("2026-01-30T22:00:00Z")),
            ("2026-01-31",                Edge::End,   at("2026-01-31T21:59:59.999999Z")),
            ("2026-01-31T10:00:00Z",      Edge::End,   at("2026-01-31T10:00:00Z")),
            ("2026-01-31T10:00:00+05:00", Edge::Start, at("2026-01-31T05:00:00Z")),
            ("2026-01-31T10:00",          Edge::Start, at("2026-01-31T08:00:00Z")),
            ("2026-01-31T10:00:00",       Edge::End,   at("2026-01-31T08:00:00Z")),
            ("2026-02-30",                Edge::Start, None),
            ("yesterday",                 Edge::Start, None),
            ("20260131",                  Edge::End,   at("2026-01-31T21:59:59.999999Z")),
            ("2026-01",                   Edge::Start, None),
            ("",                          Edge::Start, None),
        ];
        for (value, edge, expected) in cases {
            assert_eq!(parse(value, edge, &zone), expected, "{value} {edge:?}");
        }
    }
}
