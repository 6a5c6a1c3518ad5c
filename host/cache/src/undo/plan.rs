//! What an undo does: rows that go, rows that come back, entries that are as they were, and what stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use hyp_model::row::Key;
use rusqlite::{Connection, OptionalExtension};

use crate::catalog::Catalog;
use crate::deletes::Positions;
use crate::error::StoreError;
use crate::index::{Hit, Index};
use crate::kin::Kin;
use crate::rows;
use crate::table::Table;
use crate::threads::{Number, Threads};
use crate::undo::capture::{Entry, Shape};
use crate::undo::error::UndoError;
use crate::undo::log::{self, Replaced, Touched};
use crate::undo::note::{owners, threads_of};
use crate::undo::parcel::Was;
use crate::undo::{KeptThread, families};

/// What an undo is worked out from.
pub(crate) struct Sources<'a> {
    pub(crate) table: &'a Table,
    pub(crate) catalog: &'a Catalog,
    pub(crate) threads: &'a Threads,
    pub(crate) kin: &'a Kin,
}

/// What an undo does.
#[derive(Default)]
pub(crate) struct Plan {
    /// Rows that go, by location and position.
    pub(crate) gone: Positions,
    /// Rows that come back.
    pub(crate) back: Vec<RecordBatch>,
    /// Of the rows that go, those that others take the place of.
    pub(crate) replaced: HashSet<String>,
    /// Of the rows that come back, those that take nobody's place, each with its thread.
    pub(crate) added: Vec<(String, Number)>,
    /// Entries that go back, the latest first.
    pub(crate) entries: Vec<Entry>,
    /// Threads that the run brought, and that go.
    pub(crate) new_threads: BTreeSet<Number>,
    /// Threads that the run touched, and what joins them.
    pub(crate) touched: Touched,
    /// Threads that stay as they are.
    pub(crate) kept: Vec<KeptThread>,
    /// Rows that the run changed and that are no longer stored.
    pub(crate) retired: u64,
}

/// What is read of rows that a run wrote.
const OWNED: [&str; 5] = ["run_id", "session_id", "conversation_id", "input_id", "part_id"];

impl Plan {
    /// Works out what undoing a run does.
    pub(crate) fn new(
        sources: &Sources<'_>,
        index: &mut Index,
        run_id: &str,
    ) -> Result<Self, UndoError> {
        let connection = &sources.catalog.connection;
        let failed = |error| UndoError::Store(sources.catalog.error(error));
        check(connection, run_id).map_err(failed)??;
        let (last, replaced) = log::of_run(connection, run_id).map_err(failed)?;
        let mut plan = Self::default();
        plan.touched.run_id = run_id.to_owned();
        if replaced.is_empty() {
            return Ok(plan);
        }
        for it in &replaced {
            plan.touched.threads.extend(&it.touched.threads);
            plan.touched.links.extend(&it.touched.links);
        }
        let later = log::touched_after(connection, run_id, last).map_err(failed)?;
        let names = names(&replaced);
        let mut of_run = plan.touched.clone();
        // What came again since has another number.
        of_run.links.extend(names.iter().filter_map(|(thread, id)| {
            let now = sources.threads.number_of(id).filter(|now| now != thread)?;
            Some((*thread, now))
        }));
        let mut held = families::held(&of_run, &later, sources.kin);
        for thread in buried(connection).map_err(failed)? {
            if plan.touched.threads.contains(&thread) {
                held.entry(thread).or_insert_with(|| PURGED_SINCE.to_owned());
            }
        }
        let mut kept: BTreeMap<Number, u64> = held.keys().map(|thread| (*thread, 0)).collect();
        plan.take_out(sources, run_id, &mut kept)?;
        plan.bring_back(sources, index, &replaced, &mut kept)?;
        plan.settle_entries(sources, index, replaced, &held)?;
        plan.kept = kept
            .into_iter()
            .map(|(thread, rows)| KeptThread {
                thread_id: (sources.threads.get(thread).map(|it| it.thread_id.clone()))
                    .or_else(|| names.get(&thread).cloned()),
                rows,
                since: held.get(&thread).cloned().unwrap_or_default(),
            })
            .collect();
        Ok(plan)
    }

