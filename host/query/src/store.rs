//! A store of `hyp-cache` as a query sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use hyp_cache::{Bound, DatasetFiles, FileEntry, Snapshot, Store, StoreError};

use crate::error::QueryError;
use crate::lake::{Bounds, DataFile, Files, Tables};

/// Returns the files of a snapshot.
pub(crate) fn files(snapshot: Snapshot) -> Files {
    let files = snapshot.files.into_iter().map(data_file).collect();
    Files { schema: snapshot.schema, files, lease: snapshot.lease }
}

/// Returns the name and the files of a dataset.
pub(crate) fn dataset(dataset: DatasetFiles) -> (String, Files) {
    let DatasetFiles { name, schema, files, lease } = dataset;
    let file =
        |(path, size, rows, deleted)| DataFile { path, size, rows, deleted, ..DataFile::default() };
    (name, Files { schema, files: files.into_iter().map(file).collect(), lease })
}

fn data_file(entry: FileEntry) -> DataFile {
    let mut bounds: BTreeMap<String, Bounds> = entry
        .bounds
        .into_iter()
        .map(|(column, (lower, upper))| {
            (column, Bounds { lower: lower.and_then(scalar), upper: upper.and_then(scalar) })
        })
        .collect();
    // Files are partitioned by client: every row of a file has the same.
    bounds.entry("client_name".into()).or_insert_with(|| {
        let client = ScalarValue::from(entry.client.as_str());
        Bounds { lower: Some(client.clone()), upper: Some(client) }
    });
    DataFile {
        path: entry.path,
        size: entry.size,
        rows: entry.rows,
        deleted: entry.deleted,
        bounds,
        nulls: entry.null_counts,
    }
}

fn scalar(bound: Bound) -> Option<ScalarValue> {
    Some(match bound {
        Bound::Text(text) => ScalarValue::Utf8(Some(text)),
        Bound::Int(number) => ScalarValue::Int32(Some(number)),
        Bound::Long(number) => ScalarValue::Int64(Some(number)),
        Bound::Boolean(flag) => ScalarValue::Boolean(Some(flag)),
        Bound::Timestamp(micros) => {
            ScalarValue::TimestampMicrosecond(Some(micros), Some("+00:00".into()))
        }
        Bound::Key(key) => ScalarValue::FixedSizeBinary(16, Some(key.to_vec())),
        _ => return None,
    })
}

/// The tables that a store keeps beside the lake.
pub(crate) struct StoreTables(pub(crate) Store);

impl std::fmt::Debug for StoreTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StoreTables").field(&self.0.dir()).finish()
    }
}

impl Tables for StoreTables {
    fn read(&self, name: &str) -> Result<RecordBatch, QueryError> {
        self.0.read_table(name).map_err(|source: StoreError| QueryError::Table {
            table: name.to_owned(),
            source: Arc::new(source),
        })
    }
}
