//! A row that is handed over to another thread which saw it, from what the store knows of that thread.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::array::{PrimitiveArray, TimestampMicrosecondArray};
use arrow::datatypes::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use hyp_model::dataset::position;

/// Whose a row becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Heir {
    pub(crate) session_id: String,
    pub(crate) conversation_id: Option<String>,
    pub(crate) client: String,
    pub(crate) started_at: Option<i64>,
    pub(crate) cwd: Option<String>,
    pub(crate) parent_thread_id: Option<String>,
    pub(crate) root_thread_id: Option<String>,
    pub(crate) forked_from: Option<String>,
    pub(crate) message_index: i32,
    pub(crate) input_id: String,
    pub(crate) offset: i64,
    pub(crate) length: i64,
}

/// A column of text, and what it has of an heir.
type TextColumn = (&'static str, fn(&Heir) -> Option<&str>);
/// A column of numbers, and what it has of an heir.
type NumberColumn = (&'static str, fn(&Heir) -> i64);

/// Returns rows with those at some positions handed over.
pub(crate) fn hand_over(
    batch: &RecordBatch,
    heirs: &[(usize, &Heir)],
) -> Result<RecordBatch, ArrowError> {
    let mut columns = batch.columns().to_vec();
    let texts: [TextColumn; 8] = [
        ("session_id", |heir| Some(&heir.session_id)),
        ("conversation_id", |heir| heir.conversation_id.as_deref()),
        ("client_name", |heir| Some(&heir.client)),
        ("cwd", |heir| heir.cwd.as_deref()),
        ("parent_thread_id", |heir| heir.parent_thread_id.as_deref()),
        ("root_thread_id", |heir| heir.root_thread_id.as_deref()),
        ("forked_from", |heir| heir.forked_from.as_deref()),
        ("input_id", |heir| Some(&heir.input_id)),
    ];
    for (name, of) in texts {
        let column = column(&mut columns, name);
        let before = column.as_string::<i32>();
        let mut values: Vec<Option<&str>> = before.iter().collect();
        for (at, heir) in heirs {
            values[*at] = of(heir);
        }
        *column = Arc::new(StringArray::from(values));
    }
    let longs: [NumberColumn; 2] =
        [("input_offset", |heir| heir.offset), ("input_length", |heir| heir.length)];
    for (name, of) in longs {
        let column = column(&mut columns, name);
        let values = numbers::<Int64Type>(column, heirs, |heir| Some(of(heir)));
        *column = Arc::new(Int64Array::from(values));
    }
    let indexes = column(&mut columns, "message_index");
    let values = numbers::<Int32Type>(indexes, heirs, |heir| Some(heir.message_index));
    *indexes = Arc::new(Int32Array::from(values));
    let starts = column(&mut columns, "conversation_started_at");
    let values = numbers::<TimestampMicrosecondType>(starts, heirs, |heir| heir.started_at);
    *starts = Arc::new(TimestampMicrosecondArray::from(values).with_timezone("+00:00"));
    RecordBatch::try_new(batch.schema(), columns)
}

fn column<'a>(columns: &'a mut [ArrayRef], name: &str) -> &'a mut ArrayRef {
    &mut columns[position(name).expect("the column is one of the dataset")]
}

/// Returns a column of numbers with those of the heirs; where an heir has none, the old one stays.
fn numbers<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    heirs: &[(usize, &Heir)],
    of: impl Fn(&Heir) -> Option<T::Native>,
) -> Vec<Option<T::Native>> {
    let before: &PrimitiveArray<T> = column.as_primitive();
    let mut values: Vec<Option<T::Native>> = before.iter().collect();
    for (at, heir) in heirs {
        values[*at] = of(heir).or(values[*at]);
    }
    values
}
