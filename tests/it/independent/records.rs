//! Objects of a file of lines, however many a line holds.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Returns every JSON value of a file; what is no JSON is passed over.
pub(super) fn records(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    if let Ok(whole) = serde_json::from_str(&without_lone_surrogates(&text)) {
        return vec![whole];
    }
    let mut found = Vec::new();
    for line in text.lines() {
        let line = without_lone_surrogates(line.trim_start_matches(['\u{feff}', '\0']));
        found.extend(
            serde_json::Deserializer::from_str(&line).into_iter::<Value>().map_while(Result::ok),
        );
    }
    found
}

/// Returns the line with U+FFFD in place of each escape that is half a surrogate pair.
fn without_lone_surrogates(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.push_str(&escape[..12]);
                rest = &escape[12..];
            }
            (Some(0xd800..=0xdfff), _) => {
                out.push('\u{fffd}');
                rest = &escape[6..];
            }
            _ => {
                let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&escape[..length]);
                rest = &escape[length..];
            }
        }
    }
    out + rest
}

/// Returns the code unit of an escape that the text begins with.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[test]
fn only_halves_of_pairs_are_replaced() {
    let line = r#"{"a":"\ud83d\ude00 \ud83d \\ud83d \n"}"#;
    assert_eq!(without_lone_surrogates(line), "{\"a\":\"\\ud83d\\ude00 \u{fffd} \\\\ud83d \\n\"}");
}
