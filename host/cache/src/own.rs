//! Ids that this run wrote itself, so that its own files need not be read again.

use std::collections::{HashMap, HashSet};

use hyp_model::row::Key;

use crate::threads::Number;

/// Ids that are remembered at most; a run with more looks into its files again.
const REMEMBERED: usize = 1_800_000;

/// Whose a row is: its thread, and the number of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) thread: Number,
    pub(crate) input: u32,
}

/// What this run wrote.
#[derive(Debug, Default)]
pub(crate) struct Own {
    rows: HashMap<Key, (u32, u32)>,
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

    /// Remembers a row.
    pub(crate) fn insert(&mut self, key: Key, place: Place) {
        if self.rows.len() >= REMEMBERED {
            self.rows = HashMap::new();
            self.files.clear();
        }
        let next = u32::try_from(self.threads.len()).unwrap_or(u32::MAX);
        let thread = *self.thread_numbers.entry(place.thread).or_insert(next);
        if thread == next {
            self.threads.push(place.thread);
        }
        self.rows.insert(key, (thread, place.input));
    }

    /// Returns whose a row is, if this run wrote it.
    pub(crate) fn get(&self, key: &Key) -> Option<Place> {
        let (thread, input) = *self.rows.get(key)?;
        Some(Place { thread: *self.threads.get(thread as usize)?, input })
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
