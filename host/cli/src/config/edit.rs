//! One key of a TOML text changed where it stands: comments and all else stay as they were written.

use std::ops::Range;

use toml_edit::{Document, DocumentMut, Item, Table, Value};

/// Returns the text with a key of a table set to a value, or out of force without one.
///
/// A text that is no TOML stays as it is.
pub(super) fn with_key(text: &str, table: &str, key: &str, value: Option<Value>) -> String {
    let Ok(file) = Document::parse(text) else { return text.to_owned() };
    let header = file.get(table).and_then(Item::as_table);
    let item = file.get(table).and_then(|table| table.get(key));
    match (header, item.and_then(Item::span), value) {
        (_, None, None) => text.to_owned(),
        (_, Some(old), Some(value)) => replaced(text, old, &value.to_string()),
        (Some(header), Some(old), None) if header.span().is_some() => {
            let start = header.key(key).and_then(|key| key.span()).map_or(old.start, |it| it.start);
            commented_out(text, start..old.end)
        }
        (Some(header), None, Some(value)) if header.span().is_some() => {
            let after = header.span().map_or(0, |header| header.end);
            inserted(text, after, key, &value)
        }
        (_, _, value) => rewritten(text, table, key, value),
    }
}

fn replaced(text: &str, at: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

fn commented_out(text: &str, at: Range<usize>) -> String {
    let start = text[..at.start].rfind('\n').map_or(0, |end| end + 1);
    let lines = text[start..at.end].split('\n').map(|line| format!("# {line}"));
    replaced(text, start..at.end, &lines.collect::<Vec<_>>().join("\n"))
}

/// Puts the key where the table has it commented out, else below the table's name.
fn inserted(text: &str, after: usize, key: &str, value: &Value) -> String {
    let new = format!("{key} = {value}");
    let mut at = after;
    for line in text[after..].split_inclusive('\n') {
        let words = line.trim();
        if words.starts_with('[') {
            break;
        }
        let example = words.strip_prefix('#').map(str::trim_start);
        let rest = example.and_then(|line| line.strip_prefix(key)).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with('=')) {
            return replaced(text, at..at + line.trim_end().len(), &new);
        }
        at += line.len();
    }
    let end = text[after..].find('\n').map_or(text.len(), |end| after + end);
    replaced(text, end..end, &format!("\n{new}"))
}

/// Where the table is written in another way, or is not there, the library finds a place.
fn rewritten(text: &str, table: &str, key: &str, value: Option<Value>) -> String {
    let Ok(mut file) = text.parse::<DocumentMut>() else { return text.to_owned() };
    let table = file.entry(table).or_insert_with(|| Item::Table(Table::new()));
    if let Some(table) = table.as_table_like_mut() {
        match value {
            Some(value) => drop(table.insert(key, Item::Value(value))),
            None => drop(table.remove(key)),
        }
    }
    file.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_and_every_comment_stays() {
        #[rustfmt::skip]
        let cases = [
            ("replaced",        "[t] # a\n# b\nk = 1 # c\n",   Some(2), "[t] # a\n# b\nk = 2 # c\n"),
            ("out of force",    "[t]\n# b\nk = 1 # c\nj = 3",  None,    "[t]\n# b\n# k = 1 # c\nj = 3"),
            ("over lines",      "[t]\nk = [\n 1,\n]\n",        None,    "[t]\n# k = [\n#  1,\n# ]\n"),
            ("the example",     "[t]\n# b\n#k = 9\n[u]\n",     Some(2), "[t]\n# b\nk = 2\n[u]\n"),
            ("not another's",   "[t]\n[u]\n# k = 9\n",         Some(2), "[t]\nk = 2\n[u]\n# k = 9\n"),
            ("not one like it", "[t]\n# kk = 9\n",             Some(2), "[t]\nk = 2\n# kk = 9\n"),
            ("no end of line",  "[t]",                         Some(2), "[t]\nk = 2"),
            ("no table",        "v = 1\n",                     Some(2), "v = 1\n\n[t]\nk = 2\n"),
            ("inline",          "t = { j = 1 } # c\n",         Some(2), "t = { j = 1 , k = 2 } # c\n"),
            ("inline, gone",    "t = { k = 1 } # c\n",         None,    "t = {} # c\n"),
            ("dotted",          "t.k = 1 # c\n",               Some(2), "t.k = 2 # c\n"),
            ("nothing to do",   "[t]\n# k = 9\n",              None,    "[t]\n# k = 9\n"),
            ("no TOML",         "[t\n",                        Some(2), "[t\n"),
        ];
        for (name, text, value, expected) in cases {
            let found = with_key(text, "t", "k", value.map(|value: i64| value.into()));
            assert_eq!(found, expected, "{name}");
        }
    }
}
