//! `hyp cache rollback`: the catalog as it was before the last upgrade.

use hyp_cache::Store;
use hyp_model::Exit;

use crate::commands::wait::Wait;
use crate::commands::{Session, print, say};
use crate::env;
use crate::failure::Failure;

const COMMAND: &str = "hyp cache rollback";

/// Arguments of `hyp cache rollback`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache rollback")]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    wait: Wait,
}

/// Runs `hyp cache rollback`.
pub(crate) fn rollback(session: &Session, args: &RollbackArgs) -> Result<Exit, Failure> {
    let wait = args.wait.time(COMMAND)?;
    let run_id = env::run_id("rollback");
    let backup = Store::open(&session.places.store)?.roll_back(wait, &run_id)?;
    print(&format!("the store has version {} again\n", backup.version))?;
    say("what was imported since is read again by the next import; \
         `hyp cache rollback` once more undoes this");
    Ok(Exit::Done)
}
