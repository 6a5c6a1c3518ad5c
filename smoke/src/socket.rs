//! An import and a query open no socket: seen in their system calls.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::hyp::Hyp;

/// What tells of the world outside. A pair of sockets is a pipe between parts of one program.
const CALLS: &str = "trace=socket,connect,bind,listen,accept,accept4,sendto,sendmsg,sendmmsg";

pub(crate) fn check() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let trace = folder.path().join("calls");
    let to = trace.to_string_lossy().into_owned();
    let behind = ["strace", "-f", "-qq", "-e", CALLS, "-o", &to];

    // Whoever looks for nothing has to show that something would be seen.
    let [strace, rest @ ..] = behind;
    Command::new(strace)
        .args(rest)
        .args(["bash", "-c", "exec 3<>/dev/udp/127.0.0.1/9"])
        .status()
        .context("`strace` is missing; install it, as .ci/run does")?;
    ensure!(
        calls(&trace)?.contains("socket("),
        "strace sees no socket of a program that opens one"
    );

    let hyp = Hyp::new()?;
    hyp.add("sample", |_| true)?;
    for args in [
        &["backfill"][..],
        &["backfill", "--full"],
        &["query", "sql", "select count(*) from messages"],
        &["query", "overview"],
        &["privacy", "purge", "--provider", "codex", "--yes"],
    ] {
        fs::write(&trace, "")?;
        hyp.output_behind(&behind, "traced", args)?;
        let calls = calls(&trace)?;
        // Signals are passed on within the program by a pair of sockets.
        let outside: Vec<&str> = calls
            .lines()
            .filter(|line| line.contains("socket(") || line.contains("connect("))
            .collect();
        ensure!(outside.is_empty(), "hyp {args:?} opened a socket:\n{}", outside.join("\n"));
    }
    Ok(())
}

fn calls(trace: &Path) -> Result<String> {
    fs::read_to_string(trace).with_context(|| trace.display().to_string())
}
