//! Messages by what they have in common: the one pass over the store that everything is added up from.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use hyp_model::dataset::TOKENS;

use super::Tokens;
use crate::commands::period::filter;
use crate::commands::scope::Scope;

/// A quarter of an hour in microseconds: no zone's day begins anywhere else.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// Columns that are texts; the others are numbers.
const TEXTS: [&str; 5] = ["session_id", "client_name", "provider", "model", "repository"];

/// Messages of a session and a quarter of an hour that have the rest in common as well.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    /// When the quarter of an hour began, in microseconds.
    pub(super) quarter: Option<i64>,
    pub(super) session_id: &'a str,
    pub(super) client: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) repository: Option<&'a str>,
    pub(super) messages: u64,
    pub(super) calls: u64,
    /// Times of the first and the last message, in microseconds.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) tokens: Tokens,
}

/// Returns the query for the groups of a scope.
pub(super) fn query(scope: &Scope) -> String {
    let tokens = TOKENS.map(|name| format!("sum({name})")).join(", ");
    format!(
        "select session_id, client_name, provider, model, \
           coalesce(git_remote, repo_root, cwd) as repository, \
           cast(message_created_at as bigint) / {QUARTER} as quarter, \
           count(*) filter (where part_index = 0) as messages, \
           count(*) filter (where part_type = 'tool_call') as calls, \
           cast(min(message_created_at) as bigint) as first, \
           cast(max(message_created_at) as bigint) as last, {tokens} \
         from messages{} group by 1, 2, 3, 4, 5, 6",
        filter(&scope.conditions)
    )
}

/// Hands out the groups of a batch of that query's answer.
pub(super) fn each(
    batch: &RecordBatch,
    mut take: impl FnMut(&Group<'_>),
) -> Result<(), ArrowError> {
    let as_type = |(at, column): (usize, &ArrayRef)| {
        cast(column, if at < TEXTS.len() { &DataType::Utf8 } else { &DataType::Int64 })
    };
    let columns = batch.columns().iter().enumerate().map(as_type).collect::<Result<Vec<_>, _>>()?;
    let (texts, numbers) = columns.split_at(TEXTS.len());
    for row in 0..batch.num_rows() {
        let text = |at: usize| {
            let column = texts[at].as_string::<i32>();
            column.is_valid(row).then(|| column.value(row))
        };
        let number = |at: usize| {
            let column = numbers[at].as_primitive::<Int64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        let count = |at| number(at).and_then(|it| u64::try_from(it).ok()).unwrap_or_default();
        take(&Group {
            quarter: number(0).map(|at| at * QUARTER),
            session_id: text(0).unwrap_or_default(),
            client: text(1),
            provider: text(2),
            model: text(3),
            repository: text(4),
            messages: count(1),
            calls: count(2),
            first: number(3),
            last: number(4),
            tokens: Tokens::of(std::array::from_fn(|at| count(5 + at))),
        });
    }
    Ok(())
}
