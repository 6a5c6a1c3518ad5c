//! Runs provider components and lends them read-only inputs.
//!
//! A provider is a WebAssembly component that knows one client's files. This crate turns a component's bytes into a
//! [`Plugin`], asks it to group files into units, and lets a [`Worker`] read them. Read [`Host`], [`Plugin`] and
//! [`Worker`] first.
//!
//! A guest has no authority but what [`Lent`] files give it. It is bounded in memory, time and output by [`Limits`],
//! and the host keeps the books of every byte it hands out: a guest that leaves some unaccounted for is in error.
//!
//! Only this crate knows wasmtime; nothing here knows the store or what rows are.
//!
//! ```
//! use hyp_plugin::{Host, Limits, Registry, Source, digest_of};
//!
//! let host = Host::new(None, Limits::default())?;
//! let bytes: &[u8] = b"not a component";
//! let digest: &str = digest_of(bytes).leak();
//! let error = host.load(Source::Bundled { name: "odd", bytes, digest }).unwrap_err();
//! assert_eq!(error.to_string(), "`odd` is not a WebAssembly component");
//! # Ok::<(), hyp_plugin::LoadError>(())
//! ```

mod account;
mod bindings;
mod contract;
mod description;
mod error;
mod fault;
mod fence;
mod guest;
mod host;
mod imports;
mod lent;
mod lift;
mod limits;
mod lines;
mod materializer;
mod meter;
mod plan;
mod plugin;
mod registry;
mod report;
mod seam;
mod settled;
mod shelf;
mod source;
mod state;
mod ticker;
mod worker;

pub use bindings::{CONTRACT, PACKAGE};
pub use description::{Candidate, Client, Description, Purpose, Root, Setting, Table};
pub use error::{LoadError, RunError};
pub use host::{Compiled, Host, HostStats, Interfaces, Manifest};
pub use hyp_sqlite::{Database, Grants, QueryError, Terms, Value};
pub use lent::{Compression, Entry, Lent};
pub use limits::Limits;
pub use materializer::{Making, Materializer, MaterializerDescription};
pub use meter::Receipt;
pub use plan::{Ignored, Plan, Stamp, Unit};
pub use plugin::{Plugin, Startup};
pub use registry::Registry;
pub use report::{Counter, InputReport, LongLine, ScanReport};
pub use settled::{Current, ProbeFailure, ProbeFailureClass, ProbeReport, Prober, Settled};
pub use source::{Source, digest_of};
pub use worker::{Checkpoint, Page, Stop, UnitInputs, Worker};
