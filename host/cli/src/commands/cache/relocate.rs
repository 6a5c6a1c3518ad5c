//! `hyp cache relocate`: locations for other engines, after the store was moved.

use hyp_model::Exit;

use super::writer;
use crate::commands::wait::Wait;
use crate::commands::{Session, print, say};
use crate::failure::Failure;

const COMMAND: &str = "hyp cache relocate";

/// Arguments of `hyp cache relocate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp cache relocate --store /mnt/moved/hyp")]
pub(crate) struct RelocateArgs {
    #[command(flatten)]
    wait: Wait,
}

/// Runs `hyp cache relocate`.
pub(crate) fn relocate(session: &Session, args: &RelocateArgs) -> Result<Exit, Failure> {
    match writer(session, &args.wait, COMMAND)?.relocate()? {
        0 => say("nothing to do: all locations are of this folder"),
        files => print(&format!("{files} files have new locations\n"))?,
    }
    Ok(Exit::Done)
}
