//! Datasets as they are now: what is stored, and what this run has changed and not committed yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyp_cache::{DatasetRow, OWN, OpenDataset, StoreError, key_of};
use hyp_model::item::{Cell, ColumnType, DatasetColumn, Datum, Origin};
use hyp_model::row::Key;
use hyp_plugin::Current;

use super::rules::Rule;

/// Stored rows of a dataset that are kept in memory.
const READ_ROWS: usize = 65_536;

/// Characters of a word that a column cannot hold which are told.
const WORD: usize = 64;

/// A row that is not committed yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) row: DatasetRow,
    /// The row as it is stored; none for one that is new.
    pub(crate) before: Option<DatasetRow>,
    /// The chunk that it goes to: the first that changes it.
    pub(crate) chunk: u32,
}

impl Pending {
    /// Returns the cells that are other than those of the stored row, each with its column, as it was and as it is.
    pub(crate) fn changed<'a>(
        &'a self,
        stored: &'a OpenDataset,
    ) -> impl Iterator<Item = (&'a DatasetColumn, &'a Datum, &'a Datum)> {
        let before = self.before.iter().flatten();
        let cells = stored.columns().iter().zip(before).zip(&self.row);
        cells.map(|((column, old), new)| (column, old, new)).filter(|(_, old, new)| old != new)
    }
}

/// A row that was made of cells, and what decides about it.
#[derive(Debug, Clone)]
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
    /// Places of declared columns by their names.
    places: HashMap<String, usize>,
    /// Places of columns that hold nothing but words of a set.
    value_sets: Vec<(usize, Vec<String>)>,
    /// Places of the host's own columns: run, system and id.
    own: [Option<usize>; 3],
    /// Rows that are not committed, and the order in which they came.
    pending: HashMap<Key, Pending>,
    order: Vec<Key>,
    /// Keys of rows that are new in a dataset that never changes any, and origins of new rows.
    added: HashSet<Key>,
    added_origins: HashSet<Key>,
    /// Stored rows that were read.
    read: HashMap<Key, DatasetRow>,
}

impl Open {
    fn new(dataset: &OpenDataset) -> Self {
        let declared = dataset.declared().columns.iter();
        let value_sets = dataset.declared().value_sets.iter();
        Self {
            rule: Arc::new(Rule::of(dataset)),
            places: declared
                .filter_map(|column| Some((column.name.clone(), dataset.position(&column.name)?)))
                .collect(),
            value_sets: value_sets
                .filter_map(|set| Some((dataset.position(&set.column)?, set.values.clone())))
                .collect(),
            own: OWN.map(|name| dataset.position(name)),
            pending: HashMap::new(),
            order: Vec::new(),
            added: HashSet::new(),
            added_origins: HashSet::new(),
            read: HashMap::new(),
        }
    }

