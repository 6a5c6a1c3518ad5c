//! `hyp quarantine`: records that no component understood, and a second try at them.

mod list;
mod replay;
mod show;

use clap::Subcommand;
use hyp_model::Exit;

use super::Session;
use crate::failure::Failure;

/// Arguments of `hyp quarantine`.
#[derive(Debug, clap::Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// List what is kept: how much of which kind, and each record
    List(list::ListArgs),
    /// Show one record: where it is, what is wrong with it, its bytes
    Show(show::ShowArgs),
    /// Read the sessions again that hold such records; what is understood now becomes rows
    Replay(replay::ReplayArgs),
}

/// Runs a command below `hyp quarantine`.
pub(crate) fn quarantine(session: &Session, args: &QuarantineArgs) -> Result<Exit, Failure> {
    match &args.command {
        QuarantineCommand::List(args) => list::list(session, args),
        QuarantineCommand::Show(args) => show::show(session, args),
        QuarantineCommand::Replay(args) => replay::replay(session, args),
    }
}
