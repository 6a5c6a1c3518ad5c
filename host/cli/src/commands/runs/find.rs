//! One run, by its id or the start of it.

use super::{COLUMNS, COMMAND};
use crate::commands::ask::{self, Lake, Row, quote};
use crate::failure::Failure;

/// Returns the run that is meant, with its [`COLUMNS`].
pub(super) fn run(lake: &Lake, id: &str) -> Result<Row, Failure> {
    let start = format!("starts_with(run_id, {})", quote(id));
    let found = lake.rows(&format!(
        "select {COLUMNS} from runs where {start} order by run_id = {} desc, run_id limit 2",
        quote(id)
    ))?;
    let refused = |message: String| Err(Failure::Refused { command: COMMAND, message });
    let is_whole = |row: &Row| ask::text(row, "run_id").as_deref() == Some(id);
    match <[Row; 1]>::try_from(found) {
        Ok([row]) => Ok(row),
        Err(found) => match found.into_iter().next() {
            None => refused(format!("no run `{id}`; `hyp runs --limit 0` lists them all")),
            Some(row) if is_whole(&row) => Ok(row),
            Some(_) => refused(format!("`{id}` begins more than one run; type more of it")),
        },
    }
}