    /// Takes out the rows that the run wrote.
    fn take_out(
        &mut self,
        sources: &Sources<'_>,
        run_id: &str,
        kept: &mut BTreeMap<Number, u64>,
    ) -> Result<(), StoreError> {
        for data in &sources.table.data {
            for (position, batch) in rows::of_run(data, run_id, &OWNED)? {
                let owners = owners(&batch, sources.threads);
                for (position, owner) in position.into_iter().zip(owners) {
                    match kept.get_mut(&owner) {
                        Some(rows) => *rows += 1,
                        None => {
                            let file = data.live.file.file_path().to_owned();
                            self.gone.entry(file).or_default().insert(position);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Brings back the rows that the run replaced or removed, as they were before it.
    fn bring_back(
        &mut self,
        sources: &Sources<'_>,
        index: &mut Index,
        replaced: &[Replaced],
        kept: &mut BTreeMap<Number, u64>,
    ) -> Result<(), StoreError> {
        let run_id = self.touched.run_id.clone();
        let damaged = || StoreError::damaged(&sources.catalog.path, "columns are missing");
        let removed = removed(replaced).ok_or_else(damaged)?;
        let mut seen: HashSet<String> = HashSet::new();
        // What the run added under another run's id goes, unless it stood there before.
        let mut added: BTreeMap<String, Number> = BTreeMap::new();
        for it in replaced {
            if let Some(images) = &it.images {
                let ids = images.rows.column_by_name("part_id").ok_or_else(damaged)?;
                let runs = images.rows.column_by_name("run_id").ok_or_else(damaged)?;
                let (ids, runs) = (ids.as_string::<i32>(), runs.as_string::<i32>());
                let wanted: Vec<(Key, &str)> =
                    ids.iter().flatten().map(|id| (Key::of(id.as_bytes()), id)).collect();
                let hits = index.find(&sources.table.data, &HashSet::new(), &wanted)?;
                let mut comes = vec![false; ids.len()];
                for (at, (key, id)) in wanted.iter().enumerate() {
                    let is_own = runs.is_valid(at) && runs.value(at) == run_id;
                    if added.contains_key(*id) || !seen.insert((*id).to_owned()) || is_own {
                        continue;
                    }
                    if let Some(rows) = kept.get_mut(&images.threads[at]) {
                        *rows += 1;
                        continue;
                    }
                    comes[at] = match (hits.get(key), removed.contains(*id)) {
                        (Some(hit), false) => {
                            self.take_place(hit, id);
                            true
                        }
                        (None, true) => {
                            self.added.push(((*id).to_owned(), images.threads[at]));
                            true
                        }
                        (None, false) => {
                            self.retired += 1;
                            false
                        }
                        // Somebody has brought it again.
                        (Some(_), true) => false,
                    };
                }
                let rows = filter_record_batch(&images.rows, &BooleanArray::from(comes))
                    .map_err(StoreError::rows)?;
                if rows.num_rows() > 0 {
                    self.back.push(rows);
                }
            }
            added.extend(it.added.iter().filter(|(id, _)| !seen.contains(id)).cloned());
        }
        let wanted: Vec<(Key, &str)> = added
            .iter()
            .filter(|(_, thread)| !kept.contains_key(thread))
            .map(|(id, _)| (Key::of(id.as_bytes()), id.as_str()))
            .collect();
        for hit in index.find(&sources.table.data, &HashSet::new(), &wanted)?.into_values() {
            self.gone.entry(hit.file).or_default().insert(hit.row);
        }
        for thread in added.values() {
            if let Some(rows) = kept.get_mut(thread) {
                *rows += 1;
            }
        }
        Ok(())
    }

    fn take_place(&mut self, hit: &Hit, id: &str) {
        self.gone.entry(hit.file.clone()).or_default().insert(hit.row);
        self.replaced.insert(id.to_owned());
    }

    /// Works out which entries go back: those of threads and units that do.
    fn settle_entries(
        &mut self,
        sources: &Sources<'_>,
        index: &mut Index,
        replaced: Vec<Replaced>,
        held: &BTreeMap<Number, String>,
    ) -> Result<(), StoreError> {
        let connection = &sources.catalog.connection;
        let failed = |error| sources.catalog.error(error);
        let mut shapes: HashMap<String, Shape> = HashMap::new();
        let held_units = units_of(sources, held).map_err(failed)?;
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut net: Vec<Entry> = Vec::new();
        for entry in replaced.into_iter().flat_map(|it| it.entries) {
            if !shapes.contains_key(&entry.table) {
                let shape = Shape::of(connection, &entry.table).map_err(failed)?;
                shapes.insert(entry.table.clone(), shape);
            }
            let name = format!("{} {}", entry.table, serde_json::Value::from(entry.key.clone()));
            match places.get(&name) {
                Some(at) => net[*at].new = entry.new,
                None => {
                    places.insert(name, net.len());
                    net.push(entry);
                }
            }
        }
        let copies: Vec<(Key, &str)> = net
            .iter()
            .filter(|entry| entry.table == "own_copies")
            .filter_map(|entry| entry.key.first()?.as_str())
            .map(|id| (Key::of(id.as_bytes()), id))
            .collect();
        let hits = index.find(&sources.table.data, &HashSet::new(), &copies)?;
        let is_held_copy = |id: &str| {
            let hit = hits.get(&Key::of(id.as_bytes()));
            let owner = hit.and_then(|hit| index.owner(hit.owner));
            owner
                .and_then(|owner| sources.threads.of_row(owner))
                .is_some_and(|it| held.contains_key(&it))
        };
        let is_held = |entry: &Entry| {
            let keys = &shapes[&entry.table].keys;
            let text = |name| entry.cell(name, keys).and_then(serde_json::Value::as_str);
            match entry.table.as_str() {
                "own_copies" => text("part_id").is_some_and(is_held_copy),
                "facts" => text("thread_id")
                    .and_then(|id| sources.threads.number_of(id))
                    .is_some_and(|thread| held.contains_key(&thread)),
                "units" | "checkpoints" | "counters" => {
                    text("provider").zip(text("unit_id")).is_some_and(|(provider, unit)| {
                        held_units.units.contains(&(provider.to_owned(), unit.to_owned()))
                    })
                }
                "inputs" | "quarantine" => {
                    text("input_id").is_some_and(|id| held_units.inputs.contains(id))
                }
                _ => threads_of(entry, keys, sources.threads)
                    .iter()
                    .any(|thread| held.contains_key(thread)),
            }
        };
        net.retain(|entry| !is_held(entry));
        let is_new = |entry: &&Entry| entry.table == "sessions" && entry.old.is_none();
        self.new_threads =
            net.iter().filter(is_new).filter_map(|entry| entry.key.first()?.as_i64()).collect();
        net.reverse();
        self.entries = net;
        Ok(())
    }
}

/// Returns the names of threads that a run removed, by the numbers that they had.
fn names(replaced: &[Replaced]) -> BTreeMap<Number, String> {
    let sessions = replaced.iter().flat_map(|it| &it.entries).filter(|it| it.table == "sessions");
    let name = |entry: &Entry| {
        let name = entry.cell("thread_id", &[])?.as_str()?;
        Some((entry.key.first()?.as_i64()?, name.to_owned()))
    };
    sessions.filter_map(name).collect()
}

/// Returns the ids of rows that were removed in the end.
fn removed(replaced: &[Replaced]) -> Option<HashSet<&str>> {
    let mut removed = HashSet::new();
    for images in replaced.iter().filter_map(|it| it.images.as_ref()) {
        let ids = images.rows.column_by_name("part_id")?.as_string_opt::<i32>()?;
        for (id, fate) in ids.iter().zip(&images.fates) {
            match (id, fate) {
                (Some(id), Was::Removed) => removed.insert(id),
                (Some(id), Was::Replaced) => removed.remove(id),
                (None, _) => false,
            };
        }
    }
    Some(removed)
}

/// What stands in the place of a run where a purge took parts of a thread.
const PURGED_SINCE: &str = "a purge";

/// Says why a run cannot be undone, if it cannot.
fn check(connection: &Connection, run_id: &str) -> rusqlite::Result<Result<(), UndoError>> {
    if let Err(error) = stands(connection, run_id)? {
        return Ok(Err(error));
    }
    let (status, undo): (String, Option<String>) = connection.query_row(
        "SELECT status, undo FROM runs WHERE run_id = ?1",
        [run_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let run_id = run_id.to_owned();
    if status == "running" {
        return Ok(Err(UndoError::Running { run_id }));
    }
    Ok(match undo.as_deref() {
        Some(log::KEPT) => Ok(()),
        Some(log::TOO_LARGE) => Err(UndoError::TooLarge { run_id }),
        Some(log::AGED) => Err(UndoError::Aged { run_id }),
        Some(log::PURGED) => Err(UndoError::Purged { run_id }),
        _ => Err(UndoError::Older { run_id }),
    })
}

/// Says why what a run did does not stand, if it does not.
pub(super) fn stands(
    connection: &Connection,
    run_id: &str,
) -> rusqlite::Result<Result<(), UndoError>> {
    let found = connection
        .query_row("SELECT dry_run, undone_by FROM runs WHERE run_id = ?1", [run_id], |row| {
            Ok((row.get::<_, bool>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    let run_id = run_id.to_owned();
    Ok(match found {
        None => Err(UndoError::Unknown { run_id }),
        Some((true, _)) => Err(UndoError::Dry { run_id }),
        Some((_, Some(by))) => Err(UndoError::Undone { run_id, by }),
        Some(_) => Ok(()),
    })
}

/// Returns the threads that parts were purged of.
fn buried(connection: &Connection) -> rusqlite::Result<Vec<Number>> {
    connection
        .prepare("SELECT DISTINCT thread FROM graves")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// What some threads were read from.
#[derive(Default)]
struct Units {
    inputs: HashSet<String>,
    units: HashSet<(String, String)>,
}

fn units_of(sources: &Sources<'_>, threads: &BTreeMap<Number, String>) -> rusqlite::Result<Units> {
    let mut of = Units::default();
    let mut unit = sources
        .catalog
        .connection
        .prepare("SELECT provider, unit_id FROM inputs WHERE input_id = ?1")?;
    for known in threads.keys().filter_map(|thread| sources.threads.get(*thread)) {
        for input_id in known.inputs() {
            let found = unit.query_row([input_id], |row| Ok((row.get(0)?, row.get(1)?)));
            of.units.extend(found.optional()?);
            of.inputs.insert(input_id.clone());
        }
    }
    Ok(of)
}
