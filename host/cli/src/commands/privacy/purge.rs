//! `hyp privacy purge`: removes messages for good.

use std::path::PathBuf;

use hyp_cache::{Purge, Purged, Selector, Store};
use hyp_model::Exit;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::commands::ask::{self, Lake, quote};
use crate::commands::consent::{Consent, consent};
use crate::commands::wait::Wait;
use crate::commands::{Session, absolute, print, print_json, say};
use crate::env;
use crate::failure::Failure;
use crate::moment::{self, Edge};
use crate::text;

const COMMAND: &str = "hyp privacy purge";

/// Arguments of `hyp privacy purge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp privacy purge ~/clients/acme
  hyp privacy purge --session 01997a5e --dry-run
  hyp privacy purge --before 2026-01-01 --yes

Copies in forks and resumed sessions go along. No later import of any provider brings back what was purged;
the client's own files are not touched.")]
pub(crate) struct PurgeArgs {
    #[command(flatten)]
    what: What,

    /// Leave copies that stand in other sessions, as if only they had ever been written
    #[arg(long)]
    keep_copies: bool,

    /// Only say what would go
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    wait: Wait,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What is to go: one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Messages whose working directory is this folder, or one below it
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,

    /// A session or thread, with the sub-agents that it started; the start of an id will do
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,

    /// Everything that a provider read, such as claude or codex
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    /// Messages from before a day, or a time
    #[arg(long, value_name = "TIME")]
    before: Option<String>,

    /// Everything
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Answer {
    dry_run: bool,
    #[serde(flatten)]
    purged: Purged,
}

/// Runs `hyp privacy purge`.
pub(crate) fn purge(session: &Session, args: &PurgeArgs) -> Result<Exit, Failure> {
    let wait = args.wait.time(COMMAND)?;
    let store = Store::open(&session.places.store)?;
    let what = selector(session, &args.what)?;
    let purge = Purge { what, keeps_copies: args.keep_copies };
    let planned = store.plan_purge(&purge)?;
    if let (Some(id), 0) = (&args.what.session, planned.rows) {
        let id = text::line(id);
        say(&format!(
            "nothing of a session `{id}` is stored; a purge keeps imports from bringing it"
        ));
    }
    if let (Some(provider), 0) = (&args.what.provider, planned.rows) {
        let provider = text::line(provider);
        say(&format!(
            "no stored row is of a provider `{provider}`; a purge keeps imports from bringing some"
        ));
    }
    if args.dry_run {
        return answer(args, planned);
    }
    if !args.yes {
        say(&format!("{} would be removed", told(&planned)));
        say("neither hyp nor an import brings them back; the client's own files are not touched");
    }
    if consent("remove them for good?", args.yes, COMMAND)? == Consent::Refused {
        return Ok(Exit::Done);
    }
    let run_id = env::run_id("purge");
    let purged = store.writer(wait, &run_id)?.purge(&purge)?;
    answer(args, purged)
}

fn answer(args: &PurgeArgs, purged: Purged) -> Result<Exit, Failure> {
    if args.json {
        print_json(&Answer { dry_run: args.dry_run, purged })?;
    } else {
        let verb = if args.dry_run { "would be removed" } else { "removed for good" };
        print(&format!("{} {verb}\n", told(&purged)))?;
    }
    if args.dry_run || purged.is_erased {
        return Ok(Exit::Done);
    }
    say(
        "another program is reading the store, so old files stay until it is done; then run `hyp cache gc`",
    );
    Ok(Exit::Failed)
}

fn told(purged: &Purged) -> String {
    let mut out = format!(
        "{} of {}",
        text::counted_full(purged.rows, "row"),
        text::counted_full(purged.threads, "thread")
    );
    if purged.copies > 0 {
        out += &format!(", {} of them copies in other sessions,", purged.copies);
    }
    out
}

fn selector(session: &Session, what: &What) -> Result<Selector, Failure> {
    if let Some(id) = &what.session {
        return Ok(Selector::Sessions(vec![whole_id(session, id)?]));
    }
    if let Some(path) = &what.path {
        let path = absolute(path.clone());
        let real = std::fs::canonicalize(&path).ok().filter(|real| *real != path);
        let paths = [Some(path), real].into_iter().flatten();
        return Ok(Selector::Paths(paths.map(|path| path.display().to_string()).collect()));
    }
    if let Some(time) = &what.before {
        let before = moment::parse(time, Edge::Start, &TimeZone::system());
        let message = format!(
            "--before expects a time such as 2026-01-31 or 2026-01-31T09:00:00Z (got {time})"
        );
        let before = before.ok_or(Failure::Usage { command: COMMAND, message })?;
        return Ok(Selector::Before(before));
    }
    Ok(match &what.provider {
        Some(provider) => Selector::Provider(provider.clone()),
        None => Selector::All,
    })
}

/// Returns the id that a session has which this is the start of. What is not stored may be kept from coming.
fn whole_id(session: &Session, id: &str) -> Result<String, Failure> {
    let lake = Lake::open(session)?;
    let mut found = Vec::new();
    for column in ["thread_id", "session_id"] {
        let rows = lake.rows(&format!(
            "select distinct {column} as id from sessions where starts_with({column}, {})",
            quote(id)
        ))?;
        found.extend(rows.iter().filter_map(|row| ask::text(row, "id")));
    }
    found.sort();
    found.dedup();
    // A sub-agent's id may go on from its session's, which is the one that is meant then.
    let all = found.clone();
    let is_below = |id: &str| {
        all.iter().any(|head| id.strip_prefix(head.as_str()).is_some_and(|it| it.starts_with('/')))
    };
    found.retain(|id| !is_below(id));
    if found.len() < 2 || found.iter().any(|known| known == id) {
        return Ok(match found.as_slice() {
            [only] => only.clone(),
            _ => id.to_owned(),
        });
    }
    let message = format!(
        "{} sessions and threads begin with `{id}`: {}",
        found.len(),
        found.iter().take(4).map(|id| text::line(id)).collect::<Vec<_>>().join(", ")
    );
    Err(Failure::Refused { command: COMMAND, message })
}
