//! `hyp plugin run`: a component reads a folder, and its rows are shown instead of stored.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hyp_backfill::{Places, Request};
use hyp_model::{Exit, Explain};

use super::RunArgs;
use super::fetch::fetch;
use crate::commands::{Session, ask, backfill, print, say};
use crate::failure::Failure;
use crate::interrupt;

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    /// The folder is not there.
    #[error("`{}` is no folder", path.display())]
    NoFolder {
        /// What was named.
        path: PathBuf,
    },
    /// There is no room for rows.
    #[error("cannot make a temporary folder")]
    Temporary(#[source] std::io::Error),
}

impl Explain for TrialError {
    fn code(&self) -> &'static str {
        "hyp::plugin::trial"
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoFolder { .. } => "name the folder that the client writes into".to_owned(),
            Self::Temporary(_) => "set TMPDIR to a folder that can be written to".to_owned(),
        })
    }
}

/// Runs `hyp plugin run`.
pub(super) fn run(session: &Session, args: &RunArgs) -> Result<Exit, Failure> {
    let folder = std::path::absolute(&args.on).unwrap_or_else(|_| args.on.clone());
    if !folder.is_dir() {
        return Err(TrialError::NoFolder { path: folder }.into());
    }
    let fetched = fetch(&args.source)?;
    let store =
        tempfile::Builder::new().prefix("hyp-run-").tempdir().map_err(TrialError::Temporary)?;
    let places = Places {
        history_home: session.places.history_home.clone(),
        history_folder: Some(folder),
        store: store.path().to_owned(),
        environment: BTreeMap::new(),
    };
    let offer = hyp_backfill::offer(&places, fetched.bytes, &fetched.source)?;
    hyp_backfill::install(&places, &offer, true)?;
    // The first interrupt ends the import, and the folder goes with it.
    let cancelled = interrupt::flag();
    let report =
        hyp_backfill::run(&places, &request(&offer.description.name), &|_| {}, &cancelled)?;
    print(&backfill::show(&report))?;
    let trial = Session { places };
    let rows = ask::count(
        &ask::rows(&trial, "select count(*) as n from ai_gateway_messages")?
            .pop()
            .unwrap_or_default(),
        "n",
    );
    if rows > 0 {
        print("\n")?;
        print(&ask::table(&trial, &question(args.limit))?)?;
    }
    say(&format!("{rows} rows, none of them stored; `hyp plugin install` keeps the provider"));
    Ok(report.exit())
}

fn question(limit: usize) -> String {
    format!(
        "select message_created_at, session_id, role, part_type, \
           coalesce(content_text, tool_name, '') as content, output_tokens \
         from ai_gateway_messages order by session_id, message_index, part_index limit {limit}"
    )
}

fn request(name: &str) -> Request {
    Request {
        providers: vec![name.to_owned()],
        enabled: None,
        since: None,
        until: None,
        retention_days: None,
        dry_run: false,
        full: false,
        wait: Duration::ZERO,
        run_id: "bf-trial".to_owned(),
    }
}
