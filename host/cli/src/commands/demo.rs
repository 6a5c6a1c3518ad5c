//! `hyp demo`: the sample history, imported into a temporary store and queried.

mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hyp_backfill::{Places, Request};
use hyp_model::{Exit, Explain};

use super::{Session, ask, backfill, print, say};
use crate::failure::Failure;
use crate::interrupt;

/// What the demo asks.
const QUESTION: &str = "select client_name, part_type, count(*) as rows, \
     sum(output_tokens) as output_tokens from messages group by 1, 2 order by 1, 2";

/// Arguments of `hyp demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp demo")]
pub(crate) struct DemoArgs {}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The sample cannot be laid out.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Explain for DemoError {
    fn code(&self) -> &'static str {
        "hyp::demo::write"
    }

    fn help(&self) -> Option<String> {
        Some("set TMPDIR to a folder that can be written to".to_owned())
    }
}

/// Runs `hyp demo`.
pub(crate) fn demo(_args: &DemoArgs) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("hyp-demo-")
        .tempdir()
        .map_err(|source| DemoError::Write { path: std::env::temp_dir(), source })?;
    let places = Places {
        history_home: folder.path().join("home"),
        history_folder: None,
        store: folder.path().join("store"),
        environment: BTreeMap::new(),
        sources: BTreeMap::new(),
    };
    lay_out(&places.history_home)?;
    // The first interrupt ends the import, and the folder goes with it.
    let cancelled = interrupt::flag();
    let report = hyp_backfill::run(&places, &request(), &|_| {}, &cancelled)?;

    let session = Session { places };
    print(&format!("$ hyp backfill\n{}", backfill::show_report(&report)))?;
    print(&format!("\n$ hyp query sql \"{QUESTION}\"\n"))?;
    print(&ask::table(&session, QUESTION)?)?;
    print("\n$ hyp sessions\n")?;
    print(&super::sessions::listing(&session)?)?;
    say("\nthat was a temporary store, now gone; `hyp backfill` imports your own history");
    Ok(report.exit())
}

fn request() -> Request {
    Request { run_id: "bf-demo".to_owned(), ..Request::default() }
}

fn lay_out(home: &Path) -> Result<(), DemoError> {
    for (below, content) in sample::FILES {
        let path = home.join(below);
        let written = match path.parent() {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(&path, content)),
            None => fs::write(&path, content),
        };
        written.map_err(|source| DemoError::Write { path, source })?;
    }
    Ok(())
}
