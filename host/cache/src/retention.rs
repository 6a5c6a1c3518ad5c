//! Rows whose message is older than they are to be kept: removed for good, and left out of later imports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use iceberg::spec::{Operation, PrimitiveLiteral};
use parquet::arrow::ProjectionMask;
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::compaction::Sources;
use crate::error::StoreError;
use crate::layout::Dirty;
use crate::publish::Edit;
use crate::schema::field_id;
use crate::table::{LiveData, Partition};
use crate::upkeep::MEMORY;
use crate::writer::Writer;
use crate::{catalog, failpoint, ledger, source, undo};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Name of the mark that holds the first moment that is kept.
pub(crate) const RETAINED: &str = "hyp.retained-from";

/// Returns the first moment that is kept when messages are kept for some days; none when they are kept forever.
///
/// It is the start of a day, UTC: so a month in part expired is written anew once a day, and not with every import.
pub fn retained_from(days: u32, now: i64) -> Option<i64> {
    let from = now.saturating_sub(i64::from(days).saturating_mul(DAY));
    (days > 0).then(|| from.div_euclid(DAY) * DAY)
}

/// Rows that expired, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Expired {
    /// How many.
    pub rows: u64,
    /// Rows of the table before.
    pub of: u64,
    /// True when they were left where they are: they are most of the table, and nobody said yes.
    pub is_refused: bool,
}

impl Expired {
    /// Says whether more than half of the table goes.
    ///
    /// No day takes that much of a store that is in use. A clock that is wrong does, or a number that was mistyped, or
    /// the first time that somebody limits what is kept: all of these are for a person to confirm.
    fn is_most(&self) -> bool {
        self.rows * 2 > self.of
    }
}

/// What expires of one file.
struct Share<'a> {
    data: &'a LiveData,
    /// Positions of expired rows, ascending, superseded ones left out.
    expired: Vec<u64>,
    is_whole: bool,
}

impl Writer {
    /// Notes that everything is kept.
    pub(crate) fn keep_all(&self) -> Result<(), StoreError> {
        let connection = &self.catalog.connection;
        let keep = || match catalog::mark(connection, RETAINED)? {
            Some(_) => catalog::remove_mark(connection, RETAINED),
            None => Ok(()),
        };
        keep().map_err(|error| self.catalog.error(error))
    }

    /// Removes the rows of messages before a moment.
    pub(crate) fn expire(
        &mut self,
        before: i64,
        may_be_most: bool,
        cancelled: &AtomicBool,
    ) -> Result<Expired, StoreError> {
        let mut sums = Sums::default();
        let mut shares = Vec::new();
        for data in &self.table.data {
            shares.extend(share(data, before, &mut sums)?);
        }
        let left = |data: &LiveData| data.live.file.record_count() - data.deleted.len() as u64;
        let mut expired = Expired {
            rows: shares.iter().map(|share| share.expired.len() as u64).sum(),
            of: self.table.data.iter().map(left).sum(),
            is_refused: false,
        };
        if expired.is_most() && !may_be_most {
            expired.is_refused = true;
            return Ok(expired);
        }
        if expired.rows == 0 {
            self.swap(None, |connection| forget(connection, before))?;
            return Ok(expired);
        }
        failpoint::hit("before_expiry")?;
        let mut dirty = Dirty::default();
        let mut edit = Edit { forgets: true, ..Edit::default() };
        let mut removed: BTreeMap<&Partition, BTreeSet<String>> = BTreeMap::new();
        let mut rewritten: BTreeMap<&Partition, Sources<'_>> = BTreeMap::new();
        for Share { data, expired, is_whole } in &shares {
            let partition = &data.live.partition;
            removed.entry(partition).or_default().insert(data.live.file.file_path().to_owned());
            if !is_whole {
                let gone: BTreeSet<u64> = data.deleted.iter().chain(expired).copied().collect();
                rewritten.entry(partition).or_default().push((*data, gone.into_iter().collect()));
            }
        }
        for (partition, sources) in rewritten {
            let Some(file) =
                self.write_merged(partition, sources, MEMORY, &mut dirty, cancelled)?
            else {
                return Ok(Expired { rows: 0, ..expired });
            };
            edit.data.extend(file);
        }
        for (partition, files) in removed {
            edit.remove(&self.table, partition, files);
        }
        self.announce()?;
        let next = self.prepare(edit, Operation::Overwrite, dirty)?;
        self.swap(Some(&next), |connection| {
            sums.shift(connection)?;
            forget(connection, before)?;
            let detail = serde_json::json!({ "before": before, "rows": expired.rows });
            ledger::journal(connection, &self.run_id, "expired", &detail.to_string())
        })?;
        self.adopt(next);
        Ok(expired)
    }
}

