//! `hyp plugin test`: what a component makes of cases that were looked at, and of files that are damaged.

mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use hyp_backfill::{ProviderReport, Status};
use hyp_model::Exit;
use serde_json::Value;

use super::TestArgs;
use super::trial::{Trial, TrialError, folder, only};
use crate::commands::{Session, ask, print};
use crate::failure::Failure;
use crate::{interrupt, text};

/// What a case's rows are compared by: all but the run, and where the case happens to lie.
const ROWS: &str =
    "select * from ai_gateway_messages order by session_id, message_index, part_index, part_id";

/// Columns that differ from run to run, or from place to place.
const APART: [&str; 2] = ["run_id", "attributes"];

/// Runs `hyp plugin test`.
pub(super) fn test(session: &Session, args: &TestArgs) -> Result<Exit, Failure> {
    let cases = cases(&folder(&args.cases)?)?;
    let trial = Trial::new(session, &args.source)?;
    let cancelled = interrupt::flag();
    let mut faults = 0;
    for case in &cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        let found = golden(&trial, case, args.bless, &cancelled)?;
        let (verdict, fault) = match &found {
            Ok(rows) => (format!("ok, {rows} rows"), None),
            Err(fault) => ("FAILED".to_owned(), Some(fault)),
        };
        print(&format!("case {}: {verdict}\n", text::line(&name)))?;
        if let Some(fault) = fault {
            faults += 1;
            print(
                &fault.lines().map(|line| format!("  {}\n", text::line(line))).collect::<String>(),
            )?;
        }
        let hostile = hostile::read(&trial, case, &cancelled)?;
        faults += hostile.faults.len();
        for fault in &hostile.faults {
            print(&format!("  {}\n", text::line(fault)))?;
        }
        print(&format!(
            "  {} damaged readings, {} faults\n",
            hostile.readings,
            hostile.faults.len()
        ))?;
    }
    print(&format!("{} cases, {faults} faults\n", cases.len()))?;
    Ok(if faults == 0 { Exit::Done } else { Exit::Failed })
}

/// Returns the folders of the cases, by name.
fn cases(folder: &Path) -> Result<Vec<PathBuf>, TrialError> {
    let failed = |source| TrialError::File { path: folder.to_owned(), source };
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let case = entry.map_err(failed)?.path();
        if case.join("in").is_dir() {
            cases.push(case);
        }
    }
    cases.sort();
    if cases.is_empty() {
        return Err(TrialError::NoCase { folder: folder.to_owned() });
    }
    Ok(cases)
}

/// Reads a case twice and compares its rows; returns how many there are, or what is wrong.
fn golden(
    trial: &Trial,
    case: &Path,
    bless: bool,
    cancelled: &AtomicBool,
) -> Result<Result<usize, String>, Failure> {
    let store = trial.another()?;
    let read = || trial.read(store.path(), &case.join("in"), false, cancelled);
    let report = read()?;
    let Some(first) = only(&report) else { return Ok(Err("nothing was read".to_owned())) };
    if let Some(fault) = fault(first) {
        return Ok(Err(fault));
    }
    let rows = rows(&trial.session(store.path()))?;
    let again = read()?;
    let written = only(&again).map_or(0, |again| again.rows_written);
    if written > 0 {
        return Ok(Err(format!("read a second time it writes {written} rows")));
    }
    let path = case.join("rows.json");
    let actual = pretty(&rows)?;
    if bless {
        fs::write(&path, &actual).map_err(|source| TrialError::File { path, source })?;
        return Ok(Ok(rows.len()));
    }
    Ok(match fs::read_to_string(&path) {
        Ok(expected) if expected == actual => Ok(rows.len()),
        Ok(expected) => Err(difference(&expected, &actual)),
        Err(_) => Err("there is no `rows.json`; look at what `--bless` writes".to_owned()),
    })
}

/// Says what is wrong with a report, whatever was read.
fn fault(report: &ProviderReport) -> Option<String> {
    if report.status == Status::Failed {
        return Some(report.error.clone().unwrap_or_else(|| "it failed".to_owned()));
    }
    let accounted: u64 = report.accounting.values().sum();
    (accounted != report.bytes_read)
        .then(|| format!("{accounted} of {} bytes are accounted for", report.bytes_read))
}

/// Returns the rows without what differs from run to run; absent values are left out.
fn rows(session: &Session) -> Result<Vec<Value>, Failure> {
    let rows = ask::rows(session, ROWS)?;
    let kept = rows.into_iter().map(|row| {
        let kept = row
            .into_iter()
            .filter(|(name, value)| !value.is_null() && !APART.contains(&name.as_str()));
        Value::Object(kept.collect())
    });
    Ok(kept.collect())
}

fn pretty(rows: &[Value]) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(rows)
        .map_err(|error| Failure::Output(std::io::Error::other(error)))?;
    Ok(text + "\n")
}

/// Shows the first line that differs.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str]| lines.get(same).map_or("(end)", |line| line.trim()).to_owned();
    format!(
        "rows.json differs in line {}\n- {}\n+ {}\n`--bless` writes what comes out now",
        same + 1,
        line(&expected),
        line(&actual)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown() {
        insta::assert_snapshot!(difference("[\n  1,\n  2\n]\n", "[\n  1,\n  3\n]\n"), @r"
        rows.json differs in line 3
        - 2
        + 3
        `--bless` writes what comes out now
        ");
        assert!(difference("[]\n", "[]\nx\n").contains("- (end)\n+ x"));
    }
}
