//! Datasets as they are now: what is stored, and what this run has changed and not committed yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyp_cache::{
    DatasetRow, OpenDataset, RUN_ID, SOURCE_ID, SOURCE_SYSTEM, StoreError, key_of, origin_key,
};
use hyp_model::item::{Cell, ColumnType, Datum, Origin};
use hyp_model::row::Key;
use hyp_plugin::Current;

use super::rules::Rule;

/// A row that is not committed yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) row: DatasetRow,
    /// The row as it was when the chunk began; none for one that is new.
    pub(crate) before: Option<DatasetRow>,
}

/// A row that was made of cells, and what is decided about it.
pub(crate) struct Made {
    pub(crate) row: DatasetRow,
    pub(crate) key: Key,
    pub(crate) rule: Arc<Rule>,
    /// Whether rows of its dataset are ever changed.
    pub(crate) may_change: bool,
}

/// A dataset, and what is pending of it.
pub(crate) struct Open {
    pub(crate) rule: Arc<Rule>,
    /// Places of columns by their names.
    places: HashMap<String, usize>,
    /// Rows that are not committed, in the order in which they came.
    pub(crate) pending: HashMap<Key, Pending>,
    pub(crate) order: Vec<Key>,
    /// Keys and origins of rows that a plan would add: their contents are not kept.
    planned: HashSet<Key>,
    planned_origins: HashSet<Key>,
    /// Rows that were read for the items at hand.
    read: HashMap<Key, DatasetRow>,
}

impl Open {
    fn new(dataset: &OpenDataset) -> Self {
        let names = dataset.columns().iter().enumerate();
        Self {
            rule: Arc::new(Rule::of(dataset)),
            places: names.map(|(at, column)| (column.name.clone(), at)).collect(),
            pending: HashMap::new(),
            order: Vec::new(),
            planned: HashSet::new(),
            planned_origins: HashSet::new(),
            read: HashMap::new(),
        }
    }
}

/// All datasets of a run.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) stored: BTreeMap<String, OpenDataset>,
    pub(crate) open: BTreeMap<String, Open>,
}

impl View {
    pub(crate) fn add(&mut self, dataset: OpenDataset) {
        let name = dataset.declared().name.clone();
        self.open.insert(name.clone(), Open::new(&dataset));
        self.stored.insert(name, dataset);
    }

    /// Returns a dataset with what is pending of it, or says that its materializer may not write to it.
    pub(crate) fn both(&mut self, name: &str) -> Result<(&OpenDataset, &mut Open), String> {
        match (self.stored.get(name), self.open.get_mut(name)) {
            (Some(stored), Some(open)) => Ok((stored, open)),
            _ => Err(format!("dataset `{name}` is none that is declared")),
        }
    }

    /// Reads the stored rows of keys that will be looked at.
    pub(crate) fn read(&mut self, wanted: &[(String, Key)]) -> Result<(), StoreError> {
        let mut by_dataset: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
        for (name, key) in wanted {
            by_dataset.entry(name).or_default().push(key);
        }
        for (name, keys) in by_dataset {
            let (Some(stored), Some(open)) = (self.stored.get(name), self.open.get_mut(name))
            else {
                continue;
            };
            let missing = keys
                .into_iter()
                .filter(|key| !open.pending.contains_key(*key) && !open.read.contains_key(*key));
            open.read.extend(stored.rows(missing)?);
        }
        Ok(())
    }

    /// Forgets what was read: the items at hand are done.
    pub(crate) fn forget_read(&mut self) {
        self.open.values_mut().for_each(|open| open.read.clear());
    }

    /// Returns the row of a key as it is now; it must have been read.
    pub(crate) fn row(&self, name: &str, key: &Key) -> Option<&DatasetRow> {
        let open = self.open.get(name)?;
        open.pending.get(key).map(|pending| &pending.row).or_else(|| open.read.get(key))
    }

    /// Says whether a key has a row now.
    pub(crate) fn has(&self, name: &str, key: &Key) -> bool {
        let stored = self.stored.get(name).is_some_and(|stored| stored.has(key));
        stored
            || self
                .open
                .get(name)
                .is_some_and(|open| open.pending.contains_key(key) || open.planned.contains(key))
    }

    /// Says whether there is a row of a dataset that came from an origin.
    pub(crate) fn has_origin(&self, name: &str, origin: &Origin) -> bool {
        let key = origin_key(&origin.system, &origin.id);
        self.stored.get(name).is_some_and(|stored| stored.has_origin(&key))
            || self.open.get(name).is_some_and(|open| open.planned_origins.contains(&key))
    }

