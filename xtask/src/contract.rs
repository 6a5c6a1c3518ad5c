//! `cargo xtask contract`: versions of the contract, which are not edited once they are released.
//!
//! The version that is worked on lies in `wit/`, released ones before it in `wit/released/VERSION/`. The list
//! `wit/released.lock` has a line for each: `0.1.0 sha256:…`, or `0.2.0 draft` for the one that may still change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use sha2::{Digest, Sha256};

use crate::components::hex;
use crate::{root, say};

/// The list, below the folder of the contract.
const LIST: &str = "released.lock";

/// What stands in the list for a version that may still change.
const DRAFT: &str = "draft";

/// What may be done with the contract.
#[derive(Debug, Subcommand)]
pub enum ContractTask {
    /// Release the version that is worked on: from then on it is not edited
    Release,
    /// Start on the next version: the released one is kept beside it
    Next {
        /// The version, such as 0.2.0
        version: String,
    },
}

/// Does what is asked.
pub fn contract(task: &ContractTask) -> Result<()> {
    let wit = root().join("wit");
    match task {
        ContractTask::Release => release(&wit),
        ContractTask::Next { version } => next(&wit, version),
    }
}

/// Lists what was edited and must not be.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>> {
    check(&root.join("wit"))
}

fn check(wit: &Path) -> Result<Vec<String>> {
    let current = version(wit)?;
    let list = read(wit)?;
    let mut problems = Vec::new();
    if !list.contains_key(&current) {
        problems.push(format!("wit/{LIST}: {current} is not there"));
    }
    for (version, state) in &list {
        let folder = folder(wit, version, &current);
        if state == DRAFT {
            if *version != current {
                problems.push(format!("wit/{LIST}: {version} is a draft, and not worked on"));
            }
        } else if !folder.is_dir() || digest(&folder)? != *state {
            problems.push(format!(
                "wit: hyp:backfill@{version} was released, and its files are not edited any more: put them back; \
                 `cargo xtask contract next VERSION` starts on another version"
            ));
        }
    }
    Ok(problems)
}

fn release(wit: &Path) -> Result<()> {
    let current = version(wit)?;
    let mut list = read(wit)?;
    ensure!(list.get(&current).is_none_or(|state| state == DRAFT), "{current} was released");
    let digest = digest(wit)?;
    say(format!("released hyp:backfill@{current} {digest}"));
    list.insert(current, digest);
    write(wit, &list)
}

fn next(wit: &Path, version: &str) -> Result<()> {
    let numbers = version.split('.').map(str::parse::<u32>);
    let numbers: Vec<u32> = numbers.collect::<Result<_, _>>().context("a version is 0.2.0")?;
    ensure!(numbers.len() == 3, "a version is 0.2.0");
    let current = self::version(wit)?;
    let mut list = read(wit)?;
    ensure!(list.get(&current).is_some_and(|it| it != DRAFT), "{current} is not released yet");
    ensure!(!list.contains_key(version), "{version} is there");
    let kept = wit.join("released").join(&current);
    fs::create_dir_all(&kept)?;
    for file in files(wit)? {
        let name = file.file_name().context("a file has a name")?;
        fs::copy(&file, kept.join(name))?;
        let text = fs::read_to_string(&file)?;
        fs::write(&file, text.replacen(&format!("@{current};"), &format!("@{version};"), 1))?;
    }
    list.insert(version.to_owned(), DRAFT.to_owned());
    write(wit, &list)?;
    say(format!("hyp:backfill@{current} is kept in {}", kept.display()));
    say("next: CONTRACT and the adapters in host/plugin, wit/README.md, `cargo xtask components`");
    Ok(())
}

fn folder(wit: &Path, version: &str, current: &str) -> PathBuf {
    if version == current { wit.to_owned() } else { wit.join("released").join(version) }
}

/// Returns the version that all files of a folder name.
fn version(wit: &Path) -> Result<String> {
    let mut found: Option<String> = None;
    for file in files(wit)? {
        let text = fs::read_to_string(&file)?;
        let line = text.lines().find_map(|line| line.strip_prefix("package hyp:backfill@"));
        let version = line.and_then(|line| line.strip_suffix(';'));
        let version = version.with_context(|| format!("{} names no version", file.display()))?;
        if found.as_deref().is_some_and(|found| found != version) {
            bail!("{} is of another version than the rest", file.display());
        }
        found = Some(version.to_owned());
    }
    found.with_context(|| format!("{} holds no contract", wit.display()))
}

/// Returns the contract's files, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "wit") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Returns a digest over names and contents.
fn digest(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files(folder)? {
        let bytes = fs::read(&file)?;
        let name = file.file_name().context("a file has a name")?;
        hash.update(format!("{}\0{}\0", name.to_string_lossy(), bytes.len()));
        hash.update(bytes);
    }
    Ok(format!("sha256:{}", hex(&hash.finalize())))
}

fn read(wit: &Path) -> Result<BTreeMap<String, String>> {
    let path = wit.join(LIST);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lines = text.lines().filter(|line| !(line.is_empty() || line.starts_with('#')));
    lines
        .map(|line| {
            let pair =
                line.split_once(' ').with_context(|| format!("{}: {line}", path.display()))?;
            Ok((pair.0.to_owned(), pair.1.to_owned()))
        })
        .collect()
}

fn write(wit: &Path, list: &BTreeMap<String, String>) -> Result<()> {
    let lines = list.iter().map(|(version, state)| format!("{version} {state}\n"));
    let head = "# Versions of the contract; `cargo xtask contract` writes this.\n";
    fs::write(wit.join(LIST), head.to_owned() + &lines.collect::<String>())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_version_is_not_edited_and_the_next_one_may_be() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let wit = folder.path();
        let file = wit.join("it.wit");
        fs::write(&file, "package hyp:backfill@0.1.0;\n")?;
        assert!(check(wit).is_err(), "a contract is in the list");
        write(wit, &BTreeMap::from([("0.1.0".into(), DRAFT.into())]))?;
        assert!(check(wit)?.is_empty());
        assert!(next(wit, "0.2.0").is_err(), "a draft is released first");
        fs::write(&file, "package hyp:backfill@0.1.0;\n// more\n")?;
        assert!(check(wit)?.is_empty(), "a draft may be edited");

        release(wit)?;
        assert!(check(wit)?.is_empty());
        assert!(release(wit).is_err(), "once");
        fs::write(&file, "package hyp:backfill@0.1.0;\n// still more\n")?;
        let [problem] = &check(wit)?[..] else { panic!("an edit is told") };
        assert!(problem.contains("hyp:backfill@0.1.0 was released"), "{problem}");

        fs::write(&file, "package hyp:backfill@0.1.0;\n// more\n")?;
        next(wit, "0.2.0")?;
        assert_eq!(fs::read_to_string(&file)?, "package hyp:backfill@0.2.0;\n// more\n");
        fs::write(&file, "package hyp:backfill@0.2.0;\n// other words\n")?;
        assert!(check(wit)?.is_empty());
        fs::write(wit.join("released/0.1.0/another.wit"), "")?;
        assert_eq!(check(wit)?.len(), 1, "nor is a file added to what was released");
        Ok(())
    }
}
