//! Parts of a chunk that were purged, or are copies of what was: judged like all others, and not written.
//!
//! A purge takes what is selected, and all copies of it: whatever is linked to it by `replay_of`, in either
//! direction. What arrives later is judged as if the purged rows were still there, their graves standing in
//! for them; then every part that is linked to a purged one is purged as well. So the table is that of
//! reading everything at once and purging then, in whatever order things happen.

use std::collections::{BTreeSet, HashMap, HashSet};

use hyp_model::ids::of_part;
use hyp_model::judge::{Candidate, ThreadFacts, Verdict};
use hyp_model::row::Key;

use crate::error::StoreError;
use crate::graves::{self, Grave};
use crate::judge::{Arriving, Change, Correction, Judgement};
use crate::own::Place;
use crate::replays;
use crate::threads::Number;
use crate::writer::Writer;
use crate::{ghosts, kin};

/// What of a chunk is known to be purged, and what is linked to what.
#[derive(Debug, Default)]
pub(crate) struct Burial {
    /// False where nothing was ever purged with its copies, and nothing of the chunk is to be.
    pub(crate) is_needed: bool,
    /// Threads that hold purged parts of the chunk.
    pub(crate) holders: HashMap<Key, Number>,
    /// Ids of the chunk by the names of their graves.
    names: HashMap<String, String>,
    /// Ids of the chunk that have graves.
    holders_by_id: HashSet<String>,
    /// Ids of the chunk that are purged.
    purged: HashSet<String>,
    /// Copies and what they are copies of.
    links: Vec<(String, String)>,
}

impl Burial {
    /// Says whether a part of the chunk is known to be purged.
    pub(crate) fn is_purged(&self, part_id: &str) -> bool {
        self.purged.contains(part_id)
    }

    /// Says whether a part that is not of the chunk is a grave.
    pub(crate) fn is_grave(&self, part_id: &str) -> bool {
        ghosts::key(part_id).is_some() || self.holders_by_id.contains(part_id)
    }

    /// Notes that a part is a copy of another.
    pub(crate) fn link(&mut self, copy: &str, original: &str) {
        if self.is_needed {
            self.links.push((copy.to_owned(), original.to_owned()));
        }
    }

    /// Gives graves of the chunk's parts the ids that these have.
    fn name(&self, grave: String) -> String {
        self.names.get(&grave).cloned().unwrap_or(grave)
    }

    /// Returns what is purged in the end: with each part, all that it is linked to.
    fn spread(&self) -> HashSet<String> {
        let mut linked: HashMap<&str, Vec<&str>> = HashMap::new();
        for (copy, original) in &self.links {
            linked.entry(copy).or_default().push(original);
            linked.entry(original).or_default().push(copy);
        }
        let is_grave = |id: &&str| self.purged.contains(*id) || ghosts::key(id).is_some();
        let mut left: Vec<&str> = linked.keys().copied().filter(is_grave).collect();
        let mut purged = self.purged.clone();
        while let Some(id) = left.pop() {
            for other in linked.get(id).into_iter().flatten() {
                if ghosts::key(other).is_none() && purged.insert((*other).to_owned()) {
                    left.push(other);
                }
            }
        }
        purged
    }
}

impl Writer {
    /// Looks up what of a chunk was purged.
    pub(crate) fn burial(&self, rows: &[Candidate], keys: &[Key]) -> Result<Burial, StoreError> {
        let is_any_told = rows.iter().any(|row| row.is_forgotten);
        if !self.has_graves && !is_any_told {
            return Ok(Burial::default());
        }
        let holders = graves::holders(&self.catalog.connection, keys)
            .map_err(|error| self.catalog.error(error))?;
        let mut burial = Burial { is_needed: true, holders, ..Burial::default() };
        for (row, key) in rows.iter().zip(keys) {
            if burial.holders.contains_key(key) {
                burial.names.insert(ghosts::name(*key), row.part_id.clone());
                burial.holders_by_id.insert(row.part_id.clone());
                burial.purged.insert(row.part_id.clone());
            } else if row.is_forgotten {
                burial.purged.insert(row.part_id.clone());
            }
            if let Some(original) = &row.replay_of {
                burial.link(&row.part_id, original);
            }
        }
        Ok(burial)
    }

    /// Returns the purged parts that a thread held, and those that it saw.
    pub(crate) fn buried(
        &self,
        thread: Number,
        burial: &Burial,
    ) -> Result<(Vec<crate::rows::Part>, Vec<crate::rows::Part>), StoreError> {
        if !self.has_graves {
            return Ok(Default::default());
        }
        let graves = graves::of_thread(&self.catalog.connection, thread)
            .map_err(|error| self.catalog.error(error))?;
        let (held, seen): (Vec<Grave>, Vec<Grave>) = graves.into_iter().partition(|it| it.holds);
        let parts = |graves: Vec<Grave>| {
            let parts = graves.iter().map(Grave::part);
            parts
                .map(|part| crate::rows::Part { part_id: burial.name(part.part_id), ..part })
                .collect()
        };
        Ok((parts(held), parts(seen)))
    }

