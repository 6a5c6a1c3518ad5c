//! One pass over the items of a source: as a plan, which writes nothing, or in chunks that are committed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use hyp_cache::{
    AuditEntry, DatasetCommit, DatasetWrite, JournalEntry, JournalOperation, RUN_ID, Writer,
    datum_to_json, key_of,
};
use hyp_model::item::{Assertion, ColumnMode, Datum, Derived, Item, Origin, TargetRow, Wish};
use hyp_model::row::Key;

use super::cutover::{LeftOut, LiveRows};
use super::error::EngineError;
use super::materializers::Materializers;
use super::report::{CellChange, ChangesReport, CutoverReport, key_json};
use super::rules::{Meeting, Verdict, judge};
use super::view::{Pending, Reads, View, lock};

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
            .map_err(|reason| self.materializers.blame(&item.kind, reason))?;
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

    fn append(&mut self, row: TargetRow, origin: &Origin, fate: &mut Fate) -> Result<(), String> {
        let TargetRow { dataset, cells } = row;
        let mut view = lock(&self.view);
        let row = view.make(&dataset, cells, (origin, self.run_id))?;
        let (stored, open) = view.both(&dataset)?;
        let (key, rule) = (stored.key(&row), open.rule.clone());
        let may_change = stored.declared().may_change();
        let is_there = view.has(&dataset, &key);
        match rule.append(is_there) {
            Meeting::Insert => {
                fate.inserted = true;
                if may_change {
                    self.net.entry(dataset.clone()).or_default().insert(key, Net::Inserted);
                } else {
                    self.report.datasets.entry(dataset.clone()).or_default().inserted += 1;
                }
                if matches!(self.aim, Aim::Plan) && !may_change {
                    view.plan_row(&dataset, key, origin);
                } else {
                    view.note_origin(&dataset, origin);
                    view.put(&dataset, key, row);
                }
            }
            _ => {
                fate.same = true;
                self.net.entry(dataset).or_default().entry(key).or_insert(Net::Same);
            }
        }
        Ok(())
    }

    fn upsert(&mut self, row: TargetRow, origin: &Origin, fate: &mut Fate) -> Result<(), String> {
        let TargetRow { dataset, cells } = row;
        let mut view = lock(&self.view);
        let row = view.make(&dataset, cells, (origin, self.run_id))?;
        let (stored, open) = view.both(&dataset)?;
        let (key, rule) = (stored.key(&row), open.rule.clone());
        let current = view.row(&dataset, &key);
        let net = self.net.entry(dataset.clone()).or_default();
        match rule.upsert(current.map(Vec::as_slice), &row) {
            Meeting::Insert => {
                fate.inserted = true;
                net.insert(key, Net::Inserted);
                view.put(&dataset, key, row);
            }
            Meeting::Update(row) => {
                fate.updated = true;
                let was = net.entry(key).or_insert(Net::Updated);
                if *was == Net::Same {
                    *was = Net::Updated;
                }
                let is_first = *was == Net::Updated;
                let key_values = view.stored.get(&dataset).map(|stored| stored.key_values(&row));
                if is_first {
                    self.touched.push((text_of(&key_values.unwrap_or_default()), None));
                }
                view.put(&dataset, key, row);
            }
            _ => {
                fate.same = true;
                net.entry(key).or_insert(Net::Same);
            }
        }
        Ok(())
    }

    fn assert(
        &mut self,
        assertion: Assertion,
        origin: &Origin,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let Assertion { dataset, key, column, value, subject, notes } = assertion;
        let mut view = lock(&self.view);
        let (stored, _) = view.both(&dataset)?;
        let Some(rule) = stored.declared().rule(&column).cloned() else {
            return Err(format!("column `{column}` of dataset `{dataset}` has no rule"));
        };
        let Some(at) = stored.position(&column) else {
            return Err(format!("dataset `{dataset}` has no column `{column}`"));
        };
        let run_at = stored.position(RUN_ID);
        let place = key_of(&key);
        let Some(row) = view.row(&dataset, &place).cloned() else {
            fate.no_row = true;
            return Ok(());
        };
        let mode = self.asserting.mode.unwrap_or(rule.mode);
        let verdict = judge(&rule, mode, &row[at], &value);
        *self.report.assertions.entry(verdict.as_str().to_owned()).or_default() += 1;
        match verdict {
            Verdict::Unknown => fate.unknown = true,
            Verdict::Same => fate.same = true,
            Verdict::Disagree => fate.disagrees = true,
            Verdict::Promote | Verdict::Flip => fate.updated = true,
        }
        if matches!(verdict, Verdict::Unknown | Verdict::Same) {
            self.net.entry(dataset).or_default().entry(place).or_insert(Net::Same);
            return Ok(());
        }
        let old = row[at].clone();
        self.report.list(CellChange {
            dataset: dataset.clone(),
            key: key_json(&key),
            subject: subject.clone(),
            column: column.clone(),
            old: datum_to_json(&old),
            new: datum_to_json(&value),
            event: verdict.as_str(),
        });
        self.audit.push(AuditEntry {
            dataset: dataset.clone(),
            row_key: serde_json::Value::from(key_json(&key)).to_string(),
            subject: subject.clone(),
            column,
            old: text(&old),
            new: text(&value).unwrap_or_default(),
            event: verdict.as_str(),
            source: self.asserting.source.clone(),
            notes: notes.or_else(|| Some(format!("{} {}", origin.system, origin.id))),
        });
        let net = self.net.entry(dataset.clone()).or_default().entry(place).or_insert(Net::Same);
        if verdict.writes() {
            if *net == Net::Same {
                *net = Net::Updated;
            }
            let mut row = row;
            row[at] = value;
            if let Some(run_at) = run_at {
                row[run_at] = Datum::Text(self.run_id.to_owned());
            }
            self.touched.push((text_of(&key), subject));
            self.asserted.insert((dataset.clone(), place));
            view.put(&dataset, place, row);
        }
        Ok(())
    }

    /// Commits what is pending.
    fn commit(&mut self) -> Result<(), EngineError> {
        let Aim::Commit { writer, between, .. } = &mut self.aim else { return Ok(()) };
        let mut commit = DatasetCommit::default();
        let mut view = lock(&self.view);
        let names: Vec<String> = view.stored.keys().cloned().collect();
        let mut rows = 0;
        for name in names {
            let pending = view.take(&name);
            if pending.is_empty() {
                continue;
            }
            rows += pending.len() as u64;
            let stored = &view.stored[&name];
            if stored.declared().may_change() {
                pending.iter().for_each(|(_, one)| note(stored, &name, one, &mut self.journal));
            }
            let write = DatasetWrite {
                rows: pending.into_iter().map(|(_, one)| one.row).collect(),
                removed: Vec::new(),
            };
            commit.writes.insert(name, write);
        }
        commit.journal = std::mem::take(&mut self.journal);
        commit.audit = std::mem::take(&mut self.audit);
        self.in_chunk = 0;
        if commit.writes.is_empty() && commit.audit.is_empty() {
            return Ok(());
        }
        let done = writer.commit_datasets(&mut view.stored, commit)?;
        drop(view);
        if rows > 0 {
            self.report.chunks += 1;
        }
        if let Some((class, entries)) = done.audit_failed {
            let label = format!("source={},error_class={class}", self.asserting.source);
            tracing::warn!(
                counter = "audit_insert_failed",
                source = self.asserting.source,
                error_class = class,
                entries,
                "the audit could not be written"
            );
            *self.report.audit_insert_failed.entry(label).or_default() += entries;
        }
        between(rows)
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

/// Notes what becomes of a row, for undoing it.
fn note(
    stored: &hyp_cache::OpenDataset,
    name: &str,
    pending: &Pending,
    journal: &mut Vec<JournalEntry>,
) {
    let row_key = serde_json::Value::from(key_json(&stored.key_values(&pending.row))).to_string();
    let entry = |column: Option<&str>, operation, old: Option<&Datum>, new: Option<&Datum>| {
        let json = |datum: &Datum| datum_to_json(datum).to_string();
        JournalEntry {
            dataset: name.to_owned(),
            row_key: row_key.clone(),
            column: column.map(str::to_owned),
            operation,
            old: old.map(json),
            new: new.map(json),
        }
    };
    let Some(before) = &pending.before else {
        journal.push(entry(None, JournalOperation::Insert, None, None));
        return;
    };
    for ((column, old), new) in stored.columns().iter().zip(before).zip(&pending.row) {
        if old != new {
            let name = Some(column.name.as_str());
            journal.push(entry(name, JournalOperation::Update, Some(old), Some(new)));
        }
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

/// Returns a key as it is written in a list of those that are expected.
fn text_of(key: &[Datum]) -> String {
    let parts: Vec<String> = key.iter().map(|part| text(part).unwrap_or_default()).collect();
    parts.join("/")
}

fn text(datum: &Datum) -> Option<String> {
    match datum_to_json(datum) {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
