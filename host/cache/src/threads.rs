//! Threads by number, and which of two came first.

use std::cmp::Ordering;
use std::collections::HashMap;

use hyp_model::event::ThreadKind;
use hyp_model::judge::ThreadFacts;
use rusqlite::{Connection, Row, params};

use crate::ledger::number as count;

/// Number of a thread in this store.
pub(crate) type Number = i64;

/// A thread as far as copies matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) thread_id: String,
    pub(crate) started_at: Option<i64>,
    pub(crate) input_id: String,
    pub(crate) session_id: String,
    pub(crate) conversation_id: Option<String>,
    pub(crate) client: String,
}

/// Columns of a row that tell its thread: session, conversation, input.
pub(crate) type Owner = (String, Option<String>, String);

/// All threads of a store, and those that are about to be.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    by_number: HashMap<Number, Known>,
    by_id: HashMap<String, Number>,
    by_owner: HashMap<Owner, Number>,
    next: Number,
}

impl Threads {
    /// Reads the threads of a store.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut threads = Self { next: 1, ..Self::default() };
        let mut statement = connection.prepare(
            "SELECT number, thread_id, started_at, input_id, session_id, conversation_id, client_name
             FROM sessions",
        )?;
        let known = |row: &Row<'_>| {
            Ok((
                row.get(0)?,
                Known {
                    thread_id: row.get(1)?,
                    started_at: row.get(2)?,
                    input_id: row.get(3)?,
                    session_id: row.get(4)?,
                    conversation_id: row.get(5)?,
                    client: row.get(6)?,
                },
            ))
        };
        for row in statement.query_map([], known)? {
            let (number, known) = row?;
            threads.put(number, known);
        }
        Ok(threads)
    }

    fn put(&mut self, number: Number, known: Known) {
        self.next = self.next.max(number + 1);
        self.by_id.insert(known.thread_id.clone(), number);
        self.by_owner.insert(owner_of(&known), number);
        self.by_number.insert(number, known);
    }

    /// Returns the number of a thread, new or known; what is known of it is brought up to date.
    pub(crate) fn number(&mut self, facts: &ThreadFacts) -> Number {
        let arriving = Known {
            thread_id: facts.thread_id.clone(),
            started_at: facts.started_at,
            input_id: facts.input_id.clone(),
            session_id: facts.session_id.clone(),
            conversation_id: facts.conversation_id.clone(),
            client: client_of(&facts.client).to_owned(),
        };
        let Some(number) = self.by_id.get(&facts.thread_id).copied() else {
            let number = self.next;
            self.put(number, arriving);
            return number;
        };
        let known = self.by_number.get(&number);
        if known.is_none_or(|known| facts.input_id <= known.input_id) {
            self.put(number, arriving);
        } else {
            self.by_owner.insert(owner_of(&arriving), number);
        }
        number
    }

    pub(crate) fn get(&self, number: Number) -> Option<&Known> {
        self.by_number.get(&number)
    }

    /// Returns the thread that a stored row is of.
    pub(crate) fn of_row(&self, owner: &Owner) -> Option<Number> {
        self.by_owner.get(owner).copied()
    }

    /// Says which of two threads began first.
    pub(crate) fn order(&self, a: Number, b: Number) -> Ordering {
        let key = |number| {
            let known = self.by_number.get(&number);
            let started = known.and_then(|known| known.started_at).unwrap_or(i64::MAX);
            (known.is_none(), started, known.map(|known| known.thread_id.as_str()))
        };
        key(a).cmp(&key(b))
    }

    /// Says whether `a` began before `b`.
    pub(crate) fn is_earlier(&self, a: Number, b: Number) -> bool {
        self.order(a, b) == Ordering::Less
    }
}

fn owner_of(known: &Known) -> Owner {
    (known.session_id.clone(), known.conversation_id.clone(), known.input_id.clone())
}

/// Returns the client's name as rows carry it.
pub(crate) fn client_of(client: &str) -> &str {
    if client.is_empty() { "unknown" } else { client }
}

/// Writes threads under their numbers; of two recordings of one, that with the lesser input id stands.
pub(crate) fn put(
    connection: &Connection,
    facts: &[(Number, ThreadFacts)],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "INSERT INTO sessions VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
         ON CONFLICT (thread_id) DO UPDATE SET
             provider = excluded.provider, session_id = excluded.session_id,
             conversation_id = excluded.conversation_id, input_id = excluded.input_id,
             client_name = excluded.client_name, kind = excluded.kind,
             started_at = excluded.started_at, first_at = excluded.first_at,
             last_at = excluded.last_at, forked_from = excluded.forked_from,
             parent_thread_id = excluded.parent_thread_id,
             root_thread_id = excluded.root_thread_id, cwd = excluded.cwd,
             messages = excluded.messages, parts = excluded.parts,
             may_start_with_copy = excluded.may_start_with_copy
         WHERE excluded.input_id <= input_id",
    )?;
    for (number, thread) in facts {
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
    }
    Ok(())
}
