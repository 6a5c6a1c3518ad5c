//! One pass over the items of a source: what they would change, and, where that is to be written, all of it on the disk, in
//! chunks that nothing points at yet.

mod chunk;
mod ready;
mod wishes;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use hyp_cache::{AuditEntry, OWN, OpenDataset, Writer};
use hyp_model::item::{ColumnMode, Derived, Item};
use hyp_model::row::Key;

use super::cutover::{LeftOut, LiveRows};
use super::error::EngineError;
use super::materializers::Materializers;
use super::report::{CellChange, ChangesReport, CutoverReport, key_json, told};
use super::view::{Pending, Reads, View, lock};
use ready::{Ready, ReadyWish};

pub(crate) use chunk::Chunk;

/// Items that a materializer is asked about at once.
const BATCH: usize = 512;

/// Bytes of items that it is asked about at once.
const BATCH_BYTES: usize = 4 << 20;

/// Generations of items that may be queued from one another.
const GENERATIONS: u32 = 8;

/// What became of a row in this run, in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Net {
    Inserted,
    Updated,
    Same,
}

/// What became of rows, by dataset and key.
#[derive(Default)]
struct Nets(HashMap<String, HashMap<Key, Net>>);

impl Nets {
    fn of(&mut self, dataset: &str) -> &mut HashMap<Key, Net> {
        self.0.entry(dataset.to_owned()).or_default()
    }
}

/// An item that was left out, and what it means where it may be recovered.
type Withheld = (LeftOut, Option<Ready>);

/// An item, and the chunk that it was queued for; items of the source have none.
type Placed = (Option<u32>, Item);

/// What a pass is there for.
pub(crate) enum Aim<'a> {
    /// To see what would be done.
    Plan,
    /// To do it, in chunks of so many items.
    Write { writer: &'a mut Writer, chunk_size: usize },
}

/// How values are asserted, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Asserting {
    /// In place of what the rule of the column says.
    pub(crate) mode: Option<ColumnMode>,
    /// Who has the evidence, as the audit calls it.
    pub(crate) source: String,
}

/// A pass.
pub(crate) struct Pass<'a> {
    pub(crate) view: Arc<Mutex<View>>,
    pub(crate) materializers: &'a mut Materializers,
    pub(crate) aim: Aim<'a>,
    pub(crate) run_id: &'a str,
    pub(crate) asserting: Asserting,
    pub(crate) live: BTreeMap<String, LiveRows>,
    pub(crate) recovers: bool,
    pub(crate) report: ChangesReport,
    /// Rows that were asserted to be other than they are, by dataset and key.
    pub(crate) asserted: HashSet<(String, Key)>,
    /// Keys and subjects of rows that are changed.
    pub(crate) touched: Vec<(String, Option<String>)>,
    net: Nets,
    left_out: BTreeMap<String, Vec<Withheld>>,
    chunks: BTreeMap<u32, Chunk>,
    /// Entries with the rows that they are about, and the chunks in which they were met.
    audit: Vec<(String, Key, u32, AuditEntry)>,
    /// The chunk that items of the source go to, and how many of its items changed something.
    source_chunk: u32,
    in_chunk: usize,
    /// The chunk of the item at hand: one that was queued goes with the item that queued it.
    item_chunk: u32,
    waiting: Vec<Item>,
    waiting_bytes: usize,
}

/// What became of an item so far.
#[derive(Debug, Default)]
struct Fate {
    inserted: bool,
    updated: bool,
    disagrees: bool,
    same: bool,
    no_row: bool,
    unknown: bool,
}

