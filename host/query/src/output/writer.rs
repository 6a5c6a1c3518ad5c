//! Prints an answer batch by batch.

use std::collections::HashSet;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::cell::{Cell, Cells};
use super::table::Table;
use super::{Format, Output, Receipt, csv, json, markdown};
use crate::error::QueryError;

/// Bytes gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// Prints rows as they come. Only [`Format::Table`] keeps them, because widths depend on all.
pub struct Writer<'a> {
    to: &'a mut dyn Write,
    output: Output,
    names: Vec<String>,
    quoted: Vec<String>,
    is_number: Vec<bool>,
    cells: Cells,
    table: Table,
    gathered: String,
    scratch: String,
    bytes: usize,
    receipt: Receipt,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

impl<'a> Writer<'a> {
    /// Starts an answer with the given columns.
    pub fn new(schema: &Schema, output: &Output, to: &'a mut dyn Write) -> Self {
        let names = distinct(schema.fields().iter().map(|field| field.name().as_str()));
        let is_number: Vec<bool> =
            schema.fields().iter().map(|field| field.data_type().is_numeric()).collect();
        let quote = |name: &String| {
            let mut quoted = String::new();
            json::push_text(name, &mut quoted);
            quoted
        };
        Self {
            to,
            quoted: names.iter().map(quote).collect(),
            cells: Cells { max: output.max_cell, clipped: 0 },
            table: Table::new(&names, &is_number),
            names,
            is_number,
            output: output.clone(),
            gathered: String::new(),
            scratch: String::new(),
            bytes: 0,
            receipt: Receipt::default(),
        }
    }

    /// Prints the rows of a batch, as long as there is room.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        for row in 0..batch.num_rows() {
            if self.receipt.dropped > 0 {
                self.receipt.dropped += (batch.num_rows() - row) as u64;
                return Ok(());
            }
            let clipped = self.cells.clipped;
            let cells: Vec<Cell<'_>> =
                batch.columns().iter().map(|array| self.cells.read(array.as_ref(), row)).collect();
            if self.has_room(&cells) {
                self.row(&cells)?;
            } else {
                self.cells.clipped = clipped;
                self.receipt.dropped = 1;
            }
        }
        Ok(())
    }

    /// Ends the answer, and tells what was left out.
    pub fn finish(mut self) -> Result<Receipt, QueryError> {
        let is_empty = self.receipt.rows == 0;
        match self.output.format {
            Format::Table => {
                let (text, clipped) = std::mem::take(&mut self.table).finish(self.output.width);
                self.gathered.push_str(&text);
                self.cells.clipped += clipped;
            }
            Format::Json => self.gathered.push_str(if is_empty { "[]\n" } else { "\n]\n" }),
            Format::Jsonl => {}
            Format::Csv if is_empty => csv::push_header(&self.names, &mut self.gathered),
            Format::Csv => {}
            Format::Markdown if is_empty => self.gathered.push_str("(no rows)\n"),
            Format::Markdown => {}
        }
        self.to.write_all(self.gathered.as_bytes())?;
        self.to.flush()?;
        self.receipt.clipped = self.cells.clipped;
        Ok(self.receipt)
    }

    fn has_room(&mut self, cells: &[Cell<'_>]) -> bool {
        if self.output.max_bytes == 0 {
            return true;
        }
        self.scratch.clear();
        json::push_row(&self.quoted, cells, &mut self.scratch);
        self.bytes += self.scratch.len() + 1;
        self.receipt.rows == 0 || self.bytes <= self.output.max_bytes
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), QueryError> {
        let is_first = self.receipt.rows == 0;
        let to = &mut self.gathered;
        match self.output.format {
            Format::Table => self.table.push(cells),
            Format::Json => {
                to.push_str(if is_first { "[\n" } else { ",\n" });
                json::push_row_indented(&self.quoted, cells, to);
            }
            Format::Jsonl => {
                json::push_row(&self.quoted, cells, to);
                to.push('\n');
            }
            Format::Csv => {
                if is_first {
                    csv::push_header(&self.names, to);
                }
                csv::push_row(cells, to);
            }
            Format::Markdown => {
                if is_first {
                    markdown::push_header(&self.names, &self.is_number, to);
                }
                markdown::push_row(cells, to);
            }
        }
        self.receipt.rows += 1;
        if self.gathered.len() >= GATHERED {
            self.to.write_all(self.gathered.as_bytes())?;
            self.gathered.clear();
        }
        Ok(())
    }
}

/// Returns the names, a repeated one with its number: an object cannot have two members of one name.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut result = Vec::new();
    for name in names {
        let mut candidate = name.to_owned();
        let mut number = 1;
        while !taken.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        result.push(candidate);
    }
    result
}
