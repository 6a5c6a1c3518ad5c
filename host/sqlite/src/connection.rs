//! Connections: one that only reads, for strangers' statements, and one that makes a copy whole.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::database::Terms;
use crate::error::{DatabaseError, QueryError};
use crate::grants::{Grants, ROWID};

/// What there is of what is granted.
#[derive(Debug, Default)]
pub(crate) struct There {
    /// The columns, by table.
    pub(crate) columns: BTreeMap<String, Vec<String>>,
    /// What is called like a granted table and is none, with what it is.
    pub(crate) others: BTreeMap<String, String>,
}

/// Opens a database that nobody changes, for statements that nobody has read.
pub(crate) fn open(
    path: &Path,
    mut grants: Grants,
    terms: &Terms,
) -> Result<(Connection, There), DatabaseError> {
    let open = || -> Result<_, QueryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(uri(path), flags)?;
        connection.execute_batch("pragma temp_store = memory; pragma cell_size_check = on;")?;
        let there = there(&connection, &mut grants)?;
        grants.retain(|table| there.columns.contains_key(&table.to_ascii_lowercase()));
        harden(&mut connection, terms)?;
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            grants.judge(&context)
        }))?;
        Ok((connection, there))
    };
    open().map_err(of_the_database)
}

/// Makes a database of SQL text, for tests that want one.
pub fn make(file: &Path, sql: &str) -> Result<(), QueryError> {
    Connection::open(file)?.execute_batch(sql)?;
    Ok(())
}

/// Puts a copy's log into its file, so that the file can be read by itself.
pub(crate) fn fold(copy: &Path) -> Result<(), DatabaseError> {
    let fold = || -> Result<(), QueryError> {
        let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
        connection.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
        Ok(())
    };
    fold().map_err(of_the_database)
}

fn of_the_database(error: QueryError) -> DatabaseError {
    match error {
        QueryError::Database(error) => error,
        other => DatabaseError::Damaged { reason: other.to_string() },
    }
}

/// Names the file so that SQLite neither locks it nor looks for a log.
fn uri(path: &Path) -> String {
    let escape = |byte: &u8| match byte {
        b'/' | b'.' | b'-' | b'_' | b'~' | b':' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = path.as_os_str().as_encoded_bytes().iter().map(escape).collect();
    format!("file:{path}?mode=ro&immutable=1")
}

/// Looks up what there is of what is granted. Views and virtual tables are not: reading them runs more than was asked.
fn there(connection: &Connection, grants: &mut Grants) -> Result<There, QueryError> {
    let mut found = There::default();
    let tables: Vec<String> = grants.tables().map(str::to_owned).collect();
    for table in &tables {
        let kind =
            "select type from pragma_table_list where schema = 'main' and name = ?1 collate nocase";
        let kind = connection.query_row(kind, [table], |row| row.get::<_, String>(0)).optional()?;
        match kind {
            Some(kind) if kind == "table" => {}
            Some(kind) => {
                found.others.insert(table.to_ascii_lowercase(), kind);
                continue;
            }
            None => continue,
        }
        let mut names = connection.prepare("select name from pragma_table_xinfo(?1)")?;
        let names = names.query_map([table], |row| row.get::<_, String>(0))?;
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let granted = grants.of(table).unwrap_or_default().iter();
        let there = granted.filter(|one| names.iter().any(|name| name.eq_ignore_ascii_case(one)));
        found.columns.insert(table.to_ascii_lowercase(), there.cloned().collect());
        if !names.iter().any(|name| name.eq_ignore_ascii_case(ROWID)) {
            grants.allow_rowid(table);
        }
    }
    Ok(found)
}

fn harden(connection: &mut Connection, terms: &Terms) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    let longest = i32::try_from(terms.value_bytes).unwrap_or(i32::MAX);
    #[rustfmt::skip]
    let limits = [
        (Limit::SQLITE_LIMIT_LENGTH,              longest),
        (Limit::SQLITE_LIMIT_SQL_LENGTH,          64 << 10),
        (Limit::SQLITE_LIMIT_COLUMN,              64),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH,          64),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT,     16),
        (Limit::SQLITE_LIMIT_VDBE_OP,             25_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG,        16),
        (Limit::SQLITE_LIMIT_ATTACHED,            0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER,     64),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH,       1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS,      0),
    ];
    for (limit, value) in limits {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}
