//! What a transaction changes in the ledgers: every entry as it was, told by triggers that only this connection has.
//!
//! Triggers see what each statement does, however it is written; code that writes to a ledger need not know of them.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use crate::threads::Number;

/// Ledgers that can go back, in an order in which they may.
///
/// Not among them: what is remembered of purges, which no undo lifts; listings, which every undo drops.
pub(crate) const LEDGERS: &[&str] = &[
    "sessions",
    "recordings",
    "beginnings",
    "claims",
    "kin",
    "sightings",
    "own_copies",
    "facts",
    "open_facts",
    "counters",
    "quarantine",
    "checkpoints",
    "units",
    "inputs",
];

/// An entry of a ledger that changed: what it is told by, and its cells before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) table: String,
    /// Names of its columns.
    pub(crate) columns: Vec<String>,
    /// Cells of the key.
    pub(crate) key: Vec<Value>,
    /// All cells, if it was there.
    pub(crate) old: Option<Vec<Value>>,
    /// Print of all cells afterwards, if it is there.
    pub(crate) new: Option<String>,
}

impl Entry {
    /// Returns a cell as it was, or one of the key.
    pub(crate) fn cell(&self, name: &str, keys: &[String]) -> Option<&Value> {
        let of_old = || {
            let at = self.columns.iter().position(|column| column == name)?;
            self.old.as_ref()?.get(at)
        };
        let of_key = || self.key.get(keys.iter().position(|column| column == name)?);
        of_old().or_else(of_key)
    }
}

/// Columns of a table, and which of them are its key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    pub(crate) columns: Vec<String>,
    pub(crate) keys: Vec<String>,
}

impl Shape {
    pub(crate) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Self> {
        let mut shape = Self::default();
        let mut keys = Vec::new();
        let mut statement =
            connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            let (name, key): (String, i64) = (row.get(0)?, row.get(1)?);
            if key > 0 {
                keys.push((key, name.clone()));
            }
            shape.columns.push(name);
        }
        keys.sort();
        shape.keys = keys.into_iter().map(|(_, name)| name).collect();
        Ok(shape)
    }
}

/// Begins to watch the ledgers. Keys of threads from `first` on are not told: they go with their thread.
pub(crate) fn watch(connection: &Connection, first: Number) -> rusqlite::Result<()> {
    // A row that is replaced is deleted first, and only so is that told.
    connection.pragma_update(None, "recursive_triggers", true)?;
    for table in LEDGERS {
        let Shape { columns, .. } = Shape::of(connection, table)?;
        let cells = |row: &str| {
            let cells: Vec<String> =
                columns.iter().map(|column| format!("{row}.\"{column}\"")).collect();
            cells.join(", ")
        };
        let is_told = |row: &str| match *table {
            "recordings" | "beginnings" | "claims" => format!("WHEN {row}.thread < {first}"),
            "kin" => format!("WHEN {row}.thread < {first} AND {row}.other < {first}"),
            _ => String::new(),
        };
        let (old, new) = (cells("OLD"), cells("NEW"));
        let (when_old, when_new) = (is_told("OLD"), is_told("NEW"));
        let names = columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE IF NOT EXISTS watched_{table}
                 (seq INTEGER PRIMARY KEY, is_new INTEGER, {names});
             DROP TRIGGER IF EXISTS temp.watch_{table}_insert;
             DROP TRIGGER IF EXISTS temp.watch_{table}_update;
             DROP TRIGGER IF EXISTS temp.watch_{table}_delete;
             CREATE TEMP TRIGGER watch_{table}_insert AFTER INSERT ON main.{table} {when_new}
             BEGIN INSERT INTO watched_{table} VALUES (NULL, 1, {new}); END;
             CREATE TEMP TRIGGER watch_{table}_update AFTER UPDATE ON main.{table} {when_new}
             BEGIN INSERT INTO watched_{table} VALUES (NULL, 0, {old});
                   INSERT INTO watched_{table} VALUES (NULL, 1, {new}); END;
             CREATE TEMP TRIGGER watch_{table}_delete AFTER DELETE ON main.{table} {when_old}
             BEGIN INSERT INTO watched_{table} VALUES (NULL, 0, {old}); END;"
        ))?;
    }
    Ok(())
}

/// Forgets what was seen so far.
pub(crate) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    LEDGERS.iter().try_for_each(|table| {
        connection.execute(&format!("DELETE FROM temp.watched_{table}"), [])?;
        Ok(())
    })
}

