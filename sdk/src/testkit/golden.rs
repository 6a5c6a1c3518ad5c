//! Golden tests: a folder in, events out.

use std::fs;
use std::path::{Path, PathBuf};

use super::run;
use super::write::to_json;
use crate::Provider;

/// Runs a provider over every case below a folder, and compares what it emits.
///
/// A case is a folder with `in/`, which is read (see [`run`]), and `events.json`, which is what should come of it.
/// With `UPDATE_GOLDEN=1` in the environment that file is written instead.
///
/// # Panics
/// If there is no case, or a case differs.
pub fn golden<P: Provider>(folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let cases = cases(folder);
    assert!(!cases.is_empty(), "no case below `{}`", folder.display());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    for case in cases {
        let actual = to_json(&run::<P>(case.join("in")));
        let path = case.join("events.json");
        if update {
            fs::write(&path, &actual)
                .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != actual {
            differing.push(format!("{}:\n{}", path.display(), difference(&expected, &actual)));
        }
    }
    assert!(
        differing.is_empty(),
        "{}\nUPDATE_GOLDEN=1 writes what comes out now",
        differing.join("\n")
    );
}

/// Returns the folders of the cases below a folder, by name.
pub(super) fn cases(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut cases: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|case| case.join("in").is_dir())
        .collect();
    cases.sort();
    cases
}

/// Shows the first lines that differ, with a little of what is before.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let show = |sign: char, lines: &[&str], from: usize, to: usize| {
        let lines = lines.iter().take(to).skip(from);
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    let before = same.saturating_sub(3);
    format!(
        "line {}\n{}{}{}",
        same + 1,
        show(' ', &actual, before, same),
        show('-', &expected, same, same + 8),
        show('+', &actual, same, same + 8)
    )
}
