//! Which times are believed, and the calendar date of one.

use hyp_model::event::Micros;

const EARLIEST: Micros = 1_577_836_800_000_000; // 2020-01-01
const LATEST: Micros = 4_102_444_800_000_000; // 2100-01-01
const DAY: Micros = 86_400_000_000;

/// Returns the time if it lies between the years 2020 and 2100.
pub(crate) fn believable(time: Option<Micros>) -> Option<Micros> {
    time.filter(|time| (EARLIEST..LATEST).contains(time))
}

/// Returns the number of the day since the epoch.
pub(crate) fn day(time: Micros) -> i64 {
    time.div_euclid(DAY)
}

/// Returns the date of a day as `YYYY-MM-DD`.
pub(crate) fn date(day: i64) -> String {
    // The civil calendar in eras of 400 years that begin in March, so that leap days come last.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_the_utc_day() {
        #[rustfmt::skip]
        let cases = [
            (0,                      "1970-01-01"),
            (-1,                     "1969-12-31"),
            (1_709_164_799_999_999,  "2024-02-28"),
            (1_709_164_800_000_000,  "2024-02-29"),
            (1_709_251_200_000_000,  "2024-03-01"),
            (1_795_219_200_000_000,  "2026-11-21"),
            (4_102_444_799_999_999,  "2099-12-31"),
        ];
        for (time, expect) in cases {
            assert_eq!(date(day(time)), expect);
        }
    }

    #[test]
    fn only_times_of_this_century_are_believed() {
        for (time, expect) in [
            (None, None),
            (Some(0), None),
            (Some(EARLIEST - 1), None),
            (Some(EARLIEST), Some(EARLIEST)),
            (Some(LATEST - 1), Some(LATEST - 1)),
            (Some(LATEST), None),
            (Some(i64::MAX), None),
        ] {
            assert_eq!(believable(time), expect);
        }
    }
}
