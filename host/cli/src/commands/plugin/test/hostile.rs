//! Damaged copies of a case's files: each must be read to its end, with every byte accounted for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::trial::{Trial, TrialError, copy, only, temporary};
use crate::failure::Failure;

/// Places at which a file is cut.
const CUTS: usize = 8;

/// What came of the damaged copies of a case.
#[derive(Debug, Default)]
pub(super) struct Hostile {
    /// Damaged copies that were read.
    pub(super) readings: usize,
    /// What was wrong, a line each.
    pub(super) faults: Vec<String>,
}

/// A damaged copy of a file.
struct Damage {
    /// What was done to it.
    what: String,
    bytes: Vec<u8>,
}

/// Reads the damaged copies of a case.
pub(super) fn read(trial: &Trial, case: &Path, cancelled: &AtomicBool) -> Result<Hostile, Failure> {
    let mut hostile = Hostile::default();
    let place = temporary()?;
    let input = place.path().join("in");
    copy(&case.join("in"), &input)?;
    let (whole, _) = bytes_read(trial, &input, cancelled)?;
    let mut files = Vec::new();
    list(&input, &mut files)?;
    for file in files {
        let failed = |source| TrialError::File { path: file.clone(), source };
        let bytes = fs::read(&file).map_err(failed)?;
        let below = file.strip_prefix(&input).unwrap_or(&file).display().to_string();
        for damage in damages(&bytes) {
            if cancelled.load(Ordering::Relaxed) {
                return Ok(hostile);
            }
            fs::write(&file, &damage.bytes).map_err(failed)?;
            let (read, accounted) = bytes_read(trial, &input, cancelled)?;
            let expected = (whole + damage.bytes.len() as u64).saturating_sub(bytes.len() as u64);
            hostile.readings += 1;
            // A file that is in no unit is not read, however it is damaged.
            let is_left = read == whole && whole != expected;
            if accounted != read || (read != expected && !is_left) {
                hostile.faults.push(format!(
                    "{below}, {}: {accounted} of {expected} bytes are accounted for",
                    damage.what
                ));
            }
        }
        fs::write(&file, &bytes).map_err(failed)?;
    }
    Ok(hostile)
}

/// Returns how many bytes were read, and how many of them the component accounted for.
fn bytes_read(trial: &Trial, folder: &Path, cancelled: &AtomicBool) -> Result<(u64, u64), Failure> {
    let report = trial.read(trial.store(), folder, true, cancelled)?;
    Ok(only(&report).map_or((0, 0), |it| (it.bytes_read, it.accounting.values().sum())))
}

fn damages(bytes: &[u8]) -> Vec<Damage> {
    let mut damages = vec![Damage { what: "empty".to_owned(), bytes: Vec::new() }];
    for cut in 1..=CUTS {
        let at = bytes.len() * cut / (CUTS + 1);
        damages.push(Damage { what: format!("cut at byte {at}"), bytes: bytes[..at].to_vec() });
    }
    let middle = bytes.len() / 2;
    let line =
        bytes[middle..].iter().position(|byte| *byte == b'\n').map_or(0, |at| middle + at + 1);
    for (what, inserted) in [
        ("a line that is no JSON", &b"{\"half\": \n"[..]),
        ("a line that is no UTF-8", b"{\"text\": \"\xff\xfe\"}\n"),
        ("a line of another kind", b"{\"type\":\"never-heard-of\",\"version\":99}\n"),
        ("a value that is no object", b"[[[0]]]\n"),
        ("zeros", &[0; 512]),
    ] {
        let bytes = [&bytes[..line], inserted, &bytes[line..]].concat();
        damages.push(Damage { what: format!("with {what} at byte {line}"), bytes });
    }
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    lines.reverse();
    damages.push(Damage {
        what: "with its lines the other way round".to_owned(),
        bytes: lines.concat(),
    });
    damages
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), TrialError> {
    let failed = |source| TrialError::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_damaged_in_all_the_ways_that_disks_and_writers_know() {
        let damages = damages(b"{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(damages.len(), 1 + CUTS + 6);
        assert!(damages[0].bytes.is_empty());
        assert!(damages.iter().any(|it| it.bytes == b"{\"b\":2}\n{\"a\":1}\n"));
        assert!(damages.iter().any(|it| it.bytes.starts_with(b"{\"a\":1}\n{\"b\":2}\n{\"half\"")));
    }
}
