//! `hyp privacy`: what stays out of the store, and how something gets out of it again.

mod ignore;
mod list;
mod purge;
mod scan;

use clap::Subcommand;
use hyp_model::Exit;

use super::Session;
use crate::failure::Failure;

/// Arguments of `hyp privacy`.
#[derive(Debug, clap::Args)]
pub(crate) struct PrivacyArgs {
    #[command(subcommand)]
    pub(crate) command: PrivacyCommand,
}

/// The commands below `hyp privacy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PrivacyCommand {
    /// Keep the messages of a folder out of later imports
    Ignore(ignore::IgnoreArgs),
    /// Let the messages of a folder in again
    Allow(ignore::AllowArgs),
    /// List the folders that are kept out
    List(list::ListArgs),
    /// Remove messages for good: no file keeps them, and no import brings them back
    Purge(purge::PurgeArgs),
    /// Look for likely secrets, and say what they are and where, but not what they say
    Scan(scan::ScanArgs),
}

/// Runs a command below `hyp privacy`.
pub(crate) fn privacy(session: &Session, command: PrivacyCommand) -> Result<Exit, Failure> {
    match command {
        PrivacyCommand::Ignore(args) => ignore::ignore(session, &args),
        PrivacyCommand::Allow(args) => ignore::allow(session, &args),
        PrivacyCommand::List(args) => list::list(session, &args),
        PrivacyCommand::Purge(args) => purge::purge(session, &args),
        PrivacyCommand::Scan(args) => scan::scan(session, &args),
    }
}