    /// Takes what is purged out of a judgement, and notes where it lay.
    pub(crate) fn bury(
        &mut self,
        burial: &Burial,
        rows: &[Candidate],
        keys: &[Key],
        places: &[Place],
        judgement: &mut Judgement,
    ) -> Result<(), StoreError> {
        let mut purged = burial.spread();
        let mut winners: HashMap<&str, usize> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            let winner = winners.entry(&row.part_id).or_insert(at);
            if !judgement.verdicts[*winner].is_written() {
                *winner = at;
            }
        }
        let is_stored = |id: &String| match winners.get(id.as_str()) {
            Some(at) => {
                !judgement.verdicts[*at].is_new() && !burial.holders.contains_key(&keys[*at])
            }
            None => true,
        };
        let mut stored: BTreeSet<String> =
            purged.iter().filter(|id| is_stored(id)).cloned().collect();
        if !stored.is_empty() {
            stored = replays::all_linked(&self.table.data, stored)?;
            purged.extend(stored.iter().cloned());
        }
        judgement.corrections.retain(|correction| !purged.contains(&correction.part_id));
        let forget = |part_id: String| Correction { part_id, change: Change::Forget };
        judgement.corrections.extend(stored.into_iter().map(forget));

        let pending = &mut self.pending;
        let grave = |at: usize, holds: bool| Grave {
            part: keys[at],
            thread: places[at].thread,
            holds,
            message_index: rows[at].message_index,
            part_index: of_part(&rows[at].part_id).1,
            said_key: rows[at].said_key,
            created_at: rows[at].created_at,
            keys: kin::of_row(&rows[at]).collect(),
        };
        for (at, row) in rows.iter().enumerate() {
            if !purged.contains(&row.part_id) {
                continue;
            }
            let is_known = burial.holders.get(&keys[at]) == Some(&places[at].thread);
            let holds = judgement.verdicts[at].is_written();
            if holds || !is_known {
                pending.graves.push(grave(at, holds));
            }
        }
        pending.sightings.retain(|sighting| !purged.contains(&sighting.part_id));
        pending.displaced.retain(|id| !purged.contains(id));
        pending.own_copies.retain(|id| !purged.contains(id));
        pending.no_copies.retain(|id| !purged.contains(id));
        pending.no_sightings.retain(|(id, ..)| !purged.contains(id));
        for (at, row) in rows.iter().enumerate() {
            if purged.contains(&row.part_id) {
                judgement.verdicts[at] = Verdict::Purged;
            }
        }
        Ok(())
    }

    /// Tells threads of which everything was purged from those that hold something; those from `next` on are new.
    pub(crate) fn tell_ghosts(
        &mut self,
        arriving: Arriving<'_>,
        numbers: &[Number],
        next: Number,
        verdicts: &[Verdict],
    ) {
        let mut rows = vec![(0usize, 0usize); numbers.len()];
        for (row, verdict) in arriving.rows.iter().zip(verdicts) {
            if let Some((all, purged)) = rows.get_mut(row.thread) {
                *all += 1;
                *purged += usize::from(*verdict == Verdict::Purged);
            }
        }
        for ((number, (all, purged)), facts) in numbers.iter().zip(rows).zip(arriving.threads) {
            if all > purged {
                self.revive(*number, facts);
            } else if all > 0 && *number >= next {
                self.threads.lay_to_rest(*number);
            }
        }
    }
}

impl Writer {
    fn revive(&mut self, number: Number, facts: &ThreadFacts) {
        if !self.threads.is_ghost(number) {
            return;
        }
        let name = self.threads.get(number).map(|known| known.thread_id.clone());
        self.threads.revive(number, facts);
        for sighting in &mut self.pending.sightings {
            if Some(&sighting.thread_id) == name.as_ref() {
                sighting.thread_id.clone_from(&facts.thread_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_to_a_purged_part_by_any_way_is_purged() {
        let mut burial = Burial { is_needed: true, ..Burial::default() };
        burial.purged.insert("a".into());
        for (copy, original) in [("b", "a"), ("b", "c"), ("d", "c"), ("x", "y")] {
            burial.link(copy, original);
        }
        burial.link("z", &ghosts::name(Key::of(b"gone")));
        let purged: BTreeSet<String> = burial.spread().into_iter().collect();
        assert_eq!(Vec::from_iter(purged), ["a", "b", "c", "d", "z"]);
    }
}
