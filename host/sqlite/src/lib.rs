//! Reads databases that belong to other programs, while those write, and leaves no trace beside them.
//!
//! Read first: [`Database`], a file that is lent; [`Grants`], what may be read of it; [`Reader`], which runs one `SELECT`
//! at a time and gives its rows in pages.
//!
//! A file is opened only where SQLite neither locks nor writes: as it lies where there is no write-ahead log, else as a
//! copy of file and log. What runs comes from a stranger, so that SQLite is asked about every table, column and function
//! that a statement names, and stops at a deadline or a bound on memory.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use hyp_sqlite::{Database, Grants, Terms, Value};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("chats.db");
//! let made = rusqlite::Connection::open(&file)?;
//! made.execute_batch("create table chat (id, title, secret); insert into chat values (1, 'tides', 'x');")?;
//!
//! let terms = Terms::new(folder.path().join("copies"));
//! let database = Database::new(file, Grants::new([("chat", ["id", "title"])]), terms);
//! let mut reader = database.open()?;
//! let deadline = Instant::now() + Duration::from_secs(5);
//! reader.query("select title from chat where id = ?1", vec![Value::Integer(1)], deadline)?;
//! assert_eq!(reader.next(1 << 20, deadline)?[0].values, [Value::Text("tides".into())]);
//! assert!(reader.query("select secret from chat", Vec::new(), deadline).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod copy;
mod database;
mod error;
mod grants;
mod reader;
mod row;
#[cfg(test)]
mod tests;

pub use connection::make;
pub use database::{Database, Terms};
pub use error::{DatabaseError, QueryError};
pub use grants::Grants;
pub use reader::Reader;
pub use row::{Row, Value};
