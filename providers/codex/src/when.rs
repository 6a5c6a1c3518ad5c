//! Times, in all the forms in which builds have written them.

use hyp_sdk::json::Value;
use hyp_sdk::time;

/// Numbers below this are seconds: as milliseconds they would lie before 1973.
const SECONDS: f64 = 1e11;

/// Reads a time: in the usual notation, the same without a zone (UTC then), or a number since 1970.
pub(crate) fn read(value: Value<'_>) -> Option<i64> {
    if let Some(text) = value.str() {
        return time::parse(&text).or_else(|| time::parse(&format!("{text}Z")));
    }
    let number = value.f64()?;
    time::from_millis(if number.abs() < SECONDS { number * 1000.0 } else { number })
}

/// Reads the time in the name of a recording, `rollout-2026-02-03T10-00-00-…`, or only the day.
pub(crate) fn named(name: &str) -> Option<i64> {
    let rest = name.strip_prefix("rollout-")?;
    let day = rest.get(..10)?;
    let clock = rest.get(10..19).and_then(|clock| clock.strip_prefix('T'));
    let clock = clock.map(|clock| clock.replace('-', ":"));
    let at = |clock: &str| time::parse(&format!("{day}T{clock}Z"));
    clock.and_then(|clock| at(&clock)).or_else(|| at("00:00:00"))
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    #[test]
    fn times_come_in_several_forms() {
        let expect = Some(1_770_112_800_500_000);
        for text in [
            r#""2026-02-03T10:00:00.500Z""#,
            r#""2026-02-03T10:00:00.500""#,
            "1770112800500",
            "1770112800.5",
        ] {
            let mut tape = Tape::new();
            assert_eq!(read(tape.parse(text, 0).expect("JSON").0), expect, "{text}");
        }
        assert_eq!(read(Tape::new().parse(r#""soon""#, 0).expect("JSON").0), None);
    }

    #[test]
    fn the_name_tells_the_time_or_the_day() {
        let day = time::parse("2026-02-03T00:00:00Z");
        assert_eq!(
            named("rollout-2026-02-03T10-00-00-x.jsonl"),
            time::parse("2026-02-03T10:00:00Z")
        );
        assert_eq!(named("rollout-2026-02-03-x.json"), day);
        assert_eq!(named("rollout-notes.jsonl"), None);
    }
}
