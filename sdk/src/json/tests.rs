//! What is JSON, what is not, and what values say of themselves.

use super::*;

fn value<'t>(tape: &'t mut Tape, text: &'t str) -> Value<'t> {
    tape.parse_document(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

#[test]
fn strict_json_is_read_and_nothing_else() {
    #[rustfmt::skip]
    let good = [
        "null", "true", "false", "0", "-0", "10", "-1.5e+10", "1E5", "0.1", "\"\"", "[]", "{}", " [ ] ", "{ }",
        "[1,2,[3,{\"a\":[]}]]", "{\"a\":1,\"a\":2}", "\t\n\r {\"a\" : \"b\" , \"c\" : [ 1 , 2 ] }",
        "\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\ud800\"", "\"\\udfff\\ud800\"", "\"\u{2028}\u{2029}\u{7f}é😀\"",
        "\u{feff}{}", "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
    ];
    for text in good {
        let mut tape = Tape::new();
        assert!(tape.parse_document(text.as_bytes()).is_ok(), "{text:?}");
    }
    #[rustfmt::skip]
    let bad = [
        ("", 0), ("{", 1), ("[", 1), ("]", 0), ("{]", 1), ("[}", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("{\"a\"}", 4),
        ("{\"a\":}", 5), ("{a:1}", 1), ("[1 2]", 3), ("{\"a\":1 \"b\":2}", 7), ("01", 0), ("1.", 0), (".5", 0),
        ("+1", 0), ("1e", 0), ("-", 0), ("1x", 0), ("nul", 3), ("nulL", 0), ("truex", 0), ("True", 0), ("NaN", 0),
        ("\"a", 2), ("\"\\x\"", 1), ("\"\\u12g4\"", 1), ("\"\\u12", 5), ("\"\n\"", 1), ("\"\t\"", 1), ("'a'", 0),
        ("{} {}", 3), ("[1]]", 3), ("{\"a\":\"\u{1f}\"}", 6), ("\"a\\", 3), ("[\u{a0}]", 1), ("// x\n1", 0),
    ];
    for (text, at) in bad {
        let mut tape = Tape::new();
        let got = tape.parse_document(text.as_bytes()).map(Value::raw);
        assert_eq!(got, Err(Malformed { at }), "{text:?}");
    }
    let mut tape = Tape::new();
    assert!(matches!(tape.parse_document(b"\"a\xff\""), Err(Malformed { at: 2 })));
}

#[test]
fn one_value_is_read_and_its_end_returned() {
    let text = "xx {\"a\":1}{\"b\":2} tail";
    let mut tape = Tape::new();
    let (first, end) = tape.parse(text, 2).unwrap();
    assert_eq!((first.raw(), end), ("{\"a\":1}", 10));
    let (second, end) = tape.parse(text, end).unwrap();
    assert_eq!((second.get("b").and_then(Value::i64), end), (Some(2), 17));
    assert_eq!(tape.parse(text, end).map(|_| ()), Err(Malformed { at: 18 }));
    assert_eq!(tape.parse(text, 99).map(|_| ()), Err(Malformed { at: 99 }));
}

#[test]
fn values_may_be_nested_256_deep() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut tape = Tape::new();
    assert!(tape.parse_document(nested(256).as_bytes()).is_ok());
    assert!(tape.parse_document(nested(257).as_bytes()).is_err());
    assert!(tape.parse_document("[".repeat(1 << 20).as_bytes()).is_err());
}

#[test]
fn strings_are_unescaped_and_lone_surrogates_kept_beside() {
    #[rustfmt::skip]
    let cases = [
        (r#""plain""#,              "plain",            false),
        (r#""a\nb\t\"\\\/\b\f\r""#, "a\nb\t\"\\/\u{8}\u{c}\r", false),
        (r#""\u0041\u00e9\u2028""#, "Aé\u{2028}",       false),
        (r#""\ud83d\ude00!""#,      "😀!",              false),
        (r#""\uD83D\uDE00""#,       "😀",               false),
        (r#""\ud83d""#,             "\u{fffd}",         true),
        (r#""x\ude00y""#,           "x\u{fffd}y",       true),
        (r#""\ud83d\n""#,           "\u{fffd}\n",       true),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀",       true),
        (r#""\ud83d\u0041""#,       "\u{fffd}A",        true),
        (r#""\ufffd""#,             "\u{fffd}",         false),
        (r#""\\ud83d""#,            "\\ud83d",          false),
    ];
    for (literal, text, is_lone) in cases {
        let mut tape = Tape::new();
        let value = value(&mut tape, literal);
        assert_eq!(value.str().as_deref(), Some(text), "{literal}");
        let kept = value.text().unwrap();
        assert_eq!(kept.value, text, "{literal}");
        assert_eq!(kept.literal.as_deref(), is_lone.then_some(literal), "{literal}");
    }
}

#[test]
fn members_are_found_by_their_key() {
    let text = r#"{"a":1,"b":{"c":[10,{"d":"x"}],"e":""},"a":2,"\u0062\n":3,"":4,"e\"":5}"#;
    let mut tape = Tape::new();
    let value = value(&mut tape, text);
    assert_eq!(value.get("a").and_then(Value::i64), Some(2), "the last of two wins");
    assert_eq!(value.get("b\n").and_then(Value::i64), Some(3));
    assert_eq!(value.get("").and_then(Value::i64), Some(4));
    assert_eq!(value.get("e\"").and_then(Value::i64), Some(5));
    assert!(value.get("c").is_none(), "members of members are not members");
    assert_eq!(value.path(&["b", "c"]).map(Value::raw), Some(r#"[10,{"d":"x"}]"#));
    assert!(value.path(&["a", "c"]).is_none());
    assert_eq!(value.path(&["b", "e"]).and_then(Value::non_empty), None);
    let items: Vec<&str> =
        value.path(&["b", "c"]).into_iter().flat_map(Value::items).map(Value::raw).collect();
    assert_eq!(items, ["10", r#"{"d":"x"}"#]);
    let keys: Vec<String> = value.entries().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["a", "b", "a", "b\n", "", "e\""]);
    assert_eq!(value.items().count(), 0);
}

#[test]
fn numbers_are_taken_as_what_they_are_asked_for() {
    #[rustfmt::skip]
    let cases = [
        ("0",                    Some(0),        Some(0)),
        ("-7",                   Some(-7),       None),
        ("9223372036854775807",  Some(i64::MAX), Some(i64::MAX as u64)),
        ("18446744073709551615", None,           Some(u64::MAX)),
        ("1e3",                  Some(1000),     Some(1000)),
        ("2.0",                  Some(2),        Some(2)),
        ("2.5",                  None,           None),
        ("1e300",                None,           None),
        ("\"1\"",                None,           None),
    ];
    for (text, signed, unsigned) in cases {
        let mut tape = Tape::new();
        let value = value(&mut tape, text);
        assert_eq!((value.i64(), value.u64()), (signed, unsigned), "{text}");
    }
    let mut tape = Tape::new();
    assert_eq!(value(&mut tape, "[2.5]").items().next().and_then(Value::f64), Some(2.5));
}

#[test]
fn special_bytes_are_found_at_every_distance() {
    for length in 0..200 {
        for special in [b'"', b'\\', 0x1f, 0] {
            let mut bytes = vec![b'x'; length];
            bytes.extend([0xff, 0x80, 0x21, 0x23, 0x5b, 0x5d, 0x20, special]);
            assert_eq!(scan::special(&bytes, 0), Some(length + 7), "{length} {special}");
            bytes.extend([b'y'; 130]);
            assert_eq!(scan::special(&bytes, 0), Some(length + 7), "{length} {special}");
            assert_eq!(scan::special(&bytes, length + 8), None);
        }
    }
}

#[test]
fn objects_are_written_in_order_and_escaped_as_json_demands() {
    let mut inner = Object::new();
    inner.maybe_u64("n", None);
    let mut object = Object::new();
    object
        .text("a\"", "x\n\u{1}\\é\u{2028}")
        .maybe_text("b", None)
        .raw("c", "[1]")
        .u64("d", 7)
        .bool("e", false)
        .object("f", inner)
        .maybe_bool("g", Some(true));
    let text = object.finish().unwrap();
    assert_eq!(
        text,
        "{\"a\\\"\":\"x\\n\\u0001\\\\é\u{2028}\",\"c\":[1],\"d\":7,\"e\":false,\"g\":true}"
    );
    let mut tape = Tape::new();
    assert_eq!(
        value(&mut tape, &text).get("a\"").and_then(Value::str).unwrap(),
        "x\n\u{1}\\é\u{2028}"
    );
    assert_eq!(Object::new().finish(), None);
    assert_eq!(quote(""), "\"\"");
}
