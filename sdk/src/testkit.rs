//! Runs a provider natively over files, as the host would: describe, plan, scan.
//!
//! Every run checks that the spans of each input never go backwards and cover every byte, and that a scan
//! which is saved anywhere goes on as if it had not been. Compressed files are not undone here: that is the
//! host's work.

mod account;
mod files;
mod glob;
mod golden;
mod memory;
mod resume;
mod run;
mod vary;
mod write;

pub use golden::golden;
pub use run::{Run, UnitRun, run, run_files};
pub use vary::vary;
