//! Cases of the providers, as homes.

use std::fs;

use crate::sandbox::{Sandbox, files, fixtures};

/// Cases in which texts and calls are told in unusual ways: those of a home do not share an id.
const UNUSUAL: [&[&str]; 6] = [
    &["claude/inline_sidechain_of_old_versions"],
    &["claude/lines_of_a_response_lie_apart_and_its_tokens_grow"],
    &["claude/subagent_has_progress_copies"],
    &["claude/subagent_is_only_in_progress_lines"],
    &[
        "codex/a_plan_is_told_in_its_answer",
        "codex/a_thread_goes_on_in_files_with_two_ids",
        "codex/an_answer_told_by_two_kinds_of_events_is_one_row",
        "codex/arguments_not_json",
        "codex/citations_of_memories_are_not_shown",
        "codex/what_was_said_aloud_is_a_row",
    ],
    &["codex/document_layout"],
];

/// Returns homes with the files of such cases where their client keeps them, with their names.
pub(super) fn unusual() -> impl Iterator<Item = (String, Sandbox)> {
    UNUSUAL.into_iter().map(|cases| {
        let sandbox = Sandbox::new();
        cases.iter().for_each(|case| add(&sandbox, case));
        (cases.join(", "), sandbox)
    })
}

fn add(home: &Sandbox, case: &str) {
    let (provider, _) = case.split_once('/').unwrap();
    let from = fixtures().join(case).join("in");
    let first = if provider == "claude" { "projects" } else { "sessions" };
    let root = if from.join(first).is_dir() { String::new() } else { format!("{first}/") };
    for file in files(&from) {
        let below = file.strip_prefix(&from).unwrap().to_str().unwrap();
        let path = format!(".{provider}/{root}{below}");
        assert!(!home.home().join(&path).exists(), "{path} is in two cases");
        home.write(&path, &fs::read(&file).unwrap());
    }
}
