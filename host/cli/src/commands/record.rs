//! `hyp record`: something as it happens, by the rules that imports follow.

mod exchange;

use std::io::Read;
use std::path::{Path, PathBuf};

use hyp_backfill::{Changes, PROJECTED_EXCHANGE, Recorded, Recording};
use hyp_model::Exit;
use hyp_model::item::ColumnMode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Session, changes, print, print_json};
use crate::commands::wait::Wait;
use crate::env;
use crate::failure::Failure;

/// The words before each message.
const COMMAND: &str = "hyp record";

/// Arguments of `hyp record`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp record ai_gateway.projected_exchange --json exchange.json
  hyp record registry.test_run --json run.json
  hyp record registry.agent_type_evidence --json - --source member_write < evidence.jsonl

A file holds one JSON object, an array of them, or an object a line; `-` is stdin. Rows that come of it
are those that an import of the same would give.")]
pub(crate) struct RecordArgs {
    /// Kind of what is recorded
    kind: String,

    /// File with what is recorded
    #[arg(long, value_name = "FILE")]
    json: PathBuf,

    /// Who says so, for the audit [default: crawler_promote]
    #[arg(long, value_name = "SOURCE")]
    source: Option<Source>,

    /// How what is asserted meets what is there [default: promote-only]
    #[arg(long, value_name = "POLICY")]
    policy: Option<Policy>,

    #[command(flatten)]
    wait: Wait,

    /// Print what was done as JSON
    #[arg(long = "report-json")]
    report_json: bool,
}

/// Who has evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    /// A crawler that looked
    #[value(name = "crawler_promote")]
    Crawler,
    /// A member who wrote
    #[value(name = "member_write")]
    Member,
}

/// How what is asserted meets what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Policy {
    /// A known value stands, and it is noted that another one was asserted
    PromoteOnly,
    /// What is asserted stands, and so does the word that nothing is known
    ServerAuthoritative,
}

/// What was done, as JSON.
#[derive(Serialize)]
struct Told<'a> {
    run_id: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    recorded: &'a Recorded,
}

/// Runs `hyp record`.
pub(crate) fn record(session: &Session, args: RecordArgs) -> Result<Exit, Failure> {
    if args.kind == PROJECTED_EXCHANGE {
        for (flag, is_given) in
            [("--source", args.source.is_some()), ("--policy", args.policy.is_some())]
        {
            if is_given {
                let kinds = format!("{flag} is for kinds other than {PROJECTED_EXCHANGE}");
                return Err(usage(kinds));
            }
        }
        return exchange::record(session, &args);
    }
    let config = session.config()?;
    let places = config.places(&session.places);
    let ask = Some(changes::asker(&places.store));
    let mut changes = Changes { ask, ..Changes::default() };
    config.settle(&mut changes, &places.store);
    let recording = Recording {
        items: read(&args.json)?,
        wait: args.wait.time(COMMAND)?,
        kind: args.kind,
        source: match args.source {
            None | Some(Source::Crawler) => "crawler_promote".to_owned(),
            Some(Source::Member) => "member_write".to_owned(),
        },
        policy: match args.policy {
            None | Some(Policy::PromoteOnly) => ColumnMode::PromoteOnly,
            Some(Policy::ServerAuthoritative) => ColumnMode::ServerAuthoritative,
        },
        changes,
        run_id: env::run_id("rec"),
    };
    let told = hyp_backfill::record(&places, &recording)?;
    let exit = changes::exit(&told.derived);
    let told = Told { run_id: &recording.run_id, kind: &recording.kind, recorded: &told };
    if args.report_json {
        print_json(&told)?;
    } else {
        let mut out = format!("record run_id={}\n", crate::text::line(&recording.run_id));
        let told = serde_json::to_value(&told).unwrap_or_default();
        changes::show_recorded(&mut out, &told);
        changes::show_derived(&mut out, &told);
        print(&out)?;
    }
    Ok(exit)
}

/// Returns what a file holds, or stdin.
fn content(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(path).map(|it| text = it),
    };
    let name = path.display();
    read.map_err(|error| usage(format!("cannot read `{name}`: {error}")))?;
    if text.trim().is_empty() {
        return Err(nothing(path));
    }
    Ok(text)
}

fn usage(message: String) -> Failure {
    Failure::Usage { command: COMMAND, message }
}

fn nothing(path: &Path) -> Failure {
    usage(format!("`{}` holds nothing to record", path.display()))
}

/// Reads objects: one, an array of them, or one a line.
pub(super) fn read(path: &Path) -> Result<Vec<Map<String, Value>>, Failure> {
    let name = path.display();
    let text = content(path)?;
    let values: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(&text).into_iter().collect();
    let values = values.map_err(|error| usage(format!("`{name}` is no JSON: {error}")))?;
    let all = values.into_iter().flat_map(|value| match value {
        Value::Array(values) => values,
        value => vec![value],
    });
    let object = |value| match value {
        Value::Object(object) => Ok(object),
        other => Err(usage(format!("`{name}` holds `{other}`, which is no object"))),
    };
    let objects: Vec<_> = all.map(object).collect::<Result<_, _>>()?;
    if objects.is_empty() { Err(nothing(path)) } else { Ok(objects) }
}
