//! `hyp show`: a session as the conversation that it was.

mod find;
mod json;
mod read;
mod render;

use clap::ValueEnum;
use hyp_model::Exit;

use super::ask::Lake;
use super::{Session, print_json};
use crate::failure::Failure;
use crate::pager;

const COMMAND: &str = "hyp show";

/// Arguments of `hyp show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp show 7e928a78 --full

What a fork shares with its original is shown in its place. Sub-agents are a line with the command
that shows them. On a terminal, $PAGER shows the pages, or else less -FRX.")]
pub(crate) struct ShowArgs {
    /// Id of a session or thread, or the start of one; `hyp sessions` lists them
    #[arg(value_name = "SESSION")]
    id: String,

    /// Show thoughts, calls, results and what clients put in, whole
    #[arg(long)]
    full: bool,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,

    /// Print the session as JSON
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Text,
    Markdown,
}

/// Runs `hyp show`.
pub(crate) fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let lake = Lake::open(session)?;
    let thread = find::find(&lake, &args.id)?;
    let conversation = read::read(&lake, thread)?;
    if args.json {
        print_json(&json::Shown::new(&conversation))?;
        return Ok(Exit::Done);
    }
    let fold = if args.full { render::Fold::Nothing } else { render::Fold::Details };
    let text = match args.format {
        Shape::Text => render::text(&conversation, fold),
        Shape::Markdown => render::markdown(&conversation, fold),
    };
    pager::print(&text)?;
    Ok(Exit::Done)
}
