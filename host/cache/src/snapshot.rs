//! What a reader sees.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use hyp_model::dataset::COLUMNS;
use iceberg::spec::{Datum, PrimitiveLiteral, PrimitiveType};

use crate::clock::month_name;
use crate::lease::Lease;
use crate::schema::messages_schema;
use crate::table::{LiveData, Table};

/// The messages as of one commit.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Their columns.
    pub schema: SchemaRef,
    /// The files that hold them.
    pub files: Vec<FileEntry>,
    /// Location of the metadata, for other engines; none before the first commit.
    pub metadata_location: Option<String>,
    /// Id of the snapshot; none before the first commit.
    pub snapshot_id: Option<i64>,
    /// Keeps the files where they are.
    pub lease: Lease,
}

/// A data file and what is known of it without opening it.
#[derive(Debug, Clone)]
pub struct FileEntry {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its rows, superseded ones included.
    pub rows: u64,
    /// `client_name` of every row.
    pub client: String,
    /// Month of `message_created_at` of every row, such as `2025-11`.
    pub month: String,
    /// Positions of superseded rows, sorted and distinct.
    pub deleted: Vec<u64>,
    /// Least and greatest value by column, never cut short.
    pub bounds: BTreeMap<String, (Option<Bound>, Option<Bound>)>,
    /// Nulls by column, superseded rows included.
    pub null_counts: BTreeMap<String, u64>,
    /// Number of the commit that added it.
    pub sequence: i64,
}

/// A least or greatest value.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Bound {
    /// Of a text column.
    Text(String),
    /// Of a 32 bit column.
    Int(i32),
    /// Of a 64 bit column.
    Long(i64),
    /// Of a column of truth values.
    Boolean(bool),
    /// Microseconds, UTC.
    Timestamp(i64),
    /// Of a column of keys.
    Key([u8; 16]),
}

impl Bound {
    fn new(datum: &Datum) -> Option<Self> {
        Some(match (datum.data_type(), datum.literal()) {
            (PrimitiveType::Timestamptz, PrimitiveLiteral::Long(value)) => Self::Timestamp(*value),
            (_, PrimitiveLiteral::Long(value)) => Self::Long(*value),
            (_, PrimitiveLiteral::Int(value)) => Self::Int(*value),
            (_, PrimitiveLiteral::Boolean(value)) => Self::Boolean(*value),
            (_, PrimitiveLiteral::String(value)) => Self::Text(value.clone()),
            (_, PrimitiveLiteral::Binary(value)) => Self::Key(value.as_slice().try_into().ok()?),
            _ => return None,
        })
    }
}

impl Snapshot {
    pub(crate) fn new(table: &Table, lease: Lease) -> Self {
        Self {
            schema: messages_schema(),
            files: table.data.iter().map(entry).collect(),
            metadata_location: table.location.clone(),
            snapshot_id: table.metadata.current_snapshot_id(),
            lease,
        }
    }

    pub(crate) fn empty() -> Self {
        Self {
            schema: messages_schema(),
            files: Vec::new(),
            metadata_location: None,
            snapshot_id: None,
            lease: Lease::default(),
        }
    }
}

fn entry(data: &LiveData) -> FileEntry {
    let file = &data.live.file;
    let mut bounds = BTreeMap::new();
    let mut null_counts = BTreeMap::new();
    for (id, column) in (1i32..).zip(COLUMNS) {
        let lower = file.lower_bounds().get(&id).and_then(Bound::new);
        let upper = file.upper_bounds().get(&id).and_then(Bound::new);
        if lower.is_some() || upper.is_some() {
            bounds.insert(column.name.to_owned(), (lower, upper));
        }
        if let Some(nulls) = file.null_value_counts().get(&id) {
            null_counts.insert(column.name.to_owned(), *nulls);
        }
    }
    let (client, month) = data.live.partition.clone();
    FileEntry {
        path: data.live.path.clone(),
        size: file.file_size_in_bytes(),
        rows: file.record_count(),
        client,
        month: month_name(month),
        deleted: data.deleted.to_vec(),
        bounds,
        null_counts,
        sequence: data.live.sequence,
    }
}
