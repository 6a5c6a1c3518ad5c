//! What other versions of a client may have put into a database.
//!
//! A component never sees the bytes of a database file: a damaged one is the host's affair. What it sees is values.

use std::path::Path;

use hyp_backfill::Description;

use super::bytes::Damage;

/// What a value may turn out to be instead, as SQL, and in words. `{}` stands for the column.
const INSTEAD: &[(&str, &str)] = &[
    ("null", "missing"),
    ("substr({}, 1, length({}) / 2)", "cut"),
    ("-7", "a number"),
    ("9e99", "a large number"),
    ("'[[[0]]]'", "another document"),
    ("'never-heard-of'", "a strange word"),
    ("x'fffe'", "bytes that are no UTF-8"),
    ("{} || char(0) || {}", "twice, with a zero between"),
];

/// Says whether a file is a database of SQLite.
pub(super) fn is_database(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SQLite format 3\0")
}

/// Returns what is done to each declared column of each table: all its values become something else.
pub(super) fn damages(description: &Description) -> Vec<Damage> {
    let tables = description.roots.iter().flat_map(|root| &root.tables);
    let columns =
        tables.flat_map(|table| table.columns.iter().map(move |column| (&table.name, column)));
    let mut damages = Vec::new();
    for (table, column) in columns {
        for (value, what) in INSTEAD {
            let value = value.replace("{}", &quoted(column));
            let sql = format!("update {} set {} = {value}", quoted(table), quoted(column));
            damages.push(Damage {
                what: format!("with each `{table}.{column}` {what}"),
                // A table that this case lacks, or a value that the schema forbids: nothing to read.
                apply: Box::new(move |file: &Path| Ok(hyp_sqlite::make(file, &sql).is_ok())),
            });
        }
    }
    damages
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
