//! Brings stretches of files, each of them sorted, into one order, a batch of each in memory at a time.

use std::ops::Range;
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, RowSelection};

use crate::error::StoreError;
use crate::schema::file_schema;
use crate::split::ORDER;
use crate::table::LiveData;
use crate::{rows, source};

/// Rows that are read and written at a time.
const BATCH_ROWS: usize = 1_024;

/// Bytes of a column that a reader unpacks at a time, at most.
const PAGE: i64 = 8 << 20;

/// Rows of a file that are sorted, without those that are gone.
pub(crate) struct Stretch<'a> {
    data: &'a LiveData,
    metadata: ArrowReaderMetadata,
    ranges: Vec<Range<usize>>,
    /// Bytes that reading it takes, at most.
    pub(crate) memory: u64,
}

/// Divides a file's rows into stretches that are sorted; rows at `gone`, in ascending order, are in none.
pub(crate) fn stretches<'a>(
    data: &'a LiveData,
    gone: impl Iterator<Item = u64>,
) -> Result<Vec<Stretch<'a>>, StoreError> {
    let path = &data.live.path;
    let metadata = source::metadata(path)?;
    let total = usize::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or_default();
    let groups = metadata.metadata().row_groups().iter();
    let memory = groups
        .map(|group| group.columns().iter().map(|it| it.uncompressed_size().min(PAGE)).sum::<i64>())
        .max()
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or_default();
    let mut cuts = Vec::new();
    if data.live.file.sort_order_id() != Some(1) {
        cuts = descents(data)?;
    }
    let parts = divide(rows::between(gone, total), cuts);
    let stretch = |ranges| Stretch { data, metadata: metadata.clone(), ranges, memory };
    Ok(parts.into_iter().map(stretch).collect())
}