/// Returns what was seen since the last [`clear`]: entries that are not as they were.
pub(crate) fn seen(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for table in LEDGERS {
        let shape = Shape::of(connection, table)?;
        let keys: Vec<usize> = (0..shape.columns.len())
            .filter(|at| shape.keys.contains(&shape.columns[*at]))
            .collect();
        let key = |cells: &[Value]| -> Vec<Value> {
            let position = |name| shape.columns.iter().position(|it| it == name);
            shape.keys.iter().filter_map(|name| Some(cells[position(name)?].clone())).collect()
        };
        debug_assert_eq!(keys.len(), shape.keys.len());
        let mut found: Vec<Seen> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut statement =
            connection.prepare(&format!("SELECT * FROM temp.watched_{table} ORDER BY seq"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let is_new: bool = row.get(1)?;
            let cells = (2..shape.columns.len() + 2)
                .map(|at| Ok(json(row.get_ref(at)?)))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let name = Value::from(key(&cells)).to_string();
            let at = *places.entry(name).or_insert_with(|| {
                let old = (!is_new).then(|| cells.clone());
                found.push(Seen { old, new: None, key: key(&cells) });
                found.len() - 1
            });
            found[at].new = is_new.then_some(cells);
        }
        entries.extend(found.into_iter().filter(|it| it.old != it.new).map(|it| Entry {
            table: (*table).to_owned(),
            columns: shape.columns.clone(),
            key: it.key,
            old: it.old,
            new: it.new.as_deref().map(print),
        }));
    }
    Ok(entries)
}

/// An entry while its changes are put together.
struct Seen {
    key: Vec<Value>,
    old: Option<Vec<Value>>,
    new: Option<Vec<Value>>,
}

/// Returns the cells of an entry as it is now, if it is there: those of the columns that its table had when it was noted.
pub(crate) fn current(
    connection: &Connection,
    entry: &Entry,
    shape: &Shape,
) -> rusqlite::Result<Option<Vec<Value>>> {
    let names: Vec<String> = entry.columns.iter().map(|name| format!("\"{name}\"")).collect();
    let (table, columns) = (&entry.table, names.join(", "));
    let sql = format!("SELECT {columns} FROM {table} WHERE {}", told_by(shape));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(entry.key.iter().map(sqlite)))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    (0..names.len()).map(|at| Ok(json(row.get_ref(at)?))).collect::<rusqlite::Result<_>>().map(Some)
}

/// Returns the condition that names one entry.
pub(crate) fn told_by(shape: &Shape) -> String {
    let terms: Vec<String> = shape.keys.iter().map(|name| format!("\"{name}\" = ?")).collect();
    terms.join(" AND ")
}

/// Returns a print of an entry's cells: 16 bytes of their hash.
pub(crate) fn print(cells: &[Value]) -> String {
    let text = serde_json::to_string(cells).unwrap_or_default();
    hex(&hyp_model::row::Key::of(text.as_bytes()).0)
}

/// Returns a cell as JSON: bytes are an object, so that no text is taken for them.
fn json(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => serde_json::json!({ "bytes": hex(bytes) }),
    }
}

/// Returns a cell as SQLite has it.
pub(crate) fn sqlite(cell: &Value) -> rusqlite::types::Value {
    use rusqlite::types::Value as Cell;

    match cell {
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            None => Cell::Real(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cell::Text(text.clone()),
        Value::Object(bytes) => {
            Cell::Blob(bytes.get("bytes").and_then(Value::as_str).map(unhex).unwrap_or_default())
        }
        _ => Cell::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0]) << 4 | digit(pair[1])).unwrap_or_default();
    text.as_bytes().chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations;

    fn catalog() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::apply(&mut connection).unwrap();
        watch(&connection, 10).unwrap();
        connection
    }

    #[test]
    fn an_entry_is_told_once_as_it_was_and_not_at_all_where_it_is_as_before() {
        let catalog = catalog();
        let run = |sql: &str| catalog.execute_batch(sql).unwrap();
        run("INSERT INTO facts VALUES ('t', 'title', 'one', 0, 1), ('u', 'title', 'same', 0, 1)");
        clear(&catalog).unwrap();
        run("INSERT OR REPLACE INTO facts VALUES ('t', 'title', 'two', 0, 1)");
        run("UPDATE facts SET value = 'three' WHERE thread_id = 't'");
        run("DELETE FROM facts WHERE thread_id = 'u'");
        run("INSERT INTO facts VALUES ('u', 'title', 'same', 0, 1)");
        run("INSERT INTO claims VALUES (x'00ff', 9, 1), (x'00ff', 10, 1)");
        let seen = seen(&catalog).unwrap();
        assert_eq!(seen.len(), 2, "{seen:#?}");
        let [claim, fact] = seen.as_slice() else { panic!("two") };
        assert_eq!(claim.old, None);
        assert_eq!(claim.key[0], serde_json::json!({ "bytes": "00ff" }));
        assert_eq!(fact.old.as_ref().unwrap()[2], "one");
        let shape = Shape::of(&catalog, "facts").unwrap();
        let now = current(&catalog, fact, &shape).unwrap().unwrap();
        assert_eq!(fact.new.as_deref(), Some(print(&now).as_str()));
    }

    #[test]
    fn cells_come_back_as_they_were() {
        let catalog = catalog();
        for sql in ["NULL", "x'0001fe'", "'text with ''quotes'' and { \"bytes\": 1 }'", "-7", "''"]
        {
            let cell = |sql: &str| -> Value {
                catalog
                    .query_row(&format!("SELECT {sql}"), [], |row| Ok(json(row.get_ref(0)?)))
                    .unwrap()
            };
            let before = cell(sql);
            let back: Value = catalog
                .query_row("SELECT ?1", [sqlite(&before)], |row| Ok(json(row.get_ref(0)?)))
                .unwrap();
            assert_eq!(before, back, "{sql}");
        }
    }
}
