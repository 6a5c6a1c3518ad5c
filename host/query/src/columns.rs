//! The columns that SQL sees.

use arrow::datatypes::DataType;
use hyp_cache::Store;
use hyp_model::dataset::{COLUMNS, MESSAGES, Type};

use crate::error::QueryError;
use crate::session::{Options, Session};

/// Name of the view of [`MESSAGES`] without copies.
pub(crate) const VIEW: &str = "messages";

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The table or view.
    pub table: String,
    /// Name of the column.
    pub name: String,
    /// Its type; `json` is text that holds JSON.
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Returns the names of all tables, the lake's first.
pub(crate) fn tables() -> Vec<&'static str> {
    let mut names = vec![MESSAGES, VIEW];
    names.extend(hyp_cache::TABLES);
    names
}

/// Returns the columns of one table, or of all, in their order: those that every store has, then the datasets of a
/// store and the views over them.
pub fn columns(store: Option<&Store>, table: Option<&str>) -> Result<Vec<Column>, QueryError> {
    let mut all: Vec<Column> = tables().into_iter().flat_map(of_table).collect();
    if let Some(store) = store {
        for (name, schema) in Session::open(store, Options::default())?.more_tables() {
            all.extend(schema.fields().iter().map(|field| Column {
                table: name.clone(),
                name: field.name().clone(),
                kind: arrow_kind(field.data_type()).to_owned(),
                nullable: field.is_nullable(),
            }));
        }
    }
    let Some(name) = table else { return Ok(all) };
    if !all.iter().any(|column| column.table == name) {
        let mut tables: Vec<String> = all.into_iter().map(|column| column.table).collect();
        tables.dedup();
        return Err(QueryError::UnknownTable { name: name.to_owned(), tables });
    }
    all.retain(|column| column.table == name);
    Ok(all)
}

fn of_table(table: &str) -> Vec<Column> {
    let column = |name: &str, kind: &str, nullable| Column {
        table: table.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        nullable,
    };
    if table == MESSAGES || table == VIEW {
        return COLUMNS.iter().map(|c| column(c.name, kind(c.kind), c.nullable)).collect();
    }
    let Some(schema) = hyp_cache::table_schema(table) else {
        return Vec::new();
    };
    let fields = schema.fields().iter();
    fields.map(|f| column(f.name(), arrow_kind(f.data_type()), f.is_nullable())).collect()
}

fn kind(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Json => "json",
        Type::Int => "integer",
        Type::Long => "bigint",
        Type::Boolean => "boolean",
        Type::Timestamp => "timestamp",
        Type::Key => "key",
        _ => "unknown",
    }
}

fn arrow_kind(kind: &DataType) -> &'static str {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) => "timestamp",
        DataType::FixedSizeBinary(_) => "key",
        DataType::Binary | DataType::LargeBinary => "binary",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_has_the_columns_of_the_table() {
        let names = |table| -> Vec<String> {
            columns(None, Some(table)).unwrap().into_iter().map(|column| column.name).collect()
        };
        assert_eq!(names(MESSAGES), names(VIEW));
        assert_eq!(names(MESSAGES).len(), COLUMNS.len());
    }

    #[test]
    fn an_unknown_table_is_named_with_those_there_are() {
        use hyp_model::Explain;

        let error = columns(None, Some("mesages")).unwrap_err();
        assert_eq!(error.to_string(), "unknown table: mesages");
        assert!(
            error.help().unwrap().starts_with("tables: ai_gateway_messages, messages, sessions")
        );
    }

    #[test]
    fn every_table_has_columns() {
        let all = columns(None, None).unwrap();
        for table in tables() {
            assert!(all.iter().any(|column| column.table == table), "{table}");
        }
        assert!(all.iter().all(|column| column.kind != "unknown"));
    }
}
