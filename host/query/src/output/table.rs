//! Rows in aligned columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cell::{Cell, mark};
use super::escape::visible;

/// Widest column on a terminal.
const WIDEST: usize = 80;

/// Narrowest column that a narrow terminal squeezes a wider one to.
const SQUEEZED: usize = 12;

/// Between columns.
const GAP: &str = "  ";

/// Rows kept until all are known, since widths depend on them.
#[derive(Debug, Default)]
pub(super) struct Table {
    is_number: Vec<bool>,
    head: Vec<Entry>,
    rows: Vec<Vec<Entry>>,
}

/// A text on one line, and how many characters it lacks already.
#[derive(Debug)]
struct Entry {
    text: String,
    hidden: usize,
    width: usize,
}

impl Entry {
    fn new(text: &str, hidden: usize) -> Self {
        let text = visible(text).into_owned();
        let width = text.width() + if hidden > 0 { mark(hidden).width() } else { 0 };
        Self { text, hidden, width }
    }

    /// Returns the text no wider than `limit`, and whether that cut more off than had been.
    fn fit(&self, limit: usize) -> (String, bool) {
        if self.width <= limit {
            let mark = if self.hidden > 0 { mark(self.hidden) } else { String::new() };
            return (format!("{}{mark}", self.text), false);
        }
        let (mut end, mut width) = (0, 0);
        let room = limit.saturating_sub(1);
        for (at, c) in self.text.char_indices() {
            width += c.width().unwrap_or(0);
            if width > room {
                break;
            }
            end = at + c.len_utf8();
        }
        (format!("{}…", &self.text[..end]), self.hidden == 0)
    }
}

impl Table {
    /// Starts a table.
    pub(super) fn new(names: &[String], is_number: &[bool]) -> Self {
        let head = names.iter().map(|name| Entry::new(name, 0)).collect();
        Self { is_number: is_number.to_vec(), head, rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, cells: &[Cell<'_>]) {
        let entries = cells.iter().map(|cell| match cell {
            Cell::Null => Entry::new("NULL", 0),
            Cell::Json(json) => Entry::new(json, 0),
            Cell::Text { shown, hidden } => Entry::new(shown, *hidden),
        });
        self.rows.push(entries.collect());
    }

    /// Returns the lines, and how many cells were cut to fit.
    pub(super) fn finish(self, terminal: Option<usize>) -> (String, u64) {
        if self.rows.is_empty() {
            return ("(no rows)\n".into(), 0);
        }
        let widths = self.widths(terminal);
        let taken = widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1);
        if let Some(terminal) = terminal.filter(|terminal| taken > *terminal) {
            return self.records(terminal);
        }
        let mut out = String::new();
        let mut clipped = 0;
        self.push_line(&self.head, &widths, &mut out);
        let rules: Vec<Entry> = widths.iter().map(|w| Entry::new(&"-".repeat(*w), 0)).collect();
        self.push_line(&rules, &widths, &mut out);
        for row in &self.rows {
            clipped += self.push_line(row, &widths, &mut out);
        }
        (out, clipped)
    }

    /// Returns a line for each value: what is too wide for a table is readable so.
    fn records(&self, terminal: usize) -> (String, u64) {
        let widest = self.head.iter().map(|name| name.width).max().unwrap_or(0);
        let room = terminal.saturating_sub(widest + GAP.len()).max(SQUEEZED);
        let mut out = String::new();
        let mut clipped = 0;
        for (number, row) in (1..).zip(&self.rows) {
            out.push_str(&format!("-- row {number}\n"));
            for (name, entry) in self.head.iter().zip(row) {
                let (text, is_cut) = entry.fit(room);
                clipped += u64::from(is_cut);
                let padding = " ".repeat(widest - name.width);
                let line = format!("{}{padding}{GAP}{text}", name.text);
                out.push_str(line.trim_end_matches(' '));
                out.push('\n');
            }
        }
        (out, clipped)
    }

    fn widths(&self, terminal: Option<usize>) -> Vec<usize> {
        let widest = |column: usize| {
            let entries = self.rows.iter().chain([&self.head]).map(|row| row[column].width);
            let widest = entries.max().unwrap_or(0);
            if terminal.is_some() { widest.min(WIDEST) } else { widest }
        };
        let mut widths: Vec<usize> = (0..self.head.len()).map(widest).collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let room = terminal.map_or(usize::MAX, |terminal| terminal.saturating_sub(gaps));
        // Numbers stay whole; of the rest, the widest gives way first.
        while widths.iter().sum::<usize>() > room {
            let squeezable = widths.iter_mut().zip(&self.is_number).filter(|(_, is)| !**is);
            match squeezable.map(|(width, _)| width).max() {
                Some(width) if *width > SQUEEZED => *width -= 1,
                _ => break,
            }
        }
        widths
    }

    fn push_line(&self, entries: &[Entry], widths: &[usize], to: &mut String) -> u64 {
        let mut line = String::new();
        let mut clipped = 0;
        for (index, (entry, &limit)) in entries.iter().zip(widths).enumerate() {
            if index > 0 {
                line.push_str(GAP);
            }
            let (text, is_cut) = entry.fit(limit);
            clipped += u64::from(is_cut);
            let padding = " ".repeat(limit.saturating_sub(text.width()));
            if self.is_number[index] {
                line.push_str(&padding);
                line.push_str(&text);
            } else {
                line.push_str(&text);
                line.push_str(&padding);
            }
        }
        to.push_str(line.trim_end_matches(' '));
        to.push('\n');
        clipped
    }
}
