//! Position deletes as row selections.

use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

/// Returns which rows of each row group to read, all but the deleted ones.
///
/// `rows` are the row counts of the groups in file order, `deleted` ascending positions in the file. A selection covers
/// its group exactly: the reader insists on that.
pub(crate) fn access_plan(rows: &[u64], deleted: &[u64]) -> ParquetAccessPlan {
    let mut rest = deleted;
    let mut start = 0;
    let groups = rows.iter().map(|&count| {
        let end = start + count;
        let (here, later) = rest.split_at(rest.partition_point(|&position| position < end));
        let access = group_access(start, end, here);
        (rest, start) = (later, end);
        access
    });
    ParquetAccessPlan::new(groups.collect())
}

fn group_access(start: u64, end: u64, deleted: &[u64]) -> RowGroupAccess {
    if deleted.is_empty() {
        return RowGroupAccess::Scan;
    }
    if deleted.len() as u64 == end - start {
        return RowGroupAccess::Skip;
    }

    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut at = start;
    for &position in deleted {
        if position > at {
            selectors.push(RowSelector::select((position - at) as usize));
        }
        match selectors.last_mut() {
            Some(last) if last.skip => last.row_count += 1,
            _ => selectors.push(RowSelector::skip(1)),
        }
        at = position + 1;
    }
    if at < end {
        selectors.push(RowSelector::select((end - at) as usize));
    }
    RowGroupAccess::Selection(RowSelection::from(selectors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_but_the_deleted_ones_is_selected() {
        let plan = access_plan(&[4, 3, 5, 2], &[1, 2, 4, 5, 6, 11]);
        let select = RowSelector::select;
        let skip = RowSelector::skip;
        assert_eq!(
            plan.into_inner(),
            [
                RowGroupAccess::Selection(vec![select(1), skip(2), select(1)].into()),
                RowGroupAccess::Skip,
                RowGroupAccess::Selection(vec![select(4), skip(1)].into()),
                RowGroupAccess::Scan,
            ]
        );
    }
}
