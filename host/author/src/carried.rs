//! The files that hyp carries for new projects. `build.rs` lists them, so none can be forgotten.

/// A path below the folder of its list, and what the file holds.
pub(crate) type File = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// Manifest of this repository, from which those of its packages inherit.
pub(crate) const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// Licence of what is carried.
pub(crate) const LICENSE: &str = include_str!("../../../LICENSE");
