//! One answer in every format, and what is left out of it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::*;

fn answer(columns: Vec<(&str, ArrayRef)>) -> Answer {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    Answer::new(schema, vec![batch])
}

fn texts(texts: &[&str]) -> Answer {
    answer(vec![("text", Arc::new(StringArray::from(texts.to_vec())))])
}

fn print(answer: &Answer, output: &Output) -> (String, Receipt) {
    let mut text = Vec::new();
    let receipt = write(answer, output, &mut text).unwrap();
    (String::from_utf8(text).unwrap(), receipt)
}

fn text(answer: &Answer, format: Format) -> String {
    print(answer, &Output::new(format)).0
}

/// A row of each common type, and one of nulls.
fn sample() -> Answer {
    let at = TimestampMicrosecondArray::from(vec![Some(1_791_915_285_514_000), None])
        .with_timezone("+00:00");
    let key = FixedSizeBinaryArray::try_from_sparse_iter_with_size(
        [Some([0xab; 16]), None].into_iter(),
        16,
    );
    let said = StringArray::from(vec![Some("two\nlines, a | and \"quotes\" \u{1b}[31m"), None]);
    answer(vec![
        ("said", Arc::new(said)),
        ("tokens", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("share", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        ("is_replay", Arc::new(BooleanArray::from(vec![Some(false), None]))),
        ("at", Arc::new(at)),
        ("said_key", Arc::new(key.unwrap())),
    ])
}

#[test]
fn table_is_aligned_and_escaped() {
    insta::assert_snapshot!(text(&sample(), Format::Table), @r#"
    said                                                 tokens  share  is_replay  at                           said_key
    --------------------------------------  -------------------  -----  ---------  ---------------------------  --------------------------------
    two⏎lines, a | and "quotes" \u001b[31m  9223372036854775807    0.5  false      2026-10-13T18:14:45.514000Z  abababababababababababababababab
    NULL                                                   NULL   NULL  NULL       NULL                         NULL
    "#);
}

#[test]
fn markdown_is_escaped() {
    insta::assert_snapshot!(text(&sample(), Format::Markdown), @r#"
    | said | tokens | share | is_replay | at | said_key |
    | --- | ---: | ---: | --- | --- | --- |
    | two⏎lines, a \| and "quotes" \\u001b[31m | 9223372036854775807 | 0.5 | false | 2026-10-13T18:14:45.514000Z | abababababababababababababababab |
    | NULL | NULL | NULL | NULL | NULL | NULL |
    "#);
}

#[test]
fn json_is_an_indented_array() {
    insta::assert_snapshot!(text(&sample(), Format::Json), @r#"
    [
      {
        "said": "two\nlines, a | and \"quotes\" \u001b[31m",
        "tokens": 9223372036854775807,
        "share": 0.5,
        "is_replay": false,
        "at": "2026-10-13T18:14:45.514000Z",
        "said_key": "abababababababababababababababab"
      },
      {
        "said": null,
        "tokens": null,
        "share": null,
        "is_replay": null,
        "at": null,
        "said_key": null
      }
    ]
    "#);
}

#[test]
fn jsonl_is_an_object_a_line() {
    insta::assert_snapshot!(text(&sample(), Format::Jsonl), @r#"
    {"said":"two\nlines, a | and \"quotes\" \u001b[31m","tokens":9223372036854775807,"share":0.5,"is_replay":false,"at":"2026-10-13T18:14:45.514000Z","said_key":"abababababababababababababababab"}
    {"said":null,"tokens":null,"share":null,"is_replay":null,"at":null,"said_key":null}
    "#);
}

#[test]
fn csv_tells_null_from_empty() {
    assert_eq!(
        text(&sample(), Format::Csv),
        "said,tokens,share,is_replay,at,said_key\r\n\
         \"two\nlines, a | and \"\"quotes\"\" \u{1b}[31m\",9223372036854775807,0.5,false,\
         2026-10-13T18:14:45.514000Z,abababababababababababababababab\r\n\
         ,,,,,\r\n"
    );
    assert_eq!(text(&texts(&["", "a"]), Format::Csv), "text\r\n\"\"\r\na\r\n");
}

#[test]
fn json_is_what_a_parser_reads_back() {
    let nasty = "\u{0}\u{1}\u{8}\u{c}\u{1f}\"\\/\u{7f}\u{2028}😀\r\n\t";
    for format in [Format::Json, Format::Jsonl] {
        let printed = text(&texts(&[nasty]), format);
        let value: serde_json::Value = serde_json::from_str(&printed).unwrap();
        let row = if format == Format::Json { &value[0] } else { &value };
        assert_eq!(row["text"], nasty);
    }
}

#[test]
fn lists_and_objects_are_json_within() {
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1), None])]);
    let object = StructArray::from(vec![(
        Arc::new(Field::new("a\"b", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec!["x"])) as ArrayRef,
    )]);
    let answer = answer(vec![("list", Arc::new(list)), ("object", Arc::new(object))]);
    assert_eq!(text(&answer, Format::Jsonl), "{\"list\":[1,null],\"object\":{\"a\\\"b\":\"x\"}}\n");
    assert_eq!(
        text(&answer, Format::Csv),
        "list,object\r\n\"[1,null]\",\"{\"\"a\\\"\"b\"\":\"\"x\"\"}\"\r\n"
    );
}

#[test]
fn numbers_without_json_are_text() {
    let numbers = Float64Array::from(vec![1.0, f64::NAN, f64::INFINITY, 1e300]);
    let answer = answer(vec![("n", Arc::new(numbers))]);
    assert_eq!(
        text(&answer, Format::Jsonl),
        "{\"n\":1.0}\n{\"n\":\"NaN\"}\n{\"n\":\"inf\"}\n{\"n\":1e+300}\n"
    );
}

#[test]
fn an_answer_without_rows_says_so() {
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
    let empty = Answer::new(schema, vec![]);
    #[rustfmt::skip]
    let cases = [
        (Format::Table,    "(no rows)\n"),
        (Format::Markdown, "(no rows)\n"),
        (Format::Json,     "[]\n"),
        (Format::Jsonl,    ""),
        (Format::Csv,      "a\r\n"),
    ];
    for (format, expect) in cases {
        assert_eq!(text(&empty, format), expect, "{format}");
    }
}

#[test]
fn long_texts_are_clipped_by_characters() {
    let long = "äöü".repeat(5);
    for format in [Format::Jsonl, Format::Csv, Format::Markdown, Format::Table] {
        let output = Output { max_cell: 4, ..Output::new(format) };
        let (printed, receipt) = print(&texts(&[&long, "äöüä"]), &output);
        assert!(printed.contains("äöüä…(+11)"), "{printed}");
        assert_eq!(receipt, Receipt { rows: 2, clipped: 1, dropped: 0 });
    }
}

#[test]
fn rows_beyond_the_room_are_dropped_and_one_always_stays() {
    let answer = texts(&["a"; 100]);
    // Each row is `{"text":"a"}` and a newline: 13 bytes.
    #[rustfmt::skip]
    let cases = [(0, 100), (1, 1), (13, 1), (25, 1), (26, 2), (1300, 100)];
    for (max_bytes, rows) in cases {
        let output = Output { max_bytes, ..Output::new(Format::Jsonl) };
        let (printed, receipt) = print(&answer, &output);
        assert_eq!(printed.lines().count(), rows, "{max_bytes}");
        assert_eq!((receipt.rows, receipt.dropped), (rows as u64, 100 - rows as u64));
    }
}

#[test]
fn a_column_is_at_most_80_wide_on_a_terminal_and_whole_in_a_pipe() {
    let long = texts(&[&"x".repeat(500), &"日".repeat(60)]);
    let (piped, receipt) = print(&long, &Output::new(Format::Table));
    assert!(piped.contains(&"x".repeat(500)));
    assert_eq!(receipt.clipped, 0);
    let output = Output { width: Some(200), ..Output::new(Format::Table) };
    let (printed, receipt) = print(&long, &output);
    let widths: Vec<usize> = printed.lines().map(unicode_width::UnicodeWidthStr::width).collect();
    assert!(widths.iter().all(|width| *width <= 80), "{widths:?}");
    assert!(printed.contains("x…\n") && printed.contains("日…\n"), "{printed}");
    assert_eq!(receipt.clipped, 2);
}

#[test]
fn a_narrow_terminal_squeezes_texts_and_not_numbers() {
    let answer = answer(vec![
        ("number", Arc::new(Int64Array::from(vec![1_234_567_890_123_456_789])) as ArrayRef),
        ("one", Arc::new(StringArray::from(vec!["a".repeat(60)]))),
        ("two", Arc::new(StringArray::from(vec!["short"]))),
    ]);
    let output = Output { width: Some(50), ..Output::new(Format::Table) };
    let (printed, _) = print(&answer, &output);
    insta::assert_snapshot!(printed, @r#"
                 number  one                     two
    -------------------  ----------------------  -----
    1234567890123456789  aaaaaaaaaaaaaaaaaaaaa…  short
    "#);
}

#[test]
fn what_no_terminal_is_wide_enough_for_is_a_line_a_value() {
    let answer = answer(vec![
        ("tokens", Arc::new(Int64Array::from(vec![7, 1_234_567_890_123_456_789])) as ArrayRef),
        ("content_text", Arc::new(StringArray::from(vec![Some("a".repeat(60)), None]))),
    ]);
    let output = Output { width: Some(30), ..Output::new(Format::Table) };
    let (printed, receipt) = print(&answer, &output);
    insta::assert_snapshot!(printed, @r"
    -- row 1
    tokens        7
    content_text  aaaaaaaaaaaaaaa…
    -- row 2
    tokens        123456789012345…
    content_text  NULL
    ");
    assert_eq!(receipt.clipped, 2);
}

#[test]
fn a_repeated_name_gets_a_number() {
    let column = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let answer = answer(vec![("a", column()), ("a", column()), ("a_2", column())]);
    assert_eq!(text(&answer, Format::Jsonl), "{\"a\":1,\"a_2\":1,\"a_2_2\":1}\n");
}

#[test]
fn formats_have_names() {
    for (name, format) in Format::NAMES {
        assert_eq!(name.parse::<Format>().unwrap(), *format);
        assert_eq!(format.to_string(), *name);
    }
    assert!("xml".parse::<Format>().is_err());
}
