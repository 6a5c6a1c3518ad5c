//! Rows as a Parquet file.

use std::fs::File;
use std::io;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Receipt;
use crate::error::QueryError;

/// Writes an answer into a Parquet file, batch by batch, with the types that it has.
pub struct ParquetFile {
    writer: ArrowWriter<File>,
    receipt: Receipt,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

impl ParquetFile {
    /// Starts a file.
    ///
    /// # Errors
    /// Fails where a column has a type that Parquet does not know, such as one that differs from row to row.
    pub fn new(schema: SchemaRef, to: File) -> Result<Self, QueryError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(to, schema, Some(properties)).map_err(failed)?;
        Ok(Self { writer, receipt: Receipt::default() })
    }

    /// Adds the rows of a batch.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.receipt.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(failed)
    }

    /// Ends the file.
    pub fn finish(self) -> Result<Receipt, QueryError> {
        self.writer.close().map_err(failed)?;
        Ok(self.receipt)
    }
}

fn failed(error: ParquetError) -> QueryError {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => (*cause).into(),
            Err(cause) => QueryError::Run { message: cause.to_string() },
        },
        ParquetError::NYI(what) | ParquetError::ArrowError(what) => QueryError::Run {
            message: format!("Parquet has no such column: {what}; cast it to text"),
        },
        other => QueryError::Run { message: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringViewArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let columns: [(&str, ArrayRef); 2] = [
            ("said", Arc::new(StringViewArray::from(vec![Some("ä\u{1b}"), None]))),
            ("tokens", Arc::new(Int64Array::from(vec![None, Some(7)]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = ParquetFile::new(batch.schema(), file.reopen().unwrap()).unwrap();
        writer.batch(&batch).unwrap();
        writer.batch(&batch).unwrap();
        assert_eq!(writer.finish().unwrap().rows, 4);

        let reader = ParquetRecordBatchReaderBuilder::try_new(file.reopen().unwrap()).unwrap();
        let read: Vec<_> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
        let rows = arrow::compute::concat_batches(&batch.schema(), &read).unwrap();
        assert_eq!(rows.num_rows(), 4);
        assert_eq!(rows.slice(0, 2), batch);
    }
}
