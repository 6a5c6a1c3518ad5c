//! The catalog's own tables as Arrow, so that they can be queried beside the messages.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rusqlite::types::ValueRef;

use crate::catalog::Catalog;
use crate::crashed::CRASHED;
use crate::error::StoreError;

/// Type of a column here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Long,
    Flag,
    Time,
    Bytes,
}

use Kind::{Bytes, Flag, Long, Text, Time};

/// A table: its name, its columns, and the query that gives them.
struct Definition {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
    query: &'static str,
}

/// Name of the table of runs.
pub(crate) const RUNS: &str = "runs";

/// Names of the tables that can be read.
pub const TABLES: &[&str] = &[
    "sessions",
    "runs",
    "chunks",
    "inputs",
    "quarantine",
    "journal",
    "audit",
    "sightings",
    "counters",
    "dataset_journal",
    "value_audit",
];

const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "sessions",
        columns: &[
            ("thread_id", Text),
            ("session_id", Text),
            ("conversation_id", Text),
            ("provider", Text),
            ("client_name", Text),
            ("title", Text),
            ("kind", Text),
            ("parent_thread_id", Text),
            ("root_thread_id", Text),
            ("forked_from", Text),
            ("cwd", Text),
            ("input_id", Text),
            ("started_at", Time),
            ("first_at", Time),
            ("last_at", Time),
            ("messages", Long),
            ("parts", Long),
            ("is_listed", Flag),
        ],
        query: "SELECT s.thread_id, s.session_id, s.conversation_id, s.provider, s.client_name,
                       f.value, s.kind, s.parent_thread_id, s.root_thread_id, s.forked_from,
                       s.cwd, s.input_id, s.started_at, s.first_at, s.last_at, s.messages, s.parts, s.kind <> 'side'
                FROM sessions s LEFT JOIN facts f ON f.thread_id = s.thread_id AND f.name = 'title'
                WHERE s.last_at IS NULL OR s.last_at >= coalesce(
                    (SELECT CAST(property_value AS INTEGER) FROM iceberg_namespace_properties
                     WHERE property_key = 'hyp.retained-from'), s.last_at)
                ORDER BY s.started_at, s.thread_id",
    },
    Definition {
        name: RUNS,
        columns: &[
            ("run_id", Text),
            ("started_at", Time),
            ("ended_at", Time),
            ("status", Text),
            ("dry_run", Flag),
            ("providers", Text),
            ("since", Time),
            ("until", Time),
            ("rows_written", Long),
            ("rows_skipped", Long),
            ("report", Text),
            ("kind", Text),
            ("undoes", Text),
            ("undone_by", Text),
        ],
        // The last columns are not in stores of an older hyp: a name that `own` lacks is that of the join then.
        query: "SELECT run_id, started_at, ended_at, status, dry_run, providers, since, until,
                       rows_written, rows_skipped, report,
                       (SELECT kind FROM runs AS own WHERE own.run_id = runs.run_id),
                       (SELECT undoes FROM runs AS own WHERE own.run_id = runs.run_id),
                       (SELECT undone_by FROM runs AS own WHERE own.run_id = runs.run_id)
                FROM runs JOIN (SELECT 'import' AS kind, NULL AS undoes, NULL AS undone_by)
                ORDER BY started_at, run_id",
    },
    Definition {
        name: "chunks",
        columns: &[
            ("run_id", Text),
            ("number", Long),
            ("committed_at", Time),
            ("snapshot_id", Long),
            ("rows", Long),
            ("superseded", Long),
            ("files", Long),
        ],
        query: "SELECT run_id, number, committed_at, snapshot_id, rows, superseded, files
                FROM chunks ORDER BY committed_at, number",
    },
    Definition {
        name: "inputs",
        columns: &[
            ("input_id", Text),
            ("provider", Text),
            ("unit_id", Text),
            ("path", Text),
            ("size", Long),
            ("modified", Time),
            ("bytes_read", Long),
            ("accounting", Text),
            ("records", Text),
            ("status", Text),
            ("first_at", Time),
            ("last_at", Time),
            ("since", Time),
            ("until", Time),
            ("component_digest", Text),
            ("run_id", Text),
        ],
        query: "SELECT i.input_id, i.provider, i.unit_id, i.path, i.size, i.modified, i.bytes_read,
                       i.accounting, i.records, i.status, u.first_at, u.last_at, u.since, u.until,
                       u.component_digest, i.run_id
                FROM inputs i LEFT JOIN units u
                     ON u.provider = i.provider AND u.unit_id = i.unit_id
                ORDER BY i.provider, i.unit_id",
    },
    Definition {
        name: "quarantine",
        columns: &[
            ("input_id", Text),
            ("provider", Text),
            ("path", Text),
            ("offset", Long),
            ("length", Long),
            ("class", Text),
            ("reason", Text),
            ("bytes", Bytes),
            ("run_id", Text),
        ],
        query: "SELECT input_id, provider, path, offset, length, class, reason, bytes, run_id
                FROM quarantine ORDER BY path, offset",
    },
    Definition {
        name: "journal",
        columns: &[("at", Time), ("run_id", Text), ("event", Text), ("detail", Text)],
        query: "SELECT at, run_id, event, detail FROM journal ORDER BY rowid",
    },
    Definition {
        name: "audit",
        columns: &[("at", Time), ("run_id", Text), ("action", Text), ("detail", Text)],
        query: "SELECT at, run_id, action, detail FROM audit ORDER BY rowid",
    },
    Definition {
        name: "sightings",
        columns: &[
            ("part_id", Text),
            ("thread_id", Text),
            ("input_id", Text),
            ("message_index", Long),
            ("offset", Long),
            ("length", Long),
        ],
        query: "SELECT part_id, thread_id, input_id, message_index, offset, length
                FROM sightings ORDER BY part_id, thread_id",
    },
    Definition {
        name: "counters",
        columns: &[
            ("provider", Text),
            ("unit_id", Text),
            ("thread_id", Text),
            ("name", Text),
            ("value", Long),
        ],
        query: "SELECT provider, unit_id, thread_id, name, value FROM counters
                ORDER BY provider, unit_id, thread_id, name",
    },
    Definition {
        name: "dataset_journal",
        columns: &[
            ("run_id", Text),
            ("chunk", Long),
            ("dataset", Text),
            ("row_key", Text),
            ("column_name", Text),
            ("operation", Text),
            ("old_value", Text),
            ("new_value", Text),
        ],
        query: "SELECT run_id, chunk, dataset, row_key, column_name, operation, old_value, new_value
                FROM dataset_journal ORDER BY id",
    },
    Definition {
        name: "value_audit",
        columns: &[
            ("run_id", Text),
            ("dataset", Text),
            ("row_key", Text),
            ("subject", Text),
            ("column_name", Text),
            ("old_value", Text),
            ("new_value", Text),
            ("event", Text),
            ("source", Text),
            ("changed_at", Time),
            ("notes", Text),
        ],
        query: "SELECT run_id, dataset, row_key, subject, column_name, old_value, new_value, event, source,
                       changed_at, notes
                FROM value_audit ORDER BY id",
    },
];

