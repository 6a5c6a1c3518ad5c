//! Snapshots that another program wrote: noticed by the pointer, and taken in after a look at all ids.

use crate::error::StoreError;
use crate::writer::Writer;
use crate::{catalog, ledger};

impl Writer {
    /// Checks all ids when another program moved the pointer; keeps those that had more than one row.
    pub(crate) fn take_in_foreign(&mut self) -> Result<(), StoreError> {
        let connection = &self.catalog.connection;
        let own = catalog::mark(connection, catalog::POINTER);
        let own = own.map_err(|error| self.catalog.error(error))?;
        let Some(location) = self.table.location.clone() else { return Ok(()) };
        if own.is_none_or(|own| own == location) {
            return Ok(());
        }
        self.doubles = self.drop_doubles(|_| true)?;
        self.is_foreign = true;
        let connection = &self.catalog.connection;
        let note = || {
            let transaction = connection.unchecked_transaction()?;
            ledger::journal(&transaction, &self.run_id, "foreign_snapshot", &location)?;
            let now = self.table.location.as_deref().unwrap_or_default();
            catalog::put_mark(&transaction, catalog::POINTER, now)?;
            transaction.commit()
        };
        note().map_err(|error| self.catalog.error(error))
    }
}
