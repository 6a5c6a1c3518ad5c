//! A home, a store, and the binary that is under test.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::terminal::{self, Terminal};

/// All columns but the one that names the run.
const ALL_ROWS: &str = "select * except (run_id) from ai_gateway_messages order by part_id";

/// A person's home folder and the store in it. Both are gone when it is dropped.
pub(crate) struct Sandbox {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command printed, and how it ended.
pub(crate) struct Output {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    names: Vec<(String, &'static str)>,
}

impl Sandbox {
    /// Returns a home with nothing in it.
    pub(crate) fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        fs::create_dir(sandbox.home()).unwrap();
        sandbox
    }

    /// Returns a home with the files of `fixtures/homes/NAME`.
    pub(crate) fn with(fixture: &str) -> Self {
        let sandbox = Self::new();
        sandbox.add(fixture, |_| true);
        sandbox
    }

    /// Copies those files of a fixture whose path passes `wanted`.
    pub(crate) fn add(&self, fixture: &str, wanted: impl Fn(&str) -> bool) {
        let from = fixtures().join("homes").join(fixture);
        for file in files(&from) {
            let below = file.strip_prefix(&from).unwrap().to_str().unwrap();
            if wanted(below) {
                self.write(below, &fs::read(&file).unwrap());
            }
        }
    }

    /// Writes a file below the home, with a time of change that is long past.
    #[expect(clippy::disallowed_methods, reason = "times of change are told from the clock")]
    pub(crate) fn write(&self, below: &str, content: &[u8]) {
        let path = self.home().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let past = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
    }

    /// Sets an environment variable for the commands to come.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Returns a path beside home and store.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `hyp` to its end.
    pub(crate) fn hyp<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.output(self.command(args))
    }

    /// Runs `hyp` to its end as a person without the rights of root, whoever runs the test.
    pub(crate) fn hyp_without_privilege<'a>(
        &self,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Output {
        let mut prefix = Vec::new();
        if is_root() {
            prefix = vec!["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"];
        }
        self.output(self.command_behind(&prefix, args))
    }

    /// Runs `hyp` to its end where no file may grow past so many KiB.
    pub(crate) fn hyp_on_a_small_disk<'a>(
        &self,
        kib: u32,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Output {
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
        self.output(self.command_behind(&["sh", "-c", &script], args))
    }

    fn output(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        Output {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            names: self.names(),
        }
    }

    /// Returns a text with what differs from run to run replaced by names.
    pub(crate) fn named(&self, text: &str) -> String {
        let names = self.names();
        names.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path.as_str(), name))
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        vec![(path(self.store()), "[HYP_HOME]"), (path(self.home()), "[HOME]")]
    }

    /// Starts `hyp` and returns at once.
    pub(crate) fn start<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Starts `hyp` with its stderr to be read, and returns at once.
    pub(crate) fn start_talking<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts `hyp` on a terminal of so many rows and columns.
    pub(crate) fn terminal<'a>(
        &self,
        (rows, columns): (u16, u16),
        args: impl IntoIterator<Item = &'a str>,
    ) -> Terminal {
        Terminal::start(self.command_behind(terminal::BEHIND, args), rows, columns).unwrap()
    }

    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        self.command_behind(&[], args)
    }

    fn command_behind<'a>(
        &self,
        prefix: &[&str],
        args: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let words = [prefix, &[env!("CARGO_BIN_EXE_hyp")]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("HOME", self.home())
            .env("HYP_HOME", self.store())
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .args(args);
        command
    }

    /// Runs an import that must succeed, and returns its report.
    pub(crate) fn import<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        let args = ["backfill", "--json"].into_iter().chain(args);
        let output = self.hyp(args);
        assert_eq!(output.status, Some(0), "{output}");
        serde_json::from_str(&output.stdout).unwrap()
    }

    /// Runs a query that must succeed, and returns its rows as CSV lines without the header.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let args = ["query", "sql", sql, "--format", "csv", "--max-cell", "0", "--max-bytes", "0"];
        let output = self.hyp(args);
        assert_eq!(output.status, Some(0), "{sql}\n{output}");
        output.stdout.lines().skip(1).map(str::to_owned).collect()
    }

    /// Returns every row with all columns but the run's id, a JSON object a line.
    pub(crate) fn all_rows(&self) -> Vec<String> {
        let args =
            ["query", "sql", ALL_ROWS, "--format", "jsonl", "--max-cell", "0", "--max-bytes", "0"];
        let output = self.hyp(args);
        assert_eq!(output.status, Some(0), "{output}");
        output.stdout.lines().map(str::to_owned).collect()
    }
}

impl Output {
    /// Returns stdout as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

/// Status, stdout and stderr with what differs from run to run replaced by names.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self.status {
            Some(status) => format!("exit: {status}\n"),
            None => "exit: killed\n".to_owned(),
        };
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("-- {name}\n{stream}"));
            }
        }
        for (path, name) in &self.names {
            text = text.replace(path.as_str(), name);
        }
        f.write_str(&text)
    }
}

/// Fails unless both lists hold the same rows, and shows what differs in the first that do not.
pub(crate) fn assert_same_rows(found: &[String], expected: &[String], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        if found != expected {
            panic!("{what}: {}", difference(found, expected));
        }
    }
    assert_eq!(found.len(), expected.len(), "{what}: number of rows");
}

/// Returns the columns that differ between two rows.
fn difference(found: &str, expected: &str) -> String {
    let parse = |row| serde_json::from_str::<serde_json::Map<String, Value>>(row).unwrap();
    let (found, expected) = (parse(found), parse(expected));
    let lines = expected.iter().filter(|(name, value)| found.get(*name) != Some(value)).map(
        |(name, value)| {
            format!("\n  {name}\n    found    {:?}\n    expected {value:?}", found[name])
        },
    );
    format!("{}{}", expected["part_id"], lines.collect::<String>())
}

/// Returns the sum of a counter over the providers of a report.
pub(crate) fn total(report: &Value, counter: &str) -> u64 {
    let providers = report["providers"].as_array().unwrap();
    providers.iter().map(|provider| provider[counter].as_u64().unwrap()).sum()
}

/// Tells whether files are open to the test whatever their mode says.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Returns the folder of fixtures.
pub(crate) fn fixtures() -> PathBuf {
    repository().join("fixtures")
}

/// Returns the component of a guest that is there for tests.
pub(crate) fn guest(name: &str) -> PathBuf {
    repository().join(format!("tests/guests/dist/{name}.wasm"))
}

/// Returns the folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Returns every file below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{next:?}: {error}")) {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
