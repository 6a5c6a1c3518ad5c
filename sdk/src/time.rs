//! Times as clients write them, in microseconds since 1970-01-01T00:00:00Z.

const DAY: i64 = 86_400_000_000;
/// The years 0001 to 9999.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// Parses an RFC 3339 time; a space may stand for the `T`. Digits below a microsecond are dropped.
pub fn parse(text: &str) -> Option<i64> {
    parse_with(text.as_bytes(), offset)
}

/// Parses a time as databases write it: as [`parse`] does, and one without a zone is UTC; zones may be `+02` or `+0200`.
pub fn parse_stored(text: &str) -> Option<i64> {
    parse_with(text.as_bytes(), |b| match *b {
        [] => Some(0),
        [sign, h, i] => offset(&[sign, h, i, b':', b'0', b'0']),
        [sign, h, i, m, n] => offset(&[sign, h, i, b':', m, n]),
        _ => offset(b),
    })
}

/// Parses a time whose zone `offset` reads, in minutes east of Greenwich.
fn parse_with(b: &[u8], offset: impl FnOnce(&[u8]) -> Option<i64>) -> Option<i64> {
    if b.len() < 19 || b[4] != b'-' || b[7] != b'-' || b[13] != b':' || b[16] != b':' {
        return None;
    }
    if !matches!(b[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..10])?);
    let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
    let in_range = year >= 1
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let (fraction, used) = fraction(&b[19..])?;
    let offset = offset(&b[19 + used..])?;
    // A leap second is the last microsecond before the next minute.
    let (second, fraction) = if second == 60 { (59, 999_999) } else { (second, fraction) };
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    checked(days(year, month, day) * DAY + seconds * 1_000_000 + fraction)
}

/// Returns a time given in milliseconds, if it lies in the years 0001 to 9999.
pub fn from_millis(millis: f64) -> Option<i64> {
    let micros = millis * 1000.0;
    if !micros.is_finite() || micros.abs() > 1e18 {
        return None;
    }
    checked(micros.round() as i64)
}

/// Formats a time as JavaScript's `toISOString`: UTC, with milliseconds.
pub fn format(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY) / 1000);
    let (year, month, day) = date(days);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

fn checked(micros: i64) -> Option<i64> {
    (FIRST..=LAST).contains(&micros).then_some(micros)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Returns the microseconds of `.123456789`, and how many bytes that took.
fn fraction(b: &[u8]) -> Option<(i64, usize)> {
    if b.first() != Some(&b'.') {
        return Some((0, 0));
    }
    let count = b[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let micros = (0..6).fold(0, |micros, place| {
        let digit = if place < count { i64::from(b[1 + place] - b'0') } else { 0 };
        micros * 10 + digit
    });
    Some((micros, count + 1))
}

/// Returns the minutes east of Greenwich.
fn offset(b: &[u8]) -> Option<i64> {
    let sign = match b {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    if b.len() != 6 || b[3] != b':' {
        return None;
    }
    let (hours, minutes) = (number(&b[1..3])?, number(&b[4..6])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_clients_write_them() {
        #[rustfmt::skip]
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2025-06-01T12:34:56.789Z", Some(1_748_781_296_789_000)),
            ("2025-06-01 12:34:56.789Z", Some(1_748_781_296_789_000)),
            ("2025-06-01t14:34:56.789+02:00", Some(1_748_781_296_789_000)),
            ("2025-06-01T05:04:56.789-07:30", Some(1_748_781_296_789_000)),
            ("2025-06-01T12:34:56.123456789Z", Some(1_748_781_296_123_456)),
            ("2025-06-01T12:34:56.1Z", Some(1_748_781_296_100_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000)),
            ("1969-12-31T23:59:59.999Z", Some(-1000)),
            ("0001-01-01T00:00:00Z", Some(FIRST)),
            ("9999-12-31T23:59:59.999999Z", Some(LAST)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_799_999_999)),
            ("2023-02-29T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-06-01T24:00:00Z", None),
            ("2025-06-01T12:34:56", None),
            ("2025-06-01T12:34:56.Z", None),
            ("2025-06-01T12:34:56.1234567890Z", None),
            ("2025-06-01T12:34:56+0200", None),
            ("2025-06-01T12:34:56Zx", None),
            ("0001-01-01T00:00:00+01:00", None),
            ("+025-06-01T12:34:56Z", None),
            ("", None),
            ("2025-06-01T12:34:5\u{e9}", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse(text), expect, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_databases_write_them() {
        #[rustfmt::skip]
        let cases = [
            ("2026-04-01T10:00:00Z", Some(1_775_037_600_000_000)),
            ("2026-04-01 10:00:00", Some(1_775_037_600_000_000)),
            ("2026-04-01T10:00:00", Some(1_775_037_600_000_000)),
            ("2026-04-01 10:00:00.25", Some(1_775_037_600_250_000)),
            ("2026-04-01 10:00:00+00", Some(1_775_037_600_000_000)),
            ("2026-04-01 10:00:00.250+0000", Some(1_775_037_600_250_000)),
            ("2026-04-01 10:00:00+00:00", Some(1_775_037_600_000_000)),
            ("2026-04-01 12:30:00+0230", Some(1_775_037_600_000_000)),
            ("2026-04-01 08:00:00-02", Some(1_775_037_600_000_000)),
            ("2026-04-01", None),
            ("2026-04-01 10:00", None),
            ("2026-04-01 10:00:00 ", None),
            ("2026-04-01 10:00:00+0", None),
            ("2026-04-01 10:00:00+24", None),
            ("2026-04-01 10:00:00 UTC", None),
            ("1775037600", None),
            ("", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_stored(text), expect, "{text}");
        }
    }

    #[test]
    fn a_formatted_time_is_read_back() {
        for day in (-700_000..2_900_000).step_by(37) {
            let micros = day * DAY + 12_345_678_000;
            assert_eq!(parse(&format(micros)), checked(micros), "{day}");
        }
        assert_eq!(format(1_748_781_296_789_123), "2025-06-01T12:34:56.789Z");
    }

    #[test]
    fn milliseconds_are_bounded() {
        assert_eq!(from_millis(1_748_781_296_789.0), Some(1_748_781_296_789_000));
        assert_eq!(from_millis(f64::NAN), None);
        assert_eq!(from_millis(1e300), None);
        assert_eq!(from_millis(-1e14), None);
    }
}
