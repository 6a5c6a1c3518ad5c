//! Versions of the catalog's own tables: numbered, forward only, applied under the lock.

use rusqlite::Connection;

/// Marks the file as ours: `hypc`.
pub(crate) const APPLICATION_ID: i64 = 0x6879_7063;

/// Every migration, in order; a store's version is how many of them it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_create.sql"),
    include_str!("migrations/0002_counters.sql"),
    include_str!("migrations/0003_lineage.sql"),
    include_str!("migrations/0004_checkpoints.sql"),
    include_str!("migrations/0006_upkeep.sql"),
    include_str!("migrations/0007_privacy.sql"),
    include_str!("migrations/0008_datasets.sql"),
    include_str!("migrations/0009_runs.sql"),
];

/// Returns the version of the newest store that this code knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Returns the application id and version of a catalog.
pub(crate) fn identity(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((id, version))
}

/// Brings a catalog to the newest version; a new one is marked as ours.
pub(crate) fn apply(connection: &mut Connection) -> rusqlite::Result<()> {
    let (_, version) = identity(connection)?;
    let done = usize::try_from(version).unwrap_or_default();
    for (number, migration) in (version + 1..).zip(MIGRATIONS.iter().skip(done)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
