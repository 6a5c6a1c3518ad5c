//! The one place of this crate that asks the clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time in microseconds.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that asks the clock")]
pub(crate) fn now() -> i64 {
    micros(SystemTime::now())
}

/// Returns a time in microseconds.
pub(crate) fn micros(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}

/// Returns the year and month of a count of months since 1970-01.
pub(crate) fn month_name(months: i32) -> String {
    format!("{:04}-{:02}", 1970 + months.div_euclid(12), months.rem_euclid(12) + 1)
}

/// Returns the month of a time, counted from 1970-01.
pub(crate) fn month_of(micros: i64) -> i32 {
    // Days to a civil date: Howard Hinnant's algorithm.
    let days = micros.div_euclid(86_400_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    i32::try_from((year - 1970) * 12 + month - 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_its_month() {
        let day = 86_400_000_000;
        #[rustfmt::skip]
        let cases = [
            (0,                 "1970-01"),
            (-1,                "1969-12"),
            (31 * day - 1,      "1970-01"),
            (31 * day,          "1970-02"),
            (59 * day,          "1970-03"),
            (19_782 * day,      "2024-02"), // 29 February
            (19_783 * day,      "2024-03"),
            (20_453 * day,      "2025-12"),
            (20_454 * day,      "2026-01"),
        ];
        for (micros, expect) in cases {
            assert_eq!(month_name(month_of(micros)), expect, "{micros}");
        }
    }
}
