//! A purge that keeps copies: what stays is as if the purged rows had never been read.
//!
//! Rows that another thread saw as well are handed over to it. The keys by which copies are told are taken
//! anew from the rows that stay, and copies are judged again: what was copied from a purged row is an
//! original now, and has its tokens back. All of it comes from the store; recordings that were handed a
//! row are read again by the next import, if they are still there, since only they know the rest of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use hyp_model::judge::Candidate;
use hyp_model::row::Key;
use rusqlite::{Connection, params};

use crate::commit::Commit;
use crate::error::StoreError;
use crate::gather::Work;
use crate::heir::Heir;
use crate::judge::{Change, Correction, Judgement};
use crate::kin::{Kin, keys};
use crate::own::Place;
use crate::purge::ledgers::{is_whole, take_sightings};
use crate::purge::select::{Picked, Selection};
use crate::rows;
use crate::threads::{Number, Threads};
use crate::writer::Writer;

/// Columns that tell the keys of a row.
const KEYED: [&str; 4] = ["part_id", "message_index", "response_id", "tool_call_id"];

impl Writer {
    /// Settles what stays, and returns the rows that change by it.
    pub(super) fn settle_without(
        &mut self,
        selection: &Selection,
        left: &HashSet<Number>,
    ) -> Result<Work, StoreError> {
        let touched = &selection.threads;
        for thread in &selection.chosen {
            if let Some(known) = self.threads.get(*thread) {
                self.catalog
                    .connection
                    .execute("DELETE FROM sightings WHERE thread_id = ?1", [&known.thread_id])
                    .map_err(|error| self.catalog.error(error))?;
            }
        }
        // Where rows are asked for by what they say themselves, every sighting of them says the same.
        let heirs = match selection.chosen.is_empty() {
            true => BTreeMap::new(),
            false => self.heirs(selection)?,
        };
        if heirs.is_empty() {
            take_sightings(&self.catalog.connection, &selection.ids)
                .map_err(|error| self.catalog.error(error))?;
        }
        let mut claims = HashMap::new();
        for thread in touched {
            if !is_whole(selection, left, thread) {
                claims.insert(*thread, self.keys_left(*thread, selection)?);
            }
        }
        let relatives: BTreeSet<Number> = touched
            .iter()
            .flat_map(|thread| {
                let kin = self.kin.of(*thread).map(|(other, _)| other);
                kin.chain(self.threads.forks(*thread))
            })
            .collect();
        self.forget(selection, left)?;
        let connection = &self.catalog.connection;
        replace_claims(connection, touched, &claims).map_err(|error| self.catalog.error(error))?;
        for heir in heirs.values() {
            connection
                .execute(
                    "UPDATE units SET fingerprint = '' WHERE (provider, unit_id) IN
                     (SELECT provider, unit_id FROM inputs WHERE input_id = ?1)",
                    [&heir.input_id],
                )
                .map_err(|error| self.catalog.error(error))?;
        }
        self.threads = Threads::load(connection).map_err(|error| self.catalog.error(error))?;
        self.kin = Kin::load(connection).map_err(|error| self.catalog.error(error))?;

        let (rows, places) = self.handed_over(selection, &heirs);
        let mut affected: BTreeSet<Number> = relatives.union(touched).copied().collect();
        affected.extend(places.iter().map(|place| place.thread));
        affected.retain(|thread| self.threads.get(*thread).is_some());
        let gone: HashSet<&str> = selection.ids.iter().map(String::as_str).collect();
        let mut judgement = Judgement::default();
        self.trace_left(&rows, &places, gone, &affected, &mut judgement)?;
        let mut corrections: Vec<Correction> = heirs
            .into_iter()
            .map(|(part_id, heir)| Correction { part_id, change: Change::HandOver(Box::new(heir)) })
            .collect();
        corrections.extend(judgement.corrections);
        self.gather(&Commit { corrections, ..Commit::default() })
    }

