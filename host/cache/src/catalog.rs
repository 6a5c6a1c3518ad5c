//! The SQLite file: how it is opened, and the pointer to each table's metadata.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyp_model::dataset::MESSAGES;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::StoreError;
use crate::migrations::{self, ApplyError};

/// Name of the catalog and of the namespace.
pub(crate) const NAME: &str = "hyp";

/// How long a statement waits for a reader or a checkpoint.
const BUSY: Duration = Duration::from_secs(5);

/// An open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Catalog {
    /// Opens a catalog to read; refuses what is none, and what a newer hyp wrote.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let catalog = match Self::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            Ok(catalog) => catalog,
            // A folder that cannot be written to has no room for the shared memory of the log.
            Err(error) => Self::open_immutable(path).map_err(|_| error)?,
        };
        Ok(catalog)
    }

    /// Opens a catalog to write, or makes an empty one.
    pub(crate) fn write(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let catalog = Self::open(path, flags)?;
        let set = |name: &str, value: &str| {
            catalog.connection.pragma_update(None, name, value).or_else(ignore_answer)
        };
        set("journal_mode", "WAL")
            .and_then(|()| set("synchronous", "FULL"))
            // What is deleted is overwritten, and nothing is put into a temporary file.
            .and_then(|()| set("secure_delete", "ON"))
            .and_then(|()| set("temp_store", "MEMORY"))
            .map_err(|error| catalog.error(error))?;
        Ok(catalog)
    }

    fn open(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::checked(path, Connection::open_with_flags(path, flags))
    }

    /// Opens a copy of a catalog to read, whichever hyp it is of.
    pub(crate) fn read_copy(path: &Path) -> Result<Self, StoreError> {
        let failed =
            |source| StoreError::Catalog { path: path.to_owned(), source: Box::new(source) };
        let connection = Self::immutable(path).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    fn open_immutable(path: &Path) -> Result<Self, StoreError> {
        Self::checked(path, Self::immutable(path))
    }

    fn immutable(path: &Path) -> rusqlite::Result<Connection> {
        let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f");
        let uri = format!("file:{}?immutable=1", escaped.replace('#', "%23"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(uri, flags)
    }

    fn checked(path: &Path, opened: rusqlite::Result<Connection>) -> Result<Self, StoreError> {
        let failed =
            |source| StoreError::Catalog { path: path.to_owned(), source: Box::new(source) };
        let connection = opened.map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        let foreign = |found: String| StoreError::Foreign { path: path.to_owned(), found };
        let (id, version) = match migrations::identity(&connection) {
            Ok(identity) => identity,
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::NotADatabase =>
            {
                return Err(foreign("`catalog.db` is no SQLite file".to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(failed)?;
        if tables > 0 && id != migrations::APPLICATION_ID {
            return Err(foreign("`catalog.db` has other tables".to_owned()));
        }
        let known = migrations::newest();
        if version > known {
            return Err(StoreError::Newer { path: path.to_owned(), found: version, known });
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Applies the migrations that it has not had, and sees that all they ever made is there.
    pub(crate) fn bring_up_to_date(&mut self) -> Result<(), StoreError> {
        match migrations::apply(&mut self.connection) {
            Ok(()) => {}
            Err(ApplyError::Failed(error)) => return Err(self.error(error)),
            Err(ApplyError::Refused(reason)) => {
                return Err(StoreError::Migrations { path: self.path.clone(), reason });
            }
        }
        let missing = migrations::missing(&self.connection).map_err(|error| self.error(error))?;
        match missing.into_iter().next() {
            Some(what) => Err(StoreError::damaged(&self.path, what)),
            None => Ok(()),
        }
    }

    /// Has SQLite look at its file, and compares its tables with those of the migrations; returns what is wrong.
    pub(crate) fn check(&self) -> Result<Vec<String>, StoreError> {
        let check = || -> rusqlite::Result<Vec<String>> {
            self.connection
                .prepare("PRAGMA integrity_check(20)")?
                .query_map([], |row| row.get(0))?
                .collect()
        };
        let mut lines = check().map_err(|error| self.error(error))?;
        lines.retain(|line| line != "ok");
        if self.is_current()? {
            lines.extend(migrations::missing(&self.connection).map_err(|error| self.error(error))?);
        }
        Ok(lines)
    }

    /// Wraps an error of SQLite.
    pub(crate) fn error(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Catalog { path: self.path.clone(), source: Box::new(source) }
    }

    /// Says whether the catalog has the tables that this code expects.
    pub(crate) fn is_current(&self) -> Result<bool, StoreError> {
        let identity = migrations::identity(&self.connection).map_err(|error| self.error(error))?;
        Ok(identity == (migrations::APPLICATION_ID, migrations::newest()))
    }

    /// Says whether an older hyp wrote the catalog, which the next run brings up to date.
    pub(crate) fn is_behind(&self) -> Result<bool, StoreError> {
        let (_, version) =
            migrations::identity(&self.connection).map_err(|error| self.error(error))?;
        Ok(version > 0 && version < migrations::newest())
    }

    /// Says whether the catalog has no table at all, as one that was just made, or emptied.
    pub(crate) fn is_blank(&self) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
            .map_err(|error| self.error(error))
    }

    /// Says whether the ledgers list rows, or a pointer to them was noted, and there is none.
    pub(crate) fn lost_its_tables(&self) -> Result<bool, StoreError> {
        self.connection
            .query_row(
                "SELECT (NOT EXISTS (SELECT 1 FROM iceberg_tables)
                         AND EXISTS (SELECT 1 FROM chunks WHERE rows > 0))
                     OR (NOT EXISTS (SELECT 1 FROM iceberg_tables WHERE table_name = ?1)
                         AND EXISTS (SELECT 1 FROM iceberg_namespace_properties
                                     WHERE property_key = ?2))",
                [MESSAGES, POINTER],
                |row| row.get(0),
            )
            .map_err(|error| self.error(error))
    }

    /// Returns where the messages' metadata lies, if the table was made.
    pub(crate) fn pointer(&self) -> Result<Option<String>, StoreError> {
        self.pointer_of(MESSAGES)
    }

    /// Returns the names of all tables but the messages'.
    pub(crate) fn datasets(&self) -> Result<Vec<String>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            self.connection
                .prepare(
                    "SELECT table_name FROM iceberg_tables
                     WHERE catalog_name = ?1 AND table_namespace = ?1 AND table_name <> ?2
                     ORDER BY table_name",
                )?
                .query_map([NAME, MESSAGES], |row| row.get(0))?
                .collect()
        };
        read().map_err(|error| self.error(error))
    }

    /// Returns where a table's metadata lies, if the table was made.
    pub(crate) fn pointer_of(&self, table: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row(
                "SELECT metadata_location FROM iceberg_tables
                 WHERE catalog_name = ?1 AND table_namespace = ?1 AND table_name = ?2",
                [NAME, table],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.error(error))
    }
}

/// Moves a table's pointer; false when it was not where it should have been.
pub(crate) fn swap(
    connection: &Connection,
    table: &str,
    from: Option<&str>,
    to: &str,
) -> rusqlite::Result<bool> {
    let changed = match from {
        None => connection.execute(
            "INSERT OR IGNORE INTO iceberg_tables VALUES (?1, ?1, ?2, ?3, NULL, 'TABLE')",
            [NAME, table, to],
        )?,
        Some(from) => connection.execute(
            "UPDATE iceberg_tables SET metadata_location = ?3, previous_metadata_location = ?4
             WHERE catalog_name = ?1 AND table_namespace = ?1 AND table_name = ?2
               AND metadata_location = ?4",
            [NAME, table, to, from],
        )?,
    };
    if changed == 1 && table == MESSAGES {
        put_mark(connection, POINTER, to)?;
    }
    Ok(changed == 1)
}

/// Name of the mark that holds the pointer as hyp left it.
pub(crate) const POINTER: &str = "hyp.pointer";

/// Returns a fact about the store itself, kept as a property of the namespace.
pub(crate) fn mark(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare(
            "SELECT property_value FROM iceberg_namespace_properties
             WHERE catalog_name = ?1 AND namespace = ?1 AND property_key = ?2",
        )?
        .query_row([NAME, name], |row| row.get(0))
        .optional()
}

/// Notes a fact about the store itself.
pub(crate) fn put_mark(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO iceberg_namespace_properties VALUES (?1, ?1, ?2, ?3)",
        [NAME, name, value],
    )?;
    Ok(())
}

/// Forgets a fact about the store itself.
pub(crate) fn remove_mark(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM iceberg_namespace_properties
         WHERE catalog_name = ?1 AND namespace = ?1 AND property_key = ?2",
        [NAME, name],
    )?;
    Ok(())
}

/// A pragma that answers with a row did its work all the same.
fn ignore_answer(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::ExecuteReturnedResults => Ok(()),
        error => Err(error),
    }
}
