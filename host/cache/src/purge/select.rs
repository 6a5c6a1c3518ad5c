//! Which rows a purge takes: those that are asked for, and unless copies stay, whatever they are linked to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use hyp_model::row::Key;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::forgotten::is_below;
use crate::graves::Grave;
use crate::index::Index;
use crate::purge::scan::{each_owner, each_text, each_time};
use crate::purge::{Purge, Purged, Selector, Sources};
use crate::table::LiveData;
use crate::threads::{Number, Threads};
use crate::{kin, replays, rows};

/// A row that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) part_id: String,
    pub(crate) input_id: String,
    pub(crate) span: (u64, u64),
    pub(crate) created_at: i64,
    pub(crate) grave: Grave,
}

/// Rows that are to go, and what they are of.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// By location and position.
    pub(crate) rows: BTreeMap<String, BTreeMap<u64, Picked>>,
    /// Their ids, and those of originals that are not stored.
    pub(crate) ids: BTreeSet<String>,
    /// Threads that are asked for as a whole.
    pub(crate) chosen: BTreeSet<Number>,
    /// Threads that began where rows are asked for: their titles and folders go.
    pub(crate) near: BTreeSet<Number>,
    /// Threads that lose a row or a sighting, or are asked for.
    pub(crate) threads: BTreeSet<Number>,
    copies: u64,
    /// True where all rows are asked for.
    pub(crate) is_all: bool,
}

impl Selection {
    pub(crate) fn picked(&self) -> impl Iterator<Item = &Picked> {
        self.rows.values().flat_map(BTreeMap::values)
    }

    pub(crate) fn positions(&self) -> BTreeMap<String, BTreeSet<u64>> {
        self.rows
            .iter()
            .map(|(file, rows)| (file.clone(), rows.keys().copied().collect()))
            .collect()
    }

    /// Notes which threads lose something.
    fn note_threads(&mut self, seers: BTreeSet<Number>) {
        let mut threads = seers;
        threads.extend(self.picked().map(|picked| picked.grave.thread));
        threads.extend(&self.chosen);
        threads.remove(&0);
        self.threads = threads;
    }

    pub(crate) fn count(&self, left: &HashSet<Number>, files: u64) -> Purged {
        let threads = &self.threads;
        Purged {
            rows: self.picked().count() as u64,
            copies: self.copies,
            threads: threads.len() as u64,
            whole_threads: threads.iter().filter(|thread| !left.contains(thread)).count() as u64,
            files,
            is_erased: false,
        }
    }
}

/// Selects rows.
pub(crate) fn select(
    from: Sources<'_>,
    index: &mut Index,
    purge: &Purge,
) -> Result<Selection, StoreError> {
    let failed = |error| from.catalog.error(error);
    let connection = &from.catalog.connection;
    let mut selection = Selection {
        chosen: chosen(connection, &purge.what).map_err(failed)?,
        near: near(connection, &purge.what).map_err(failed)?,
        is_all: purge.what == Selector::All,
        ..Selection::default()
    };
    for data in &from.table.data {
        let positions = Chooser::new(&purge.what, &selection.chosen, from.threads).rows(data)?;
        take(data, &positions, from.threads, &mut selection)?;
    }
    if purge.keeps_copies || selection.is_all {
        // What is asked for by what it says itself is so wherever it was seen; else, others keep it.
        let is_seen_out = selection.chosen.is_empty();
        let seers = is_seen_out.then(|| seers(from, &selection.ids)).transpose().map_err(failed)?;
        selection.note_threads(seers.unwrap_or_default());
        return Ok(selection);
    }
    add_copies(from, index, &mut selection)?;
    let seers = seers(from, &selection.ids).map_err(failed)?;
    selection.note_threads(seers);
    Ok(selection)
}

