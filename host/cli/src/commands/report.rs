//! `hyp report`: the figures of the store as one page that needs nothing but a browser.

mod buckets;
mod chart;
mod names;
mod page;
mod policy;
mod sessions;
mod shares;
mod week;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hyp_model::{Exit, Explain};

use super::ask::{Lake, NOTHING_STORED};
use super::figures;
use super::scope::{PRICES_HELP, ScopeArgs};
use super::{Session, say};
use crate::failure::Failure;
use crate::{target, text};
use names::Names;

const COMMAND: &str = "hyp report";

/// Where the page goes when nobody says.
const USUAL: &str = "hyp-report.html";

/// Arguments of `hyp report`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Examples:
  hyp report --open
  hyp report -o september.html --since 2026-09-01 --until 2026-09-30 --anonymous

The page is one file: it loads nothing, and sends nothing. Only you can read it. It names sessions
and repositories; --anonymous leaves these out, for a page that is shown to others.

{PRICES_HELP}"))]
pub(crate) struct ReportArgs {
    /// The file; one that is there is replaced once the new one is whole
    #[arg(short, long, value_name = "FILE", default_value = USUAL)]
    output: PathBuf,

    /// Open the page in the browser
    #[arg(long)]
    open: bool,

    /// Leave out sessions, and number repositories
    #[arg(long)]
    anonymous: bool,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Why the page is not on the screen.
#[derive(Debug, thiserror::Error)]
#[error("cannot open `{}`", path.display())]
pub(crate) struct OpenError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for OpenError {
    fn code(&self) -> &'static str {
        "hyp::report::open"
    }

    fn help(&self) -> Option<String> {
        Some(format!("the page is written; open {} in a browser", self.path.display()))
    }
}

/// Runs `hyp report`.
pub(crate) fn report(session: &Session, args: &ReportArgs) -> Result<Exit, Failure> {
    let scope = args.scope.read(COMMAND)?;
    let lake = Lake::open_or_empty(session)?;
    lake.check_client(COMMAND, args.scope.client())?;
    let figures = figures::read(&lake, &scope)?;
    if figures.messages == 0 {
        let message = match scope.words.as_slice() {
            [] => NOTHING_STORED.to_owned(),
            words => format!(
                "nothing is stored of that: {}; `hyp query overview` shows what is",
                words.join(", ")
            ),
        };
        return Err(Failure::Refused { command: COMMAND, message });
    }
    let names = if args.anonymous {
        Names::anonymous(&figures)
    } else {
        let listed = sessions::listed(&figures);
        let ids: Vec<&str> = listed.iter().map(|it| it.session_id.as_str()).collect();
        Names::read(&session.places.history_home, figures::titles(&lake, &ids)?)
    };
    let page = page::page(&figures, &scope, &names);
    write(&args.output, &page)?;
    let size = text::bytes(page.len() as u64);
    say(&format!("report written to: {} ({size})", args.output.display()));
    if args.open {
        let path = std::path::absolute(&args.output).unwrap_or_else(|_| args.output.clone());
        open::that(&path).map_err(|source| OpenError { path, source })?;
    }
    Ok(Exit::Done)
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    target::write(path, |mut file| file.write_all(page.as_bytes()).map_err(Failure::Output))
}
