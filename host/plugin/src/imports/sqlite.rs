//! Databases that a guest asks: statements, pages of rows, and the books of every row.

use std::time::Instant;

use hyp_sqlite::{QueryError, Reader, Row, Value};
use wasmtime::component::Resource;

use crate::bindings::sqlite::{self, Host, HostDatabase, Problem};
use crate::fence::Fence;
use crate::state::{Phase, State};

const PAGE_AT_MOST: u32 = 1024 * 1024;
const OPEN_AT_MOST: u32 = 64;

/// Bytes of rows that a call may be handed whatever the size of the database, and for each of its bytes.
const LEAST_HANDED: u64 = 64 * 1024 * 1024;
const HANDED_PER_BYTE: u64 = 4;

/// A database that a guest has opened.
#[expect(unreachable_pub, reason = "generated code re-exports it")]
pub struct OpenDatabase {
    index: usize,
    reader: Reader,
}

impl Host for State {}

impl HostDatabase for State {
    fn open(&mut self, index: u32) -> wasmtime::Result<Result<Resource<OpenDatabase>, Problem>> {
        let asked = Instant::now();
        let opened = self.open_database(index as usize);
        self.host_time += asked.elapsed();
        Ok(match opened {
            Ok(open) => {
                self.open_inputs += 1;
                Ok(self.table.push(open)?)
            }
            Err(problem) => Err(problem),
        })
    }

    fn columns(
        &mut self,
        database: Resource<OpenDatabase>,
        table: String,
    ) -> wasmtime::Result<Result<Vec<String>, Problem>> {
        Ok(Ok(self.table.get(&database)?.reader.columns(&table)))
    }

    fn query(
        &mut self,
        database: Resource<OpenDatabase>,
        statement: String,
        parameters: Vec<sqlite::Value>,
    ) -> wasmtime::Result<Result<(), Problem>> {
        let asked = Instant::now();
        let open = self.table.get_mut(&database)?;
        let parameters = parameters.into_iter().map(own).collect();
        let answer = open.reader.query(&statement, parameters, self.deadline);
        self.host_time += asked.elapsed();
        answer.map(Ok).or_else(problem)
    }

    fn next(
        &mut self,
        database: Resource<OpenDatabase>,
        budget: u32,
    ) -> wasmtime::Result<Result<Vec<sqlite::Row>, Problem>> {
        let asked = Instant::now();
        let answer = self.rows(&database, budget);
        self.host_time += asked.elapsed();
        answer
    }

    fn drop(&mut self, database: Resource<OpenDatabase>) -> wasmtime::Result<()> {
        self.open_inputs = self.open_inputs.saturating_sub(1);
        self.table.delete(database)?;
        Ok(())
    }
}

impl State {
    fn open_database(&mut self, index: usize) -> Result<OpenDatabase, Problem> {
        let denied = |reason: &str| Problem::Denied(reason.to_owned());
        let Some(lent) = self.lent.get(index).filter(|_| self.phase != Phase::Idle) else {
            return Err(denied("it is not lent now"));
        };
        let Some(database) = &lent.database else {
            return Err(denied("its root declares no tables"));
        };
        if self.open_inputs == OPEN_AT_MOST {
            return Err(denied("too many inputs are open"));
        }
        let named = |error: hyp_sqlite::DatabaseError| {
            Problem::Unreadable(format!("`{}` {error}", lent.entry.path))
        };
        let reader = database.open().map_err(named)?;
        self.books[index].opened = true;
        Ok(OpenDatabase { index, reader })
    }

    fn rows(
        &mut self,
        database: &Resource<OpenDatabase>,
        budget: u32,
    ) -> wasmtime::Result<Result<Vec<sqlite::Row>, Problem>> {
        let OpenDatabase { index, reader } = self.table.get_mut(database)?;
        // A database of an earlier unit, kept by the guest: its books are closed.
        let (Some(books), Some(lent)) = (self.books.get_mut(*index), self.lent.get(*index)) else {
            return Ok(Err(Problem::Denied("it is not lent any more".to_owned())));
        };
        let budget = budget.clamp(1, PAGE_AT_MOST) as usize;
        let rows = match reader.next(budget, self.deadline) {
            Ok(rows) => rows,
            Err(error) => return problem(error),
        };
        let told: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let length = row.weight();
                let offset = books.hand_row(length);
                sqlite::Row { offset, length, values: values(row) }
            })
            .collect();
        let limit = LEAST_HANDED.max(lent.entry.size.saturating_mul(HANDED_PER_BYTE));
        if books.account.bytes_handed() > limit {
            return Err(Fence::Rows { limit }.into());
        }
        Ok(Ok(told))
    }
}

/// Tells the guest what is wrong, or ends it.
fn problem<T>(error: QueryError) -> wasmtime::Result<Result<T, Problem>> {
    let reason = error.to_string();
    Ok(Err(match error {
        QueryError::Deadline => return Err(Fence::Deadline.into()),
        QueryError::Memory { limit } => return Err(Fence::StatementMemory { limit }.into()),
        QueryError::Denied { .. } => Problem::Denied(reason),
        QueryError::Database(_) => Problem::Unreadable(reason),
        _ => Problem::Statement(reason),
    }))
}

fn values(row: Row) -> Vec<sqlite::Value> {
    let told = |value| match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(number) => sqlite::Value::Integer(number),
        Value::Real(number) => sqlite::Value::Real(number),
        Value::Text(text) => sqlite::Value::Text(text),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes),
    };
    row.values.into_iter().map(told).collect()
}

fn own(value: sqlite::Value) -> Value {
    match value {
        sqlite::Value::Null => Value::Null,
        sqlite::Value::Integer(number) => Value::Integer(number),
        sqlite::Value::Real(number) => Value::Real(number),
        sqlite::Value::Text(text) => Value::Text(text),
        sqlite::Value::Blob(bytes) => Value::Blob(bytes),
    }
}
