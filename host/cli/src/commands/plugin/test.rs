//! `hyp plugin test`: what a component makes of cases that were looked at, and of files that are damaged.

mod hostile;
mod items;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hyp_backfill::Gauge;
use hyp_model::Exit;
use serde::Serialize;
use serde_json::Value;

use super::trial::{Trial, TrialError, fault, folder, only, temporary};
use super::{TestArgs, bench};
use crate::commands::{Session, ask, print};
use crate::failure::Failure;
use crate::{interrupt, text};
use hostile::{Extent, Hostile};

/// What a case's rows are compared by.
const ROWS: &str =
    "select * from ai_gateway_messages order by session_id, message_index, part_index, part_id";

/// Columns that say nothing of the reading: the run, and a hash over the names of provider and unit.
const APART: [&str; 2] = ["run_id", "input_id"];

/// Folder of the cases beside the component, where none is named.
const CASES: &str = "cases";

/// Runs `hyp plugin test`.
pub(super) fn test(session: &Session, args: &TestArgs) -> Result<Exit, Failure> {
    let trial = Trial::new(session, &args.source)?;
    let cases = cases(&folder(&place(args))?)?;
    let cancelled = interrupt::flag();
    if let Some(materializer) = trial.manifest.materializer() {
        return items::test(&trial, materializer, (&cases, args.bless), &cancelled);
    }
    let gauge = trial.metered()?;
    let mut faults = 0;
    let mut extent = Extent::WithHugeLine;
    for case in &cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        let golden = golden(&trial, &gauge, (case, args.bless), &cancelled)?;
        let hostile = match args.bless {
            true => Hostile::default(),
            false => hostile::read(&trial, case, extent, &cancelled)?,
        };
        extent = Extent::Usual;
        if cancelled.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted);
        }
        faults += verdict(&name, &golden, &hostile, "damaged copies")?;
    }
    print(&format!("{} cases, {faults} faults\n", cases.len()))?;
    Ok(if faults == 0 { Exit::Done } else { Exit::Failed })
}

/// Prints what came of a case, and returns how many faults it has.
fn verdict(
    name: &str,
    golden: &Result<usize, String>,
    hostile: &Hostile,
    damaged: &str,
) -> Result<usize, Failure> {
    let mut found: Vec<&str> =
        golden.as_ref().err().into_iter().flat_map(|it| it.lines()).collect();
    found.extend(hostile.faults.iter().map(String::as_str));
    let verdict = if found.is_empty() { "ok" } else { "FAILED" };
    let rows = golden.as_ref().map_or_else(|_| String::new(), |rows| format!(" {rows} rows,"));
    let (name, readings) = (text::line(name), hostile.readings);
    let head = format!("{verdict:<6} {name}:{rows} {readings} {damaged}");
    let lines = found.iter().map(|line| format!("       {}\n", text::line(line)));
    print(&format!("{}\n{}", head, lines.collect::<String>()))?;
    Ok(usize::from(golden.is_err()) + hostile.faults.len())
}

/// Returns where the cases are: as named, or beside the component.
fn place(args: &TestArgs) -> PathBuf {
    let source = Path::new(&args.source);
    let beside = || if source.is_dir() { source } else { source.parent().unwrap_or(source) };
    args.cases.clone().unwrap_or_else(|| beside().join(CASES))
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
    gauge: &Gauge,
    (case, bless): (&Path, bool),
    cancelled: &AtomicBool,
) -> Result<Result<usize, String>, Failure> {
    let (store, place) = (trial.another()?, temporary()?);
    let input = place.path().join("in");
    trial.lay_out(case, &input)?;
    let read = || trial.read(store.path(), &input, false, cancelled);
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
    let over = bench::over(&gauge.read(&input, cancelled)?);
    // What was read in part is neither right nor wrong, and nothing to expect from now on.
    if cancelled.load(Ordering::Relaxed) {
        return Ok(Ok(0));
    }
    if !over.is_empty() {
        return Ok(Err(format!(
            "over its budget of {}; `hyp plugin bench` has figures",
            over.join(", ")
        )));
    }
    Ok(compare(case, &pretty(&rows)?, bless)?.map(|()| rows.len()))
}

/// Compares what came out with what is expected of a case, or makes that what is expected.
fn compare(case: &Path, actual: &str, bless: bool) -> Result<Result<(), String>, TrialError> {
    let path = case.join("rows.json");
    if bless {
        fs::write(&path, actual).map_err(|source| TrialError::File { path, source })?;
        return Ok(Ok(()));
    }
    Ok(match fs::read_to_string(&path) {
        Ok(expected) if expected == actual => Ok(()),
        Ok(expected) => Err(difference(&expected, actual)),
        Err(_) => Err("there is no `rows.json`; look at what `--bless` writes".to_owned()),
    })
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

fn pretty(rows: &impl Serialize) -> Result<String, Failure> {
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
