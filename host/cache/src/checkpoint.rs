//! How far units were read, and where those that grew are gone on with.

use hyp_model::row::Key;
use rusqlite::{Connection, OptionalExtension, params};

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::ledger::{UnitState, number};
use crate::untold::PartSum;

/// What a unit looked like when it was read, and a point in it that the next run goes on from, if nothing but one
/// input's end changed.
///
/// The store keeps it and understands none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the provider.
    pub provider: String,
    /// Identity of the unit.
    pub unit_id: String,
    /// Hash over all of the unit that must not have changed.
    pub frame: String,
    /// Index of the input in the unit.
    pub input: u32,
    /// Size of the input when it was read.
    pub size: u64,
    /// Offset of the next byte.
    pub offset: u64,
    /// Hash of the first bytes of the input.
    pub head: Vec<u8>,
    /// Hash of the last bytes before the offset.
    pub tail: Vec<u8>,
    /// JSON object: bytes before the offset by what became of them.
    pub accounting: String,
    /// JSON object: records before the offset that gave no row, by kind.
    pub records: String,
    /// What the component goes on with.
    pub component: Vec<u8>,
    /// What the materializer goes on with; empty where the unit is read whole.
    pub host: Vec<u8>,
    /// Hash of the last bytes of the input.
    pub end: Vec<u8>,
    /// Parts that were told after the offset, or all where the unit is read whole.
    pub told: PartSum,
    /// Those of them that are of records before the offset.
    pub late: Vec<Key>,
    /// True where stored rows may be of bytes that are no longer there.
    pub has_strays: bool,
}

/// Returns where a unit can be gone on with.
pub(crate) fn get(
    catalog: &Catalog,
    provider: &str,
    unit_id: &str,
) -> Result<Option<Checkpoint>, StoreError> {
    let unsigned = |number: i64| number.cast_unsigned();
    catalog
        .connection
        .query_row(
            "SELECT frame, input, size, offset, head, tail, accounting, records, component, host,
                    end_hash, told, told_hashes, late, has_strays
             FROM checkpoints WHERE provider = ?1 AND unit_id = ?2",
            [provider, unit_id],
            |row| {
                Ok(Checkpoint {
                    provider: provider.to_owned(),
                    unit_id: unit_id.to_owned(),
                    frame: row.get(0)?,
                    input: row.get(1)?,
                    size: row.get(2).map(unsigned)?,
                    offset: row.get(3).map(unsigned)?,
                    head: row.get(4)?,
                    tail: row.get(5)?,
                    accounting: row.get(6)?,
                    records: row.get(7)?,
                    component: row.get(8)?,
                    host: row.get(9)?,
                    end: row.get(10)?,
                    told: PartSum {
                        count: row.get(11).map(unsigned)?,
                        hashes: row.get(12).map(unsigned)?,
                    },
                    late: keys(row.get_ref(13)?.as_blob()?),
                    has_strays: row.get(14)?,
                })
            },
        )
        .optional()
        .map_err(|error| catalog.error(error))
}

/// Takes keys that lie one after the other apart.
fn keys(bytes: &[u8]) -> Vec<Key> {
    let (keys, _) = bytes.as_chunks();
    keys.iter().copied().map(Key).collect()
}

/// Replaces the checkpoints of units that were read; one without a new one has none.
pub(crate) fn put(
    connection: &Connection,
    units: &[UnitState],
    checkpoints: &[Checkpoint],
) -> rusqlite::Result<()> {
    let mut forget =
        connection.prepare("DELETE FROM checkpoints WHERE provider = ?1 AND unit_id = ?2")?;
    for unit in units {
        forget.execute([&unit.provider, &unit.unit_id])?;
    }
    let mut statement = connection.prepare(
        "INSERT INTO checkpoints VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    for checkpoint in checkpoints {
        statement.execute(params![
            checkpoint.provider,
            checkpoint.unit_id,
            checkpoint.frame,
            checkpoint.input,
            number(checkpoint.size),
            number(checkpoint.offset),
            checkpoint.head,
            checkpoint.tail,
            checkpoint.accounting,
            checkpoint.records,
            checkpoint.component,
            checkpoint.host,
            checkpoint.end,
            number(checkpoint.told.count),
            checkpoint.told.hashes.cast_signed(),
            checkpoint.late.iter().flat_map(|key| key.0).collect::<Vec<u8>>(),
            checkpoint.has_strays,
        ])?;
    }
    Ok(())
}
