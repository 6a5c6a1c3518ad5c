//! Threads by number.

mod order;

use std::collections::{BTreeSet, HashMap};

use hyp_model::event::{Fact, ThreadKind};
use hyp_model::judge::ThreadFacts;
use hyp_model::row::Key;
use rusqlite::{Connection, Row, params};

use crate::beginnings::{self, Copied};
use crate::ledger::number as count;
use crate::{catalog, ghosts, recordings};

use order::DEPTH;
pub(crate) use order::{Beginning, Moved};

/// Name of the mark that holds the greatest number of a thread that an undo removed: it may come back.
pub(crate) const THREADS: &str = "hyp.threads";

/// Number of a thread in this store.
pub(crate) type Number = i64;

/// A thread as far as copies matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) thread_id: String,
    pub(crate) started_at: Option<i64>,
    pub(crate) input_id: String,
    /// Other recordings that it lies in.
    pub(crate) others: BTreeSet<String>,
    pub(crate) session_id: String,
    pub(crate) conversation_id: Option<String>,
    pub(crate) client: String,
    pub(crate) forked_from: Option<String>,
    /// True where a fact named the origin, which may know better than the head of the thread.
    pub(crate) is_origin_told: bool,
    /// Key of the thread that this one was forked from, or else of the one that started it.
    pub(crate) origin: Option<Key>,
    /// How much of its beginning can be a copy.
    pub(crate) copied: Copied,
    /// True where everything that the thread held was purged: no name is kept of it.
    pub(crate) is_ghost: bool,
}

/// Columns of a row that tell its thread: session, conversation, input.
pub(crate) type Owner = (String, Option<String>, String);

/// All threads of a store, and those that are about to be.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    by_number: HashMap<Number, Known>,
    by_id: HashMap<Key, Number>,
    by_owner: HashMap<Owner, Number>,
    /// Threads by the one that they name as their origin.
    forks: HashMap<Key, BTreeSet<Number>>,
    /// Threads by the moment at which they began.
    by_start: HashMap<Option<i64>, BTreeSet<Number>>,
    next: Number,
}

