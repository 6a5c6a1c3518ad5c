//! Other engines read the same rows: PyIceberg through the catalog, DuckDB by the metadata file.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::hyp::Hyp;
use crate::python::environment;

/// What the engines are pinned to.
const PACKAGES: &[&str] = &[
    "pyiceberg[pyarrow,sql-sqlite]==0.12.0",
    "duckdb==1.5.5",
    "duckdb-extension-iceberg==1.5.5",
    "duckdb-extension-avro==1.5.5",
];

/// Counts rows, distinct parts and tokens with each engine, and prints them as JSON.
const PROGRAM: &str = include_str!("interop.py");

/// A store with superseded rows looks the same to every engine, and so does one of which a run was undone.
pub(crate) fn iceberg() -> Result<()> {
    let hyp = Hyp::new()?;
    // A fork that arrives before its original owns rows that the original then takes over.
    // Among many other rows: a file that is mostly superseded is written anew by upkeep.
    hyp.write(".claude/projects/-home-ada-tide-tables/long.jsonl", &long_session())?;
    hyp.add("sample", |path| path.contains("eed2879d"))?;
    hyp.import("smoke-fork", &["claude"])?;
    hyp.add("sample", |_| true)?;
    hyp.import("smoke-all", &[])?;
    let theirs = agree(&hyp)?;
    ensure!(
        theirs["position_deletes"].as_u64() > Some(0),
        "nothing was superseded, so nothing was proved: {theirs:#}"
    );
    hyp.run("smoke-undo", &["runs", "undo", "smoke-all", "--commit"])?;
    let before = theirs["duckdb"]["rows"].as_u64();
    let theirs = agree(&hyp)?;
    ensure!(theirs["duckdb"]["rows"].as_u64() < before, "nothing was undone: {theirs:#}");
    Ok(())
}

/// Returns what other engines see, which is what hyp sees.
fn agree(hyp: &Hyp) -> Result<Value> {
    let sql = "select count(*) as rows, count(distinct part_id) as parts, \
               sum(output_tokens) as tokens from ai_gateway_messages";
    let ours = hyp.query(sql)?.first().context("a count is one row")?.clone();
    let theirs = engines(hyp)?;
    for engine in ["pyiceberg", "duckdb"] {
        ensure!(theirs[engine] == ours, "{engine} sees {}, hyp sees {ours}", theirs[engine]);
    }
    let messages = hyp.query("select count(*) as rows from messages")?;
    ensure!(theirs["duckdb_messages"] == messages[0]["rows"], "{theirs:#} {messages:#?}");
    Ok(theirs)
}

/// Returns a session of the fork's month with forty prompts.
fn long_session() -> String {
    let prompt = |number: usize| {
        let record = json!({
            "type": "user", "sessionId": "10ba5e55-0000-4000-8000-000000000001",
            "uuid": format!("10ba5e55-0000-4000-8000-0000000001{number:02}"), "version": "2.1.0",
            "timestamp": format!("2026-10-02T08:00:{number:02}.000Z"), "cwd": "/home/ada/tide-tables",
            "message": { "role": "user", "content": format!("tide number {number}") },
        });
        format!("{record}\n")
    };
    (0..40).map(prompt).collect()
}

fn engines(hyp: &Hyp) -> Result<Value> {
    let python = environment("smoke-python", PACKAGES)?.join("python");
    let extensions = tempfile::tempdir()?;
    let attach =
        |engine| Ok::<_, anyhow::Error>(hyp.output("smoke-attach", &["attach", engine])?.0);
    let output = Command::new(python)
        .args(["-c", PROGRAM, &attach("pyiceberg")?, &attach("duckdb")?])
        .arg(extensions.path())
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
