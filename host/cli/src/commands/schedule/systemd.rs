//! A service and a timer of the person's own systemd.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hyp_model::Explain;

use super::Job;

/// What switches the timer on.
pub(super) const ENABLE: &str =
    "systemctl --user daemon-reload && systemctl --user enable --now hyp-import.timer";

const SERVICE: &str = "hyp-import.service";
const TIMER: &str = "hyp-import.timer";

/// At six and at six, a little later on each machine; what was slept through is made up for.
const TIMER_TEXT: &str = "\
# Written by `hyp schedule install`; `hyp schedule remove` takes it away
[Unit]
Description=Import the history of coding agents twice a day

[Timer]
OnCalendar=*-*-* 06,18:00:00
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
";

/// Why a file of the schedule could not be written or removed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(super) struct UnitError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for UnitError {
    fn code(&self) -> &'static str {
        "hyp::schedule::file"
    }

    fn help(&self) -> Option<String> {
        Some("`hyp schedule print systemd` prints it, to be put in place by hand".to_owned())
    }
}

/// The two files.
pub(super) struct Units {
    folder: PathBuf,
    service: String,
}

impl Units {
    pub(super) fn new(job: &Job, folder: PathBuf) -> Self {
        Self { folder, service: service(job) }
    }

    /// Returns the files by their places alone.
    pub(super) fn placed(folder: PathBuf) -> Self {
        Self { folder, service: String::new() }
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        [SERVICE, TIMER].map(|name| self.folder.join(name)).to_vec()
    }

    pub(super) fn write(&self) -> Result<(), UnitError> {
        let failed = |path: &PathBuf| {
            let path = path.clone();
            move |source| UnitError { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        for (file, text) in self.files().iter().zip([self.service.as_str(), TIMER_TEXT]) {
            fs::write(file, text).map_err(failed(file))?;
        }
        Ok(())
    }

    pub(super) fn are_current(&self) -> bool {
        let texts = [self.service.as_str(), TIMER_TEXT];
        let is_same = |(file, text): (&PathBuf, &str)| {
            fs::read_to_string(file).is_ok_and(|found| found == text)
        };
        self.files().iter().zip(texts).all(is_same)
    }

    pub(super) fn remove(&self) -> Result<(), UnitError> {
        for path in self.files() {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(UnitError { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns both files as one text.
    pub(super) fn printed(&self) -> String {
        format!(
            "# ~/.config/systemd/user/{SERVICE}\n{}\n# ~/.config/systemd/user/{TIMER}\n{TIMER_TEXT}\n# then: {ENABLE}\n",
            self.service
        )
    }
}

fn service(job: &Job) -> String {
    let words: Vec<String> = job.words.iter().map(|word| quoted(word).replace('$', "$$")).collect();
    let mut text = format!(
        "\
# Written by `hyp schedule install`; `hyp schedule remove` takes it away
[Unit]
Description=Import the history of coding agents

[Service]
Type=oneshot
ExecStart={}
Nice=19
IOSchedulingClass=idle
NoNewPrivileges=yes
# No network: an import opens no socket
RestrictAddressFamilies=AF_UNIX
",
        words.join(" ")
    );
    for (name, value) in &job.environment {
        text.push_str(&format!("Environment={}\n", quoted(&format!("{name}={value}"))));
    }
    text
}

/// Returns a word as systemd reads it back, whatever is in it.
fn quoted(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{}\"", escaped.replace('%', "%%"))
}

/// Switches the timer on, from now on and at every login.
pub(super) fn enable() -> Result<(), String> {
    reload()?;
    systemctl(&["enable", "--now", TIMER])
}

/// Says whether there is one to be asked.
pub(super) fn answers() -> bool {
    systemctl(&["show-environment"]).is_ok()
}

pub(super) fn disable() -> Result<(), String> {
    systemctl(&["disable", "--now", TIMER])
}

pub(super) fn reload() -> Result<(), String> {
    systemctl(&["daemon-reload"])
}

pub(super) fn is_active() -> bool {
    systemctl(&["is-active", "--quiet", TIMER]).is_ok()
}

fn systemctl(words: &[&str]) -> Result<(), String> {
    let output = Command::new("systemctl")
        .arg("--user")
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `systemctl`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("it failed").trim().to_owned())
}
