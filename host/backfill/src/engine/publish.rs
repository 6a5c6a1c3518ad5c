//! What a pass wrote becomes part of the datasets, chunk by chunk.

use std::sync::Mutex;

use hyp_cache::Writer;

use super::error::EngineError;
use super::pass::Chunk;
use super::report::ChangesReport;
use super::view::{View, lock};

/// Commits chunks in their order, and joins small files when all are in.
///
/// The first function is asked before each chunk, whether it is the first or not, and ends it all with an error; the second is
/// told how many rows a chunk had.
///
/// # Errors
/// Fails when the store does, or the first function; what was committed until then stays.
pub(super) fn publish(
    chunks: Vec<Chunk>,
    writer: &mut Writer,
    view: &Mutex<View>,
    told: &mut ChangesReport,
    before: impl Fn(bool) -> Result<(), EngineError>,
    mut after: impl FnMut(u64),
) -> Result<(), EngineError> {
    told.left = chunks.iter().map(Chunk::rows).sum();
    for (at, chunk) in chunks.into_iter().enumerate() {
        before(at == 0)?;
        let rows = commit(chunk, writer, view, told)?;
        told.left -= rows;
        told.committed = true;
        after(rows);
    }
    // Where there was nothing to commit, that is done as well.
    told.committed = true;
    for stored in lock(view).stored.values_mut() {
        writer.merge_dataset(stored)?;
    }
    Ok(())
}

/// Makes a chunk part of the datasets, and returns how many rows it had.
fn commit(
    chunk: Chunk,
    writer: &mut Writer,
    view: &Mutex<View>,
    told: &mut ChangesReport,
) -> Result<u64, EngineError> {
    let rows = chunk.rows();
    let mut view = lock(view);
    let commit = chunk.into_commit(&view.stored);
    let source = commit.audit.first().map(|entry| entry.source.clone()).unwrap_or_default();
    let done = writer.commit_datasets(&mut view.stored, commit)?;
    told.chunks += u64::from(rows > 0);
    if let Some((class, entries)) = done.audit_failed {
        let label = format!("source={source},error_class={class}");
        tracing::warn!(
            counter = "audit_insert_failed",
            source,
            error_class = class,
            entries,
            "the audit could not be written"
        );
        *told.audit_insert_failed.entry(label).or_default() += entries;
    }
    Ok(rows)
}
