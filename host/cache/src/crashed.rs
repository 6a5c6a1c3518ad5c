//! Runs that a crash ended: they never told.
//!
//! A run has the store's lock from before its beginning until after its end. So it died where nobody has the lock in the
//! midst of it.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::store::Store;

/// The word for how they ended.
pub(crate) const CRASHED: &str = "crashed";

/// Has all runs but one, which has the lock, called so.
pub(crate) fn note(connection: &Connection, run_id: &str) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE runs SET status = ?2 WHERE status = 'running' AND run_id <> ?1",
        [run_id, CRASHED],
    )?;
    Ok(())
}

/// Returns those that no writer has called so yet.
pub(crate) fn unnoted(
    connection: &Connection,
    store: &Store,
) -> rusqlite::Result<BTreeSet<String>> {
    let running = || -> rusqlite::Result<BTreeSet<String>> {
        let mut statement =
            connection.prepare("SELECT run_id FROM runs WHERE status = 'running'")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let before = running()?;
    if before.is_empty() || store.holder().is_some() {
        return Ok(BTreeSet::new());
    }
    Ok(&before & &running()?)
}
