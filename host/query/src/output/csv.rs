//! Rows as comma-separated values, after RFC 4180.
//!
//! No value is an empty field; an empty text is `""`, so that the two differ.

use super::cell::Cell;

/// Appends a line of names.
pub(super) fn push_header(names: &[String], to: &mut String) {
    push_fields(names.iter().map(|name| Some(name.as_str())), to);
}

/// Appends a row.
pub(super) fn push_row(cells: &[Cell<'_>], to: &mut String) {
    let texts: Vec<_> = cells.iter().map(Cell::plain).collect();
    push_fields(texts.iter().map(|text| text.as_deref()), to);
}

fn push_fields<'a>(fields: impl Iterator<Item = Option<&'a str>>, to: &mut String) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            to.push(',');
        }
        match field {
            None => {}
            Some(field) if field.is_empty() || field.contains(['"', ',', '\r', '\n']) => {
                to.push('"');
                to.push_str(&field.replace('"', "\"\""));
                to.push('"');
            }
            Some(field) => to.push_str(field),
        }
    }
    to.push_str("\r\n");
}
