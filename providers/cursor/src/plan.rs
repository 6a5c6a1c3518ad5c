//! Which conversations there are, and how each is told from what it was.

use std::collections::BTreeSet;

use hyp_sdk::sqlite::{Problem, Query, for_each};
use hyp_sdk::{Entry, Ignored, Note, Peek, PlanResult, Unit};

/// Conversations with the time of their last change, the number of their bubbles, and the length of all that. No value is
/// read for its length.
const CONVERSATIONS: &str = "\
    select id, max(changed), sum(bubbles), sum(bytes) from (\
      select substr(key, 14) as id, \
        case when json_valid(cast(value as text)) \
          then json_extract(cast(value as text), '$.lastUpdatedAt') end as changed, \
        0 as bubbles, octet_length(value) as bytes \
      from cursorDiskKV where key >= 'composerData:' and key < 'composerData;' and octet_length(value) <= 33554432 \
      union all \
      select substr(key, 10, instr(substr(key, 10), ':') - 1), null, count(*), sum(octet_length(value)) \
      from cursorDiskKV where key >= 'bubbleId:' and key < 'bubbleId;' group by 1\
    ) where id <> '' group by id";

/// Makes a unit of every conversation.
pub(crate) fn plan(entries: &[Entry], peek: &mut dyn Peek, notes: &mut Vec<Note>) -> PlanResult {
    let mut plan = PlanResult { units: Vec::new(), ignored: Vec::new() };
    let mut taken = BTreeSet::new();
    for (index, entry) in (0..).zip(entries) {
        match conversations(index, peek) {
            Ok(Some(found)) => plan.units.extend(found.into_iter().map(|(id, stamp, changed)| {
                let is_first = taken.insert(id.clone());
                let unit = if is_first { id.clone() } else { format!("{id} in {}", entry.path) };
                Unit::new(unit, vec![index]).context(id).stamp(stamp, changed)
            })),
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
    plan
}

/// Id, fingerprint, last change.
type Found = (String, String, Option<i64>);

/// Returns the conversations of a database; nothing where it has no table for them.
fn conversations(index: u32, peek: &mut dyn Peek) -> Result<Option<Vec<Found>>, Problem> {
    let mut found = Vec::new();
    let mut database = peek.database(index)?;
    if database.columns("cursorDiskKV")?.is_empty() {
        return Ok(None);
    }
    for_each(&mut *database, &Query::new("conversation", CONVERSATIONS), |row| {
        let Some(id) = row.non_empty(0) else { return };
        let number = |column| row.integer(column).unwrap_or_default();
        let stamp = format!("{} {} {}", number(1), number(2), number(3));
        found.push((id, stamp, row.integer(1).and_then(|millis| millis.checked_mul(1000))));
    })?;
    Ok(Some(found))
}
