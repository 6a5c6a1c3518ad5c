//! `hyp query sql` and `hyp query schema`: what the store can be asked.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hyp_model::{Exit, Explain};
use hyp_query::{Column, Format, Output, Receipt};

use super::ask::Lake;
use super::{Session, print, say};
use crate::failure::Failure;

/// Longest cell that is shown, in characters.
const MAX_CELL: usize = 200;

/// Most bytes of rows that are shown.
const MAX_BYTES: usize = 32_768;

/// Arguments of `hyp query sql`.
#[derive(Debug, clap::Args)]
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

    /// Cut cells after that many characters; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = MAX_CELL)]
    max_cell: usize,

    /// Leave out rows after that many bytes; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = MAX_BYTES)]
    max_bytes: usize,

    /// Write the whole answer into a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Arguments of `hyp query schema`.
#[derive(Debug, clap::Args)]
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
}

impl From<Shape> for Format {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Table => Self::Table,
            Shape::Json => Self::Json,
            Shape::Jsonl => Self::Jsonl,
            Shape::Csv => Self::Csv,
            Shape::Markdown => Self::Markdown,
        }
    }
}

/// Why an answer could not be put into a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(crate) struct FileError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for FileError {
    fn code(&self) -> &'static str {
        "hyp::query::output"
    }
}

/// Runs `hyp query sql`.
pub(crate) fn query_sql(session: &Session, args: &SqlArgs) -> Result<Exit, Failure> {
    let sql = args.words.join(" ");
    let format = if args.json { Format::Json } else { args.format.into() };
    if let Some(path) = &args.output {
        let receipt = into_file(session, &sql, format, path)?;
        say(&format!("{} rows written to: {}", receipt.rows, path.display()));
        return Ok(Exit::Done);
    }
    let output =
        Output { max_cell: args.max_cell, max_bytes: args.max_bytes, ..Output::new(format) };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let receipt = Lake::open(session)?.answer(&sql, &output, &mut stdout)?;
    stdout.flush().map_err(Failure::Output)?;
    if let Some(words) = left_out(&receipt) {
        say(&words);
    }
    Ok(Exit::Done)
}

/// Writes a whole answer; a file that is there already is replaced.
fn into_file(
    session: &Session,
    sql: &str,
    format: Format,
    path: &Path,
) -> Result<Receipt, Failure> {
    let failed = |source| FileError { path: path.to_path_buf(), source };
    let lake = Lake::open(session)?;
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let receipt = match lake.answer(sql, &Output::new(format), &mut file) {
        Err(Failure::Output(source)) => return Err(failed(source).into()),
        other => other?,
    };
    file.flush().map_err(failed)?;
    Ok(receipt)
}

fn left_out(receipt: &Receipt) -> Option<String> {
    let mut parts = Vec::new();
    if receipt.dropped > 0 {
        parts.push(format!("{} rows left out (--max-bytes)", receipt.dropped));
    }
    if receipt.clipped > 0 {
        parts.push(format!("{} cells cut (--max-cell)", receipt.clipped));
    }
    (!parts.is_empty())
        .then(|| format!("{}; 0 is no limit, and -o FILE writes everything", parts.join(", ")))
}

/// Runs `hyp query schema`.
pub(crate) fn query_schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    let columns = hyp_query::columns(args.table.as_deref())?;
    print(&if args.table.is_some() { show_columns(&columns) } else { show_tables(&columns) })?;
    Ok(Exit::Done)
}

fn show_tables(columns: &[Column]) -> String {
    let mut out = String::from("TABLE                 COLUMNS\n");
    for table in columns.chunk_by(|a, b| a.table == b.table) {
        let _ = writeln!(out, "{:<20}  {:>7}", table[0].table, table.len());
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
