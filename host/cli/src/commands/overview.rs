//! `hyp query overview`: what the store holds, on one screen.

mod show;

use hyp_model::Exit;
use serde::Serialize;

use super::ask::Lake;
use super::figures::{self, Conversation, Figures};
use super::scope::{PRICES_HELP, ScopeArgs};
use super::{Session, print, print_json};
use crate::failure::Failure;
use crate::{moment, terminal};

const COMMAND: &str = "hyp query overview";

/// Sessions that are named.
const LISTED: usize = 5;

/// Arguments of `hyp query overview`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Example: hyp query overview --since 2026-01-01 --prices prices.toml

{PRICES_HELP}"))]
pub(crate) struct OverviewArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    /// Print the overview as JSON
    #[arg(long)]
    json: bool,
}

/// The overview.
#[derive(Debug, Serialize)]
struct Overview {
    /// What is counted, where it is not everything.
    only: Vec<String>,
    #[serde(flatten)]
    figures: Figures,
    longest_sessions: Vec<Longest>,
}

/// A session with many messages.
#[derive(Debug, Serialize)]
struct Longest {
    session_id: String,
    client: String,
    title: Option<String>,
    messages: u64,
    tokens: u64,
    first_at: Option<String>,
    last_at: Option<String>,
    #[serde(skip)]
    day: String,
}

/// Runs `hyp query overview`.
pub(crate) fn query_overview(session: &Session, args: &OverviewArgs) -> Result<Exit, Failure> {
    let scope = args.scope.read(COMMAND)?;
    let lake = Lake::open_or_empty(session)?;
    lake.check_client(COMMAND, args.scope.client())?;
    let figures = figures::read(&lake, &scope)?;
    let longest = &figures.conversations[..figures.conversations.len().min(LISTED)];
    let ids: Vec<&str> = longest.iter().map(|session| session.session_id.as_str()).collect();
    let mut titles = figures::titles(&lake, &ids)?;
    let longest = |session: &Conversation| Longest {
        title: titles.remove(&session.session_id),
        messages: session.usage.messages,
        tokens: session.usage.total_tokens,
        first_at: session.first.and_then(moment::rfc3339),
        last_at: session.last.and_then(moment::rfc3339),
        day: moment::day(session.first, &scope.zone),
        client: session.client.clone(),
        session_id: session.session_id.clone(),
    };
    let longest_sessions = figures.conversations.iter().take(LISTED).map(longest).collect();
    let overview = Overview { only: scope.words, figures, longest_sessions };
    if args.json {
        print_json(&overview)?;
    } else {
        print(&show::show(&overview, terminal::is_styled()))?;
    }
    Ok(Exit::Done)
}
