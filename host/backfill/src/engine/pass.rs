//! One pass over the items of a source: as a plan, which writes nothing, or in chunks that are committed.

mod commit;
mod wishes;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use hyp_cache::{AuditEntry, JournalEntry, Writer, key_of};
use hyp_model::item::{ColumnMode, Datum, Derived, Item, Wish};
use hyp_model::row::Key;

use super::cutover::{LeftOut, LiveRows};
use super::error::EngineError;
use super::materializers::Materializers;
use super::report::{ChangesReport, CutoverReport};
use super::view::{Reads, View, lock};

/// Items that a materializer is asked about at once.
const BATCH: usize = 4_096;

/// Generations of items that may be queued from one another.
const GENERATIONS: u32 = 8;

/// What became of a row in this run, in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Net {
    Inserted,
    Updated,
    Same,
}

/// An item that was left out, and what it means where it may be recovered.
type Withheld = (LeftOut, Option<(Item, Derived)>);

/// What a pass is there for.
pub(crate) enum Aim<'a> {
    /// To see what would be done.
    Plan,
    /// To do it, in chunks of so many items; between two of them, somebody is told.
    Commit {
        writer: &'a mut Writer,
        chunk_size: usize,
        between: &'a mut dyn FnMut(u64) -> Result<(), EngineError>,
    },
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
    net: HashMap<String, HashMap<Key, Net>>,
    left_out: BTreeMap<String, Vec<Withheld>>,
    journal: Vec<JournalEntry>,
    audit: Vec<AuditEntry>,
    /// Items of the chunk that changed something.
    in_chunk: usize,
    waiting: Vec<Item>,
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
            net: HashMap::new(),
            left_out: BTreeMap::new(),
            journal: Vec::new(),
            audit: Vec::new(),
            in_chunk: 0,
            waiting: Vec::new(),
        }
    }

    /// Takes an item; it is worked on with others.
    pub(crate) fn take(&mut self, item: Item) -> Result<(), EngineError> {
        self.waiting.push(item);
        if self.waiting.len() >= BATCH { self.work() } else { Ok(()) }
    }

    /// Works on what waits.
    fn work(&mut self) -> Result<(), EngineError> {
        let items = std::mem::take(&mut self.waiting);
        self.generation(items, 0)
    }

    fn generation(&mut self, items: Vec<Item>, generation: u32) -> Result<(), EngineError> {
        if items.is_empty() {
            return Ok(());
        }
        if generation == GENERATIONS {
            return Err(EngineError::Endless);
        }
        let mut queued = Vec::new();
        for (kind, items) in by_kind(items) {
            let derived = self.derive(&kind, &items)?;
            self.prefetch(&derived)?;
            let mut fates: Vec<Option<Derived>> = items.iter().map(|_| None).collect();
            for one in derived {
                let at = one.item;
                fates[at] = Some(one);
            }
            for (item, derived) in items.into_iter().zip(fates) {
                let Some(mut derived) = derived else {
                    self.report.count("nothing");
                    continue;
                };
                queued.append(&mut derived.then);
                self.settle(item, derived, generation == 0)?;
            }
            lock(&self.view).forget_read();
        }
        self.report.queued += queued.len() as u64;
        self.generation(queued, generation + 1)
    }

    fn derive(&mut self, kind: &str, items: &[Item]) -> Result<Vec<Derived>, EngineError> {
        let (making, own) = self.materializers.of(kind)?;
        let reads = Reads { view: Arc::clone(&self.view), own };
        let items: Vec<&Item> = items.iter().collect();
        Ok(making.materialize(&items, Arc::new(reads))?)
    }

    /// Reads the rows that the wishes are about.
    fn prefetch(&mut self, derived: &[Derived]) -> Result<(), EngineError> {
        let mut view = lock(&self.view);
        let mut wanted = Vec::new();
        for wish in derived.iter().flat_map(|one| &one.wishes) {
            match wish {
                Wish::Upsert(row) => {
                    let Some(stored) = view.stored.get(&row.dataset) else { continue };
                    let cell = |name: &String| {
                        row.cells.iter().find(|(column, _)| column == name).map(|(_, value)| value)
                    };
                    let key: Vec<Datum> = stored
                        .declared()
                        .key
                        .iter()
                        .map(|name| cell(name).cloned().unwrap_or_default())
                        .collect();
                    wanted.push((row.dataset.clone(), key_of(&key)));
                }
                Wish::Assert(assertion) => {
                    wanted.push((assertion.dataset.clone(), key_of(&assertion.key)));
                }
                _ => {}
            }
        }
        view.read(&wanted)?;
        Ok(())
    }

    /// Does what an item means, unless it was done, or is left to others.
    fn settle(&mut self, item: Item, derived: Derived, is_own: bool) -> Result<(), EngineError> {
        if let Some(outcome) = &derived.outcome {
            *self.report.outcomes.entry(outcome.clone()).or_default() += 1;
        }
        let appended = |derived: &Derived| {
            derived.wishes.iter().find_map(|wish| match wish {
                Wish::Append(row) => Some(row.dataset.clone()),
                _ => None,
            })
        };
        if let Some(dataset) = appended(&derived) {
            if lock(&self.view).has_origin(&dataset, &item.origin) {
                self.tell("already_imported", is_own);
                return Ok(());
            }
            if self.leave_out(&dataset, &item, &derived)? {
                self.tell("after_cutover", is_own);
                return Ok(());
            }
        }
        self.fulfil(item, derived, is_own)
    }

    fn tell(&mut self, outcome: &str, is_own: bool) {
        if is_own {
            self.report.count(outcome);
        }
    }

    /// Leaves an item to those who record as things happen, if it is theirs.
    fn leave_out(
        &mut self,
        dataset: &str,
        item: &Item,
        derived: &Derived,
    ) -> Result<bool, EngineError> {
        let Some(live) = self.live.get(dataset) else { return Ok(false) };
        let Some(ended_at) = item.origin.ended_at else { return Ok(false) };
        if live.at(&item.origin.system).is_none_or(|cutover| ended_at < cutover) {
            return Ok(false);
        }
        let view = lock(&self.view);
        let row = derived.wishes.iter().find_map(|wish| match wish {
            Wish::Append(row) if row.dataset == dataset => Some(row),
            _ => None,
        });
        let Some(row) = row else { return Ok(false) };
        let row = view
            .make(dataset, row.cells.clone(), (&item.origin, self.run_id))
            .map_err(|reason| self.materializers.blame(&item.kind, reason))?
            .row;
        let twin = view.stored.get(dataset).map(|stored| live.twin(stored, &row));
        let left_out = LeftOut {
            id: item.origin.id.clone(),
            system: item.origin.system.clone(),
            ended_at,
            twin: twin.unwrap_or_default(),
        };
        drop(view);
        let kept = self.recovers.then(|| (item.clone(), derived.clone()));
        self.left_out.entry(dataset.to_owned()).or_default().push((left_out, kept));
        Ok(true)
    }

    fn fulfil(&mut self, item: Item, derived: Derived, is_own: bool) -> Result<(), EngineError> {
        let mut fate = Fate::default();
        for wish in derived.wishes {
            let done = match wish {
                Wish::Append(row) => self.append(row, &item.origin, &mut fate),
                Wish::Upsert(row) => self.upsert(row, &item.origin, &mut fate),
                Wish::Assert(assertion) => self.assert(assertion, &item.origin, &mut fate),
                _ => Ok(()),
            };
            done.map_err(|reason| self.materializers.blame(&item.kind, reason))?;
        }
        let word = match (fate.word(), &derived.outcome) {
            ("nothing", Some(outcome)) => outcome.clone(),
            (word, _) => word.to_owned(),
        };
        self.tell(&word, is_own);
        self.in_chunk += usize::from(fate.is_change());
        if let Aim::Commit { chunk_size, .. } = &self.aim
            && self.in_chunk >= *chunk_size
        {
            self.commit()?;
        }
        Ok(())
    }

    /// Works on what is left, pairs who was left out, and returns what was done.
    pub(crate) fn finish(mut self) -> Result<Passed, EngineError> {
        self.work()?;
        let mut cutover: Option<CutoverReport> = None;
        for (dataset, left_out) in std::mem::take(&mut self.left_out) {
            let Some(live) = self.live.get(&dataset) else { continue };
            let ids: Vec<LeftOut> = left_out.iter().map(|(one, _)| one.clone()).collect();
            let mut report = live.pair(ids);
            if self.recovers {
                let unmatched: HashSet<String> = report.unmatched.drain(..).collect();
                for (one, kept) in left_out {
                    let Some((item, derived)) = kept.filter(|_| unmatched.contains(&one.id)) else {
                        continue;
                    };
                    report.left_out -= 1;
                    if let Some(count) = self.report.items.get_mut("after_cutover") {
                        *count -= 1;
                    }
                    self.prefetch(std::slice::from_ref(&derived))?;
                    self.fulfil(item, derived, true)?;
                }
            }
            cutover.get_or_insert(report);
        }
        self.commit()?;
        self.report.items.retain(|_, count| *count > 0);
        self.report.cutover = cutover;
        self.sum_up();
        self.report.add_up();
        Ok(Passed {
            report: self.report,
            asserted: self.asserted.len() as u64,
            touched: self.touched,
        })
    }

    fn sum_up(&mut self) {
        let view = lock(&self.view);
        let is_plan = matches!(self.aim, Aim::Plan);
        for (name, keys) in &self.net {
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
                changes.rows = stored.len() + if is_plan { changes.inserted } else { 0 };
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
}

impl Passed {
    /// Returns how many rows that were there are changed.
    pub(crate) fn updated(&self) -> u64 {
        self.report.datasets.values().map(|changes| changes.updated).sum()
    }
}

/// Returns items by their kinds, in the order in which they came.
fn by_kind(items: Vec<Item>) -> Vec<(String, Vec<Item>)> {
    let mut groups: Vec<(String, Vec<Item>)> = Vec::new();
    for item in items {
        match groups.last_mut() {
            Some((kind, group)) if *kind == item.kind => group.push(item),
            _ => groups.push((item.kind.clone(), vec![item])),
        }
    }
    groups
}