/// Adds what the rows of a selection are linked to.
fn add_copies(
    from: Sources<'_>,
    index: &mut Index,
    selection: &mut Selection,
) -> Result<(), StoreError> {
    let connection = &from.catalog.connection;
    let asked = selection.picked().count() as u64;
    let mut ids = selection.ids.clone();
    for thread in &selection.chosen {
        let Some(known) = from.threads.get(*thread) else { continue };
        let seen = seen_by(connection, &known.thread_id);
        ids.extend(seen.map_err(|error| from.catalog.error(error))?);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let all = replays::all_linked(&from.table.data, ids)?;
    let more: Vec<(Key, &str)> = all
        .iter()
        .filter(|id| !selection.ids.contains(*id))
        .map(|id| (Key::of(id.as_bytes()), id.as_str()))
        .collect();
    let hits = index.find(&from.table.data, &HashSet::new(), &more)?;
    let mut places: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for hit in hits.into_values() {
        places.entry(hit.file).or_default().insert(hit.row);
    }
    for data in &from.table.data {
        if let Some(positions) = places.get(data.live.file.file_path()) {
            take(data, positions, from.threads, selection)?;
        }
    }
    selection.ids.extend(all);
    selection.copies = selection.picked().count() as u64 - asked;
    Ok(())
}

/// Returns the threads that saw one of some parts, which is a row of another.
fn seers(from: Sources<'_>, ids: &BTreeSet<String>) -> rusqlite::Result<BTreeSet<Number>> {
    let mut seers = BTreeSet::new();
    let connection = &from.catalog.connection;
    let mut seen = connection.prepare("SELECT thread_id FROM sightings WHERE part_id = ?1")?;
    for id in ids {
        let mut rows = seen.query([id])?;
        while let Some(row) = rows.next()? {
            seers.extend(from.threads.number_of(row.get_ref(0)?.as_str()?));
        }
    }
    Ok(seers)
}

/// Returns the threads of a selection that keep a row, or saw one that stays.
pub(crate) fn left(
    from: Sources<'_>,
    selection: &Selection,
) -> Result<HashSet<Number>, StoreError> {
    let mut left = HashSet::new();
    if selection.is_all {
        return Ok(left);
    }
    let of = &selection.threads;
    let is_few = of.len() <= 32;
    for data in &from.table.data {
        let may_hold = |thread: &Number| {
            from.threads.get(*thread).is_some_and(|known| rows::may_hold(data, known))
        };
        if is_few && !of.iter().any(may_hold) {
            continue;
        }
        let gone = selection.rows.get(data.live.file.file_path());
        each_owner(data, from.threads, |row, thread, _| {
            let is_gone = gone.is_some_and(|rows| rows.contains_key(&row));
            if !is_gone && of.contains(&thread) {
                left.insert(thread);
            }
        })?;
    }
    let seen = |thread_id: &str| seen_by(&from.catalog.connection, thread_id);
    for thread in of {
        let Some(known) = from.threads.get(*thread) else { continue };
        if selection.chosen.contains(thread) || left.contains(thread) {
            continue;
        }
        let seen = seen(&known.thread_id).map_err(|error| from.catalog.error(error))?;
        if seen.iter().any(|id| !selection.ids.contains(id)) {
            left.insert(*thread);
        }
    }
    Ok(left)
}

/// Returns the threads that are asked for as a whole, and those that they started.
fn chosen(connection: &Connection, what: &Selector) -> rusqlite::Result<BTreeSet<Number>> {
    let mut chosen = BTreeSet::new();
    let all = |chosen: &mut BTreeSet<Number>, query: &str, name: &str| -> rusqlite::Result<()> {
        let mut statement = connection.prepare(query)?;
        for number in statement.query_map([name], |row| row.get(0))? {
            chosen.insert(number?);
        }
        Ok(())
    };
    match what {
        Selector::All => all(&mut chosen, "SELECT number FROM sessions WHERE ?1 = ''", "")?,
        Selector::Provider(name) => {
            all(&mut chosen, "SELECT number FROM sessions WHERE provider = ?1", name)?;
        }
        Selector::Sessions(ids) => {
            for id in ids {
                let query = "WITH RECURSIVE family(number, thread_id) AS (
                    SELECT number, thread_id FROM sessions
                    WHERE thread_id = ?1 OR session_id = ?1
                       OR (parent_thread_id IS NOT NULL AND root_thread_id = ?1)
                    UNION SELECT s.number, s.thread_id FROM sessions s, family f
                    WHERE s.parent_thread_id = f.thread_id
                ) SELECT number FROM family";
                all(&mut chosen, query, id)?;
            }
        }
        _ => {}
    }
    Ok(chosen)
}

/// Returns the threads that worked below the folders that are asked for.
fn near(connection: &Connection, what: &Selector) -> rusqlite::Result<BTreeSet<Number>> {
    let Selector::Paths(paths) = what else { return Ok(BTreeSet::new()) };
    let mut statement = connection.prepare("SELECT number, cwd FROM sessions")?;
    let mut rows = statement.query([])?;
    let mut near = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let cwd: Option<String> = row.get(1)?;
        if cwd.is_some_and(|cwd| paths.iter().any(|path| is_below(&cwd, path))) {
            near.insert(row.get(0)?);
        }
    }
    Ok(near)
}

/// Returns the parts that a thread saw and that are rows of others.
pub(super) fn seen_by(connection: &Connection, thread_id: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT part_id FROM sightings WHERE thread_id = ?1")?
        .query_map([thread_id], |row| row.get(0))?
        .collect()
}

/// Says of each row of a file whether it is asked for.
struct Chooser<'a> {
    what: &'a Selector,
    chosen: &'a BTreeSet<Number>,
    threads: &'a Threads,
}

impl<'a> Chooser<'a> {
    fn new(what: &'a Selector, chosen: &'a BTreeSet<Number>, threads: &'a Threads) -> Self {
        Self { what, chosen, threads }
    }

