//! Variations of cases: what becomes of them when a file is damaged, cut, or says something else than it should.
//!
//! Whatever a file holds, no unit fails, every byte is accounted for, and nothing comes out that is not in it.

mod place;
mod said;
mod sort;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::files::{File, from_folder};
use super::golden::cases;
use super::run::run_over;
use crate::Provider;
use said::Said;
use sort::{Luck, SORTS};

/// Runs a provider over variations of every case below a folder (see [`golden`](super::golden())).
///
/// Of each sort of variation, every case gets as many as `HYP_VARIATIONS` says, or one. They are the same at every run.
///
/// # Panics
/// If there is no case, a unit fails, bytes are not accounted for, a saved scan goes on differently, or an id, a time, a
/// name or a text comes out that no file holds.
pub fn vary<P: Provider>(folder: impl AsRef<Path>) {
    let cases = cases(folder.as_ref());
    assert!(!cases.is_empty(), "no case below `{}`", folder.as_ref().display());
    let count = std::env::var("HYP_VARIATIONS").ok().and_then(|text| text.parse().ok());
    let mut problems = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for number in 0..count.unwrap_or(1) {
            for (sort, change) in SORTS {
                let mut files = from_folder(&case.join("in"), &P::description());
                let mut luck = Luck::of(&format!("{name} {sort} {number}"));
                if !change(&mut files, &mut luck) {
                    continue;
                }
                for file in &mut files {
                    file.entry.size = file.bytes.len() as u64;
                }
                if let Some(problem) = problem::<P>(files) {
                    problems.push(format!("{name}, {sort} {number}: {problem}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn problem<P: Provider>(files: Vec<File>) -> Option<String> {
    let said = Said::of(&files);
    let run = match catch_unwind(AssertUnwindSafe(|| run_over::<P>(files))) {
        Ok(run) => run,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            return Some(text.unwrap_or("a panic").to_owned());
        }
    };
    run.units.iter().find_map(|unit| match &unit.fault {
        Some(fault) => Some(format!("unit `{}` failed: {fault:?}", unit.id)),
        None => unit.events.iter().find_map(|event| said.invented(event)),
    })
}
