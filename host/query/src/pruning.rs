//! What is known of files before any is opened: which of them a filter can match, and how many rows there are.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::scalar::ScalarValue;

use crate::lake::DataFile;

/// Returns the statistics of one file.
///
/// Bounds are given as exact: they are bounds of every row, and are used to leave files out, never as the answer of
/// a MIN or MAX (see [`total`]).
pub(crate) fn statistics(file: &DataFile, schema: &Schema) -> Statistics {
    Statistics {
        num_rows: Precision::Exact(file.live() as usize),
        total_byte_size: Precision::Inexact(file.size as usize),
        column_statistics: schema.fields().iter().map(|field| column(file, field)).collect(),
    }
}

fn column(file: &DataFile, field: &Field) -> ColumnStatistics {
    let bounds = file.bounds.get(field.name());
    let exact = |value: Option<&ScalarValue>| match value.map(|v| v.cast_to(field.data_type())) {
        Some(Ok(value)) => Precision::Exact(value),
        _ => Precision::Absent,
    };
    ColumnStatistics {
        null_count: null_count(file, field.name()),
        min_value: exact(bounds.and_then(|b| b.lower.as_ref())),
        max_value: exact(bounds.and_then(|b| b.upper.as_ref())),
        ..ColumnStatistics::new_unknown()
    }
}

/// Returns the number of nulls among the rows that are left, where it can be told.
fn null_count(file: &DataFile, column: &str) -> Precision<usize> {
    match file.nulls.get(column) {
        Some(0) => Precision::Exact(0),
        Some(&nulls) if nulls == file.rows => Precision::Exact(file.live() as usize),
        Some(&nulls) if file.deleted.is_empty() => Precision::Exact(nulls as usize),
        _ => Precision::Absent,
    }
}

/// Returns the statistics of all files together: row and null counts, but no extremes.
///
/// Deletes may have removed an extreme value, so that bounds must not answer MIN and MAX.
pub(crate) fn total(files: &[Arc<Statistics>], schema: &Schema) -> Statistics {
    let mut sum = Statistics {
        num_rows: Precision::Exact(0),
        total_byte_size: Precision::Inexact(0),
        column_statistics: vec![
            ColumnStatistics {
                null_count: Precision::Exact(0),
                ..ColumnStatistics::new_unknown()
            };
            schema.fields().len()
        ],
    };
    for file in files {
        sum.num_rows = sum.num_rows.add(&file.num_rows);
        sum.total_byte_size = sum.total_byte_size.add(&file.total_byte_size);
        for (column, of_file) in sum.column_statistics.iter_mut().zip(&file.column_statistics) {
            column.null_count = column.null_count.add(&of_file.null_count);
        }
    }
    sum
}

/// Returns which files can hold a row that the filter lets through.
///
/// A filter that cannot be judged from bounds keeps them all.
pub(crate) fn kept(
    filter: Arc<dyn PhysicalExpr>,
    files: &[Arc<Statistics>],
    schema: &SchemaRef,
) -> Vec<bool> {
    let statistics = PrunableStatistics::new(files.to_vec(), Arc::clone(schema));
    PruningPredicate::try_new(filter, Arc::clone(schema))
        .and_then(|predicate| predicate.prune(&statistics))
        .unwrap_or_else(|_| vec![true; files.len()])
}
