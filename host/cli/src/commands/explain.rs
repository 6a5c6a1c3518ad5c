//! `hyp explain`: where a row comes from, why it stands, and where else the same was seen.

mod read;
mod rule;
mod show;

use hyp_model::Exit;

use super::ask::Lake;
use super::{Session, print, print_json};
use crate::failure::Failure;

/// Arguments of `hyp explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp explain 7e928a78-0bbc-4ebf-a580-4011d19a8c17#0

An id is a value of the columns part_id, message_id or response_id.")]
pub(crate) struct ExplainArgs {
    /// A part, a message or a response
    #[arg(value_name = "ID")]
    id: String,

    /// Print the explanation as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `hyp explain`.
pub(crate) fn explain(session: &Session, args: &ExplainArgs) -> Result<Exit, Failure> {
    let found = read::read(&Lake::open(session)?, &args.id)?;
    if found.parts.is_empty() {
        return Err(Failure::Refused {
            command: "hyp explain",
            message: format!(
                "no row has `{}` as its part, message or response; `hyp show SESSION --json` has their ids",
                args.id
            ),
        });
    }
    if args.json {
        print_json(&found)?;
    } else {
        print(&show::show(&found))?;
    }
    Ok(Exit::Done)
}
