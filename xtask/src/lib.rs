//! What `cargo xtask` does, as a library, so that its checks are tests as well.

pub mod api;
pub mod bench;
pub mod clients;
pub mod components;
pub mod contract;
pub mod dist;
pub mod tidy;

use std::path::{Path, PathBuf};

/// Returns the folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Says what is being done.
#[expect(clippy::print_stderr, reason = "talk goes to stderr, and nothing else of ours does")]
pub fn say(words: impl std::fmt::Display) {
    eprintln!("xtask: {words}");
}
