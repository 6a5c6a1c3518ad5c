//! The messages' columns as Arrow, Parquet and Iceberg see them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use hyp_model::dataset::{COLUMNS, Type};
use iceberg::spec::{
    NestedField, NullOrder, PrimitiveType, Schema as TableSchema, SortDirection, SortField,
    SortOrder, Transform, Type as TableType, UnboundPartitionSpec,
};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(arrow_schema(false)));
static FILE_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(arrow_schema(true)));

/// Returns the Arrow schema of `ai_gateway_messages`, as readers see it.
pub fn messages_schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Returns the schema with field ids, as files have it.
pub(crate) fn file_schema() -> SchemaRef {
    Arc::clone(&FILE_SCHEMA)
}

/// Returns the Arrow type of a column.
pub(crate) fn data_type(kind: Type) -> DataType {
    match kind {
        Type::Int => DataType::Int32,
        Type::Long => DataType::Int64,
        Type::Boolean => DataType::Boolean,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        Type::Key => DataType::FixedSizeBinary(16),
        _ => DataType::Utf8,
    }
}

fn arrow_schema(with_ids: bool) -> Schema {
    let fields = COLUMNS.iter().enumerate().map(|(at, column)| {
        let field = Field::new(column.name, data_type(column.kind), column.nullable);
        if !with_ids {
            return field;
        }
        let id = (PARQUET_FIELD_ID_META_KEY.to_owned(), (at + 1).to_string());
        field.with_metadata(HashMap::from([id]))
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// Returns the primitive type of a column in the table.
pub(crate) fn primitive(kind: Type) -> PrimitiveType {
    match kind {
        Type::Int => PrimitiveType::Int,
        Type::Long => PrimitiveType::Long,
        Type::Boolean => PrimitiveType::Boolean,
        Type::Timestamp => PrimitiveType::Timestamptz,
        Type::Key => PrimitiveType::Fixed(16),
        _ => PrimitiveType::String,
    }
}

/// Returns the field id of a column; ids are positions counted from 1.
pub(crate) fn field_id(name: &str) -> i32 {
    let position = hyp_model::dataset::position(name).expect("the column is one of the dataset");
    i32::try_from(position + 1).expect("a dataset has few columns")
}

/// Returns the table's schema.
pub(crate) fn table_schema() -> iceberg::Result<TableSchema> {
    let fields = (1i32..).zip(COLUMNS).map(|(id, column)| {
        let kind = TableType::Primitive(primitive(column.kind));
        Arc::new(if column.nullable {
            NestedField::optional(id, column.name, kind)
        } else {
            NestedField::required(id, column.name, kind)
        })
    });
    TableSchema::builder().with_fields(fields).build()
}

/// Returns how the table is partitioned: by client, then month.
pub(crate) fn partition_spec() -> iceberg::Result<UnboundPartitionSpec> {
    Ok(UnboundPartitionSpec::builder()
        .add_partition_field(field_id("client_name"), "client_name", Transform::Identity)?
        .add_partition_field(field_id("message_created_at"), "month", Transform::Month)?
        .build())
}

/// Returns how files are sorted: by session, then time.
pub(crate) fn sort_order() -> iceberg::Result<SortOrder> {
    let mut builder = SortOrder::builder();
    for name in ["session_id", "message_created_at"] {
        builder.with_sort_field(
            SortField::builder()
                .source_id(field_id(name))
                .transform(Transform::Identity)
                .direction(SortDirection::Ascending)
                .null_order(NullOrder::First)
                .build(),
        );
    }
    builder.build_unbound()
}
