//! Columns of a dataset: as they are declared, as the table has them, and as Arrow reads them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use hyp_model::item::{ColumnType, Dataset, DatasetColumn, Role};
use iceberg::spec::{
    FormatVersion, NestedField, PrimitiveType, Schema, SortOrder, TableMetadataBuilder, Type,
    UnboundPartitionSpec,
};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use crate::error::StoreError;
use crate::layout::Layout;
use crate::table::Table;

/// Column with the run that wrote a row as it is.
pub const RUN_ID: &str = "_hyp_run_id";

/// Column with the system that a row as it is came from.
pub const SOURCE_SYSTEM: &str = "_hyp_source_system";

/// Column with its id there.
pub const SOURCE_ID: &str = "_hyp_source_id";

/// Columns that say who wrote a row, in their order.
pub const OWN: [&str; 3] = [RUN_ID, SOURCE_SYSTEM, SOURCE_ID];

/// Returns the columns that a dataset has at first: those that are declared, and the host's.
fn all(declared: &Dataset) -> impl Iterator<Item = DatasetColumn> {
    let own = OWN.map(|name| DatasetColumn {
        name: name.to_owned(),
        kind: ColumnType::Text,
        nullable: true,
        role: Role::Plain,
    });
    declared.columns.iter().cloned().chain(own)
}

/// Returns a table without rows.
pub(super) fn new_table(layout: &Layout, declared: &Dataset) -> Result<Table, StoreError> {
    let folder = layout.dataset(&declared.name);
    let make = || {
        let fields = (1_i32..).zip(all(declared)).map(|(id, column)| Arc::new(field(id, &column)));
        let codec = ("write.parquet.compression-codec".to_owned(), "zstd".to_owned());
        TableMetadataBuilder::new(
            Schema::builder().with_fields(fields).build()?,
            UnboundPartitionSpec::builder().build(),
            SortOrder::unsorted_order(),
            Layout::uri(&folder),
            FormatVersion::V2,
            HashMap::from([codec]),
        )?
        .build()
    };
    let metadata = make().map_err(StoreError::metadata(&folder))?.metadata;
    Ok(Table::begin(folder, metadata))
}

/// Returns the columns of a table in their order, new ones last, and its schema where it becomes another one.
pub(super) fn merge(
    table: &Table,
    declared: &Dataset,
) -> Result<(Vec<DatasetColumn>, Option<Schema>), StoreError> {
    let stored = table.metadata.current_schema();
    let mut fields: Vec<_> = stored.as_struct().fields().to_vec();
    let mut columns = Vec::new();
    for field in &mut fields {
        let declared = all(declared).find(|column| column.name == field.name);
        // What was never null, and may be now.
        if field.required && declared.as_ref().is_none_or(|column| column.nullable) {
            let optional = NestedField { required: false, ..(**field).clone() };
            *field = Arc::new(optional);
        }
        match declared {
            Some(column) if Type::Primitive(primitive(column.kind)) != *field.field_type => {
                let reason = format!("column `{}` is stored as {}", column.name, field.field_type);
                return Err(StoreError::damaged(&table.folder, reason));
            }
            Some(column) => columns.push(column),
            // One that is not declared any more keeps its values.
            None => columns.push(DatasetColumn {
                name: field.name.clone(),
                kind: kind(&field.field_type),
                nullable: true,
                role: Role::Plain,
            }),
        }
    }
    let mut next = table.metadata.last_column_id();
    for column in all(declared) {
        if stored.field_by_name(&column.name).is_none() {
            next += 1;
            let column = DatasetColumn { nullable: true, ..column };
            fields.push(Arc::new(field(next, &column)));
            columns.push(column);
        }
    }
    if fields == stored.as_struct().fields() {
        return Ok((columns, None));
    }
    let schema = Schema::builder()
        .with_schema_id(stored.schema_id() + 1)
        .with_fields(fields)
        .build()
        .map_err(StoreError::metadata(&table.folder))?;
    Ok((columns, Some(schema)))
}

fn field(id: i32, column: &DatasetColumn) -> NestedField {
    let kind = Type::Primitive(primitive(column.kind));
    if column.nullable {
        NestedField::optional(id, &column.name, kind)
    } else {
        NestedField::required(id, &column.name, kind)
    }
}

fn primitive(kind: ColumnType) -> PrimitiveType {
    match kind {
        ColumnType::Boolean => PrimitiveType::Boolean,
        ColumnType::Integer => PrimitiveType::Long,
        ColumnType::Real => PrimitiveType::Double,
        ColumnType::Timestamp => PrimitiveType::Timestamptz,
        _ => PrimitiveType::String,
    }
}

fn kind(of: &Type) -> ColumnType {
    match of {
        Type::Primitive(PrimitiveType::Boolean) => ColumnType::Boolean,
        Type::Primitive(PrimitiveType::Long | PrimitiveType::Int) => ColumnType::Integer,
        Type::Primitive(PrimitiveType::Double) => ColumnType::Real,
        Type::Primitive(PrimitiveType::Timestamptz) => ColumnType::Timestamp,
        _ => ColumnType::Text,
    }
}

/// Returns a table's columns as files have them, with field ids.
pub(super) fn arrow_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.as_struct().fields().iter().map(|field| {
        let kind = match &*field.field_type {
            Type::Primitive(PrimitiveType::Boolean) => DataType::Boolean,
            Type::Primitive(PrimitiveType::Long | PrimitiveType::Int) => DataType::Int64,
            Type::Primitive(PrimitiveType::Double) => DataType::Float64,
            Type::Primitive(PrimitiveType::Timestamptz) => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
            }
            _ => DataType::Utf8,
        };
        let id = (PARQUET_FIELD_ID_META_KEY.to_owned(), field.id.to_string());
        Field::new(&field.name, kind, !field.required).with_metadata(HashMap::from([id]))
    });
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}
