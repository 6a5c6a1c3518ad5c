//! Databases of tests: made of SQL text, lent with the grants that the host enforces.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyp_sqlite::{Grants, QueryError, Reader, Terms};

use crate::Root;
use crate::sqlite::{Database, Handed, Problem, Query, Value};

/// What a database of a fixture is called: `chats.db.sql` becomes `chats.db`.
pub(super) const SUFFIX: &str = ".sql";

/// A database that was made of SQL text. Deleted when it is dropped.
pub(super) struct Made {
    database: hyp_sqlite::Database,
    _folder: tempfile::TempDir,
}

/// Makes a database of SQL text.
pub(super) fn make(name: &str, sql: &[u8], root: &Root) -> Arc<Made> {
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    let file: PathBuf = folder.path().join("made.db");
    let sql = str::from_utf8(sql).unwrap_or_else(|_| panic!("`{name}` is no UTF-8"));
    hyp_sqlite::make(&file, sql).unwrap_or_else(|error| panic!("`{name}`: {error}"));
    let grants = Grants::new(root.tables.iter().map(|table| (&table.name, &table.columns)));
    let terms = Terms::new(folder.path().join("copies"));
    Arc::new(Made { database: hyp_sqlite::Database::new(file, grants, terms), _folder: folder })
}

/// Opens a database. What it hands out begins at zero.
pub(super) fn open(made: &Arc<Made>) -> Result<Lent, Problem> {
    let unreadable = |error: hyp_sqlite::DatabaseError| Problem::Unreadable(error.to_string());
    let reader = made.database.open().map_err(unreadable)?;
    Ok(Lent { reader, handed: Default::default(), _made: Arc::clone(made) })
}

/// An open database, and how many bytes of rows it handed out.
pub(super) struct Lent {
    reader: Reader,
    pub(super) handed: std::rc::Rc<std::cell::Cell<u64>>,
    _made: Arc<Made>,
}

impl Database for Lent {
    fn columns(&mut self, table: &str) -> Result<Vec<String>, Problem> {
        Ok(self.reader.columns(table))
    }

    fn query(&mut self, query: &Query) -> Result<(), Problem> {
        let own = |value: &Value| match value.clone() {
            Value::Null => hyp_sqlite::Value::Null,
            Value::Integer(number) => hyp_sqlite::Value::Integer(number),
            Value::Real(number) => hyp_sqlite::Value::Real(number),
            Value::Text(text) => hyp_sqlite::Value::Text(text),
            Value::Blob(bytes) => hyp_sqlite::Value::Blob(bytes),
        };
        let parameters = query.parameters.iter().map(own).collect();
        self.reader.query(&query.statement, parameters, soon()).map_err(problem)
    }

    fn next(&mut self, budget: u32) -> Result<Vec<Handed>, Problem> {
        let rows = self.reader.next(budget as usize, soon()).map_err(problem)?;
        let told = |value| match value {
            hyp_sqlite::Value::Null => Value::Null,
            hyp_sqlite::Value::Integer(number) => Value::Integer(number),
            hyp_sqlite::Value::Real(number) => Value::Real(number),
            hyp_sqlite::Value::Text(text) => Value::Text(text),
            hyp_sqlite::Value::Blob(bytes) => Value::Blob(bytes),
        };
        let handed = rows.into_iter().map(|row| {
            let (offset, length) = (self.handed.get(), row.weight());
            self.handed.set(offset + length);
            Handed { offset, length, values: row.values.into_iter().map(told).collect() }
        });
        Ok(handed.collect())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn problem(error: QueryError) -> Problem {
    let reason = error.to_string();
    match error {
        QueryError::Denied { .. } => Problem::Denied(reason),
        QueryError::Database(_) => Problem::Unreadable(reason),
        _ => Problem::Statement(reason),
    }
}
