//! What a query gives back.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::error::QueryError;
use crate::translate::translate;

/// A whole answer, in memory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

impl Answer {
    /// Makes an answer of rows that were made elsewhere.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// An answer while it is computed, batch by batch.
pub struct Rows {
    stream: SendableRecordBatchStream,
    memory_limit: usize,
}

impl Rows {
    pub(crate) fn new(stream: SendableRecordBatchStream, memory_limit: usize) -> Self {
        Self { stream, memory_limit }
    }

    /// Returns the columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// Returns the next rows, or none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        match self.stream.next().await {
            None => Ok(None),
            Some(Ok(batch)) => Ok(Some(batch)),
            Some(Err(error)) => Err(translate(&error, self.memory_limit)),
        }
    }

    /// Reads to the end.
    pub async fn collect(mut self) -> Result<Answer, QueryError> {
        let schema = self.schema();
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            batches.push(batch);
        }
        Ok(Answer { schema, batches })
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema()).finish_non_exhaustive()
    }
}
