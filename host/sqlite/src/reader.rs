//! Runs statements: one at a time, on a thread of its own, because rows are borrowed from their statement and that from
//! its connection, while pages are asked for from outside.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, Statement, params_from_iter};

use crate::connection::{self, There};
use crate::database::Terms;
use crate::error::{DatabaseError, QueryError};
use crate::grants::Grants;
use crate::row::{Row, Value};

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 2_000;

/// Runs one statement at a time against a database.
#[derive(Debug)]
pub struct Reader {
    there: There,
    asks: Sender<Ask>,
    answers: Receiver<Result<Vec<Row>, QueryError>>,
    fence: Arc<Fence>,
}

enum Ask {
    Query { statement: String, parameters: Vec<Value> },
    Next { budget: usize },
}

/// What a statement that runs may not pass.
#[derive(Debug)]
struct Fence {
    deadline: Mutex<Instant>,
    memory: u64,
    /// Bytes that SQLite had when the statement began.
    before: Mutex<u64>,
    broken: AtomicU8,
}

const WHOLE: u8 = 0;
const LATE: u8 = 1;
const LARGE: u8 = 2;

impl Reader {
    pub(crate) fn open(path: &Path, grants: Grants, terms: &Terms) -> Result<Self, DatabaseError> {
        let (mut connection, there) = connection::open(path, grants, terms)?;
        let fence = Arc::new(Fence {
            deadline: Mutex::new(Instant::now()),
            memory: terms.memory,
            before: Mutex::new(0),
            broken: AtomicU8::new(WHOLE),
        });
        let watched = Arc::clone(&fence);
        connection
            .progress_handler(STEPS, Some(move || watched.is_passed()))
            .map_err(|error| DatabaseError::Damaged { reason: error.to_string() })?;
        let (asks, asked) = channel();
        let (answer, answers) = channel();
        // Ends when the reader is dropped, which closes the channel.
        thread::spawn(move || serve(&connection, &asked, &answer));
        Ok(Self { there, asks, answers, fence })
    }

