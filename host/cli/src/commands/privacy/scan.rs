//! `hyp privacy scan`: likely secrets, by kind and place.

use std::collections::{BTreeMap, BTreeSet};

use hyp_backfill::Secrets;
use hyp_model::Exit;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::commands::ask::{self, Lake};
use crate::commands::period::{Period, filter};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::text;

const COMMAND: &str = "hyp privacy scan";

/// Columns that are looked through.
const COLUMNS: [&str; 5] = ["content_text", "tool_args", "status", "attributes", "raw_frame"];

/// Arguments of `hyp privacy scan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp privacy scan
  hyp privacy scan --places --since 2026-01-01

No secret is printed. Nothing is certain: what is found may be none, and what looks like nothing else is not
found. `[privacy] redact = true` in config.toml replaces them in later imports; `hyp privacy purge` removes
what is stored.")]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    period: Period,

    /// List every place: session, part and column
    #[arg(long)]
    places: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default, Serialize)]
struct Found {
    kinds: Vec<Kind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<Place>,
}

#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    places: u64,
    sessions: usize,
}

/// Where something was found.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: &'static str,
    session_id: String,
    part_id: String,
    column: &'static str,
    count: u64,
}

/// Runs `hyp privacy scan`.
pub(crate) fn scan(session: &Session, args: &ScanArgs) -> Result<Exit, Failure> {
    let (since, until) = args.period.ends(COMMAND, &TimeZone::system())?;
    let found = find(session, &ends(since, until), args.places)?;
    if args.json {
        print_json(&found)?;
        return Ok(Exit::Done);
    }
    print(&show(&found))?;
    if found.kinds.is_empty() {
        say("nothing looks like a secret");
    } else if !args.places {
        say("`hyp privacy scan --places` says where");
    }
    Ok(Exit::Done)
}

fn ends(since: Option<i64>, until: Option<i64>) -> Vec<String> {
    let end = |sign: &str, at: i64| format!("cast(message_created_at as bigint) {sign} {at}");
    let ends = [since.map(|at| end(">=", at)), until.map(|at| end("<=", at))];
    ends.into_iter().flatten().collect()
}

fn find(session: &Session, conditions: &[String], lists_places: bool) -> Result<Found, Failure> {
    let secrets = Secrets::all();
    let lake = Lake::open(session)?;
    let mut kinds: BTreeMap<&'static str, (u64, BTreeSet<String>)> = BTreeMap::new();
    let mut places = Vec::new();
    let sql = format!(
        "select session_id, part_id, {} from ai_gateway_messages{}",
        COLUMNS.join(", "),
        filter(conditions)
    );
    lake.each(&sql, |row| {
        for column in COLUMNS {
            let Some(value) = row.get(column).and_then(serde_json::Value::as_str) else { continue };
            let mut here: BTreeMap<&'static str, u64> = BTreeMap::new();
            for finding in secrets.find(value) {
                *here.entry(finding.kind).or_default() += 1;
            }
            for (kind, count) in here {
                let session_id = ask::text(&row, "session_id").unwrap_or_default();
                let known = kinds.entry(kind).or_default();
                known.0 += count;
                known.1.insert(session_id.clone());
                if lists_places {
                    let part_id = ask::text(&row, "part_id").unwrap_or_default();
                    places.push(Place { kind, session_id, part_id, column, count });
                }
            }
        }
    })?;
    places.sort();
    let kind = |(kind, (places, sessions)): (_, (_, BTreeSet<String>))| Kind {
        kind,
        places,
        sessions: sessions.len(),
    };
    Ok(Found { kinds: kinds.into_iter().map(kind).collect(), places })
}

fn show(found: &Found) -> String {
    let mut out = String::new();
    for Kind { kind, places, sessions } in &found.kinds {
        let (places, sessions) =
            (text::counted_full(*places, "place"), text::counted_full(*sessions as u64, "session"));
        out += &format!("{kind:<20} {places:>12} in {sessions}\n");
    }
    for Place { kind, session_id, part_id, column, count } in &found.places {
        let (session, part) = (text::line(session_id), text::line(part_id));
        out += &format!("{kind:<20} {session}  {part}  {column}");
        out += &if *count > 1 { format!(" ({count} times)\n") } else { "\n".to_owned() };
    }
    out
}
