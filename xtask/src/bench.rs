//! `cargo xtask bench`: what an import costs, in CPU seconds, bytes and counters.
#![expect(clippy::print_stdout, reason = "the figures are what the command is for")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

/// Arguments of `cargo xtask bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Folder that stands in for a home: it holds `.claude`, `.codex` or both
    #[arg(long)]
    home: PathBuf,
    /// The binary to measure
    #[arg(long, default_value = "target/release/hyp")]
    hyp: PathBuf,
    /// Providers to import
    #[arg(long, value_delimiter = ',', default_value = "claude,codex")]
    providers: Vec<String>,
}

/// Arguments of `cargo xtask measure`, which the benchmark calls for each command.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<String>,
}

/// Imports each provider into a fresh store, again, and queries it; prints a line per step.
pub fn bench(args: &BenchArgs) -> Result<()> {
    let hyp = args.hyp.canonicalize().context("no such binary: build with --release first")?;
    for provider in &args.providers {
        let store = tempfile::tempdir()?;
        let env = Scene { hyp: &hyp, home: &args.home, store: store.path() };
        let source = size_of(&args.home.join(format!(".{provider}")));
        let first = env.run(&["backfill", provider, "--json"])?;
        let report: Value = serde_json::from_str(&first.stdout)?;
        println!("{provider}: {:.0} MB of source", mb(source));
        first.print("first import", &report["providers"][0]["timings"]);
        let again = env.run(&["backfill", provider, "--json"])?;
        let report: Value = serde_json::from_str(&again.stdout)?;
        let entry = &report["providers"][0];
        ensure!(entry["rows_written"] == 0, "the rerun wrote rows: {entry}");
        again.print("rerun", &json!({ "bytes_read": entry["bytes_read"] }));
        let count =
            env.run(&["query", "sql", "select count(*) as n from ai_gateway_messages", "--json"])?;
        count.print("count(*)", &serde_json::from_str(&count.stdout)?);
        env.run(&["--version"])?.print("--version", &Value::Null);
        // Compiled components are made anew when they are gone.
        let stored = size_of(store.path()) - size_of(&store.path().join("cache"));
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let share = 100.0 * stored as f64 / source.max(1) as f64;
        println!("  store {:.1} MB, {share:.1} % of the source", mb(stored));
    }
    Ok(())
}

/// Runs a command and prints its costs and its output as one JSON line.
pub fn measure(args: &MeasureArgs) -> Result<()> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let started = Instant::now();
    let output = Command::new(&args.command[0])
        .args(&args.command[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let wall = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |micros: i64| std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64();
    let cost = json!({
        "status": output.status.code(),
        "cpu": seconds(usage.user_time().num_microseconds())
            + seconds(usage.system_time().num_microseconds()),
        "wall": wall,
        "rss_mb": usage.max_rss() / 1024,
        "stdout": String::from_utf8_lossy(&output.stdout),
    });
    println!("{cost}");
    Ok(())
}

struct Scene<'a> {
    hyp: &'a Path,
    home: &'a Path,
    store: &'a Path,
}

struct Cost {
    cpu: f64,
    wall: f64,
    rss_mb: i64,
    stdout: String,
}

impl Scene<'_> {
    fn run(&self, arguments: &[&str]) -> Result<Cost> {
        let output = Command::new(std::env::current_exe()?)
            .arg("measure")
            .arg("--")
            .arg(self.hyp)
            .args(arguments)
            .env_remove("CLAUDE_CONFIG_DIR")
            .env_remove("CODEX_HOME")
            .env("HOME", self.home)
            .env("HYP_HOME", self.store)
            .stderr(Stdio::inherit())
            .output()?;
        let cost: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(cost["status"] == 0, "{arguments:?} ended with {}", cost["status"]);
        Ok(Cost {
            cpu: cost["cpu"].as_f64().unwrap_or_default(),
            wall: cost["wall"].as_f64().unwrap_or_default(),
            rss_mb: cost["rss_mb"].as_i64().unwrap_or_default(),
            stdout: cost["stdout"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

impl Cost {
    fn print(&self, step: &str, detail: &Value) {
        let Self { cpu, wall, rss_mb, .. } = self;
        println!("  {step:<13} {cpu:7.3} CPU s  {wall:7.3} s  {rss_mb:4} MB RSS  {detail}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "megabytes for a person")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn size_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return path.metadata().map_or(0, |metadata| metadata.len());
    };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_of(&entry.path()),
            _ => entry.metadata().map_or(0, |metadata| metadata.len()),
        })
        .sum()
}
