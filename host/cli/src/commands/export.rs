//! `hyp export`: the messages as a file that needs no hyp.

use std::path::PathBuf;

use clap::ValueEnum;
use hyp_model::Exit;
use jiff::tz::TimeZone;

use super::ask::{FileFormat, Lake};
use super::period::Period;
use super::{Session, say};
use crate::failure::Failure;
use crate::target;

const COMMAND: &str = "hyp export";

/// Arguments of `hyp export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp export -o history.parquet --since 2026-01-01

Writes the rows of ai_gateway_messages with all columns, copies included (`is_replay`), in no order.
For other columns or rows: hyp query sql 'select …' --format parquet -o FILE")]
pub(crate) struct ExportArgs {
    /// How the rows are written [default: by the file's name, else parquet]
    #[arg(long, value_enum)]
    format: Option<Shape>,

    /// The file; one that is there is replaced once the new one is whole
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    #[command(flatten)]
    period: Period,

    /// Only messages of that client, such as claude or codex
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Parquet,
    Csv,
    Jsonl,
}

/// Runs `hyp export`.
pub(crate) fn export(session: &Session, args: &ExportArgs) -> Result<Exit, Failure> {
    let mut conditions = args.period.conditions(COMMAND, &TimeZone::system())?;
    if let Some(client) = &args.client {
        conditions.push(format!("client_name = {}", super::ask::quote(client)));
    }
    let sql = format!("select * from ai_gateway_messages{}", super::period::filter(&conditions));
    let format = match args.format.unwrap_or_else(|| by_name(&args.output)) {
        Shape::Parquet => FileFormat::Parquet,
        Shape::Csv => FileFormat::Text(hyp_query::Format::Csv),
        Shape::Jsonl => FileFormat::Text(hyp_query::Format::Jsonl),
    };
    let lake = Lake::open(session)?;
    lake.check_client(COMMAND, args.client.as_deref())?;
    let receipt = target::write(&args.output, |file| lake.write(&sql, format, file))?;
    say(&format!("{} rows written to: {}", receipt.rows, args.output.display()));
    Ok(Exit::Done)
}

fn by_name(path: &std::path::Path) -> Shape {
    match path.extension().and_then(|end| end.to_str()) {
        Some("csv") => Shape::Csv,
        Some("jsonl" | "ndjson") => Shape::Jsonl,
        _ => Shape::Parquet,
    }
}