impl Fate {
    fn word(&self) -> &'static str {
        match self {
            Self { inserted: true, .. } => "inserted",
            Self { updated: true, .. } => "updated",
            Self { disagrees: true, .. } => "disagreed",
            Self { same: true, .. } => "same",
            Self { no_row: true, .. } => "no_row",
            Self { unknown: true, .. } => "unknown_evidence",
            _ => "nothing",
        }
    }

    fn is_change(&self) -> bool {
        self.inserted || self.updated || self.disagrees
    }
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        view: Arc<Mutex<View>>,
        materializers: &'a mut Materializers,
        aim: Aim<'a>,
        run_id: &'a str,
        asserting: Asserting,
    ) -> Self {
        Self {
            view,
            materializers,
            aim,
            run_id,
            asserting,
            live: BTreeMap::new(),
            recovers: false,
            report: ChangesReport::default(),
            asserted: HashSet::new(),
            touched: Vec::new(),
            net: Nets::default(),
            left_out: BTreeMap::new(),
            chunks: BTreeMap::new(),
            audit: Vec::new(),
            source_chunk: 0,
            in_chunk: 0,
            item_chunk: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
        }
    }

    /// Takes an item; it is worked on with others.
    pub(crate) fn take(&mut self, item: Item) -> Result<(), EngineError> {
        self.waiting_bytes += item.weight();
        self.waiting.push(item);
        let is_enough = self.waiting.len() >= BATCH || self.waiting_bytes >= BATCH_BYTES;
        if is_enough { self.work() } else { Ok(()) }
    }

    /// Works on what waits, and on what that queues.
    fn work(&mut self) -> Result<(), EngineError> {
        self.waiting_bytes = 0;
        let mut items: Vec<Placed> =
            std::mem::take(&mut self.waiting).into_iter().map(|item| (None, item)).collect();
        for generation in 0.. {
            if items.is_empty() {
                break;
            }
            if generation == GENERATIONS {
                return Err(EngineError::Endless);
            }
            items = self.generation(items)?;
            self.report.queued += items.len() as u64;
        }
        // Nothing is added to these any more.
        for chunk in self.chunks.range_mut(..self.source_chunk).map(|(_, chunk)| chunk) {
            chunk.seal()?;
        }
        Ok(())
    }

    /// Works on items, those of the source or those that were queued for a chunk; returns what they queue.
    fn generation(&mut self, items: Vec<Placed>) -> Result<Vec<Placed>, EngineError> {
        let mut queued = Vec::new();
        for (kind, items) in by_kind(items) {
            let (places, items): (Vec<Option<u32>>, Vec<Item>) = items.into_iter().unzip();
            let mut answers: Vec<Option<Derived>> = items.iter().map(|_| None).collect();
            for one in self.derive(&kind, &items)? {
                let at = one.item;
                answers[at] = Some(one);
            }
            let mut wanted = Vec::new();
            let mut ready = Vec::with_capacity(items.len());
            for (item, derived) in items.into_iter().zip(answers) {
                ready.push(match derived {
                    Some(mut derived) => {
                        let then = std::mem::take(&mut derived.then);
                        Some((self.ready(item, derived, &mut wanted)?, then))
                    }
                    None => None,
                });
            }
            lock(&self.view).read(&wanted)?;
            for (place, one) in places.into_iter().zip(ready) {
                let is_own = place.is_none();
                self.item_chunk = place.unwrap_or(self.source_chunk);
                let Some((ready, then)) = one else {
                    self.tell("nothing", is_own);
                    continue;
                };
                if self.settle(ready, is_own)? {
                    queued.extend(then.into_iter().map(|item| (Some(self.item_chunk), item)));
                }
                self.turn_over(is_own);
            }
            lock(&self.view).forget_read();
        }
        Ok(queued)
    }

    /// Begins the next chunk where this one is full.
    fn turn_over(&mut self, is_own: bool) {
        if let Aim::Write { chunk_size, .. } = &self.aim
            && is_own
            && self.in_chunk >= *chunk_size
        {
            self.source_chunk += 1;
            self.in_chunk = 0;
        }
    }

    fn derive(&mut self, kind: &str, items: &[Item]) -> Result<Vec<Derived>, EngineError> {
        let (making, own) = self.materializers.of(kind)?;
        let reads = Reads { view: Arc::clone(&self.view), own };
        let items: Vec<&Item> = items.iter().collect();
        Ok(making.materialize(&items, Arc::new(reads))?)
    }

    /// Does what an item means, unless it was done, or is left to others; says whether it was this one's turn.
    fn settle(&mut self, ready: Ready, is_own: bool) -> Result<bool, EngineError> {
        if let Some(outcome) = &ready.outcome {
            *self.report.outcomes.entry(outcome.clone()).or_default() += 1;
        }
        if let Some(dataset) = &ready.appends {
            if lock(&self.view).has_origin(dataset, &ready.origin_key) {
                self.tell("already_imported", is_own);
                return Ok(true);
            }
            if let Some(left_out) = self.leave_out(dataset, &ready) {
                self.tell("after_cutover", is_own);
                let dataset = dataset.clone();
                let kept = self.recovers.then_some(ready);
                self.left_out.entry(dataset).or_default().push((left_out, kept));
                return Ok(false);
            }
        }
        self.fulfil(ready, is_own)?;
        Ok(true)
    }

    fn tell(&mut self, outcome: &str, is_own: bool) {
        if is_own {
            self.report.count(outcome);
        }
    }

    /// Leaves an item to those who record as things happen, if it is theirs.
    fn leave_out(&self, dataset: &str, ready: &Ready) -> Option<LeftOut> {
        let (live, origin) = (self.live.get(dataset)?, &ready.origin);
        let ended_at = origin.ended_at?;
        live.at(&origin.system).filter(|cutover| ended_at >= *cutover)?;
        let row = ready.wishes.iter().find_map(|wish| match wish {
            ReadyWish::Append(name, made) if name == dataset => Some(&made.row),
            _ => None,
        })?;
        let twin = lock(&self.view).stored.get(dataset).map(|stored| live.twin(stored, row));
        Some(LeftOut {
            id: origin.id.clone(),
            system: origin.system.clone(),
            ended_at,
            twin: twin.unwrap_or_default(),
        })
    }

    fn fulfil(&mut self, ready: Ready, is_own: bool) -> Result<(), EngineError> {
        let mut fate = Fate::default();
        for wish in ready.wishes {
            match wish {
                ReadyWish::Append(dataset, made) => {
                    // A row that is another one's is not this item's, nor is what would follow from it.
                    if !self.append(&dataset, made, ready.origin_key, &mut fate)? {
                        break;
                    }
                }
                ReadyWish::Upsert(dataset, made) => self.upsert(&dataset, made, &mut fate),
                ReadyWish::Assert(asserted) => self
                    .assert(asserted, &ready.origin, &mut fate)
                    .map_err(|reason| self.materializers.blame(&ready.kind, reason))?,
            }
        }
        match (fate.word(), &ready.outcome) {
            ("nothing", Some(outcome)) => self.tell(outcome, is_own),
            (word, _) => self.tell(word, is_own),
        }
        self.in_chunk += usize::from(fate.is_change());
        Ok(())
    }

    /// Works on what is left, pairs who was left out, and returns what there is to commit.
    pub(crate) fn finish(mut self) -> Result<Passed, EngineError> {
        self.work()?;
        let mut cutover: Option<CutoverReport> = None;
        for (dataset, left_out) in std::mem::take(&mut self.left_out) {
            let Some(live) = self.live.get(&dataset) else { continue };
            let ids: Vec<LeftOut> = left_out.iter().map(|(one, _)| one.clone()).collect();
            let mut report = live.pair(ids);
            if self.recovers {
                let unmatched: HashSet<String> = report.unmatched.drain(..).collect();
                report.left_out -= unmatched.len() as u64;
                self.recover(left_out, &unmatched)?;
            }
            cutover.get_or_insert(report);
        }
        self.report.items.retain(|_, count| *count > 0);
        self.report.cutover = cutover;
        self.sum_up();
        self.report.add_up();
        let mut view = lock(&self.view);
        for (dataset, key, at, entry) in std::mem::take(&mut self.audit) {
            // With the row that it is about, wherever that is written.
            let at = view.chunk_of(&dataset, &key).unwrap_or(at);
            self.chunks.entry(at).or_default().audit.push(entry);
        }
        for (at, dataset, pending) in view.take() {
            if let Some(stored) = view.stored.get(&dataset).filter(|_| self.report.has_room()) {
                updates(stored, &dataset, &pending, &self.asserted)
                    .for_each(|change| self.report.list(change));
            }
            let chunk = self.chunks.entry(at).or_default();
            chunk.changed.entry(dataset).or_default().push(pending);
        }
        drop(view);
        Ok(Passed {
            report: self.report,
            asserted: self.asserted.len() as u64,
            touched: self.touched,
            chunks: self.chunks.into_values().collect(),
        })
    }

    /// Imports what was left out and nobody recorded.
    fn recover(
        &mut self,
        left_out: Vec<Withheld>,
        unmatched: &HashSet<String>,
    ) -> Result<(), EngineError> {
        let missed = left_out.into_iter().filter(|(one, _)| unmatched.contains(&one.id));
        for ready in missed.filter_map(|(_, kept)| kept) {
            if let Some(count) = self.report.items.get_mut("after_cutover") {
                *count -= 1;
            }
            let upserts = ready.wishes.iter().filter_map(|wish| match wish {
                ReadyWish::Upsert(dataset, made) => Some((dataset.clone(), made.key)),
                ReadyWish::Assert(one) => Some((one.dataset.clone(), one.place)),
                ReadyWish::Append(..) => None,
            });
            lock(&self.view).read(&upserts.collect::<Vec<_>>())?;
            self.item_chunk = self.source_chunk;
            self.fulfil(ready, true)?;
            self.turn_over(true);
        }
        Ok(())
    }

    fn sum_up(&mut self) {
        let view = lock(&self.view);
        for (name, keys) in &self.net.0 {
            let changes = self.report.datasets.entry(name.clone()).or_default();
            for net in keys.values() {
                match net {
                    Net::Inserted => changes.inserted += 1,
                    Net::Updated => changes.updated += 1,
                    Net::Same => changes.same += 1,
                }
            }
        }
        for (name, changes) in &mut self.report.datasets {
            if let Some(stored) = view.stored.get(name) {
                let rule = serde_json::to_value(stored.declared().on_conflict).unwrap_or_default();
                changes.rule = rule.as_str().unwrap_or_default().to_owned();
                changes.rows = stored.len() + changes.inserted;
            }
        }
    }
}

