//! Finds recordings that have to be read again, since threads turned out earlier or later than others.
//!
//! Of a part that several threads have, the earliest one has the row; of the others the store knows that they saw it. Where
//! one that saw it is the earliest from now on, what the row says of its thread cannot be made from the store.

use std::collections::HashSet;

use hyp_model::row::Key;

use crate::error::StoreError;
use crate::rows;
use crate::threads::{Beginning, Number};
use crate::writer::Writer;

/// A part that a thread saw, and in which recording.
struct Seen {
    part_id: String,
    input_id: String,
}

impl Writer {
    /// Notes the recordings that saw parts whose rows belong to them now. `moved` are threads that are earlier or later than
    /// others were, each with its beginning before.
    pub(crate) fn note_stale<'a>(
        &mut self,
        moved: impl Iterator<Item = (&'a Number, &'a Beginning)>,
    ) -> Result<(), StoreError> {
        for (thread, before) in moved {
            if self.threads.may_pass(*thread, *before) {
                self.note_stale_of_earlier(*thread)?;
            }
            let passed: Vec<Number> = self.threads.passed_by(*thread, *before).collect();
            self.note_stale_of_later(*thread, &passed)?;
        }
        Ok(())
    }

    /// Notes what saw parts of later threads, in the recordings of one that is earlier than it was.
    fn note_stale_of_earlier(&mut self, thread: Number) -> Result<(), StoreError> {
        let seen = self.seen_by(thread)?;
        let wanted: Vec<(Key, &str)> =
            seen.iter().map(|it| (Key::of(it.part_id.as_bytes()), it.part_id.as_str())).collect();
        let hits = self.index.find(&self.table.data, &HashSet::new(), &wanted)?;
        for ((key, _), seen) in wanted.iter().zip(&seen) {
            let holder = hits.get(key).and_then(|hit| self.holder(hit));
            if holder.is_some_and(|holder| self.threads.is_earlier(thread, holder)) {
                self.stale.insert(seen.input_id.clone());
            }
        }
        Ok(())
    }

    /// Notes what saw parts of a thread that is later than it was, in the recordings of those that it was earlier than.
    fn note_stale_of_later(&mut self, thread: Number, passed: &[Number]) -> Result<(), StoreError> {
        let Some(known) = self.threads.get(thread).filter(|_| !passed.is_empty()) else {
            return Ok(());
        };
        let parts = rows::of_thread(&self.table.data, known)?;
        let held: HashSet<&str> = parts.iter().map(|part| part.part_id.as_str()).collect();
        for other in passed {
            let seen = self.seen_by(*other)?;
            let lost = seen.into_iter().filter(|seen| held.contains(seen.part_id.as_str()));
            self.stale.extend(lost.map(|seen| seen.input_id));
        }
        Ok(())
    }

    /// Returns the parts of others that a thread saw.
    fn seen_by(&self, thread: Number) -> Result<Vec<Seen>, StoreError> {
        let Some(known) = self.threads.get(thread) else { return Ok(Vec::new()) };
        let read = || -> rusqlite::Result<Vec<Seen>> {
            let sql = "SELECT part_id, input_id FROM sightings WHERE thread_id = ?1";
            let seen =
                |row: &rusqlite::Row<'_>| Ok(Seen { part_id: row.get(0)?, input_id: row.get(1)? });
            self.catalog.connection.prepare(sql)?.query_map([&known.thread_id], seen)?.collect()
        };
        read().map_err(|error| self.catalog.error(error))
    }
}
