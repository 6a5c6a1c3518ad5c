//! `hyp query sql` and `hyp query schema`: what the store can be asked.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use hyp_cache::{Store, StoreError};
use hyp_model::Exit;
use hyp_query::{Column, Format, Output, Receipt};

use super::ask::{FileFormat, Lake};
use super::{Session, print, say};
use crate::failure::Failure;
use crate::{target, terminal};

/// Longest cell that is shown on a terminal, in characters.
const MAX_CELL: usize = 200;

/// Most bytes of rows that are shown on a terminal.
const MAX_BYTES: usize = 32_768;

/// Arguments of `hyp query sql`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: hyp query sql \"select tool_name, count(*) as calls from messages
         where part_type = 'tool_call' group by 1 order by 2 desc\"

On a terminal, cells and rows are cut to be readable, and that is told; into a pipe or a file, never.")]
pub(crate) struct SqlArgs {
    /// The statement: one SELECT
    #[arg(required = true, value_name = "SQL")]
    words: Vec<String>,

    /// How the answer is printed
    #[arg(long, value_enum, default_value_t = Shape::Table)]
    format: Shape,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Cut cells after that many characters; 0 is no limit [default: 200 on a terminal]
    #[arg(long, value_name = "N")]
    max_cell: Option<usize>,

    /// Leave out rows after that many bytes; 0 is no limit [default: 32768 on a terminal]
    #[arg(long, value_name = "N")]
    max_bytes: Option<usize>,

    /// Write the whole answer into a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Arguments of `hyp query schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hyp query schema ai_gateway_messages")]
pub(crate) struct SchemaArgs {
    /// List the columns of this table [default: list the tables]
    table: Option<String>,
}

/// Names of formats.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Table,
    Json,
    Jsonl,
    Csv,
    Markdown,
    /// Only into a file: needs -o
    Parquet,
}

impl From<Shape> for FileFormat {
    fn from(shape: Shape) -> Self {
        Self::Text(match shape {
            Shape::Parquet => return Self::Parquet,
            Shape::Table => Format::Table,
            Shape::Json => Format::Json,
            Shape::Jsonl => Format::Jsonl,
            Shape::Csv => Format::Csv,
            Shape::Markdown => Format::Markdown,
        })
    }
}

/// Runs `hyp query sql`.
pub(crate) fn query_sql(session: &Session, args: &SqlArgs) -> Result<Exit, Failure> {
    let sql = args.words.join(" ");
    let shape = if args.json { Shape::Json } else { args.format };
    if let Some(path) = &args.output {
        let lake = Lake::open(session)?;
        let receipt = target::write(path, |file| lake.write(&sql, shape.into(), file))?;
        say(&format!("{} rows written to: {}", receipt.rows, path.display()));
        return Ok(Exit::Done);
    }
    let FileFormat::Text(format) = shape.into() else {
        let message = "--format parquet needs a file: -o FILE".to_owned();
        return Err(Failure::Usage { command: "hyp query sql", message });
    };
    let width = terminal::width();
    let limit =
        |asked: Option<usize>, usual| asked.unwrap_or(if width.is_some() { usual } else { 0 });
    let output = Output {
        max_cell: limit(args.max_cell, MAX_CELL),
        max_bytes: limit(args.max_bytes, MAX_BYTES),
        width,
        ..Output::new(format)
    };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let receipt = Lake::open(session)?.answer(&sql, &output, &mut stdout)?;
    stdout.flush().map_err(Failure::Output)?;
    if let Some(words) = left_out(&receipt) {
        say(&words);
    }
    Ok(Exit::Done)
}

fn left_out(receipt: &Receipt) -> Option<String> {
    let mut parts = Vec::new();
    if receipt.dropped > 0 {
        parts.push(format!("{} rows left out (--max-bytes)", receipt.dropped));
    }
    if receipt.clipped > 0 {
        parts.push(format!("{} cells cut", receipt.clipped));
    }
    (!parts.is_empty()).then(|| format!("{}; -o FILE and pipes get everything", parts.join(", ")))
}

/// Runs `hyp query schema`.
pub(crate) fn query_schema(session: &Session, args: &SchemaArgs) -> Result<Exit, Failure> {
    // Without a store there are the tables that every one has; a damaged one is told.
    let store = match Store::open(&session.places.store) {
        Ok(store) => Some(store),
        Err(StoreError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let columns = hyp_query::columns(store.as_ref(), args.table.as_deref())?;
    print(&if args.table.is_some() { show_columns(&columns) } else { show_tables(&columns) })?;
    Ok(Exit::Done)
}

fn show_tables(columns: &[Column]) -> String {
    let mut out = format!("{:<25}  COLUMNS\n", "TABLE");
    for table in columns.chunk_by(|a, b| a.table == b.table) {
        let _ = writeln!(out, "{:<25}  {:>7}", table[0].table, table.len());
    }
    out
}

fn show_columns(columns: &[Column]) -> String {
    let mut out = format!("{:<28}  {:<9}  NULL\n", "COLUMN", "TYPE");
    for column in columns {
        let null = if column.nullable { "yes" } else { "no" };
        let _ = writeln!(out, "{:<28}  {:<9}  {null}", column.name, column.kind);
    }
    out
}
