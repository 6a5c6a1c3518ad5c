//! Vocabulary of hyp: events, rows, keys, and errors with a way out. No IO.
//!
//! Read first: [`event::Event`], what a provider emits; [`row::Row`], what is stored; [`Explain`],
//! what every error can tell.
//!
//! ```
//! use hyp_model::row::Key;
//! assert_eq!(Key::of(b"a"), Key::of(b"a"));
//! ```

pub mod dataset;
pub mod event;
mod explain;
pub mod ids;
pub mod item;
pub mod judge;
pub mod row;
pub mod usage;

pub use explain::{Exit, Explain};
