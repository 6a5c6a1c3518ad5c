//! JSON as clients write it: read without copies, written only where an object is built.
//!
//! [`Tape`] parses one value in one pass and allocates nothing per value; [`Value`] walks it and
//! unescapes a string only when asked for it. [`Object`] builds small objects.

mod scan;
mod tape;
#[cfg(test)]
mod tests;
mod unescape;
mod value;
mod write;

pub use tape::{Malformed, Tape};
pub use value::{Entries, Items, Kind, Value};
pub use write::{Object, quote};