/// Divides ranges of rows where a new stretch begins.
fn divide(left: Vec<Range<usize>>, cuts: Vec<usize>) -> Vec<Vec<Range<usize>>> {
    let mut parts = vec![Vec::new()];
    let mut cuts = cuts.into_iter().peekable();
    for mut range in left {
        while let Some(cut) = cuts.next_if(|cut| *cut < range.end) {
            if let Some(part) = parts.last_mut()
                && cut > range.start
            {
                part.push(range.start..cut);
                range.start = cut;
            }
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(range);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the rows that belong before the row that they follow.
pub(crate) fn descents(data: &LiveData) -> Result<Vec<usize>, StoreError> {
    let path = &data.live.path;
    let builder = source::open(path)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ORDER);
    let reader = builder.with_projection(mask).build().map_err(StoreError::parquet(path))?;
    let converter = converter()?;
    let mut last: Option<OwnedRow> = None;
    let mut cuts = Vec::new();
    let mut at = 0;
    for batch in reader {
        let batch = batch.map_err(StoreError::arrow(path))?;
        let keys = keys(&converter, &batch, path)?;
        for row in keys.iter() {
            if last.as_ref().is_some_and(|last| row < last.row()) {
                cuts.push(at);
            }
            at += 1;
            last = Some(row.owned());
        }
    }
    Ok(cuts)
}

fn converter() -> Result<RowConverter, StoreError> {
    let schema = file_schema();
    let fields = ORDER.iter().filter_map(|name| schema.field_with_name(name).ok());
    let fields = fields.map(|field| SortField::new(field.data_type().clone())).collect();
    RowConverter::new(fields).map_err(StoreError::rows)
}

fn keys(converter: &RowConverter, batch: &RecordBatch, path: &Path) -> Result<Rows, StoreError> {
    let columns: Option<Vec<ArrayRef>> =
        ORDER.iter().map(|name| batch.column_by_name(name).cloned()).collect();
    let columns = columns.ok_or_else(|| StoreError::damaged(path, "columns are missing"))?;
    converter.convert_columns(&columns).map_err(StoreError::arrow(path))
}

/// A stretch being read.
struct Cursor<'a> {
    path: &'a Path,
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    keys: Rows,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Opens a stretch at its first row; nothing when it has none.
    fn open(stretch: Stretch<'a>, converter: &RowConverter) -> Result<Option<Self>, StoreError> {
        let path = stretch.data.live.path.as_path();
        let builder = source::open_known(path, stretch.metadata)?.with_batch_size(BATCH_ROWS);
        let total =
            usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let ranges = stretch.ranges.into_iter();
        let reader = builder
            .with_row_selection(RowSelection::from_consecutive_ranges(ranges, total))
            .build()
            .map_err(StoreError::parquet(path))?;
        let batch = RecordBatch::new_empty(file_schema());
        let keys = keys(converter, &batch, path)?;
        let mut cursor = Self { path, reader, batch, keys, at: 0 };
        Ok(cursor.fill(converter)?.then_some(cursor))
    }

    /// Reads on where the batch is used up; false at the end.
    fn fill(&mut self, converter: &RowConverter) -> Result<bool, StoreError> {
        while self.at == self.batch.num_rows() {
            let Some(batch) = self.reader.next() else { return Ok(false) };
            let batch = batch.map_err(StoreError::arrow(self.path))?;
            self.batch =
                rows::conform(&batch).map_err(|reason| StoreError::damaged(self.path, reason))?;
            self.keys = keys(converter, &self.batch, self.path)?;
            self.at = 0;
        }
        Ok(true)
    }

    /// Takes the rows that do not come after another cursor's next one.
    fn take(&mut self, other: Option<&OwnedRow>) -> RecordBatch {
        let (from, mut to) = (self.at, self.batch.num_rows());
        if let Some(other) = other {
            let mut low = from + 1;
            while low < to {
                let middle = low.midpoint(to);
                if self.keys.row(middle) <= other.row() { low = middle + 1 } else { to = middle }
            }
        }
        self.at = to;
        self.batch.slice(from, to - from)
    }
}

/// Hands out the rows of all stretches in one order; false as soon as they are no longer taken.
pub(crate) fn merge(
    stretches: Vec<Stretch<'_>>,
    mut hand_out: impl FnMut(RecordBatch) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let converter = converter()?;
    let mut cursors = Vec::new();
    for stretch in stretches {
        cursors.extend(Cursor::open(stretch, &converter)?);
    }
    let mut waiting = Vec::new();
    let mut count = 0;
    while !cursors.is_empty() {
        let (first, second) = least_two(&cursors);
        let other = second.map(|at: usize| cursors[at].keys.row(cursors[at].at).owned());
        let taken = cursors[first].take(other.as_ref());
        count += taken.num_rows();
        waiting.push(taken);
        if count >= BATCH_ROWS {
            let batch = concat_batches(&file_schema(), &waiting).map_err(StoreError::rows)?;
            if !hand_out(batch)? {
                return Ok(false);
            }
            waiting.clear();
            count = 0;
        }
        if !cursors[first].fill(&converter)? {
            cursors.remove(first);
        }
    }
    if count == 0 {
        return Ok(true);
    }
    hand_out(concat_batches(&file_schema(), &waiting).map_err(StoreError::rows)?)
}

/// Returns the cursors with the least next row and the one after; of equal ones, the earlier comes first.
fn least_two(cursors: &[Cursor<'_>]) -> (usize, Option<usize>) {
    let next = |at: usize| cursors[at].keys.row(cursors[at].at);
    let mut first = 0;
    let mut second = None;
    for at in 1..cursors.len() {
        if next(at) < next(first) {
            second = Some(first);
            first = at;
        } else if second.is_none_or(|second| next(at) < next(second)) {
            second = Some(at);
        }
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_divided_where_the_order_begins_anew() {
        #[rustfmt::skip]
        let cases: [(&[_], &[_], &[&[_]]); 5] = [
            (&[(0, 9)],         &[],     &[&[(0, 9)]]),
            (&[(0, 9)],         &[4],    &[&[(0, 4)], &[(4, 9)]]),
            (&[(0, 3), (5, 9)], &[4],    &[&[(0, 3)], &[(5, 9)]]),
            (&[(0, 3), (5, 9)], &[2, 7], &[&[(0, 2)], &[(2, 3), (5, 7)], &[(7, 9)]]),
            (&[(5, 9)],         &[2, 4], &[&[(5, 9)]]),
        ];
        for (left, cuts, expected) in cases {
            let left: Vec<Range<usize>> = left.iter().map(|(from, to)| *from..*to).collect();
            let divided = divide(left, cuts.to_vec());
            let divided: Vec<Vec<(usize, usize)>> = divided
                .iter()
                .map(|part| part.iter().map(|range| (range.start, range.end)).collect())
                .collect();
            assert_eq!(divided, expected);
        }
        assert!(divide(Vec::new(), vec![2]).is_empty());
    }
}
