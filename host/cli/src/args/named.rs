//! Commands that messages and pages name are there, and take what they are named with.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use walkdir::WalkDir;

use super::Cli;

/// Returns what is wrong with a command line as a text names it; placeholders stand for anything.
fn wrong(line: &str) -> Option<String> {
    let mut command = Cli::command();
    command.build();
    let mut path = vec![command];
    let mut is_over = false;
    let words = line.split_whitespace().map(|word| {
        word.trim_matches(|it: char| "[]().,:…".contains(it)).split('=').next().unwrap_or_default()
    });
    for word in words.skip(1).take_while(|word| !matches!(*word, "|" | "&&" | ">")) {
        let last = &path[path.len() - 1];
        if let Some(flag) = word.strip_prefix("--") {
            let takes = |it: &Command| it.get_arguments().any(|it| it.get_long() == Some(flag));
            if !flag.is_empty() && !path.iter().any(takes) {
                return Some(format!("`{line}`: `{}` has no `{word}`", last.get_name()));
            }
            continue;
        }
        let is_word = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if is_over || !is_word || word.starts_with('-') || word.is_empty() {
            // A place for a command, or a value.
            is_over |= last.is_subcommand_required_set() && !word.is_empty() && path.len() > 1;
            continue;
        }
        match last.find_subcommand(word).cloned() {
            Some(below) => path.push(below),
            None if last.has_subcommands() && last.get_positionals().next().is_none() => {
                return Some(format!("`{line}`: `{}` has no command `{word}`", last.get_name()));
            }
            None => is_over = true,
        }
    }
    None
}

/// Returns the command lines that a text has between backticks.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.filter(|span| span.starts_with("hyp ") && !span.contains('\n'))
}

#[test]
fn every_command_that_a_message_or_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let files = ["host", "docs", "README.md", "CONTRIBUTING.md"].iter().flat_map(|top| {
        WalkDir::new(root.join(top)).into_iter().map(Result::unwrap).filter(|entry| {
            let name = entry.file_name().to_string_lossy();
            (name.ends_with(".rs") && name != "named.rs") || name.ends_with(".md")
        })
    });
    let (mut problems, mut seen) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap();
        // Line by line: a backtick that stands alone spoils its own line only.
        for line in text.lines().flat_map(named) {
            seen += 1;
            problems.extend(wrong(line).map(|what| format!("{}: {what}", file.path().display())));
        }
    }
    assert!(seen > 300, "only {seen} were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_is_not_there_is_found() {
    assert_eq!(wrong("hyp runs show RUN --json"), None);
    assert_eq!(wrong("hyp --store DIR runs undo RUN --commit"), None);
    assert_eq!(wrong("hyp backfill claude codex"), None);
    assert_eq!(wrong("hyp cache VERB"), None);
    assert_eq!(wrong("hyp repair").unwrap(), "`hyp repair`: `hyp` has no command `repair`");
    assert_eq!(wrong("hyp runs redo").unwrap(), "`hyp runs redo`: `runs` has no command `redo`");
    assert_eq!(wrong("hyp doctor --fix").unwrap(), "`hyp doctor --fix`: `doctor` has no `--fix`");
}
