//! What a query needs to know of a store, apart from how the store keeps it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::scalar::ScalarValue;
use hyp_cache::Lease;

use crate::error::QueryError;

/// The files of one table at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// Columns of the table, in their order.
    pub(crate) schema: SchemaRef,
    /// The data files.
    pub(crate) files: Vec<DataFile>,
    /// Keeps the files where they are while they are read.
    pub(crate) lease: Lease,
}

/// One Parquet file, and what is known of it without opening it.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataFile {
    /// Absolute path.
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Rows in the file, deleted ones included.
    pub(crate) rows: u64,
    /// Positions of deleted rows, ascending.
    pub(crate) deleted: Vec<u64>,
    /// Lower and upper bound by column; a column without an entry has none.
    pub(crate) bounds: BTreeMap<String, Bounds>,
    /// Number of nulls by column, deleted rows included.
    pub(crate) nulls: BTreeMap<String, u64>,
}

/// Values that no value of a column is below or above.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    /// Not above any value.
    pub(crate) lower: Option<ScalarValue>,
    /// Not below any value.
    pub(crate) upper: Option<ScalarValue>,
}

impl DataFile {
    /// Returns how many rows are left once deleted ones are taken away.
    pub(crate) fn live(&self) -> u64 {
        self.rows.saturating_sub(self.deleted.len() as u64)
    }
}

/// Where the small tables beside the lake come from; they are read only when scanned.
pub(crate) trait Tables: fmt::Debug + Send + Sync {
    /// Reads a whole table.
    fn read(&self, name: &str) -> Result<RecordBatch, QueryError>;
}
