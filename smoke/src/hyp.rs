//! The binary under test, with a home and a store of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// A home, a store, and the binary.
pub(crate) struct Hyp {
    folder: TempDir,
    binary: PathBuf,
}

impl Hyp {
    /// Returns an empty home and no store.
    pub(crate) fn new() -> Result<Self> {
        let hyp = Self { folder: tempfile::tempdir()?, binary: binary()? };
        fs::create_dir(hyp.home())?;
        Ok(hyp)
    }

    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.path().join("trace.jsonl")
    }

    /// Writes a file below the home, with a time of change that is long past.
    pub(crate) fn write(&self, below: &str, text: &str) -> Result<()> {
        let path = self.home().join(below);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, text)?;
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000);
        File::options().write(true).open(&path)?.set_modified(past)?;
        Ok(())
    }

    /// Copies those files of a fixture home whose path passes `wanted`.
    pub(crate) fn add(&self, fixture: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let from = fixtures().join("homes").join(fixture);
        let mut copied = 0;
        let mut folders = vec![from.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                let below = path.strip_prefix(&from)?;
                if path.is_dir() {
                    folders.push(path);
                } else if wanted(&below.to_string_lossy()) {
                    let to = self.home().join(below);
                    fs::create_dir_all(to.parent().context("a file has a folder")?)?;
                    fs::copy(&path, to)?;
                    copied += 1;
                }
            }
        }
        ensure!(copied > 0, "nothing of `{fixture}` was copied");
        Ok(())
    }

    /// Puts a store of `fixtures/stores` in place.
    pub(crate) fn put_store(&self, name: &str) -> Result<()> {
        copy(&fixtures().join("stores").join(name), &self.store())
    }

    /// Counts the files of the store, without compiled components.
    pub(crate) fn store_files(&self) -> Result<usize> {
        let mut count = 0;
        let mut folders = vec![self.store()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                match path.is_dir() {
                    true if path.ends_with("cache") => {}
                    true => folders.push(path),
                    false => count += 1,
                }
            }
        }
        Ok(count)
    }

    /// Runs `hyp` with a run id and returns stdout; fails unless it exits 0 with a silent stderr.
    pub(crate) fn run(&self, run_id: &str, args: &[&str]) -> Result<String> {
        let (stdout, stderr) = self.output(run_id, args)?;
        ensure!(stderr.is_empty(), "hyp {args:?}\n{stdout}\n{stderr}");
        Ok(stdout)
    }

    /// Runs `hyp` with a run id and returns stdout and stderr; fails unless it exits 0.
    pub(crate) fn output(&self, run_id: &str, args: &[&str]) -> Result<(String, String)> {
        self.output_behind(&[], run_id, args)
    }

    /// Runs `hyp` as [`Hyp::output`] does, through another program.
    pub(crate) fn output_behind(
        &self,
        behind: &[&str],
        run_id: &str,
        args: &[&str],
    ) -> Result<(String, String)> {
        let binary = self.binary.as_os_str();
        let mut words = behind.iter().map(|word| OsStr::new(*word)).chain([binary]);
        let output = Command::new(words.next().unwrap_or(binary))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("HYP_HOME", self.store())
            .env("HYP_LOG", self.trace())
            .env("DEV_RUN_ID", run_id)
            .args(args)
            .output()
            .with_context(|| self.binary.display().to_string())?;
        let stdout = String::from_utf8(output.stdout)?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "hyp {args:?}: {}\n{stdout}\n{stderr}", output.status);
        Ok((stdout, stderr))
    }

    /// Runs an import and returns the report of its first provider.
    pub(crate) fn import(&self, run_id: &str, args: &[&str]) -> Result<Value> {
        let args: Vec<_> = ["backfill"].iter().chain(args).chain(&["--json"]).copied().collect();
        let report: Value = serde_json::from_str(&self.run(run_id, &args)?)?;
        ensure!(report["run_id"] == run_id, "the run id is the one given: {report:#}");
        Ok(report["providers"][0].clone())
    }

    /// Runs a query and returns its rows.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<Value>> {
        Ok(serde_json::from_str(&self.run("query", &["query", "sql", sql, "--json"])?)?)
    }
}

/// Copies a folder, writable by its owner alone.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("an entry has a name")?);
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => _ = fs::copy(&path, &target)?,
        }
    }
    Ok(())
}

/// Returns the folder of fixtures.
fn fixtures() -> PathBuf {
    repository().join("fixtures")
}

/// Returns the folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the binary under test.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("HYP_BIN") {
        return Ok(path.into());
    }
    let mut path = std::env::current_exe()?;
    path.set_file_name(format!("hyp{}", std::env::consts::EXE_SUFFIX));
    ensure!(path.exists(), "`{}` is missing; run `cargo build -p hyp` first", path.display());
    Ok(path)
}

/// Says something on stdout.
pub(crate) fn say(words: &str) {
    // A closed stdout must not fail a check.
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Passes over a check that lacks something of this machine, but not where all of them have to pass.
pub(crate) fn skip(lacks: &str) -> Result<()> {
    ensure!(std::env::var_os("CI").is_none(), "{lacks}");
    say(&format!("  skipped: {lacks}"));
    Ok(())
}
