//! What is read together: a session, out of a database or out of its documents.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::sqlite::{Problem, Query, for_each};
use hyp_sdk::{Entry, Ignored, Note, Peek, PlanResult, Unit};

use crate::{DATABASES, STORAGE};

/// How a session of a database is told from what it was: how many records, and when they were written.
const SESSIONS: &str = "\
    select id, max(changed), sum(records), sum(print) from (\
      select id, time_updated as changed, 1 as records, time_updated % 1000003 as print from session \
      union all \
      select session_id, max(time_updated), count(*), sum(time_updated % 1000003) from message group by 1 \
      union all \
      select session_id, max(time_updated), count(*), sum(time_updated % 1000003) from part group by 1\
    ) group by id";

/// Groups entries into sessions.
pub(crate) fn plan(entries: &[Entry], peek: &mut dyn Peek, notes: &mut Vec<Note>) -> PlanResult {
    let mut plan = PlanResult { units: Vec::new(), ignored: Vec::new() };
    let mut moved = BTreeSet::new();
    for (index, entry) in of_root(entries, DATABASES) {
        match sessions(index, peek) {
            Ok(Some(sessions)) => {
                plan.units.extend(sessions.into_iter().map(|(id, stamp, changed)| {
                    let is_first = moved.insert(id.clone());
                    let unit =
                        if is_first { id.clone() } else { format!("{id} in {}", entry.path) };
                    Unit::new(unit, vec![index]).context(id).stamp(stamp, changed)
                }))
            }
            Ok(None) => {
                let kind = "database without history".to_owned();
                plan.ignored.push(Ignored { entry: index, kind });
            }
            Err(problem) => {
                // Whoever reads the unit is told what is wrong with the file.
                let note = Note::new("database_unreadable");
                notes.push(
                    note.attribute("path", &entry.path).attribute("reason", problem.reason()),
                );
                plan.units.push(Unit::new(entry.path.clone(), vec![index]));
            }
        }
    }
    documents(entries, &moved, &mut plan);
    plan
}

/// Id, fingerprint, last change.
type Found = (String, String, Option<i64>);

/// Returns the sessions of a database; nothing where it has no table for them.
fn sessions(index: u32, peek: &mut dyn Peek) -> Result<Option<Vec<Found>>, Problem> {
    let mut found = Vec::new();
    let mut database = peek.database(index)?;
    if database.columns("session")?.is_empty() {
        return Ok(None);
    }
    for_each(&mut *database, &Query::new("session", SESSIONS), |row| {
        let Some(id) = row.non_empty(0) else { return };
        let number = |column| row.integer(column).unwrap_or_default();
        let stamp = format!("{} {} {}", number(1), number(2), number(3));
        found.push((id, stamp, row.integer(1).and_then(|millis| millis.checked_mul(1000))));
    })?;
    Ok(Some(found))
}

/// Makes units of documents. Each says in its path what it is of: `session/PROJECT/ID.json`, `message/SESSION/ID.json`,
/// `part/MESSAGE/ID.json`. A message comes before its parts.
fn documents(entries: &[Entry], moved: &BTreeSet<String>, plan: &mut PlanResult) {
    let mut sessions: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut messages: BTreeMap<&str, Vec<(&str, u32)>> = BTreeMap::new();
    let mut parts: BTreeMap<&str, Vec<(&str, u32)>> = BTreeMap::new();
    for (index, entry) in of_root(entries, STORAGE) {
        let mut names = entry.path.trim_end_matches(".json").splitn(3, '/');
        let (Some(kind), Some(of), Some(id)) = (names.next(), names.next(), names.next()) else {
            continue;
        };
        match kind {
            "session" => sessions.entry(id).or_default().push(index),
            "message" => messages.entry(of).or_default().push((id, index)),
            _ => parts.entry(of).or_default().push((id, index)),
        }
    }
    for session in messages.keys() {
        sessions.entry(session).or_default();
    }
    for (session, mut inputs) in sessions {
        let mut messages = messages.remove(session).unwrap_or_default();
        messages.sort_unstable();
        for (message, index) in messages {
            inputs.push(index);
            let mut parts = parts.remove(message).unwrap_or_default();
            parts.sort_unstable();
            inputs.extend(parts.into_iter().map(|(_, index)| index));
        }
        if moved.contains(session) {
            let ignored = |entry| Ignored { entry, kind: "moved into the database".to_owned() };
            plan.ignored.extend(inputs.into_iter().map(ignored));
        } else {
            plan.units.push(Unit::new(session, inputs).context(session));
        }
    }
    let orphans = parts.into_values().flatten();
    plan.ignored.extend(
        orphans.map(|(_, entry)| Ignored { entry, kind: "part without its message".to_owned() }),
    );
}

fn of_root<'e>(entries: &'e [Entry], root: &'e str) -> impl Iterator<Item = (u32, &'e Entry)> {
    (0..).zip(entries).filter(move |(_, entry)| entry.root == root)
}
