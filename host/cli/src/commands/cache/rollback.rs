//! `hyp cache rollback`: the catalog as it was before the last upgrade.

use hyp_cache::Store;
use hyp_model::Exit;

use super::seconds;
use crate::commands::{Session, print, say};
use crate::failure::Failure;

const COMMAND: &str = "hyp cache rollback";

/// Arguments of `hyp cache rollback`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache rollback")]
pub(crate) struct RollbackArgs {
    /// Wait that many seconds for another run to end
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    wait: Option<String>,
}

/// Runs `hyp cache rollback`.
pub(crate) fn rollback(session: &Session, args: &RollbackArgs) -> Result<Exit, Failure> {
    let wait = seconds(COMMAND, "wait", args.wait.as_deref())?.unwrap_or_default();
    let run_id = format!("rollback-{}", uuid::Uuid::new_v4());
    let backup = Store::open(&session.places.store)?.roll_back(wait, &run_id)?;
    print(&format!("the store has version {} again\n", backup.version))?;
    say("what was imported since is read again by the next import; \
         `hyp cache rollback` once more undoes this");
    Ok(Exit::Done)
}
