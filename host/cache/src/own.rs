//! Ids that this run wrote itself, so that its own files need not be read again.

use std::collections::{HashMap, HashSet};

use hyp_model::row::Key;

use crate::threads::Number;

/// With so many ids remembered, a run begins anew, and looks into its files again.
const REMEMBERED: usize = if cfg!(test) { 40 } else { 1_800_000 };

/// Whose a row is: its thread, and the number of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) thread: Number,
    pub(crate) input: u32,
}

/// What tells a message that happens to have another's id from a copy of it: both what it says and when.
///
/// A copy keeps one of the two at least. Four bytes of each are enough to raise a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print {
    said: u32,
    at: u32,
}

impl Print {
    pub(crate) fn of(said: Key, created_at: i64) -> Self {
        let [a, b, c, d, ..] = said.0;
        let micros = created_at.to_le_bytes();
        // Whole seconds apart or microseconds: either shows in the lower half.
        let at = u32::from_le_bytes([micros[0], micros[1], micros[2], micros[3]]);
        Self { said: u32::from_le_bytes([a, b, c, d]), at }
    }

    /// Says whether two rows of one id are two messages.
    pub(crate) fn is_another(self, other: Self) -> bool {
        self.said != other.said && self.at != other.at
    }
}

/// A row that this run wrote.
#[derive(Debug, Clone, Copy)]
struct Written {
    thread: u32,
    input: u32,
    print: Print,
}

/// What this run wrote.
#[derive(Debug, Default)]
pub(crate) struct Own {
    rows: HashMap<Key, Written>,
    files: HashSet<String>,
    threads: Vec<Number>,
    thread_numbers: HashMap<Number, u32>,
    inputs: Vec<String>,
    input_numbers: HashMap<String, u32>,
}

impl Own {
    /// Returns the number of an input.
    pub(crate) fn input(&mut self, input_id: &str) -> u32 {
        if let Some(number) = self.input_numbers.get(input_id) {
            return *number;
        }
        let number = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
        self.inputs.push(input_id.to_owned());
        self.input_numbers.insert(input_id.to_owned(), number);
        number
    }

    /// Returns the input with a number.
    pub(crate) fn input_id(&self, number: u32) -> &str {
        self.inputs.get(number as usize).map_or("", String::as_str)
    }

    /// Forgets everything where that is much. Not while a chunk is judged: files hold all rows that are remembered of one.
    pub(crate) fn make_room(&mut self) {
        if self.rows.len() >= REMEMBERED {
            self.rows = HashMap::new();
            self.files.clear();
        }
    }

    /// Remembers a row.
    pub(crate) fn insert(&mut self, key: Key, place: Place, print: Print) {
        let next = u32::try_from(self.threads.len()).unwrap_or(u32::MAX);
        let thread = *self.thread_numbers.entry(place.thread).or_insert(next);
        if thread == next {
            self.threads.push(place.thread);
        }
        self.rows.insert(key, Written { thread, input: place.input, print });
    }

    /// Returns whose a row is and what it is told by, if this run wrote it.
    pub(crate) fn get(&self, key: &Key) -> Option<(Place, Print)> {
        let row = self.rows.get(key)?;
        let thread = *self.threads.get(row.thread as usize)?;
        Some((Place { thread, input: row.input }, row.print))
    }

    /// Forgets a row that is taken back.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.rows.remove(key);
    }

    /// Remembers files whose rows are all remembered.
    pub(crate) fn add_file(&mut self, file: String) {
        self.files.insert(file);
    }

    /// Returns the files that need not be looked into.
    pub(crate) fn files(&self) -> &HashSet<String> {
        &self.files
    }
}
