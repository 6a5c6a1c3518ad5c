//! `hyp --version --verbose`: what this hyp is made of.

use std::fmt::Write;

use hyp_model::Exit;

use super::print;
use crate::failure::Failure;

/// Runs `hyp --version --verbose`.
pub(crate) fn version() -> Result<Exit, Failure> {
    print(&parts())?;
    Ok(Exit::Done)
}

/// Returns what this hyp is made of, a line each.
fn parts() -> String {
    let mut out = format!("hyp {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:<9} {value}");
    };
    line("commit", env!("HYP_COMMIT"));
    line("profile", if cfg!(debug_assertions) { "development" } else { "release" });
    line("system", &format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    line("contract", &format!("{}@{}", hyp_backfill::PACKAGE, hyp_backfill::CONTRACT));
    for engine in env!("HYP_ENGINES").split(", ") {
        line("engine", engine);
    }
    for (name, digest) in hyp_backfill::bundled() {
        line("provider", &format!("{name} sha256:{digest}"));
    }
    line("features", "none to choose");
    out
}
