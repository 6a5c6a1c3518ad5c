//! Between rows, Arrow and JSON.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef, TimestampMicrosecondType};
use hyp_model::item::{ColumnType, DatasetColumn, Datum};
use serde_json::{Map, Value};

use super::DatasetRow;
use crate::error::StoreError;

/// Makes a batch of rows.
pub(super) fn batch(schema: &SchemaRef, rows: &[DatasetRow]) -> Result<RecordBatch, StoreError> {
    let arrays = schema.fields().iter().enumerate().map(|(at, field)| {
        let values = rows.iter().map(|row| row.get(at).unwrap_or(&Datum::Null));
        array(field.data_type(), values)
    });
    RecordBatch::try_new(Arc::clone(schema), arrays.collect()).map_err(StoreError::rows)
}

fn array<'r>(kind: &DataType, values: impl Iterator<Item = &'r Datum>) -> ArrayRef {
    match kind {
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| match value {
                Datum::Boolean(flag) => builder.append_value(*flag),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
        DataType::Int64 => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| match value {
                Datum::Integer(number) => builder.append_value(*number),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
        DataType::Float64 => {
            let mut builder = Float64Builder::new();
            values.for_each(|value| match value {
                Datum::Real(number) => builder.append_value(*number),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
        DataType::Timestamp(..) => {
            let mut builder = TimestampMicrosecondBuilder::new().with_timezone("+00:00");
            values.for_each(|value| match value {
                Datum::Timestamp(at) => builder.append_value(*at),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| match value {
                Datum::Text(text) | Datum::Json(text) => builder.append_value(text),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
    }
}

/// Returns a value of a column of a batch; one that is not there is null.
pub(super) fn datum(array: Option<&ArrayRef>, kind: ColumnType, row: usize) -> Datum {
    let Some(array) = array.filter(|array| array.is_valid(row)) else { return Datum::Null };
    let text = |of: fn(String) -> Datum| match array.as_string_opt::<i32>() {
        Some(texts) => of(texts.value(row).to_owned()),
        None => Datum::Null,
    };
    match kind {
        ColumnType::Boolean => {
            array.as_boolean_opt().map_or(Datum::Null, |it| Datum::Boolean(it.value(row)))
        }
        ColumnType::Integer => array
            .as_primitive_opt::<Int64Type>()
            .map_or(Datum::Null, |it| Datum::Integer(it.value(row))),
        ColumnType::Real => array
            .as_primitive_opt::<Float64Type>()
            .map_or(Datum::Null, |it| Datum::Real(it.value(row))),
        ColumnType::Timestamp => array
            .as_primitive_opt::<TimestampMicrosecondType>()
            .map_or(Datum::Null, |it| Datum::Timestamp(it.value(row))),
        ColumnType::Json => text(Datum::Json),
        _ => text(Datum::Text),
    }
}

/// Returns a value as JSON. A time is its microseconds, and JSON is the text that it is.
pub fn datum_to_json(datum: &Datum) -> Value {
    match datum {
        Datum::Boolean(flag) => (*flag).into(),
        Datum::Integer(number) | Datum::Timestamp(number) => (*number).into(),
        Datum::Real(number) => (*number).into(),
        Datum::Text(text) | Datum::Json(text) => text.as_str().into(),
        _ => Value::Null,
    }
}

/// Returns what JSON of [`datum_to_json`] stands for in a column; what cannot stand there is null.
pub fn datum_from_json(value: &Value, kind: ColumnType) -> Datum {
    let text = || value.as_str().map(str::to_owned);
    match kind {
        ColumnType::Boolean => value.as_bool().map_or(Datum::Null, Datum::Boolean),
        ColumnType::Integer => value.as_i64().map_or(Datum::Null, Datum::Integer),
        ColumnType::Timestamp => value.as_i64().map_or(Datum::Null, Datum::Timestamp),
        ColumnType::Real => value.as_f64().map_or(Datum::Null, Datum::Real),
        ColumnType::Json => text().map_or(Datum::Null, Datum::Json),
        _ => text().map_or(Datum::Null, Datum::Text),
    }
}

/// Returns a row as a JSON object.
pub fn row_to_json(columns: &[DatasetColumn], row: &[Datum]) -> Value {
    let cells = columns.iter().zip(row);
    let cells = cells.filter(|(_, value)| !value.is_null());
    cells
        .map(|(column, value)| (column.name.clone(), datum_to_json(value)))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns the row that an object of [`row_to_json`] stands for.
pub fn row_from_json(columns: &[DatasetColumn], object: &Value) -> DatasetRow {
    let value = |column: &DatasetColumn| datum_from_json(&object[&column.name], column.kind);
    columns.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use hyp_model::item::Role;

    use super::*;

    #[test]
    fn a_row_survives_its_journal() {
        let column = |name: &str, kind| DatasetColumn {
            name: name.to_owned(),
            kind,
            nullable: true,
            role: Role::Plain,
        };
        let columns = [
            column("a", ColumnType::Boolean),
            column("b", ColumnType::Integer),
            column("c", ColumnType::Real),
            column("d", ColumnType::Text),
            column("e", ColumnType::Timestamp),
            column("f", ColumnType::Json),
            column("g", ColumnType::Text),
        ];
        let row = vec![
            Datum::Boolean(false),
            Datum::Integer(i64::MIN),
            Datum::Real(0.1),
            Datum::Text("línea 1\n\"2\"".to_owned()),
            Datum::Timestamp(-1),
            Datum::Json(r#"{"b": 1,  "a":2}"#.to_owned()),
            Datum::Null,
        ];
        let text = row_to_json(&columns, &row).to_string();
        assert_eq!(row_from_json(&columns, &serde_json::from_str(&text).unwrap()), row);
    }
}