/// Returns what expires of a file; nothing when all of its rows stay.
fn share<'a>(
    data: &'a LiveData,
    before: i64,
    sums: &mut Sums,
) -> Result<Option<Share<'a>>, StoreError> {
    let id = field_id("message_created_at");
    let least = data.live.file.lower_bounds().get(&id).and_then(|it| match it.literal() {
        PrimitiveLiteral::Long(micros) => Some(*micros),
        _ => None,
    });
    if least.is_some_and(|least| before <= least) {
        return Ok(None);
    }
    let path = &data.live.path;
    let builder = source::open(path)?;
    let names = ["message_created_at", "message_id", "input_id", "input_offset", "input_length"];
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    let reader = builder.with_projection(mask).build().map_err(StoreError::parquet(path))?;
    let mut expired = Vec::new();
    let mut total = 0;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let missing = || StoreError::damaged(path, "columns are missing");
        let column = |name| batch.column_by_name(name).ok_or_else(missing);
        let text = |name| column(name)?.as_string_opt::<i32>().ok_or_else(missing);
        let long = |name| column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(missing);
        let times = column(names[0])?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(missing)?;
        let (messages, inputs) = (text(names[1])?, text(names[2])?);
        let (offsets, lengths) = (long(names[3])?, long(names[4])?);
        for at in 0..batch.num_rows() {
            let position = total;
            total += 1;
            if times.value(at) >= before || data.deleted.binary_search(&position).is_ok() {
                continue;
            }
            expired.push(position);
            sums.add(inputs.value(at), offsets.value(at), lengths.value(at), messages.value(at));
        }
    }
    let is_whole = expired.len() as u64 + data.deleted.len() as u64 == total;
    Ok((!expired.is_empty()).then_some(Share { data, expired, is_whole }))
}

/// Bytes of records whose rows expired, by input.
#[derive(Default)]
struct Sums {
    bytes: BTreeMap<String, u64>,
    messages: BTreeSet<String>,
    last: Option<(String, i64)>,
}

impl Sums {
    fn add(&mut self, input: &str, offset: i64, length: i64, message: &str) {
        if self.last.as_ref().is_some_and(|last| last.0 == input && last.1 == offset) {
            return;
        }
        self.last = Some((input.to_owned(), offset));
        let bytes = self.bytes.entry(input.to_owned()).or_default();
        *bytes += u64::try_from(length).unwrap_or_default();
        self.messages.insert(message.to_owned());
    }

    /// Moves the bytes in the accounting of their inputs from what was written to what expired.
    fn shift(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut read = connection
            .prepare("SELECT accounting, provider, unit_id FROM inputs WHERE input_id = ?1")?;
        let mut write =
            connection.prepare("UPDATE inputs SET accounting = ?2 WHERE input_id = ?1")?;
        let mut read_point = connection
            .prepare("SELECT accounting FROM checkpoints WHERE provider = ?1 AND unit_id = ?2")?;
        let mut write_point = connection.prepare(
            "UPDATE checkpoints SET accounting = ?3 WHERE provider = ?1 AND unit_id = ?2",
        )?;
        for (input, bytes) in &self.bytes {
            let mut found = read.query([input])?;
            let Some(row) = found.next()? else { continue };
            let (accounting, provider, unit): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            write.execute(params![input, shifted(&accounting, *bytes)])?;
            let mut found = read_point.query([&provider, &unit])?;
            if let Some(row) = found.next()? {
                let accounting: String = row.get(0)?;
                write_point.execute(params![provider, unit, shifted(&accounting, *bytes)])?;
            }
        }
        // What was said about the holders of messages that are gone is content as well.
        let has_open: bool =
            connection
                .query_row("SELECT EXISTS (SELECT 1 FROM open_facts)", [], |row| row.get(0))?;
        if has_open {
            let mut remove = connection.prepare("DELETE FROM open_facts WHERE message_id = ?1")?;
            for message in &self.messages {
                remove.execute([message])?;
            }
        }
        Ok(())
    }
}

