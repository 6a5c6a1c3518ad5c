//! Tests of values by the names of their columns.

use super::*;
use crate::sqlite::Handed;

/// Reads one value as what its column holds.
fn read<T>(
    value: Value,
    of: impl FnOnce(&Fields<'_>, &'static str) -> Result<T, Misfit>,
) -> Result<T, String> {
    let handed = Handed { offset: 0, length: 8, values: vec![value] };
    let row = Row::new("tides", 0, &handed);
    of(&Fields::new(&row, &["at"]), "at").map_err(|misfit| misfit.to_string())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
#[rustfmt::skip]
fn a_truth_value_is_read_as_databases_write_it() {
    let cases = [
        (Value::Null,              Ok(None)),
        (Value::Integer(0),        Ok(Some(false))),
        (Value::Integer(1),        Ok(Some(true))),
        (Value::Real(1.0),         Ok(Some(true))),
        (text("true"),             Ok(Some(true))),
        (text("FALSE"),            Ok(Some(false))),
        (text("t"),                Ok(Some(true))),
        (text("F"),                Ok(Some(false))),
        (text("Yes"),              Ok(Some(true))),
        (text("no"),               Ok(Some(false))),
        (text("On"),               Ok(Some(true))),
        (text("off"),              Ok(Some(false))),
        (text("1"),                Ok(Some(true))),
        (text(" 0 "),              Ok(Some(false))),
        (text(""),                 Err("`at` is no truth value")),
        (text("maybe"),            Err("`at` is no truth value")),
        (Value::Integer(2),        Err("`at` is no truth value")),
        (Value::Real(0.5),         Err("`at` is no truth value")),
        (Value::Blob(vec![0xff]),  Err("`at` is no truth value")),
    ];
    for (value, expected) in cases {
        let found = read(value.clone(), |row, at| row.flag(at));
        assert_eq!(found, expected.map_err(str::to_owned), "{value:?}");
    }
}

#[test]
#[rustfmt::skip]
fn a_number_is_the_number_or_none() {
    let cases = [
        (Value::Null,              Ok(None)),
        (Value::Integer(-7),       Ok(Some(-7))),
        (Value::Real(12.0),        Ok(Some(12))),
        (text("12"),               Ok(Some(12))),
        (Value::Real(12.7),        Err("`at` is no whole number")),
        (Value::Real(1e300),       Err("`at` is no whole number")),
        (Value::Real(f64::NAN),    Err("`at` is no whole number")),
        (Value::Real(9_223_372_036_854_775_808.0), Err("`at` is no whole number")),
        (Value::Real(-9_223_372_036_854_775_808.0), Ok(Some(i64::MIN))),
        (text("three"),            Err("`at` is no whole number")),
        (text(""),                 Err("`at` is no whole number")),
        (Value::Blob(vec![51]),    Err("`at` is no whole number")),
    ];
    for (value, expected) in cases {
        let found = read(value.clone(), |row, at| row.integer(at));
        assert_eq!(found, expected.map_err(str::to_owned), "{value:?}");
    }
}

#[test]
#[rustfmt::skip]
fn a_key_may_be_a_number_and_what_is_no_text_is_none() {
    let cases = [
        (Value::Null,                    Ok(None)),
        (Value::Integer(52),             Ok(Some("52"))),
        (Value::Real(52.0),              Ok(Some("52"))),
        (text("52"),                     Ok(Some("52"))),
        (text(""),                       Ok(Some(""))),
        (Value::Blob(b"key".to_vec()),   Ok(Some("key"))),
        (Value::Blob(vec![0xff, 0xfe]),  Err("`at` is no text")),
        (Value::Real(0.5),               Err("`at` is no text")),
    ];
    for (value, expected) in cases {
        let found = read(value.clone(), |row, at| Ok(row.text(at)?.map(Cow::into_owned)));
        assert_eq!(found, expected.map(|it| it.map(str::to_owned)).map_err(str::to_owned), "{value:?}");
    }
}

#[test]
fn what_is_no_json_no_time_or_no_such_word_names_its_column() {
    let json = |value| read(value, |row, at| Ok(row.json(at)?.is_some()));
    assert_eq!(json(text("{\"a\": [1]}")), Ok(true));
    assert_eq!(json(text("{not json")), Err("`at` is no JSON".to_owned()));
    assert_eq!(json(Value::Blob(vec![0, 0xff])), Err("`at` is no JSON".to_owned()));
    assert_eq!(
        read(text("2026-04-01 10:00:00"), |row, at| row.time(at)),
        Ok(Some(1_775_037_600_000_000))
    );
    assert_eq!(read(text("once"), |row, at| row.time(at)), Err("`at` is no time".to_owned()));
    let seconds = Value::Integer(1_775_037_600);
    assert_eq!(read(seconds, |row, at| row.time(at)), Err("`at` is no time".to_owned()));
    let word = |value| read(value, |row, at| Ok(row.word(at, &["high", "low"])?.is_some()));
    assert_eq!((word(text("low")), word(Value::Null)), (Ok(true), Ok(false)));
    assert_eq!(word(text("ebb")), Err("`at` is none of the words that it may be".to_owned()));
}

#[test]
fn what_is_required_is_not_null() {
    let required = |value| read(value, |row, at| row.required(at, Fields::integer));
    assert_eq!(required(Value::Integer(3)), Ok(3));
    assert_eq!(required(Value::Null), Err("`at` is null".to_owned()));
    assert_eq!(required(text("three")), Err("`at` is no whole number".to_owned()));
}
