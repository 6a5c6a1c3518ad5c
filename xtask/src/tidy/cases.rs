//! Each rule of the clients' formats has its case, and each case is named by the rule that it proves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Where the rules are.
const RULES: &str = "docs/formats.md";

/// Returns cases that no rule or list names, and names that no case has.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let rules = read(&root.join(RULES))?;
    let mut problems = Vec::new();
    let mut cases = BTreeSet::new();
    for provider in crate::clients::providers(root)? {
        let folder = root.join("fixtures").join(&provider);
        let list = read(&folder.join("README.md"))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let case = entry.file_name().to_string_lossy().into_owned();
            for (text, name) in [(&rules, RULES), (&list, "the README beside it")] {
                if !text.contains(&format!("`{case}`")) {
                    problems.push(format!("fixtures/{provider}/{case}: not named in {name}"));
                }
            }
            cases.insert(case);
        }
    }
    problems.extend(
        named(&rules)
            .filter(|name| !cases.contains(*name))
            .map(|name| format!("{RULES}: there is no case `{name}`")),
    );
    problems.sort();
    Ok(problems)
}

/// Returns what the last column of the tables of rules names.
fn named(rules: &str) -> impl Iterator<Item = &str> {
    let tables = rules.split("| rule | case |\n").skip(1);
    let rows = tables.flat_map(|table| table.lines().take_while(|line| line.starts_with('|')));
    let cells = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

#[test]
fn names_are_those_of_the_last_column() {
    let rules = "x `no`\n| rule | case |\n| --- | --- |\n| a `b` c | `one`, `two` |\n| d | `three` |\n\n`no`";
    assert_eq!(named(rules).collect::<Vec<_>>(), ["one", "two", "three"]);
}
