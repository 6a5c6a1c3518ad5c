//! Rows as JSON objects.

use super::cell::Cell;

/// Appends a text as a JSON string.
pub(super) fn push_text(text: &str, to: &mut String) {
    to.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        to.push_str(&text[start..at]);
        start = at + 1;
        if escape.is_empty() {
            to.push_str(&format!("\\u{byte:04x}"));
        } else {
            to.push_str(escape);
        }
    }
    to.push_str(&text[start..]);
    to.push('"');
}

/// Appends a row on one line; `names` are JSON strings.
pub(super) fn push_row(names: &[String], cells: &[Cell<'_>], to: &mut String) {
    to.push('{');
    for (index, (name, cell)) in names.iter().zip(cells).enumerate() {
        if index > 0 {
            to.push(',');
        }
        to.push_str(name);
        to.push(':');
        cell.push_json(to);
    }
    to.push('}');
}

/// Appends a row with a line for each column, as an element of an array.
pub(super) fn push_row_indented(names: &[String], cells: &[Cell<'_>], to: &mut String) {
    to.push_str("  {");
    for (index, (name, cell)) in names.iter().zip(cells).enumerate() {
        to.push_str(if index > 0 { ",\n    " } else { "\n    " });
        to.push_str(name);
        to.push_str(": ");
        cell.push_json(to);
    }
    to.push_str(if names.is_empty() { "}" } else { "\n  }" });
}
