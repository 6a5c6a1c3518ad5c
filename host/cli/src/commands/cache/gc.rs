//! `hyp cache gc`: removes files that nothing points at.

use hyp_model::Exit;

use super::writer;
use crate::commands::wait::Wait;
use crate::commands::{Session, print, print_json};
use crate::failure::Failure;
use crate::text;

const COMMAND: &str = "hyp cache gc";

/// Arguments of `hyp cache gc`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache gc --dry-run")]
pub(crate) struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    wait: Wait,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `hyp cache gc`.
pub(crate) fn gc(session: &Session, args: &GcArgs) -> Result<Exit, Failure> {
    let found = match args.dry_run {
        true => hyp_cache::Store::open(&session.places.store)?.rubbish()?,
        false => writer(session, &args.wait, COMMAND)?.collect()?,
    };
    if args.json {
        print_json(&found)?;
    } else {
        let verb = if args.dry_run { "would be removed" } else { "removed" };
        print(&format!(
            "{} {verb}, {}\n",
            text::counted_full(found.files, "file"),
            text::bytes(found.bytes)
        ))?;
    }
    Ok(Exit::Done)
}
