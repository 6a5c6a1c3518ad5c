//! What pages promise is shown by tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Pages with tables of what is promised, and by which tests that is shown.
const PAGES: [&str; 2] = ["docs/plugin-security.md", "docs/datasets.md"];

/// Folders that tests are in.
const FOLDERS: [&str; 5] = ["host", "tests", "sdk", "providers", "xtask"];

/// Returns lines without a test, and tests that are named and not there.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let mut tests = BTreeSet::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut tests)?;
    }
    let mut problems = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).context(page)?;
        problems.extend(unshown(page, &text, &tests));
    }
    Ok(problems)
}

fn unshown(page: &str, text: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let cut: Vec<&str> = text.split("| shown by |\n").collect();
    let tables = cut.windows(2).flat_map(|pair| {
        let head = pair[0].lines().last().unwrap_or_default();
        let rows = pair[1].lines().skip(1).take_while(|line| line.starts_with('|'));
        rows.map(move |row| (head.matches('|').count() + 1, row))
    });
    let mut problems = Vec::new();
    for (columns, row) in tables {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let named: Vec<&str> =
            cells.last().map_or(Vec::new(), |cell| cell.split('`').skip(1).step_by(2).collect());
        if cells.len() != columns || named.is_empty() {
            problems.push(format!("{page}: no test shows `{}`", cells[0]));
        }
        let missing = named.iter().filter(|name| !tests.contains(**name));
        problems.extend(missing.map(|name| format!("{page}: there is no test `{name}`")));
    }
    problems
}

/// Adds the names of the tests below a folder.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, tests)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            tests.extend(names(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// Returns the names of a file's tests.
fn names(source: &str) -> Vec<String> {
    let parts = source.split("#[test]\n").skip(1);
    let lines = parts.filter_map(|part| {
        part.lines().map(str::trim_start).find_map(|line| line.strip_prefix("fn "))
    });
    lines.filter_map(|line| Some(line.split_once('(')?.0.to_owned())).collect()
}

#[test]
fn a_line_without_a_test_and_a_test_that_is_gone_are_told() {
    let source = "#[test]\n#[rustfmt::skip]\nfn one() {}\n\nfn helper() {}\n#[test]\nfn two() {}\n";
    let tests: BTreeSet<String> = names(source).into_iter().collect();
    assert_eq!(tests, BTreeSet::from(["one".to_owned(), "two".to_owned()]));
    let model = "| who | what |\n| --- | --- |\n| x | y |\n\n| it cannot | shown by |\n| --- | --- |\n\
                 | a | `one`, `two` |\n| b | `helper` |\n| c | nothing |\n| d | x | `one` |\n\n\
                 | case | it | shown by |\n| --- | --- | --- |\n| 1 | e | `two` |\n| f | `one` |\n";
    assert_eq!(
        unshown("a.md", model, &tests),
        [
            "a.md: there is no test `helper`",
            "a.md: no test shows `c`",
            "a.md: no test shows `d`",
            "a.md: no test shows `f`",
        ]
    );
}
