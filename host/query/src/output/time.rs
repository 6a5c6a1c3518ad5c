//! Moments as ISO 8601, in UTC.

use arrow::datatypes::TimeUnit;
use jiff::Timestamp;

/// Returns a moment with microseconds, or with nanoseconds where it has some; none if it is beyond the calendar.
///
/// `Z` says that the moment is known; one without a time zone gets none.
pub(super) fn moment(value: i64, unit: TimeUnit, has_zone: bool) -> Option<String> {
    let (instant, digits) = match unit {
        TimeUnit::Second => (Timestamp::from_second(value), 6),
        TimeUnit::Millisecond => (Timestamp::from_millisecond(value), 6),
        TimeUnit::Microsecond => (Timestamp::from_microsecond(value), 6),
        TimeUnit::Nanosecond => {
            let digits = if value % 1000 == 0 { 6 } else { 9 };
            (Timestamp::from_nanosecond(i128::from(value)), digits)
        }
    };
    let mut text = format!("{:.digits$}", instant.ok()?);
    if !has_zone {
        text.pop();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_microseconds() {
        let micros = |value, has_zone| moment(value, TimeUnit::Microsecond, has_zone).unwrap();
        assert_eq!(micros(1_791_915_285_514_000, true), "2026-10-13T18:14:45.514000Z");
        assert_eq!(micros(0, true), "1970-01-01T00:00:00.000000Z");
        assert_eq!(micros(-1, true), "1969-12-31T23:59:59.999999Z");
        assert_eq!(micros(0, false), "1970-01-01T00:00:00.000000");
    }

    #[test]
    fn nanoseconds_are_kept_where_there_are_some() {
        let nanos = |value| moment(value, TimeUnit::Nanosecond, true).unwrap();
        assert_eq!(nanos(1_000), "1970-01-01T00:00:00.000001Z");
        assert_eq!(nanos(1), "1970-01-01T00:00:00.000000001Z");
    }

    #[test]
    fn what_is_beyond_the_calendar_has_no_text() {
        assert_eq!(moment(i64::MAX, TimeUnit::Second, true), None);
    }
}
