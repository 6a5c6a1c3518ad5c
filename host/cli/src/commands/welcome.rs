//! `hyp` alone: the way in before there is a store, and a short word after.

use std::io::{self, IsTerminal};

use clap::CommandFactory;
use hyp_cache::{Store, StoreError};
use hyp_model::Exit;

use super::{InitArgs, Session, StatusArgs, init, print, say, status};
use crate::args::Cli;
use crate::config;
use crate::failure::Failure;
use crate::prompt;

/// Runs `hyp`.
pub(crate) fn welcome(session: &Session) -> Result<Exit, Failure> {
    let store = &session.places.store;
    let is_store = match Store::open(store) {
        Ok(_) => true,
        Err(StoreError::Missing { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if is_store {
        status(session, &StatusArgs::default())?;
        say("\n`hyp query overview` shows what is there, `hyp backfill` imports what is new, \
             `hyp --help` lists the commands");
        return Ok(Exit::Done);
    }
    if config::path(store).exists() {
        say("hyp is set up, and nothing is imported yet: `hyp backfill` imports, \
             `hyp init` asks again, `hyp --help` lists the commands");
        return Ok(Exit::Done);
    }
    let is_watched = prompt::is_possible() && io::stdout().is_terminal();
    if is_watched {
        return init(session, &InitArgs::default());
    }
    print(&Cli::command().render_help().to_string())?;
    Ok(Exit::Done)
}
