//! Rows as a Markdown table.

use super::cell::Cell;
use super::escape::visible;

/// Appends the head of a table; numbers stand to the right.
pub(super) fn push_header(names: &[String], is_number: &[bool], to: &mut String) {
    push_fields(names.iter().map(|name| field(name)), to);
    let rules = is_number.iter().map(|is| if *is { "---:" } else { "---" }.to_owned());
    push_fields(rules, to);
}

/// Appends a row.
pub(super) fn push_row(cells: &[Cell<'_>], to: &mut String) {
    push_fields(cells.iter().map(|cell| cell.plain().map_or("NULL".into(), |c| field(&c))), to);
}

fn field(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "\\<")
}

fn push_fields(fields: impl Iterator<Item = String>, to: &mut String) {
    to.push('|');
    for field in fields {
        to.push(' ');
        to.push_str(&field);
        to.push_str(" |");
    }
    to.push('\n');
}
