//! Rows that a recording told once and tells no longer.
//!
//! What stands at the end of a file that is still being written may be read otherwise once more of it is there: a total
//! without its answer, a text that only an event has so far. A later reading of the same bytes has the last word.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use hyp_model::event::Micros;
use hyp_model::row::Key;

use crate::clock::month_of;
use crate::error::StoreError;
use crate::judge::{Change, Correction, Judgement};
use crate::rows;
use crate::threads::Number;
use crate::writer::Writer;

/// Ids of parts, eight bytes of each: what is not among them was not put there.
#[derive(Debug, Clone, Default)]
pub struct PartSet {
    hashes: Vec<u64>,
    is_over: bool,
}

/// Ids that are kept at most.
const KEPT: usize = 4 << 20;

impl PartSet {
    /// Adds an id.
    pub fn insert(&mut self, part_id: &str) {
        self.is_over |= self.hashes.len() >= KEPT;
        if self.is_over {
            self.hashes = Vec::new();
        } else {
            self.hashes.push(hash(part_id));
        }
    }

    /// Says whether the first of the ids, as they came, are those of a sum.
    pub fn begins_with(&self, sum: &PartSum) -> bool {
        let first = usize::try_from(sum.count).ok().and_then(|count| self.hashes.get(..count));
        let add = |sum: u64, hash: &u64| sum.wrapping_add(*hash);
        !self.is_over && first.is_some_and(|first| first.iter().fold(0, add) == sum.hashes)
    }

    /// Returns the ids for lookups, unless there were too many.
    fn sorted(&self) -> Option<Vec<u64>> {
        let mut hashes = self.hashes.clone();
        hashes.sort_unstable();
        (!self.is_over).then_some(hashes)
    }
}

/// What parts are known by all together, in whatever order they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartSum {
    /// How many.
    pub count: u64,
    /// Sum of the hashes of their ids.
    pub hashes: u64,
}

impl PartSum {
    /// Adds an id.
    pub fn add(&mut self, part_id: &str) {
        self.count += 1;
        self.hashes = self.hashes.wrapping_add(hash(part_id));
    }
}

/// May be another one in another build: a sum of before agrees with nothing then, and rows are looked for.
fn hash(part_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    part_id.hash(&mut hasher);
    hasher.finish()
}

/// What a reading of a recording told.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Value of `input_id` on its rows.
    pub input_id: &'a str,
    /// Its threads.
    pub threads: &'a BTreeSet<String>,
    /// Earliest message.
    pub first_at: Option<Micros>,
    /// Latest message.
    pub last_at: Option<Micros>,
    /// Parts that it told, whatever became of them.
    pub told: &'a PartSet,
    /// Offset that the reading began at: parts of records before it were not told again,
    pub from: u64,
    /// but for these, if their rows are of such records.
    pub late: &'a [Key],
}

/// A stored row that a reading of its recording did not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Untold {
    /// Id of the row.
    pub part_id: String,
    /// Offset and length of its record.
    pub span: (u64, u64),
    pub(crate) thread: Number,
}

impl Writer {
    /// Has rows go that their recordings tell no longer, but for those that another recording told or saw; returns
    /// those that go.
    pub(crate) fn withdraw<'a>(
        &mut self,
        untold: &'a [Untold],
        is_told: impl Fn(&Key) -> bool,
        judgement: &mut Judgement,
    ) -> Result<Vec<&'a Untold>, StoreError> {
        let mut gone = Vec::new();
        for row in untold {
            let key = Key::of(row.part_id.as_bytes());
            if is_told(&key) || self.is_seen(&row.part_id)? {
                continue;
            }
            self.own.remove(&key);
            self.pending.no_copies.push(row.part_id.clone());
            let (part_id, change) = (row.part_id.clone(), Change::Withdraw);
            judgement.corrections.push(Correction { part_id, change });
            gone.push(row);
        }
        Ok(gone)
    }

    /// Says whether a part was seen in another place than the one that has its row.
    fn is_seen(&self, part_id: &str) -> Result<bool, StoreError> {
        let is_pending = self.pending.sightings.iter().any(|it| it.part_id == part_id);
        let is_stored = self
            .catalog
            .connection
            .prepare("SELECT 1 FROM sightings WHERE part_id = ?1")
            .and_then(|mut found| found.exists([part_id]))
            .map_err(|error| self.catalog.error(error))?;
        Ok(is_pending || is_stored)
    }

    /// Returns the stored rows that a reading of their recording should have told and did not; none where it told too
    /// many parts to say.
    ///
    /// # Errors
    /// Fails when a file of the table cannot be read.
    pub fn untold(&mut self, telling: &Telling<'_>) -> Result<Option<Vec<Untold>>, StoreError> {
        self.load_lineage()?;
        let Some(told) = telling.told.sorted() else { return Ok(None) };
        let late: BTreeSet<&Key> = telling.late.iter().collect();
        let months = telling.first_at.zip(telling.last_at);
        let months = months.map(|(first, last)| month_of(first)..=month_of(last));
        let mut untold = Vec::new();
        for thread_id in telling.threads {
            // What this run brought, this reading told.
            let number = self.threads.number_of(thread_id).filter(|it| *it < self.first_new);
            let known = number.and_then(|number| Some((number, self.threads.get(number)?)));
            let Some((thread, known)) = known else { continue };
            let data = self.table.data.iter().filter(|data| {
                months.as_ref().is_none_or(|months| months.contains(&data.live.partition.1))
            });
            rows::of_recording(data, known, telling.input_id, |part_id, span| {
                let is_meant =
                    span.0 >= telling.from || late.contains(&Key::of(part_id.as_bytes()));
                if is_meant && told.binary_search(&hash(part_id)).is_err() {
                    untold.push(Untold { part_id: part_id.to_owned(), span, thread });
                }
            })?;
        }
        Ok(Some(untold))
    }
}