    /// Makes a row of cells, or says what is wrong with them.
    pub(crate) fn make(
        &self,
        name: &str,
        cells: Vec<Cell>,
        (origin, run_id): (&Origin, &str),
    ) -> Result<Made, String> {
        let (Some(stored), Some(open)) = (self.stored.get(name), self.open.get(name)) else {
            return Err(format!("dataset `{name}` is none that is declared"));
        };
        let columns = stored.columns();
        let mut row = vec![Datum::Null; columns.len()];
        for (column, value) in cells {
            let declared = stored.declared().position(&column);
            let Some(at) = open.places.get(&column).copied().filter(|_| declared.is_some()) else {
                return Err(format!("dataset `{name}` has no column `{column}`"));
            };
            row[at] = fitted(value, columns[at].kind).ok_or_else(|| {
                format!("column `{column}` of dataset `{name}` cannot hold what it was given")
            })?;
        }
        if let [key] = &stored.declared().key[..]
            && let Some(at) = open.places.get(key)
            && row[*at].is_null()
            && columns[*at].kind == ColumnType::Text
        {
            row[*at] = Datum::Text(made_id(name, origin));
        }
        let null =
            columns.iter().zip(&row).find(|(column, value)| !column.nullable && value.is_null());
        if let Some((column, _)) = null {
            return Err(format!("column `{}` of dataset `{name}` is never null", column.name));
        }
        let own = [(RUN_ID, run_id), (SOURCE_SYSTEM, &origin.system), (SOURCE_ID, &origin.id)];
        for (column, text) in own {
            if let Some(at) = open.places.get(column) {
                row[*at] = Datum::Text(text.to_owned());
            }
        }
        let (key, may_change) = (stored.key(&row), stored.declared().may_change());
        Ok(Made { row, key, rule: Arc::clone(&open.rule), may_change })
    }

    /// Puts a row in its place, to be committed with the next chunk.
    pub(crate) fn put(&mut self, name: &str, key: Key, row: DatasetRow) {
        let before = self.open.get(name).and_then(|open| open.read.get(&key)).cloned();
        let Some(open) = self.open.get_mut(name) else { return };
        match open.pending.get_mut(&key) {
            Some(pending) => pending.row = row,
            None => {
                open.order.push(key);
                open.pending.insert(key, Pending { row, before });
            }
        }
    }

    /// Notes a row that a plan would add to a dataset whose rows are never changed.
    pub(crate) fn plan_row(&mut self, name: &str, key: Key, origin: &Origin) {
        if let Some(open) = self.open.get_mut(name) {
            open.planned.insert(key);
            open.planned_origins.insert(origin_key(&origin.system, &origin.id));
        }
    }

    /// Notes that an origin has its row, though the chunk is not committed.
    pub(crate) fn note_origin(&mut self, name: &str, origin: &Origin) {
        if let Some(open) = self.open.get_mut(name) {
            open.planned_origins.insert(origin_key(&origin.system, &origin.id));
        }
    }

    /// Takes what is pending of a dataset, in the order in which it came; what is read afterwards is as if it were stored.
    pub(crate) fn take(&mut self, name: &str) -> Vec<(Key, Pending)> {
        let Some(open) = self.open.get_mut(name) else { return Vec::new() };
        let mut taken = Vec::with_capacity(open.order.len());
        for key in std::mem::take(&mut open.order) {
            if let Some(pending) = open.pending.remove(&key) {
                open.read.insert(key, pending.row.clone());
                taken.push((key, pending));
            }
        }
        taken
    }

    /// Forgets everything that is not stored.
    pub(crate) fn reset(&mut self) {
        for open in self.open.values_mut() {
            open.pending.clear();
            open.order.clear();
            open.planned.clear();
            open.planned_origins.clear();
            open.read.clear();
        }
    }
}

/// Returns a value as a column holds it: a text that is a time may stand for it.
fn fitted(value: Datum, kind: ColumnType) -> Option<Datum> {
    if kind.takes(&value) {
        return Some(value);
    }
    match (kind, value) {
        (ColumnType::Timestamp, Datum::Text(text)) => {
            let at: jiff::Timestamp = text.parse().ok()?;
            Some(Datum::Timestamp(at.as_microsecond()))
        }
        (ColumnType::Text, Datum::Json(text)) | (ColumnType::Json, Datum::Text(text)) => {
            serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
            Some(if kind == ColumnType::Json { Datum::Json(text) } else { Datum::Text(text) })
        }
        #[expect(clippy::cast_precision_loss, reason = "a column of floating numbers is asked for")]
        (ColumnType::Real, Datum::Integer(number)) => Some(Datum::Real(number as f64)),
        _ => None,
    }
}

/// Returns the id of a row that has none: the same for the same origin, on every machine.
fn made_id(dataset: &str, origin: &Origin) -> String {
    let text = |text: &str| Datum::Text(text.to_owned());
    let key = key_of(&[text(dataset), text(&origin.system), text(&origin.id)]);
    uuid::Builder::from_bytes(key.0)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::Custom)
        .into_uuid()
        .to_string()
}

/// What a materializer may see of the view: its own datasets.
pub(crate) struct Reads {
    pub(crate) view: Arc<Mutex<View>>,
    pub(crate) own: Vec<String>,
}

/// Locks the view.
pub(crate) fn lock(view: &Mutex<View>) -> MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Current for Reads {
    fn current(
        &self,
        dataset: &str,
        keys: &[Vec<Datum>],
    ) -> Result<Vec<Option<Vec<Cell>>>, String> {
        if !self.own.iter().any(|own| own == dataset) {
            return Err(format!("dataset `{dataset}` is another materializer's"));
        }
        let mut view = lock(&self.view);
        let keys: Vec<Key> = keys.iter().map(|key| key_of(key)).collect();
        let wanted: Vec<_> = keys.iter().map(|key| (dataset.to_owned(), *key)).collect();
        view.read(&wanted).map_err(|error| error.to_string())?;
        let names: Vec<String> = match view.stored.get(dataset) {
            Some(stored) => stored.columns().iter().map(|column| column.name.clone()).collect(),
            None => Vec::new(),
        };
        let cells = |row: &DatasetRow| names.iter().cloned().zip(row.iter().cloned()).collect();
        Ok(keys.iter().map(|key| view.row(dataset, key).map(cells)).collect())
    }
}
