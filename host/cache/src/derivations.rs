//! Whether derived columns of a dataset are those that its rows ask for.

use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::writer::Writer;

impl Writer {
    /// Returns the state of a dataset, if it has rows that a component has not seen since they changed.
    ///
    /// # Errors
    /// Fails when the catalog cannot be read.
    pub fn derivation_due(
        &self,
        dataset: &str,
        digest: &str,
    ) -> Result<Option<String>, StoreError> {
        let Some(location) = self.catalog.pointer_of(dataset)? else { return Ok(None) };
        let seen: Option<(String, String)> = self
            .catalog
            .connection
            .prepare(
                "SELECT component_digest, metadata_location FROM derivations WHERE dataset = ?1",
            )
            .and_then(|mut asked| {
                asked.query_row([dataset], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(|error| self.catalog.error(error))?;
        let is_seen = seen.is_some_and(|(by, state)| by == digest && state == location);
        Ok((!is_seen).then_some(location))
    }

    /// Notes that a component has seen a dataset as it is, and left nothing to be changed.
    ///
    /// # Errors
    /// Fails when the catalog cannot be written.
    pub fn note_derived(&mut self, dataset: &str, digest: &str) -> Result<(), StoreError> {
        let Some(location) = self.catalog.pointer_of(dataset)? else { return Ok(()) };
        self.catalog
            .connection
            .execute(
                "INSERT OR REPLACE INTO derivations VALUES (?1, ?2, ?3)",
                [dataset, digest, &location],
            )
            .map(drop)
            .map_err(|error| self.catalog.error(error))
    }
}