/// What a pass came to.
pub(crate) struct Passed {
    pub(crate) report: ChangesReport,
    /// Rows that got asserted values.
    pub(crate) asserted: u64,
    /// Keys and subjects of rows that were there and are changed.
    pub(crate) touched: Vec<(String, Option<String>)>,
    /// What there is to commit, in order.
    pub(crate) chunks: Vec<Chunk>,
}

impl Passed {
    /// Returns how many rows that were there are changed.
    pub(crate) fn updated(&self) -> u64 {
        self.report.datasets.values().map(|changes| changes.updated).sum()
    }
}

/// Returns the cells of a stored row that a materializer puts others in the place of, without asserting anything.
fn updates<'a>(
    stored: &'a OpenDataset,
    dataset: &'a str,
    pending: &'a Pending,
    asserted: &HashSet<(String, Key)>,
) -> impl Iterator<Item = CellChange> + 'a {
    let is_asserted = asserted.contains(&(dataset.to_owned(), stored.key(&pending.row)));
    let key = key_json(&stored.key_values(&pending.row));
    let changed = pending.changed(stored).filter(move |(column, ..)| {
        let is_listed = is_asserted && stored.declared().rule(&column.name).is_some();
        !is_listed && !OWN.contains(&column.name.as_str())
    });
    changed.map(move |(column, old, new)| CellChange {
        dataset: dataset.to_owned(),
        key: key.clone(),
        subject: None,
        column: column.name.clone(),
        old: told(old),
        new: told(new),
        event: "update",
    })
}

/// Returns items by their kinds, in the order in which they came.
fn by_kind(items: Vec<Placed>) -> Vec<(String, Vec<Placed>)> {
    let mut groups: Vec<(String, Vec<Placed>)> = Vec::new();
    for placed in items {
        match groups.last_mut() {
            Some((kind, group)) if *kind == placed.1.kind => group.push(placed),
            _ => groups.push((placed.1.kind.clone(), vec![placed])),
        }
    }
    groups
}