/// Returns the columns of a table, or none if there is no such table.
pub fn table_schema(name: &str) -> Option<SchemaRef> {
    DEFINITIONS.iter().find(|definition| definition.name == name).map(schema_of)
}

fn schema_of(definition: &Definition) -> SchemaRef {
    let fields = definition.columns.iter().map(|(name, kind)| {
        let kind = match kind {
            Text => DataType::Utf8,
            Long => DataType::Int64,
            Flag => DataType::Boolean,
            Time => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            Bytes => DataType::Binary,
        };
        Field::new(*name, kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Reads a whole table; without a catalog it is empty. Runs that `crashed` are told as such.
pub(crate) fn read(
    catalog: Option<&Catalog>,
    name: &str,
    crashed: &BTreeSet<String>,
) -> Result<RecordBatch, StoreError> {
    let definition = DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
        .ok_or_else(|| StoreError::NoTable { name: name.to_owned() })?;
    let mut columns: Vec<Column> = definition.columns.iter().map(|(_, kind)| kind.into()).collect();
    if let Some(catalog) = catalog {
        let fill = |columns: &mut [Column]| {
            let mut statement = catalog.connection.prepare(definition.query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let has_crashed = row.get_ref(0)?.as_str().is_ok_and(|id| crashed.contains(id));
                for (at, (column, (name, _))) in
                    columns.iter_mut().zip(definition.columns).enumerate()
                {
                    column.push(match *name {
                        "status" if has_crashed => CRASHED.into(),
                        _ => row.get_ref(at)?,
                    });
                }
            }
            Ok(())
        };
        if let Err(error) = fill(&mut columns) {
            return Err(match catalog.is_behind()? {
                true => StoreError::Older { name: name.to_owned() },
                false => catalog.error(error),
            });
        }
    }
    let arrays = columns.into_iter().map(Column::finish).collect();
    RecordBatch::try_new(schema_of(definition), arrays).map_err(StoreError::rows)
}

/// A column being filled.
enum Column {
    Text(StringBuilder),
    Long(Int64Builder),
    Flag(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
}

impl From<&Kind> for Column {
    fn from(kind: &Kind) -> Self {
        match kind {
            Text => Self::Text(StringBuilder::new()),
            Long => Self::Long(Int64Builder::new()),
            Flag => Self::Flag(BooleanBuilder::new()),
            Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("+00:00")),
            Bytes => Self::Bytes(BinaryBuilder::new()),
        }
    }
}

impl Column {
    fn push(&mut self, value: ValueRef<'_>) {
        match self {
            Self::Text(builder) => builder.append_option(value.as_str_or_null().ok().flatten()),
            Self::Long(builder) => builder.append_option(value.as_i64_or_null().ok().flatten()),
            Self::Flag(builder) => {
                let flag = value.as_i64_or_null().ok().flatten();
                builder.append_option(flag.map(|flag| flag != 0));
            }
            Self::Time(builder) => builder.append_option(value.as_i64_or_null().ok().flatten()),
            Self::Bytes(builder) => builder.append_option(value.as_blob_or_null().ok().flatten()),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Long(mut builder) => Arc::new(builder.finish()),
            Self::Flag(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Bytes(mut builder) => Arc::new(builder.finish()),
        }
    }
}