    /// Returns which of the granted columns a table has; none where there is no such table.
    pub fn columns(&self, table: &str) -> Vec<String> {
        self.there.columns.get(&table.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    /// Says whether a granted table is there.
    pub fn has(&self, table: &str) -> bool {
        self.there.columns.contains_key(&table.to_ascii_lowercase())
    }

    /// Returns what is called like a granted table and is none, such as `view`: it is not read.
    pub fn other(&self, name: &str) -> Option<&str> {
        self.there.others.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// Begins a statement, and ends the one before.
    pub fn query(
        &mut self,
        statement: &str,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<(), QueryError> {
        self.fence.begin();
        let statement = statement.to_owned();
        self.ask(Ask::Query { statement, parameters }, deadline).map(|_| ())
    }

    /// Returns at least one row, and as many more as fit into `budget` bytes; none at the statement's end.
    pub fn next(&mut self, budget: usize, deadline: Instant) -> Result<Vec<Row>, QueryError> {
        self.ask(Ask::Next { budget }, deadline)
    }

    fn ask(&mut self, ask: Ask, deadline: Instant) -> Result<Vec<Row>, QueryError> {
        self.fence.watch(deadline);
        let gone = || DatabaseError::Damaged { reason: "its reader is gone".to_owned() };
        self.asks.send(ask).map_err(|_| gone())?;
        let answer = self.answers.recv().map_err(|_| gone())?;
        answer.map_err(|error| self.fence.explain(error))
    }
}

impl Fence {
    fn begin(&self) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = used();
    }

    fn watch(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        self.broken.store(WHOLE, Ordering::Relaxed);
    }

    fn is_passed(&self) -> bool {
        let before = *self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = if Instant::now() > deadline {
            LATE
        } else if used().saturating_sub(before) > self.memory {
            LARGE
        } else {
            return false;
        };
        self.broken.store(broken, Ordering::Relaxed);
        true
    }

    fn explain(&self, error: QueryError) -> QueryError {
        match self.broken.load(Ordering::Relaxed) {
            LATE => QueryError::Deadline,
            LARGE => QueryError::Memory { limit: self.memory },
            _ => error,
        }
    }
}

/// Returns the bytes that SQLite holds in this process, all connections together.
fn used() -> u64 {
    #[expect(unsafe_code, reason = "rusqlite does not wrap it")]
    // SAFETY: the function takes nothing, and may be called at any time from any thread.
    let used = unsafe { rusqlite::ffi::sqlite3_memory_used() };
    u64::try_from(used).unwrap_or(0)
}

/// Answers until nobody asks any more.
fn serve(
    connection: &Connection,
    asked: &Receiver<Ask>,
    answer: &Sender<Result<Vec<Row>, QueryError>>,
) {
    let mut next = asked.recv().ok();
    while let Some(ask) = next.take() {
        next = match ask {
            Ask::Next { .. } => {
                // No statement is under way.
                answer.send(Ok(Vec::new())).ok().and_then(|()| asked.recv().ok())
            }
            Ask::Query { statement, parameters } => {
                match prepare(connection, &statement, &parameters) {
                    Ok(statement) => run(statement, parameters, asked, answer),
                    Err(error) => answer.send(Err(error)).ok().and_then(|()| asked.recv().ok()),
                }
            }
        };
    }
}

fn prepare<'c>(
    connection: &'c Connection,
    statement: &str,
    parameters: &[Value],
) -> Result<Statement<'c>, QueryError> {
    let prepared = connection.prepare(statement)?;
    let denied = |reason: &str| QueryError::Denied { reason: reason.to_owned() };
    if !prepared.readonly() || prepared.column_count() == 0 {
        return Err(denied("only a SELECT is run"));
    }
    let wanted = prepared.parameter_count();
    if wanted != parameters.len() {
        let reason = format!("{wanted} parameters are wanted, {} given", parameters.len());
        return Err(QueryError::Statement { reason });
    }
    Ok(prepared)
}

/// Gives a statement's rows until something else is asked for, which is returned.
fn run(
    mut statement: Statement<'_>,
    parameters: Vec<Value>,
    asked: &Receiver<Ask>,
    answer: &Sender<Result<Vec<Row>, QueryError>>,
) -> Option<Ask> {
    let columns = statement.column_count();
    let mut rows = match statement.query(params_from_iter(parameters)) {
        Ok(rows) => rows,
        Err(error) => {
            answer.send(Err(error.into())).ok()?;
            return asked.recv().ok();
        }
    };
    answer.send(Ok(Vec::new())).ok()?;
    // A row that was read and did not fit any more.
    let mut kept: Option<Row> = None;
    let mut is_done = false;
    loop {
        let budget = match asked.recv().ok()? {
            Ask::Next { budget } => budget as u64,
            other => return Some(other),
        };
        let mut page: Vec<Row> = kept.take().into_iter().collect();
        let mut weight: u64 = page.iter().map(Row::weight).sum();
        let mut failed = None;
        while !is_done && weight < budget {
            match read(&mut rows, columns) {
                Ok(Some(row)) => {
                    weight += row.weight();
                    if weight > budget && !page.is_empty() {
                        kept = Some(row);
                        break;
                    }
                    page.push(row);
                }
                Ok(None) => is_done = true,
                Err(error) => {
                    failed = Some(error);
                    is_done = true;
                }
            }
        }
        answer.send(failed.map_or(Ok(page), Err)).ok()?;
    }
}

fn read(rows: &mut rusqlite::Rows<'_>, columns: usize) -> Result<Option<Row>, QueryError> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let values = (0..columns).map(|at| row.get_ref(at).map(Value::from));
    Ok(Some(Row { values: values.collect::<Result<_, _>>()? }))
}
