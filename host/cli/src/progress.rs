//! Progress on a terminal: a line per provider on stderr, gone when the run is over.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use hyp_backfill::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text;

const TEMPLATE: &str =
    "{prefix:<10} [{bar:24}] {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>12}  {msg}";

/// The lines.
pub(crate) struct Lines {
    area: MultiProgress,
    lines: Mutex<BTreeMap<String, (ProgressBar, u64)>>,
}

impl Lines {
    /// Returns lines for a person who watches, or `None` where nobody does.
    pub(crate) fn for_terminal(is_json: bool) -> Option<Self> {
        (!is_json && io::stderr().is_terminal()).then(|| Self {
            area: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)),
            lines: Mutex::default(),
        })
    }

    /// Shows what happened.
    pub(crate) fn show(&self, progress: Progress) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Discovered { provider, bytes, .. } => {
                let bar = self.area.add(ProgressBar::new(bytes).with_prefix(provider.clone()));
                if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                    bar.set_style(style.progress_chars("=> "));
                }
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
            Progress::Finished { provider } => {
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

    /// Takes the lines off the terminal.
    pub(crate) fn clear(&self) {
        let _ = self.area.clear();
    }
}
