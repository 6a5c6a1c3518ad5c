//! The end of a purge: old files and old pages of the catalog.

use rusqlite::Connection;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::table::Table;
use crate::{backup, failpoint, sweep};

const TASK: &str = "erase";

/// Asks for old files and pages to be erased: by this writer, or where it fails, by the next one.
pub(crate) fn ask(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR IGNORE INTO unfinished VALUES (?1)", [TASK])?;
    Ok(())
}

/// Does what is asked for, if anything is; false while a reader keeps old files or pages of the catalog.
pub(crate) fn finish(
    layout: &Layout,
    catalog: &Catalog,
    table: &Table,
) -> Result<bool, StoreError> {
    let connection = &catalog.connection;
    let is_asked =
        || connection.prepare("SELECT 1 FROM unfinished WHERE task = ?1")?.exists([TASK]);
    if !is_asked().map_err(|error| catalog.error(error))? {
        return Ok(true);
    }
    failpoint::hit("before_erasing")?;
    // Copies of the catalog hold what it held, and keep the files that it named.
    backup::forget(layout, None)?;
    sweep::sweep(layout, catalog, table)?;
    failpoint::hit("after_sweep")?;
    if layout.unswept().exists() {
        return Ok(false);
    }
    let erase = || -> rusqlite::Result<bool> {
        // All pages are written anew, so none is free or half full of what was; then the log is emptied.
        connection.execute_batch("VACUUM")?;
        if !truncate_log(connection)? {
            return Ok(false);
        }
        connection.execute("DELETE FROM unfinished WHERE task = ?1", [TASK])?;
        truncate_log(connection)?;
        Ok(true)
    };
    match erase() {
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.code == rusqlite::ErrorCode::DatabaseBusy =>
        {
            Ok(false)
        }
        erased => erased.map_err(|error| catalog.error(error)),
    }
}

/// Writes the log into the file and empties it; false while a reader needs it.
fn truncate_log(connection: &Connection) -> rusqlite::Result<bool> {
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}
