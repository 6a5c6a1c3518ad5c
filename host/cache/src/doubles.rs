//! Rows that share an id. There must be none; where another program, or a fault, made some, one of them stays.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use hyp_model::row::Key;
use iceberg::spec::Operation;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::RowSelection;

use crate::deletes::{self, Positions};
use crate::encode::partition_struct;
use crate::error::StoreError;
use crate::layout::Dirty;
use crate::publish::Edit;
use crate::table::{LiveData, Partition};
use crate::threads::Number;
use crate::writer::Writer;
use crate::{failpoint, ledger, rows, source};

/// Ids that are held in memory at a time; of more rows, the files are read several times.
const HELD: u64 = 2_000_000;

/// Place of a row: number of its file, position in it.
pub(crate) type Place = (usize, u64);

/// Returns the rows of each id that more than one row has.
pub(crate) fn find(files: &[&LiveData]) -> Result<Vec<Vec<Place>>, StoreError> {
    let rows: u64 = files.iter().map(|data| data.live.file.record_count()).sum();
    let passes = rows.div_ceil(HELD).max(1);
    let mut found = Vec::new();
    for pass in 0..passes {
        let mut first: HashMap<Key, Place> = HashMap::new();
        let mut more: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
        for (number, data) in files.iter().enumerate() {
            each_id(data, |row, id| {
                let key = Key::of(id.as_bytes());
                let share = u64::from(u32::from_le_bytes([key.0[0], key.0[1], key.0[2], key.0[3]]));
                if share % passes != pass {
                    return;
                }
                match first.entry(key) {
                    Entry::Occupied(place) => {
                        more.entry(*place.get()).or_default().push((number, row))
                    }
                    Entry::Vacant(place) => _ = place.insert((number, row)),
                }
            })?;
        }
        found.extend(more.into_iter().map(|(first, mut rows)| {
            rows.insert(0, first);
            rows
        }));
    }
    Ok(found)
}

/// Reads the ids of a file's rows that are not superseded.
fn each_id(data: &LiveData, mut take: impl FnMut(u64, &str)) -> Result<(), StoreError> {
    let path = &data.live.path;
    let builder = source::open(path)?;
    let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let live = rows::between(data.deleted.iter().copied(), total);
    let mut positions = live.clone().into_iter().flatten();
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["part_id"]);
    let reader = builder
        .with_projection(mask)
        .with_row_selection(RowSelection::from_consecutive_ranges(live.into_iter(), total))
        .build()
        .map_err(StoreError::parquet(path))?;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let ids = batch.column_by_name("part_id").and_then(|ids| ids.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| StoreError::damaged(path, "column `part_id` is missing"))?;
        for (id, row) in ids.iter().zip(positions.by_ref()) {
            take(row as u64, id.unwrap_or_default());
        }
    }
    Ok(())
}

impl Writer {
    /// Drops all rows of an id but one, in some files; returns the ids that had more.
    pub(crate) fn drop_doubles(
        &mut self,
        is_searched: impl Fn(&LiveData) -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let files: Vec<&LiveData> =
            self.table.data.iter().filter(|data| is_searched(data)).collect();
        let doubles = find(&files)?;
        if doubles.is_empty() {
            return Ok(Vec::new());
        }
        let files: Vec<LiveData> = files.into_iter().cloned().collect();
        self.load_lineage()?;
        let mut ids = Vec::new();
        let mut gone: BTreeMap<Partition, Positions> = BTreeMap::new();
        let ranks = self.rank(&files, doubles.iter().flatten().copied())?;
        for places in doubles {
            let mut ranked: Vec<&Ranked> = places.iter().map(|place| &ranks[place]).collect();
            ranked.sort_by(|a, b| {
                self.threads.order(a.thread, b.thread).then_with(|| b.sequence.cmp(&a.sequence))
            });
            ids.push(ranked[0].part_id.clone());
            for Ranked { place: (file, row), .. } in ranked.into_iter().skip(1) {
                let live = &files[*file].live;
                let positions = gone.entry(live.partition.clone()).or_default();
                let file = live.file.file_path().to_owned();
                positions.entry(file).or_default().insert(*row);
            }
        }
        ids.sort_unstable();
        self.supersede(&gone, "duplicate_dropped", &ids)?;
        Ok(ids)
    }

    /// Tells by what one row of an id is chosen: its thread, then how new its file is. Each file is read once.
    fn rank(
        &self,
        files: &[LiveData],
        places: impl Iterator<Item = Place>,
    ) -> Result<HashMap<Place, Ranked>, StoreError> {
        let mut by_file: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        places.for_each(|(file, row)| {
            by_file.entry(file).or_default().insert(row);
        });
        let mut ranks = HashMap::new();
        for (file, wanted) in by_file {
            let live = &files[file].live;
            let columns = ["part_id", "session_id", "conversation_id", "input_id"];
            let found = rows::columns_at(&live.path, &wanted, &columns)?;
            if found.num_rows() != wanted.len() {
                return Err(StoreError::damaged(&live.path, "rows are missing"));
            }
            for (at, row) in wanted.into_iter().enumerate() {
                let text = |name: &str| text_of(&found, name, at);
                let owner = (
                    text("session_id").unwrap_or_default(),
                    text("conversation_id"),
                    text("input_id").unwrap_or_default(),
                );
                let ranked = Ranked {
                    part_id: text("part_id").unwrap_or_default(),
                    thread: self.threads.of_row(&owner).unwrap_or(Number::MAX),
                    sequence: live.sequence,
                    place: (file, row),
                };
                ranks.insert((file, row), ranked);
            }
        }
        Ok(ranks)
    }

    /// Takes rows out of the table by their places, and notes why in the journal.
    fn supersede(
        &mut self,
        gone: &BTreeMap<Partition, Positions>,
        event: &str,
        ids: &[String],
    ) -> Result<(), StoreError> {
        self.announce()?;
        let mut dirty = Dirty::default();
        let mut edit = Edit::default();
        for (partition, positions) in gone {
            let path = self.new_file(partition, "deletes.parquet");
            let of = partition_struct(partition);
            edit.deletes.push(deletes::write(&path, of, positions, &mut dirty)?);
        }
        failpoint::hit("after_delete_files")?;
        let next = self.prepare(edit, Operation::Delete, dirty)?;
        self.swap(Some(&next), |connection| {
            ids.iter().try_for_each(|id| ledger::journal(connection, &self.run_id, event, id))
        })?;
        self.adopt(next);
        Ok(())
    }
}

/// A row of an id that several rows have.
struct Ranked {
    part_id: String,
    thread: Number,
    sequence: i64,
    place: Place,
}

fn text_of(rows: &RecordBatch, name: &str, at: usize) -> Option<String> {
    let column = rows.column_by_name(name)?.as_string_opt::<i32>()?;
    column.is_valid(at).then(|| column.value(at).to_owned())
}
