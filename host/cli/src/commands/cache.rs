//! `hyp cache`: what the store's files are, and how they are looked after.

mod gc;
pub(super) mod maintain;
mod relocate;
mod rollback;
mod status;
mod verify;

use clap::Subcommand;
use hyp_cache::{Store, Writer};
use hyp_model::Exit;

use super::Session;
use super::wait::Wait;
use crate::env;
use crate::failure::Failure;

/// Arguments of `hyp cache`.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

/// The commands below `hyp cache`.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Say what the store consists of, and what upkeep would do
    Status(status::CacheStatusArgs),
    /// Put small files together, remove what expired, drop what is there twice
    Maintain(maintain::MaintainArgs),
    /// Check that every file and every row is what it should be
    Verify(verify::VerifyArgs),
    /// Remove files that nothing points at
    Gc(gc::GcArgs),
    /// Rewrite locations for other engines, after the store was moved
    Relocate(relocate::RelocateArgs),
    /// Go back to the catalog as it was before the last upgrade
    Rollback(rollback::RollbackArgs),
}

/// Runs a command below `hyp cache`.
pub(crate) fn cache(session: &Session, command: CacheCommand) -> Result<Exit, Failure> {
    match command {
        CacheCommand::Status(args) => status::status(session, &args),
        CacheCommand::Maintain(args) => maintain::maintain(session, &args),
        CacheCommand::Verify(args) => verify::verify(session, &args),
        CacheCommand::Gc(args) => gc::gc(session, &args),
        CacheCommand::Relocate(args) => relocate::relocate(session, &args),
        CacheCommand::Rollback(args) => rollback::rollback(session, &args),
    }
}

/// Takes the store's lock.
fn writer(session: &Session, wait: &Wait, command: &'static str) -> Result<Writer, Failure> {
    let run_id = env::run_id(&command.replace("hyp cache ", ""));
    Ok(Store::open(&session.places.store)?.writer(wait.time(command)?, &run_id)?)
}
