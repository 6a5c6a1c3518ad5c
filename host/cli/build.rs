//! Tells the binary what it is made of: engines as Cargo.lock has them, and the commit of a release.
//!
//! Nothing is compiled here, so that hyp builds without a toolchain for WebAssembly.

use std::process::Command;
use std::{env, fs};

const LOCK: &str = "../../Cargo.lock";

/// What decides how fast hyp is, and which files it can read.
const ENGINES: [&str; 6] = ["wasmtime", "datafusion", "arrow", "parquet", "iceberg", "rusqlite"];

fn main() {
    println!("cargo::rerun-if-changed={LOCK}");
    println!(
        "cargo::rustc-env=HYP_ENGINES={}",
        engines(&fs::read_to_string(LOCK).unwrap_or_default())
    );

    // A development build would be linked anew with each commit, only to say which one it is.
    println!("cargo::rerun-if-env-changed=HYP_COMMIT");
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = env::var("HYP_COMMIT").ok().or_else(|| is_release.then(commit).flatten());
    println!("cargo::rustc-env=HYP_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
}

/// Returns engines and their versions.
fn engines(lock: &str) -> String {
    let lines: Vec<&str> = lock.lines().collect();
    let version = |name: &str| {
        let head = format!("name = \"{name}\"");
        let pair = lines.windows(2).find(|pair| pair[0] == head)?;
        Some(format!("{name} {}", pair[1].strip_prefix("version = ")?.trim_matches('"')))
    };
    ENGINES.iter().filter_map(|name| version(name)).collect::<Vec<_>>().join(", ")
}

/// Returns the commit that is checked out, where there is one.
fn commit() -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    git(&["rev-parse", "--short=12", "HEAD"])
}
