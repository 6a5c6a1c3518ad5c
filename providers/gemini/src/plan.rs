//! Which files are sessions, and the folder that each was held in.
//!
//! The folder of a project is named by a hash of its path, or by a short name. For a short name, the path stands in a file
//! of the folder, and in a list of all; of a hash nobody can tell it.

use std::collections::{BTreeMap, BTreeSet};

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::{Entry, Ignored, Peek, PlanResult, Unit};

use crate::PROJECTS;

/// How much of a file that names projects is looked at.
const HEAD: u32 = 64 << 10;

/// Groups entries into sessions.
pub(crate) fn plan(entries: &[Entry], peek: &mut dyn Peek) -> PlanResult {
    let mut plan = PlanResult { units: Vec::new(), ignored: Vec::new() };
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    let lines: BTreeSet<&str> =
        entries.iter().filter_map(|entry| entry.path.strip_suffix(".jsonl")).collect();
    let mut chats = Vec::new();
    for (entry, index) in entries.iter().zip(0..) {
        let mut ignore =
            |kind: &str| plan.ignored.push(Ignored { entry: index, kind: kind.to_owned() });
        if entry.root == PROJECTS {
            let text = peek.head(index, HEAD).unwrap_or_default();
            folders.extend(listed(&String::from_utf8_lossy(&text)));
            ignore("list of projects");
        } else if let Some(project) = entry.path.strip_suffix("/.project_root") {
            let path = String::from_utf8_lossy(&peek.head(index, HEAD).unwrap_or_default())
                .trim()
                .to_owned();
            folders.insert(project.to_owned(), path);
            ignore("path of a project");
        } else if entry.path.strip_suffix(".json").is_some_and(|stem| lines.contains(stem)) {
            // Resumed by a later build, which wrote all of it again as lines.
            ignore("moved into lines");
        } else {
            chats.push((index, entry));
        }
    }
    plan.units = chats
        .into_iter()
        .map(|(index, entry)| {
            let project = entry.path.split('/').next().unwrap_or_default();
            let folder = folders.get(project).cloned().unwrap_or_default();
            Unit::new(entry.path.clone(), vec![index]).context(folder)
        })
        .collect();
    plan
}

/// Returns the paths of a list of projects by short name.
fn listed(text: &str) -> Vec<(String, String)> {
    let mut tape = Tape::new();
    let Ok((json, _)) = tape.parse(text, 0) else { return Vec::new() };
    let projects = json.get("projects").into_iter().flat_map(Value::entries);
    projects.filter_map(|(path, name)| Some((name.non_empty()?, path.into_owned()))).collect()
}