    fn rows(&self, data: &LiveData) -> Result<BTreeSet<u64>, StoreError> {
        let mut rows = BTreeSet::new();
        let may_hold =
            |thread: &Number| self.threads.get(*thread).is_some_and(|it| rows::may_hold(data, it));
        if matches!(self.what, Selector::Sessions(_)) && !self.chosen.iter().any(may_hold) {
            return Ok(rows);
        }
        match self.what {
            Selector::Paths(paths) => each_text(data, "cwd", |row, cwd| {
                if paths.iter().any(|path| is_below(cwd, path)) {
                    rows.insert(row);
                }
            })?,
            Selector::Before(time) => each_time(data, |row, at| {
                if at < *time {
                    rows.insert(row);
                }
            })?,
            what => each_owner(data, self.threads, |row, thread, _| {
                let is_of_client = || match what {
                    Selector::Provider(name) => thread == 0 && data.live.partition.0 == *name,
                    what => *what == Selector::All,
                };
                if self.chosen.contains(&thread) || is_of_client() {
                    rows.insert(row);
                }
            })?,
        }
        Ok(rows)
    }
}

/// Columns that are read of rows that go.
const PICKED: [&str; 12] = [
    "part_id",
    "session_id",
    "conversation_id",
    "input_id",
    "message_index",
    "part_index",
    "said_key",
    "message_created_at",
    "input_offset",
    "input_length",
    "response_id",
    "tool_call_id",
];

/// Adds rows of a file to a selection.
fn take(
    data: &LiveData,
    positions: &BTreeSet<u64>,
    threads: &Threads,
    selection: &mut Selection,
) -> Result<(), StoreError> {
    if positions.is_empty() {
        return Ok(());
    }
    let path = &data.live.path;
    let batch = rows::columns_at(path, positions, &PICKED)?;
    for (at, position) in positions.iter().enumerate() {
        let is_there = at < batch.num_rows();
        let picked = is_there.then(|| picked(&batch, at, threads)).flatten();
        let picked =
            picked.ok_or_else(|| StoreError::damaged(path, "columns or rows are missing"))?;
        selection.ids.insert(picked.part_id.clone());
        let location = data.live.file.file_path().to_owned();
        selection.rows.entry(location).or_default().insert(*position, picked);
    }
    Ok(())
}

fn picked(batch: &RecordBatch, at: usize, threads: &Threads) -> Option<Picked> {
    let grave = grave(batch, at, threads)?;
    let number = |name| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        Some(u64::try_from(column.value(at)).unwrap_or_default())
    };
    let inputs = batch.column_by_name("input_id")?.as_string_opt::<i32>()?;
    Some(Picked {
        part_id: batch.column_by_name("part_id")?.as_string_opt::<i32>()?.value(at).to_owned(),
        input_id: if inputs.is_valid(at) { inputs.value(at).to_owned() } else { String::new() },
        span: (number("input_offset")?, number("input_length")?),
        created_at: grave.created_at,
        grave,
    })
}

/// Returns what is left of a stored row that is purged.
pub(crate) fn grave(batch: &RecordBatch, at: usize, threads: &Threads) -> Option<Grave> {
    let text = |name| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        Some(column.is_valid(at).then(|| column.value(at)))
    };
    let number = |name| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        Some(column.value(at))
    };
    let owner = (
        text("session_id")??.to_owned(),
        text("conversation_id")?.map(str::to_owned),
        text("input_id")?.unwrap_or_default().to_owned(),
    );
    let part_id = text("part_id")??;
    let keys = batch.column_by_name("said_key")?.as_fixed_size_binary_opt()?;
    let mut said_key = [0; 16];
    if keys.is_valid(at) {
        said_key.copy_from_slice(keys.value(at));
    }
    let times = batch.column_by_name("message_created_at")?;
    Some(Grave {
        part: Key::of(part_id.as_bytes()),
        thread: threads.of_row(&owner).unwrap_or_default(),
        holds: true,
        message_index: number("message_index")?,
        part_index: number("part_index")?,
        said_key: Key(said_key),
        created_at: times.as_primitive_opt::<TimestampMicrosecondType>()?.value(at),
        keys: kin::keys(part_id, text("response_id")?, text("tool_call_id")?).collect(),
    })
}

/// Bytes of the records that lose a row, by input: each record once.
pub(super) fn bytes_by_input(selection: &Selection) -> HashMap<String, u64> {
    let spans: BTreeSet<(&str, (u64, u64))> =
        selection.picked().map(|picked| (picked.input_id.as_str(), picked.span)).collect();
    let mut bytes: HashMap<String, u64> = HashMap::new();
    for (input, (_, length)) in spans {
        *bytes.entry(input.to_owned()).or_default() += length;
    }
    bytes
}
