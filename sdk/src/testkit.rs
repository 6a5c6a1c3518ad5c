//! Runs a provider natively over files, as the host would: describe, plan, scan.
//!
//! Every run checks that the spans of each input never go backwards and cover every byte, and that a scan
//! which is saved anywhere goes on as if it had not been. Compressed files are not undone here: that is the
//! host's work.
//!
//! A database of a fixture is a text file of SQL: `chats.db.sql` is made a database `chats.db` when the test runs, and
//! lent with the grants that the host enforces. That takes the feature `databases`.

mod account;
mod files;
mod glob;
mod golden;
#[cfg(feature = "databases")]
mod lend;
#[cfg(not(feature = "databases"))]
#[path = "testkit/no_lend.rs"]
mod lend;
mod manifest;
mod memory;
mod resume;
mod run;
mod vary;
mod write;

pub use golden::golden;
pub use manifest::manifest;
pub use run::{Run, UnitRun, run, run_files};
pub use vary::vary;
