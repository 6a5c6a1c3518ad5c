//! Puts entries of the ledgers back, each where it still is what the run left.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, params_from_iter};

use crate::catalog;
use crate::threads::{Number, THREADS};
use crate::undo::capture::{self, Entry, Shape};

/// Puts entries back; of what was changed since, units are forgotten, so that they are read again, and the rest stays.
pub(crate) fn entries(connection: &Connection, entries: &[Entry]) -> rusqlite::Result<()> {
    let mut shapes: HashMap<&str, Shape> = HashMap::new();
    for entry in entries {
        let table = entry.table.as_str();
        if !shapes.contains_key(table) {
            shapes.insert(table, Shape::of(connection, table)?);
        }
        let shape = &shapes[table];
        let now = capture::current(connection, entry, shape)?;
        let is_as_left = now.as_deref().map(capture::print) == entry.new;
        let is_of_unit = matches!(table, "units" | "checkpoints");
        match &entry.old {
            Some(old) if is_as_left => put(connection, entry, old)?,
            None if is_as_left => remove(connection, entry, shape)?,
            _ if is_of_unit => remove(connection, entry, shape)?,
            _ => {}
        }
    }
    connection.execute("DELETE FROM listings", [])?;
    Ok(())
}

/// Removes the keys of threads that go, and keeps their numbers from being given to others.
pub(crate) fn keys_of(connection: &Connection, threads: &BTreeSet<Number>) -> rusqlite::Result<()> {
    if threads.is_empty() {
        return Ok(());
    }
    let most = threads.last().copied().unwrap_or_default();
    let known = catalog::mark(connection, THREADS)?.and_then(|mark| mark.parse().ok());
    catalog::put_mark(connection, THREADS, &known.unwrap_or(0).max(most).to_string())?;
    let list = serde_json::to_string(threads).unwrap_or_default();
    let gone = "(SELECT value FROM json_each(?1))";
    connection.execute(&format!("DELETE FROM recordings WHERE thread IN {gone}"), [&list])?;
    connection.execute(&format!("DELETE FROM beginnings WHERE thread IN {gone}"), [&list])?;
    connection.execute(&format!("DELETE FROM claims WHERE thread IN {gone}"), [&list])?;
    connection
        .execute(&format!("DELETE FROM kin WHERE thread IN {gone} OR other IN {gone}"), [&list])?;
    Ok(())
}

fn put(
    connection: &Connection,
    entry: &Entry,
    cells: &[serde_json::Value],
) -> rusqlite::Result<()> {
    let names: Vec<String> = entry.columns.iter().map(|name| format!("\"{name}\"")).collect();
    let places = vec!["?"; names.len()].join(", ");
    let sql =
        format!("INSERT OR REPLACE INTO {} ({}) VALUES ({places})", entry.table, names.join(", "));
    connection.prepare(&sql)?.execute(params_from_iter(cells.iter().map(capture::sqlite)))?;
    Ok(())
}

fn remove(connection: &Connection, entry: &Entry, shape: &Shape) -> rusqlite::Result<()> {
    let sql = format!("DELETE FROM {} WHERE {}", entry.table, capture::told_by(shape));
    let key = entry.key.iter().map(capture::sqlite);
    connection.prepare(&sql)?.execute(params_from_iter(key))?;
    Ok(())
}
