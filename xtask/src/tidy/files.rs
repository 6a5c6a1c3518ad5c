//! Files: length, documentation, trailing white space, leftovers, paths of machines.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Lines that a source file may have.
const LONGEST: usize = 500;
/// What is written where work is left undone; spelled so that this file passes.
const UNDONE: &str = concat!("TO", "DO");
/// Folders of the machines that this is developed on.
const MACHINES: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Lists what is wrong with the files of the tree.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let list = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("cannot start git")?;
    ensure!(list.status.success(), "git ended with {}", list.status);
    let mut problems = Vec::new();
    for path in String::from_utf8_lossy(&list.stdout).split('\0').filter(|path| !path.is_empty()) {
        // Deleted, but not yet committed as such, or not text.
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        problems.extend(of(path, &text).into_iter().map(|problem| format!("{path}{problem}")));
    }
    Ok(problems)
}

/// Lists what is wrong with one file, to be read after its path.
fn of(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let ends_with = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    let is_rust = ends_with(&[".rs"]);
    let is_source = is_rust || ends_with(&[".wit", ".toml", ".sh", ".yml", ".yaml", ".py"]);
    let is_fixture = path.contains("fixtures/") || ends_with(&[".snap"]);

    if is_rust && !text.starts_with("//!") {
        problems.push(": no module documentation".to_owned());
    }
    let lines = text.lines().count();
    if is_rust && lines > LONGEST {
        problems.push(format!(": {lines} lines, {LONGEST} are allowed"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        if !is_fixture && (is_source || ends_with(&[".md"])) && line.ends_with([' ', '\t']) {
            problems.push(format!(":{number}: trailing white space"));
        }
        if is_source && line.contains(UNDONE) {
            problems.push(format!(":{number}: {UNDONE}"));
        }
        // In recordings the second of these is the name of an agent as well.
        let machines = if is_fixture { &MACHINES[..1] } else { &MACHINES };
        if machines.iter().any(|machine| names(line, machine)) {
            problems.push(format!(":{number}: path of a machine"));
        }
    }
    problems
}

/// Returns true if an absolute path in the line begins like this.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-*}~$".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_told_with_its_place() {
        let machine = MACHINES[0];
        #[rustfmt::skip]
        let cases = [
            ("a.rs",             "//! Fine.\n".to_owned(),            vec![]),
            ("a.rs",             "fn a() {}\n".to_owned(),            vec![": no module documentation".to_owned()]),
            ("a/src/b/tests.rs", "fn a() {}\n".to_owned(),            vec![": no module documentation".to_owned()]),
            ("a.rs",             "//! A.\n\nfn a() {} \n".to_owned(), vec![":3: trailing white space".to_owned()]),
            ("fixtures/in.toml", "x \n".to_owned(),                   vec![]),
            ("a.wit",            format!("// {UNDONE}\n"),            vec![format!(":1: {UNDONE}")]),
            ("a.md",             format!("see {machine}x\n"),         vec![":1: path of a machine".to_owned()]),
            ("a.md",             format!("/home/ada{machine}x\n"),    vec![]),
            ("a.rs",             "//! A.\n".repeat(501),              vec![": 501 lines, 500 are allowed".to_owned()]),
        ];
        for (path, text, expect) in cases {
            assert_eq!(of(path, &text), expect, "{path}");
        }
    }
}