impl Threads {
    /// Reads the threads of a store.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let known: i64 = catalog::mark(connection, THREADS)?
            .and_then(|mark| mark.parse().ok())
            .unwrap_or_default();
        let mut threads = Self { next: known + 1, ..Self::default() };
        let mut statement = connection.prepare(
            "SELECT number, sessions.thread_id, started_at, input_id, session_id, conversation_id, client_name,
                    coalesce(told.value, forked_from), parent_thread_id, told.value IS NOT NULL
             FROM sessions LEFT JOIN facts told
                ON told.thread_id = sessions.thread_id AND told.name = ?1",
        )?;
        let known = |row: &Row<'_>| {
            let (forked_from, parent): (Option<String>, Option<String>) =
                (row.get(7)?, row.get(8)?);
            Ok((
                row.get(0)?,
                Known {
                    thread_id: row.get(1)?,
                    started_at: row.get(2)?,
                    input_id: row.get(3)?,
                    others: BTreeSet::new(),
                    session_id: row.get(4)?,
                    conversation_id: row.get(5)?,
                    client: row.get(6)?,
                    origin: origin(&forked_from, &parent),
                    forked_from,
                    is_origin_told: row.get(9)?,
                    copied: Copied::default(),
                    is_ghost: false,
                },
            ))
        };
        for row in statement.query_map([Fact::FORKED_FROM], known)? {
            let (number, known) = row?;
            threads.put(number, key_of(&known.thread_id), known);
        }
        for (number, input_id) in recordings::load(connection)? {
            threads.add_recording(number, input_id);
        }
        for (number, key, known) in ghosts::load(connection)? {
            threads.put(number, key, known);
        }
        for (number, copied) in beginnings::load(connection)? {
            if let Some(known) = threads.by_number.get_mut(&number) {
                known.copied = copied;
            }
        }
        Ok(threads)
    }

    fn put(&mut self, number: Number, key: Key, known: Known) {
        self.next = self.next.max(number + 1);
        self.by_id.insert(key, number);
        if !known.is_ghost {
            self.by_owner.extend(owners(&known).map(|owner| (owner, number)));
        }
        if let Some(origin) = known.origin {
            self.forks.entry(origin).or_default().insert(number);
        }
        self.by_start.entry(known.started_at).or_default().insert(number);
        let (start, origin) = (known.started_at, known.origin);
        let Some(before) = self.by_number.insert(number, known) else { return };
        if before.started_at != start
            && let Some(tied) = self.by_start.get_mut(&before.started_at)
        {
            tied.remove(&number);
        }
        if before.origin != origin
            && let Some(forks) = before.origin.and_then(|origin| self.forks.get_mut(&origin))
        {
            forks.remove(&number);
        }
    }

    /// Notes another recording of a thread.
    fn add_recording(&mut self, number: Number, input_id: String) {
        let Some(known) = self.by_number.get_mut(&number) else { return };
        if known.input_id != input_id {
            self.by_owner.insert(known.owner(&input_id), number);
            known.others.insert(input_id);
        }
    }

    /// Returns the number of a thread, new or known; what is known of it is brought up to date.
    ///
    /// Threads that are earlier or later than others because of it are added to `moved`.
    pub(crate) fn number(&mut self, facts: &ThreadFacts, moved: &mut Moved) -> Number {
        let mut arriving = Known {
            thread_id: facts.thread_id.clone(),
            started_at: facts.started_at,
            input_id: facts.input_id.clone(),
            others: BTreeSet::new(),
            session_id: facts.session_id.clone(),
            conversation_id: facts.conversation_id.clone(),
            client: client_of(&facts.client).to_owned(),
            forked_from: facts.forked_from.clone(),
            is_origin_told: false,
            origin: origin(&facts.forked_from, &facts.parent_thread_id),
            copied: Copied::default(),
            is_ghost: false,
        };
        let key = key_of(&facts.thread_id);
        let Some(number) = self.by_id.get(&key).copied() else {
            let number = self.next;
            let before = self.places_below(key);
            self.put(number, key, arriving);
            self.note_moved(before, moved);
            return number;
        };
        let Some(known) = self.by_number.get(&number) else { return number };
        arriving.copied = known.copied;
        if known.is_ghost {
            arriving.thread_id.clone_from(&known.thread_id);
            arriving.is_ghost = true;
        }
        if facts.input_id > known.input_id {
            // Rows carry what their own recording says of session and conversation.
            self.by_owner.insert(arriving.owner(&arriving.input_id), number);
            self.add_recording(number, arriving.input_id);
            return number;
        }
        arriving.others = known.inputs().filter(|it| **it != arriving.input_id).cloned().collect();
        arriving.started_at = arriving.started_at.or(known.started_at);
        if known.is_origin_told || arriving.forked_from.is_none() {
            arriving.forked_from.clone_from(&known.forked_from);
            arriving.is_origin_told = known.is_origin_told;
            arriving.origin = known.origin.or(arriving.origin);
        }
        if arriving.started_at != known.started_at || arriving.origin != known.origin {
            moved.entry(number).or_insert(self.beginning(number));
            let before = self.places_below(key);
            self.put(number, key, arriving);
            self.note_moved(before, moved);
        } else {
            self.put(number, key, arriving);
        }
        number
    }

    /// Forgets the name of a thread: all that it held is purged.
    pub(crate) fn lay_to_rest(&mut self, number: Number) {
        let Some(known) = self.by_number.get_mut(&number) else { return };
        if !known.is_ghost {
            for owner in owners(known) {
                self.by_owner.remove(&owner);
            }
            known.thread_id = ghosts::name(key_of(&known.thread_id));
            known.is_ghost = true;
        }
    }

    /// Gives a thread its name back: it holds something that is not purged.
    pub(crate) fn revive(&mut self, number: Number, facts: &ThreadFacts) {
        let Some(known) = self.by_number.get_mut(&number).filter(|known| known.is_ghost) else {
            return;
        };
        known.thread_id.clone_from(&facts.thread_id);
        known.is_ghost = false;
        self.by_owner.extend(owners(known).map(|owner| (owner, number)));
    }

    /// Says whether all that a thread held is purged.
    pub(crate) fn is_ghost(&self, number: Number) -> bool {
        self.get(number).is_some_and(|known| known.is_ghost)
    }

    /// Notes where a thread was forked from.
    ///
    /// What is told last stands: the head of a fork of a fork may name the first origin.
    pub(crate) fn learn_fork(&mut self, thread_id: &str, origin: &str, moved: &mut Moved) {
        let key = key_of(thread_id);
        let Some(number) = self.by_id.get(&key).copied() else { return };
        let Some(known) = self.by_number.get_mut(&number) else { return };
        known.is_origin_told = true;
        if known.forked_from.as_deref() != Some(origin) {
            moved.entry(number).or_insert(self.beginning(number));
            let places = self.places_below(key);
            let Some(known) = self.by_number.get_mut(&number) else { return };
            known.forked_from = Some(origin.to_owned());
            let before = known.origin.replace(key_of(origin));
            if let Some(forks) = before.and_then(|before| self.forks.get_mut(&before)) {
                forks.remove(&number);
            }
            self.forks.entry(key_of(origin)).or_default().insert(number);
            self.note_moved(places, moved);
        }
    }

    /// Notes how much of a thread can be a copy, where more can than was known so far; returns its number then.
    pub(crate) fn learn_copied(
        &mut self,
        thread_id: &str,
        copied: Copied,
        moved: &mut Moved,
    ) -> Option<Number> {
        let number = self.number_of(thread_id)?;
        self.by_number.get(&number).filter(|known| known.copied < copied)?;
        let tied: Vec<Number> = self.tied(number).collect();
        let earlier =
            |it: &Self| tied.iter().filter(|other| it.is_earlier(**other, number)).count();
        let before = earlier(self);
        self.by_number.get_mut(&number)?.copied = copied;
        if earlier(self) > before {
            moved.entry(number).or_insert(self.beginning(number));
        }
        Some(number)
    }

    /// Returns the number of the next thread that is new.
    pub(crate) fn next(&self) -> Number {
        self.next
    }

    /// Says whether a thread was ever seen.
    pub(crate) fn is_known(&self, thread_id: &str) -> bool {
        self.by_id.contains_key(&key_of(thread_id))
    }

    /// Returns the number of a thread.
    pub(crate) fn number_of(&self, thread_id: &str) -> Option<Number> {
        self.by_id.get(&key_of(thread_id)).copied()
    }

    pub(crate) fn get(&self, number: Number) -> Option<&Known> {
        self.by_number.get(&number)
    }

    /// Returns the thread that a stored row is of.
    pub(crate) fn of_row(&self, owner: &Owner) -> Option<Number> {
        self.by_owner.get(owner).copied()
    }

    /// Returns the other threads that began at the same moment as one, by their times or by its place among them.
    pub(crate) fn tied(&self, number: Number) -> impl Iterator<Item = Number> + '_ {
        let own = self.get(number).map(|known| known.started_at);
        let place = Some(self.beginning(number).1).filter(|at| Some(Some(*at)) != own);
        let starts = own.into_iter().chain(place.map(Some));
        let ties = starts.filter_map(|start| self.by_start.get(&start)).flatten();
        ties.copied().filter(move |other| *other != number)
    }

    /// Returns the threads that one comes from, the nearest first.
    pub(crate) fn origins(&self, number: Number) -> impl Iterator<Item = Number> + '_ {
        let origin = |number: &Number| {
            let origin = self.get(*number)?.origin?;
            self.by_id.get(&origin).copied()
        };
        std::iter::successors(origin(&number), origin).take(DEPTH)
    }

    /// Says whether what a thread says it copied can be a copy: not where it names an origin that is not stored.
    pub(crate) fn has_origin(&self, number: Number) -> bool {
        let named = self.get(number).and_then(|known| known.forked_from.as_deref());
        named.is_none_or(|origin| self.is_known(origin))
    }

    /// Says whether a thread names the one that it was forked from.
    pub(crate) fn is_fork(&self, number: Number) -> bool {
        self.get(number).is_some_and(|known| known.forked_from.is_some())
    }

    /// Returns the threads that say that they were forked from one.
    pub(crate) fn forks(&self, number: Number) -> impl Iterator<Item = Number> + '_ {
        let named = self.get(number).and_then(|known| self.forks.get(&known.key()));
        named.into_iter().flatten().copied().filter(|fork| self.is_fork(*fork))
    }
}