    /// Returns the row of a key as it is now; it must have been read.
    pub(crate) fn row(&self, key: &Key) -> Option<&DatasetRow> {
        self.pending.get(key).map(|pending| &pending.row).or_else(|| self.read.get(key))
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

    /// Takes what is said of rows of a dataset for what they become, as the rows themselves are handed out.
    pub(crate) fn hand_out(&mut self, name: &str) {
        if let Some((stored, open)) = self.stored.get(name).zip(self.open.get_mut(name)) {
            open.rule = Arc::new(Rule::deriving(stored));
        }
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

    /// Forgets what was read where that is much.
    pub(crate) fn forget_read(&mut self) {
        let much = self.open.values_mut().filter(|open| open.read.len() > READ_ROWS);
        much.for_each(|open| open.read.clear());
    }

    /// Returns the row of a key as it is now; it must have been read.
    pub(crate) fn row(&self, name: &str, key: &Key) -> Option<&DatasetRow> {
        self.open.get(name)?.row(key)
    }

    /// Says whether a key has a row now.
    pub(crate) fn has(&self, name: &str, key: &Key) -> bool {
        let is_new = |open: &Open| open.pending.contains_key(key) || open.added.contains(key);
        self.stored.get(name).is_some_and(|stored| stored.has(key))
            || self.open.get(name).is_some_and(is_new)
    }

    /// Says whether there is a row of a dataset that came from an origin.
    pub(crate) fn has_origin(&self, name: &str, origin: &Key) -> bool {
        self.stored.get(name).is_some_and(|stored| stored.has_origin(origin))
            || self.open.get(name).is_some_and(|open| open.added_origins.contains(origin))
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
            let (at, value) = open.fit(stored, &column, value)?;
            row[at] = value;
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
        for (at, text) in open.own.iter().zip([run_id, &origin.system, &origin.id]) {
            if let Some(at) = at {
                row[*at] = Datum::Text(text.to_owned());
            }
        }
        let (key, may_change) = (stored.key(&row), stored.declared().may_change());
        Ok(Made { row, key, rule: Arc::clone(&open.rule), may_change })
    }

    /// Returns the place of a column, and a value as the column holds it.
    pub(crate) fn fit(
        &self,
        name: &str,
        column: &str,
        value: Datum,
    ) -> Result<(usize, Datum), String> {
        match (self.stored.get(name), self.open.get(name)) {
            (Some(stored), Some(open)) => open.fit(stored, column, value),
            _ => Err(format!("dataset `{name}` is none that is declared")),
        }
    }

    /// Returns the values of a key as its columns hold them.
    pub(crate) fn fit_key(&self, name: &str, key: Vec<Datum>) -> Result<Vec<Datum>, String> {
        let declared = self.stored.get(name).map(|stored| &stored.declared().key[..]);
        let columns = declared.unwrap_or_default();
        if columns.len() != key.len() {
            return Err(format!(
                "a key of dataset `{name}` has {} values, not {}",
                columns.len(),
                key.len()
            ));
        }
        let fit = |column: &String, value| self.fit(name, column, value).map(|(_, value)| value);
        columns.iter().zip(key).map(|(column, value)| fit(column, value)).collect()
    }

    /// Puts a row in its place, to be committed with a chunk.
    pub(crate) fn put(&mut self, name: &str, key: Key, row: DatasetRow, chunk: u32) {
        let Some(open) = self.open.get_mut(name) else { return };
        match open.pending.get_mut(&key) {
            Some(pending) => {
                pending.row = row;
                pending.chunk = pending.chunk.min(chunk);
            }
            None => {
                let before = open.read.remove(&key);
                open.order.push(key);
                open.pending.insert(key, Pending { row, before, chunk });
            }
        }
    }

    /// Notes a new row of a dataset that never changes any.
    pub(crate) fn note_row(&mut self, name: &str, key: Key) {
        if let Some(open) = self.open.get_mut(name) {
            open.added.insert(key);
        }
    }

    /// Notes that an origin has its row, though that is not committed.
    pub(crate) fn note_origin(&mut self, name: &str, origin: Key) {
        if let Some(open) = self.open.get_mut(name) {
            open.added_origins.insert(origin);
        }
    }

    /// Returns the chunk that a changed row goes to.
    pub(crate) fn chunk_of(&self, name: &str, key: &Key) -> Option<u32> {
        Some(self.open.get(name)?.pending.get(key)?.chunk)
    }

    /// Takes what is pending, with chunk and dataset, in the order in which it came.
    pub(crate) fn take(&mut self) -> Vec<(u32, String, Pending)> {
        let mut taken = Vec::new();
        for (name, open) in &mut self.open {
            for key in std::mem::take(&mut open.order) {
                if let Some(pending) = open.pending.remove(&key) {
                    taken.push((pending.chunk, name.clone(), pending));
                }
            }
        }
        taken
    }
}

impl Open {
    fn fit(
        &self,
        stored: &OpenDataset,
        column: &str,
        value: Datum,
    ) -> Result<(usize, Datum), String> {
        let name = &stored.declared().name;
        let Some(at) = self.places.get(column).copied() else {
            return Err(format!("dataset `{name}` has no column `{column}`"));
        };
        let value = fitted(value, stored.columns()[at].kind).ok_or_else(|| {
            format!("column `{column}` of dataset `{name}` cannot hold what it was given")
        })?;
        if let Some((_, words)) = self.value_sets.iter().find(|(place, _)| *place == at)
            && let Some(other) = value.as_text().filter(|text| !words.iter().any(|it| it == text))
        {
            let other: String = other.escape_debug().take(WORD).collect();
            let words = words.join(", ");
            return Err(format!("`{column}` is one of {words}, not `{other}`"));
        }
        Ok((at, value))
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
        let keys = keys.iter().map(|key| Ok(key_of(&view.fit_key(dataset, key.clone())?)));
        let keys: Vec<Key> = keys.collect::<Result<_, String>>()?;
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
