//! What a commit is about to replace: the rows as they are, and which threads it touches.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};

use crate::error::StoreError;
use crate::gather::Work;
use crate::threads::{Number, Threads};
use crate::undo::capture::{self, Entry, Shape};
use crate::undo::log::{self, RUN_BYTES, Touched, Upcoming};
use crate::undo::parcel::{Images, Packer};
use crate::writer::Writer;

impl Writer {
    /// Has the catalog tell what is changed from now on.
    pub(crate) fn watch_ledgers(&mut self, first: Number) -> Result<(), StoreError> {
        if !self.is_watched {
            capture::watch(&self.catalog.connection, first)
                .map_err(|error| self.catalog.error(error))?;
            self.is_watched = true;
        }
        Ok(())
    }

    /// Returns what a commit of rows replaces.
    pub(crate) fn upcoming(&self, work: &Work) -> Result<Upcoming, StoreError> {
        let damaged = |error| StoreError::parquet(&self.catalog.path)(error);
        let mut touched = Touched { run_id: self.run_id.clone(), ..Touched::default() };
        touched.links = self.pending.links().collect();
        let mut packer = Packer::new(RUN_BYTES).map_err(damaged)?;
        let mut holders: HashMap<String, Number> = HashMap::new();
        for batch in &work.batches {
            let owners = owners(batch, &self.threads);
            if !work.replaced.is_empty() {
                holders.extend(
                    ids(batch)
                        .into_iter()
                        .flatten()
                        .flatten()
                        .zip(&owners)
                        .map(|(id, owner)| (id.to_owned(), *owner)),
                );
            }
            touched.threads.extend(owners);
        }
        for (rows, fates) in &work.replaced {
            let threads = owners(rows, &self.threads);
            for (id, thread) in ids(rows).into_iter().flatten().flatten().zip(&threads) {
                if let Some(holder) = holders.get(id).filter(|holder| *holder != thread) {
                    touched.links.insert((*thread, *holder));
                }
            }
            touched.threads.extend(&threads);
            let images = Images { rows: rows.clone(), threads, fates: fates.clone() };
            packer.add(&images).map_err(damaged)?;
        }
        touched.threads.extend(touched.links.iter().flat_map(|(a, b)| [*a, *b]));
        touched.threads.remove(&0);
        Ok(Upcoming { touched, added: Vec::new(), rows: packer.finish().map_err(damaged)? })
    }

    /// Adds to the log what a transaction replaced, at its end.
    pub(crate) fn log(&self, mut upcoming: Upcoming) -> rusqlite::Result<()> {
        let connection = &self.catalog.connection;
        let entries = capture::seen(connection)?;
        let mut shapes: HashMap<&str, Shape> = HashMap::new();
        for entry in &entries {
            if !shapes.contains_key(entry.table.as_str()) {
                shapes.insert(&entry.table, Shape::of(connection, &entry.table)?);
            }
            let told = threads_of(entry, &shapes[entry.table.as_str()].keys, &self.threads);
            upcoming.touched.threads.extend(told);
        }
        log::put(connection, &upcoming, &entries)
    }
}

/// Returns the threads that an entry of lineage is about.
pub(crate) fn threads_of(entry: &Entry, keys: &[String], threads: &Threads) -> Vec<Number> {
    let number = |name| entry.cell(name, keys).and_then(serde_json::Value::as_i64);
    match entry.table.as_str() {
        "sessions" | "recordings" | "beginnings" | "claims" | "kin" => {
            ["number", "thread", "other"].into_iter().filter_map(number).collect()
        }
        "sightings" => {
            let id = entry.cell("thread_id", keys).and_then(serde_json::Value::as_str);
            id.and_then(|id| threads.number_of(id)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn ids(batch: &RecordBatch) -> Option<&StringArray> {
    batch.column_by_name("part_id")?.as_string_opt::<i32>()
}

/// Session, conversation and input of a row.
type Cells<'a> = (&'a str, Option<&'a str>, &'a str);

/// Returns the thread of each row; 0 where it is not known.
pub(crate) fn owners(batch: &RecordBatch, threads: &Threads) -> Vec<Number> {
    let column = |name| batch.column_by_name(name).and_then(|it| it.as_string_opt::<i32>());
    let (Some(sessions), Some(conversations), Some(inputs)) =
        (column("session_id"), column("conversation_id"), column("input_id"))
    else {
        return vec![0; batch.num_rows()];
    };
    fn cell(column: &StringArray, at: usize) -> Option<&str> {
        column.is_valid(at).then(|| column.value(at))
    }
    // Rows of a thread mostly lie together.
    let mut last: Option<(Cells<'_>, Number)> = None;
    (0..batch.num_rows())
        .map(|at| {
            let input = cell(inputs, at).unwrap_or_default();
            let owner = (sessions.value(at), cell(conversations, at), input);
            if let Some((known, number)) = last
                && known == owner
            {
                return number;
            }
            let key = (owner.0.to_owned(), owner.1.map(str::to_owned), owner.2.to_owned());
            let number = threads.of_row(&key).unwrap_or_default();
            last = Some((owner, number));
            number
        })
        .collect()
}
