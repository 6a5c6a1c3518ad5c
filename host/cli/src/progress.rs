//! Who watches a run, and what they see: a line per provider on a terminal, events, or nothing.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyp_backfill::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::events::Events;
use crate::{terminal, text};

/// Lines of the terminal, by the columns that they need.
const TEMPLATES: [(usize, &str); 3] = [
    (88, "{prefix:<10} [{bar:24}] {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>13}  {msg}"),
    (60, "{prefix:<10} [{bar:16}] {bytes:>10} of {total_bytes:<10}  {msg}"),
    (0, "{prefix} {percent}%  {msg}"),
];

/// Who watches.
pub(crate) enum Watch {
    /// A person at a terminal.
    Person(Lines),
    /// A program that reads events.
    Program(Events),
    /// Nobody.
    Nobody,
}

impl Watch {
    /// Returns the person at the terminal, if there is one and nothing is for a program.
    pub(crate) fn for_terminal(is_json: bool) -> Self {
        if !is_json && io::stderr().is_terminal() {
            Self::Person(Lines::new())
        } else {
            Self::Nobody
        }
    }

    /// Shows what happened.
    pub(crate) fn show(&self, progress: Progress) {
        match self {
            Self::Person(lines) => lines.show(progress),
            Self::Program(events) => events.show(&progress),
            Self::Nobody => {}
        }
    }

    /// Takes what is no record off the terminal.
    pub(crate) fn clear(&self) {
        if let Self::Person(lines) = self {
            lines.clear();
        }
    }
}

/// The lines, which are gone when the run is over.
pub(crate) struct Lines {
    area: MultiProgress,
    /// Turns until the first provider has something to show.
    wait: ProgressBar,
    lines: Mutex<BTreeMap<String, (ProgressBar, u64)>>,
}

impl Lines {
    fn new() -> Self {
        let area = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let wait = area.add(ProgressBar::new_spinner().with_message("looking for history"));
        wait.enable_steady_tick(Duration::from_millis(120));
        Self { area, wait, lines: Mutex::default() }
    }

    /// Shows what happened.
    fn show(&self, progress: Progress) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Discovered { provider, bytes, .. } => {
                self.wait.finish_and_clear();
                let bar = self.area.add(ProgressBar::new(bytes).with_prefix(provider.clone()));
                bar.set_style(style());
                lines.insert(provider, (bar, 0));
            }
            Progress::Read { provider, bytes } => {
                if let Some((bar, _)) = lines.get(&provider) {
                    bar.inc(bytes);
                }
            }
            Progress::Committed { provider, rows } => {
                if let Some((bar, total)) = lines.get_mut(&provider) {
                    *total += rows;
                    bar.set_message(format!("{total} rows"));
                }
            }
            Progress::Finished { provider, .. } => {
                if let Some((bar, _)) = lines.get(&provider) {
                    bar.abandon();
                }
            }
            Progress::Warned { provider, message } => {
                // A terminal that went away is no reason to stop an import.
                let _ = self.area.println(format!("{provider}: {}", text::line(&message)));
            }
            _ => {}
        }
    }

    fn clear(&self) {
        self.wait.finish_and_clear();
        let _ = self.area.clear();
    }
}

fn style() -> ProgressStyle {
    let width = terminal::talk_width();
    let fitting = TEMPLATES.iter().find(|(needed, _)| *needed <= width);
    let style = fitting.and_then(|(_, template)| ProgressStyle::with_template(template).ok());
    style.unwrap_or_else(ProgressStyle::default_bar).progress_chars("=> ")
}