impl Known {
    /// Returns the recordings that it lies in.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.input_id).chain(&self.others)
    }

    /// Says whether it lies in a recording.
    pub(crate) fn is_in(&self, input_id: &str) -> bool {
        self.input_id == input_id || self.others.contains(input_id)
    }

    /// Returns what its rows of a recording are told by.
    fn owner(&self, input_id: &str) -> Owner {
        (self.session_id.clone(), self.conversation_id.clone(), input_id.to_owned())
    }

    /// Returns the key of the thread's name.
    pub(crate) fn key(&self) -> Key {
        ghosts::key(&self.thread_id).unwrap_or_else(|| key_of(&self.thread_id))
    }
}

/// Returns the key of the thread that one was forked from, or else of the one that started it.
fn origin(forked_from: &Option<String>, parent: &Option<String>) -> Option<Key> {
    forked_from.as_deref().or(parent.as_deref()).map(key_of)
}

fn key_of(thread_id: &str) -> Key {
    Key::of(thread_id.as_bytes())
}

fn owners(known: &Known) -> impl Iterator<Item = Owner> {
    known.inputs().map(|input_id| known.owner(input_id))
}

/// Returns the client's name as rows carry it.
pub(crate) fn client_of(client: &str) -> &str {
    if client.is_empty() { "unknown" } else { client }
}

