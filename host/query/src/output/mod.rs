//! Answers as text.

mod cell;
mod csv;
mod escape;
mod json;
mod markdown;
mod parquet;
mod table;
mod time;
mod writer;

use std::io::Write;
use std::str::FromStr;

use crate::answer::Answer;
use crate::error::QueryError;

pub use parquet::ParquetFile;
pub use writer::Writer;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// Aligned columns for a terminal; control characters are escaped.
    #[default]
    Table,
    /// An array with one object per row, indented.
    Json,
    /// One object per line.
    Jsonl,
    /// Comma-separated values as in RFC 4180, with a header.
    Csv,
    /// A Markdown table; control characters are escaped.
    Markdown,
}

impl Format {
    /// Every format by its name.
    pub const NAMES: &[(&str, Self)] = &[
        ("table", Self::Table),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("csv", Self::Csv),
        ("markdown", Self::Markdown),
    ];
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| *format).ok_or_else(|| format!("unknown format: {text}"))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = Self::NAMES.iter().find(|(_, format)| format == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// How much of an answer is printed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// Characters of a text before it is clipped; 0 for no limit.
    pub max_cell: usize,
    /// Bytes of rows, as compact JSON, before the rest is dropped; 0 for no limit. One row always stays.
    pub max_bytes: usize,
    /// Columns of the terminal, for [`Format::Table`].
    pub width: Option<usize>,
}

impl Output {
    /// Prints everything in a format.
    pub fn new(format: Format) -> Self {
        Self { format, max_cell: 0, max_bytes: 0, width: None }
    }

    /// Prints what a person reads at a terminal: texts up to 200 characters, rows up to 32 KiB.
    pub fn inline(format: Format) -> Self {
        Self { format, max_cell: 200, max_bytes: 32 * 1024, width: None }
    }
}

/// What was printed, and what was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Receipt {
    /// Rows printed.
    pub rows: u64,
    /// Cells that were clipped.
    pub clipped: u64,
    /// Rows that were dropped at the end.
    pub dropped: u64,
}

/// Prints a whole answer.
pub fn write(answer: &Answer, output: &Output, to: &mut dyn Write) -> Result<Receipt, QueryError> {
    let mut writer = Writer::new(&answer.schema, output, to);
    for batch in &answer.batches {
        writer.batch(batch)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
