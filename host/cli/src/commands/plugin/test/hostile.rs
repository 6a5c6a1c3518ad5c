//! Damaged copies of a case's files: each must be read to its end, with every byte accounted for.

mod bytes;
mod values;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::trial::{Trial, TrialError, fault, files, only, temporary};
use crate::failure::Failure;
use bytes::Damage;

/// What came of the damaged copies of a case.
#[derive(Debug, Default)]
pub(super) struct Hostile {
    /// Damaged copies that were read.
    pub(super) readings: usize,
    /// What was wrong, a line each.
    pub(super) faults: Vec<String>,
}

/// How much is done to the files of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that is small.
    Usual,
    /// A line, too, that is longer than a record may be: it takes a moment, and once is enough.
    WithHugeLine,
}

/// Reads the damaged copies of a case.
pub(super) fn read(
    trial: &Trial,
    case: &Path,
    extent: Extent,
    cancelled: &AtomicBool,
) -> Result<Hostile, Failure> {
    let place = temporary()?;
    let input = place.path().join("in");
    trial.lay_out(case, &input)?;
    let mut hostile = Hostile::default();
    for (at, file) in files(&input)?.into_iter().enumerate() {
        let failed = |source| TrialError::File { path: file.clone(), source };
        let whole = fs::read(&file).map_err(failed)?;
        let damages = match values::is_database(&whole) {
            true => values::damages(trial.provider()?),
            false if at == 0 && extent == Extent::WithHugeLine => bytes::all(&whole),
            false => bytes::small(&whole),
        };
        let below = file.strip_prefix(&input).unwrap_or(&file).display().to_string();
        for Damage { what, apply } in damages {
            if cancelled.load(Ordering::Relaxed) {
                return Ok(hostile);
            }
            fs::write(&file, &whole).map_err(failed)?;
            if !apply(&file).map_err(failed)? {
                continue;
            }
            hostile.readings += 1;
            let report = trial.read(trial.store(), &input, true, cancelled)?;
            if let Some(fault) = only(&report).and_then(fault) {
                let first = fault.lines().next().unwrap_or_default();
                hostile.faults.push(format!("{below}, {what}: {first}"));
            }
        }
        fs::write(&file, &whole).map_err(failed)?;
    }
    Ok(hostile)
}