/// Writes threads under their numbers; of two recordings of one, that with the lesser input id says what it is.
pub(crate) fn put<'a>(
    connection: &Connection,
    facts: impl Iterator<Item = &'a (Number, ThreadFacts)>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "INSERT INTO sessions VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
         ON CONFLICT (thread_id) DO UPDATE SET
             provider = excluded.provider, session_id = excluded.session_id,
             conversation_id = excluded.conversation_id, input_id = excluded.input_id,
             client_name = excluded.client_name, kind = excluded.kind,
             started_at = coalesce(excluded.started_at, started_at), first_at = excluded.first_at,
             last_at = excluded.last_at,
             forked_from = coalesce(excluded.forked_from, forked_from),
             parent_thread_id = excluded.parent_thread_id,
             root_thread_id = excluded.root_thread_id, cwd = excluded.cwd,
             messages = excluded.messages, parts = excluded.parts,
             may_start_with_copy = excluded.may_start_with_copy
         WHERE excluded.input_id <= input_id",
    )?;
    for (number, thread) in facts {
        recordings::put_known(connection, &thread.thread_id)?;
        let kind: ThreadKind = thread.kind;
        statement.execute(params![
            number,
            thread.thread_id,
            thread.provider,
            thread.session_id,
            thread.conversation_id,
            thread.input_id,
            client_of(&thread.client),
            kind.as_str(),
            thread.started_at,
            thread.first_at,
            thread.last_at,
            thread.forked_from,
            thread.parent_thread_id,
            thread.root_thread_id,
            thread.cwd,
            count(thread.messages),
            count(thread.parts),
            thread.may_start_with_copy
        ])?;
        recordings::put(connection, *number, thread)?;
    }
    Ok(())
}