/// Reasons that say that a row is in the table, in the order in which expired bytes are taken from them.
const STORED: [&str; 5] =
    ["written", "stored_already", "written_as_replay", "taken_over", "refreshed"];

/// Returns an accounting with so many bytes moved to `expired`; their sum stays.
fn shifted(accounting: &str, bytes: u64) -> String {
    let Ok(mut sums) = serde_json::from_str::<BTreeMap<String, u64>>(accounting) else {
        return accounting.to_owned();
    };
    let mut left = bytes;
    for reason in STORED {
        if let Some(sum) = sums.get_mut(reason) {
            let moved = left.min(*sum);
            *sum -= moved;
            left -= moved;
        }
    }
    sums.retain(|_, sum| *sum > 0);
    if bytes > left {
        *sums.entry("expired".to_owned()).or_default() += bytes - left;
    }
    serde_json::to_string(&sums).unwrap_or_else(|_| accounting.to_owned())
}

/// Forgets what was told of threads that ended before a moment; what copies are told by stays. Of units with messages
/// before it, only what comes after counts as imported from then on.
fn forget(connection: &Connection, before: i64) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM facts WHERE name <> 'forked-from' AND thread_id IN
         (SELECT thread_id FROM sessions WHERE last_at < ?1)",
        [before],
    )?;
    connection.execute(
        "DELETE FROM quarantine WHERE input_id IN
         (SELECT i.input_id FROM inputs i JOIN units u
          ON u.provider = i.provider AND u.unit_id = i.unit_id WHERE u.last_at < ?1)",
        [before],
    )?;
    connection.execute(
        "UPDATE units SET since = ?1 WHERE first_at < ?1 AND (since IS NULL OR since < ?1)",
        [before],
    )?;
    connection.execute(
        "UPDATE listings SET since = ?1 WHERE (since IS NULL OR since < ?1) AND provider IN
         (SELECT provider FROM units WHERE first_at < ?1)",
        [before],
    )?;
    if catalog::mark(connection, RETAINED)?.is_none_or(|mark| mark != before.to_string()) {
        undo::expire(connection, before)?;
    }
    catalog::put_mark(connection, RETAINED, &before.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_begins_with_a_day() {
        let now = 20_000 * DAY + 5;
        assert_eq!(retained_from(0, now), None);
        assert_eq!(retained_from(1, now), Some(19_999 * DAY));
        assert_eq!(retained_from(30, now + DAY - 6), Some(19_970 * DAY));
    }

    #[test]
    fn bytes_that_expire_stay_in_the_sum() {
        let shift = |bytes| shifted(r#"{"no_row":5,"stored_already":10,"written":20}"#, bytes);
        assert_eq!(shift(8), r#"{"expired":8,"no_row":5,"stored_already":10,"written":12}"#);
        assert_eq!(shift(25), r#"{"expired":25,"no_row":5,"stored_already":5}"#);
        assert_eq!(shift(99), r#"{"expired":30,"no_row":5}"#, "no more than there was");
    }

    #[test]
    fn more_than_half_is_most() {
        let is_most = |rows, of| Expired { rows, of, is_refused: false }.is_most();
        assert_eq!([is_most(0, 0), is_most(5, 10), is_most(6, 10)], [false, false, true]);
    }
}
