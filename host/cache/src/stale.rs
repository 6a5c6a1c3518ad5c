//! Finds recordings that have to be read again, since threads turned out earlier or later than others.
//!
//! Of a part that several threads have, the earliest one has the row; of the others the store knows that they saw it. Where
//! one that saw it is the earliest from now on, what the row says of its thread cannot be made from the store.

use std::collections::{BTreeSet, HashMap, HashSet};

use hyp_model::row::Key;

use crate::error::StoreError;
use crate::rows;
use crate::threads::Number;
use crate::writer::Writer;

/// A part that a thread saw, and in which recording.
struct Seen {
    thread: Number,
    part_id: String,
    input_id: String,
}

impl Writer {
    /// Notes the recordings that saw parts whose rows belong to them now. `moved` are threads that are earlier or later than
    /// others.
    pub(crate) fn note_stale(&mut self, moved: &BTreeSet<Number>) -> Result<(), StoreError> {
        if moved.is_empty() {
            return Ok(());
        }
        let mut held: HashMap<Key, Number> = HashMap::new();
        for thread in moved {
            let Some(known) = self.threads.get(*thread) else { continue };
            let parts = rows::of_thread(&self.table.data, known)?;
            held.extend(parts.iter().map(|part| (Key::of(part.part_id.as_bytes()), *thread)));
        }
        let seen = self.seen_by(moved, &held)?;
        let unknown: Vec<(Key, &str)> = seen
            .iter()
            .map(|seen| (Key::of(seen.part_id.as_bytes()), seen.part_id.as_str()))
            .filter(|(key, _)| !held.contains_key(key))
            .collect();
        for (key, hit) in self.index.find(&self.table.data, &HashSet::new(), &unknown)? {
            let owner = self.index.owner(hit.owner).and_then(|owner| self.threads.of_row(owner));
            held.extend(owner.map(|thread| (key, thread)));
        }
        for Seen { thread, part_id, input_id } in seen {
            let holder = held.get(&Key::of(part_id.as_bytes()));
            if holder.is_some_and(|holder| self.threads.is_earlier(thread, *holder)) {
                self.stale.insert(input_id);
            }
        }
        Ok(())
    }

    /// Returns what some threads saw, and who saw what they hold.
    fn seen_by(
        &self,
        threads: &BTreeSet<Number>,
        held: &HashMap<Key, Number>,
    ) -> Result<Vec<Seen>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Seen>> {
            let mut select = self
                .catalog
                .connection
                .prepare("SELECT thread_id, part_id, input_id FROM sightings")?;
            let mut rows = select.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let part_id = row.get_ref(1)?.as_bytes()?;
                let Some(thread) = self.threads.number_of(row.get_ref(0)?.as_str()?) else {
                    continue;
                };
                if threads.contains(&thread) || held.contains_key(&Key::of(part_id)) {
                    found.push(Seen { thread, part_id: row.get(1)?, input_id: row.get(2)? });
                }
            }
            Ok(found)
        };
        read().map_err(|error| self.catalog.error(error))
    }
}
