//! Puts the files of a dataset together, without the rows that were superseded.

use iceberg::spec::Operation;

use super::OpenDataset;
use super::files::{Encoder, new_path};
use crate::error::StoreError;
use crate::install::Next;
use crate::layout::Dirty;
use crate::publish::Edit;
use crate::rows::live_rows;
use crate::writer::Writer;
use crate::{failpoint, ledger, source};

/// Files that a dataset may have before they are put together.
const FILES: usize = 24;

impl Writer {
    /// Puts the files of a dataset together where there are many; says whether it did. Rows are those that they were.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written.
    pub fn merge_dataset(&mut self, open: &mut OpenDataset) -> Result<bool, StoreError> {
        if open.table.data.len() <= FILES {
            return Ok(false);
        }
        failpoint::hit("before_compaction")?;
        self.announce()?;
        let mut dirty = Dirty::default();
        let mut edit = Edit { schema: open.widened.clone(), ..Edit::default() };
        let mut encoder = Encoder::new(new_path(&open.table, "parquet"), open, &mut dirty)?;
        for data in &open.table.data {
            let path = &data.live.path;
            let builder = source::open(path)?;
            let selection = live_rows(data, builder.metadata());
            let reader =
                builder.with_row_selection(selection).build().map_err(StoreError::parquet(path))?;
            for batch in reader {
                let batch = batch.map_err(StoreError::arrow(path))?;
                encoder.write(&widened(&batch, open)?)?;
            }
            edit.removed.insert(data.live.file.file_path().to_owned());
        }
        let deletes = open.table.deletes.iter();
        edit.removed.extend(deletes.map(|deletes| deletes.live.file.file_path().to_owned()));
        edit.data.push(encoder.finish(&mut dirty)?);
        let name = open.declared.name.clone();
        let next = Next::of(self.store().layout(), &open.table, edit, Operation::Replace, dirty)?;
        let from = open.table.location.clone();
        let swap = || -> rusqlite::Result<bool> {
            let transaction = self.catalog.connection.unchecked_transaction()?;
            if !next.put(&transaction, from.as_deref())? {
                return Ok(false);
            }
            ledger::journal(&transaction, &self.run_id, "merged", &name)?;
            transaction.commit()?;
            Ok(true)
        };
        if !swap().map_err(|error| self.catalog.error(error))? {
            return Err(StoreError::Conflict { path: self.catalog.path.clone() });
        }
        (open.table, open.widened) = (next.table, None);
        open.load()?;
        Ok(true)
    }
}

/// Returns rows with all columns of the dataset; one that a file lacks is null.
fn widened(
    batch: &arrow::array::RecordBatch,
    open: &OpenDataset,
) -> Result<arrow::array::RecordBatch, StoreError> {
    let columns = open.schema.fields().iter().map(|field| {
        batch
            .column_by_name(field.name())
            .cloned()
            .unwrap_or_else(|| arrow::array::new_null_array(field.data_type(), batch.num_rows()))
    });
    arrow::array::RecordBatch::try_new(open.schema.clone(), columns.collect())
        .map_err(StoreError::rows)
}