    /// Returns who gets rows that go: of the threads that saw one, the earliest that stays.
    fn heirs(&self, selection: &Selection) -> Result<BTreeMap<String, Heir>, StoreError> {
        let mut heirs: BTreeMap<String, (Number, Heir)> = BTreeMap::new();
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.catalog.connection.prepare(
                "SELECT g.part_id, g.message_index, g.input_id, g.offset, g.length, s.number,
                        s.client_name, s.started_at, s.cwd, s.parent_thread_id, s.root_thread_id,
                        s.forked_from, s.session_id, s.conversation_id
                 FROM sightings g JOIN sessions s ON s.thread_id = g.thread_id",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let part_id: String = row.get(0)?;
                let thread: Number = row.get(5)?;
                if !selection.ids.contains(&part_id) {
                    continue;
                }
                let heir = Heir {
                    message_index: row.get(1)?,
                    input_id: row.get(2)?,
                    offset: row.get(3)?,
                    length: row.get(4)?,
                    client: row.get(6)?,
                    started_at: row.get(7)?,
                    cwd: row.get(8)?,
                    parent_thread_id: row.get(9)?,
                    root_thread_id: row.get(10)?,
                    forked_from: row.get(11)?,
                    session_id: row.get(12)?,
                    conversation_id: row.get(13)?,
                };
                let is_first = heirs.get(&part_id).is_none_or(|(other, known)| {
                    let order = self.threads.order(thread, *other);
                    order.then_with(|| heir.input_id.cmp(&known.input_id)).is_lt()
                });
                if is_first {
                    heirs.insert(part_id, (thread, heir));
                }
            }
            Ok(())
        };
        read().map_err(|error| self.catalog.error(error))?;
        let connection = &self.catalog.connection;
        let mut settled = BTreeMap::new();
        for (part_id, (thread, heir)) in heirs {
            let known = self.threads.get(thread).map(|known| known.thread_id.as_str());
            connection
                .execute(
                    "DELETE FROM sightings WHERE part_id = ?1 AND thread_id = ?2 AND input_id = ?3",
                    params![part_id, known, heir.input_id],
                )
                .map_err(|error| self.catalog.error(error))?;
            settled.insert(part_id, heir);
        }
        Ok(settled)
    }

    /// Returns the rows that get another thread, as that thread tells them.
    fn handed_over(
        &mut self,
        selection: &Selection,
        heirs: &BTreeMap<String, Heir>,
    ) -> (Vec<Candidate>, Vec<Place>) {
        let picked: HashMap<&str, &Picked> =
            selection.picked().map(|picked| (picked.part_id.as_str(), picked)).collect();
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        for (part_id, heir) in heirs {
            let Some(picked) = picked.get(part_id.as_str()) else { continue };
            let owner =
                (heir.session_id.clone(), heir.conversation_id.clone(), heir.input_id.clone());
            let Some(thread) = self.threads.of_row(&owner) else { continue };
            places.push(Place { thread, input: self.own.input(&heir.input_id) });
            rows.push(Candidate {
                part_id: part_id.clone(),
                thread: rows.len(),
                message_index: heir.message_index,
                response_id: None,
                call_id: None,
                said_key: picked.grave.said_key,
                created_at: picked.created_at,
                is_replay: false,
                replay_of: None,
                is_forgotten: false,
                span: picked.span,
            });
        }
        (rows, places)
    }

    /// Returns the keys of a thread that stay: those of its rows, and of rows of others that it saw.
    fn keys_left(
        &mut self,
        thread: Number,
        selection: &Selection,
    ) -> Result<HashMap<Key, i32>, StoreError> {
        let mut last = HashMap::new();
        let Some(known) = self.threads.get(thread).cloned() else { return Ok(last) };
        let own: HashMap<String, i32> = rows::of_thread(&self.table.data, &known)?
            .into_iter()
            .filter(|part| !selection.ids.contains(&part.part_id))
            .map(|part| (part.part_id, part.message_index))
            .collect();
        let seen = || -> rusqlite::Result<Vec<(String, i32)>> {
            self.catalog
                .connection
                .prepare("SELECT part_id, message_index FROM sightings WHERE thread_id = ?1")?
                .query_map([&known.thread_id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let mut messages = own;
        messages.extend(seen().map_err(|error| self.catalog.error(error))?);
        let wanted: Vec<(Key, &str)> =
            messages.keys().map(|id| (Key::of(id.as_bytes()), id.as_str())).collect();
        let hits = self.index.find(&self.table.data, &HashSet::new(), &wanted)?;
        let mut places: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for hit in hits.into_values() {
            places.entry(hit.file).or_default().insert(hit.row);
        }
        for (file, positions) in places {
            let path = self.store.layout().resolve(&file);
            let batch = rows::columns_at(&path, &positions, &KEYED)?;
            note_keys(&batch, &messages, &mut last)
                .ok_or_else(|| StoreError::damaged(&path, "columns are missing"))?;
        }
        Ok(last)
    }
}

fn note_keys(
    batch: &RecordBatch,
    messages: &HashMap<String, i32>,
    last: &mut HashMap<Key, i32>,
) -> Option<()> {
    let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
    let (ids, responses, calls) = (text(KEYED[0])?, text(KEYED[2])?, text(KEYED[3])?);
    batch.column_by_name(KEYED[1])?.as_primitive_opt::<Int32Type>()?;
    for at in 0..batch.num_rows() {
        let Some(index) = messages.get(ids.value(at)) else { continue };
        let of = |column: &arrow::array::StringArray| {
            column.is_valid(at).then(|| column.value(at).to_owned())
        };
        let (response, call) = (of(responses), of(calls));
        for key in keys(ids.value(at), response.as_deref(), call.as_deref()) {
            let most = last.entry(key).or_insert(*index);
            *most = (*most).max(*index);
        }
    }
    Some(())
}

/// Replaces the keys of threads, and what they share with others.
fn replace_claims(
    connection: &Connection,
    threads: &BTreeSet<Number>,
    claims: &HashMap<Number, HashMap<Key, i32>>,
) -> rusqlite::Result<()> {
    for thread in threads {
        connection.execute("DELETE FROM claims WHERE thread = ?1", [thread])?;
        connection.execute("DELETE FROM kin WHERE thread = ?1 OR other = ?1", [thread])?;
    }
    for (thread, keys) in claims {
        for (key, index) in keys {
            connection
                .prepare("INSERT INTO claims VALUES (?1, ?2, ?3)")?
                .execute(params![key.0, thread, index])?;
        }
    }
    for thread in claims.keys() {
        for (mine, theirs) in [("a", "b"), ("b", "a")] {
            connection.execute(
                &format!(
                    "INSERT OR REPLACE INTO kin
                     SELECT {mine}.thread, {theirs}.thread, max({mine}.last_index)
                     FROM claims a JOIN claims b ON a.key = b.key AND a.thread <> b.thread
                     WHERE a.thread = ?1 GROUP BY b.thread"
                ),
                [thread],
            )?;
        }
    }
    Ok(())
}
