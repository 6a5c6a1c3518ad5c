//! A hundred components that mean harm: each is refused, or fails alone, and the store is as it was.

mod bodies;
mod families;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::sandbox::{Sandbox, files};
use families::{Hostile, all};

/// What lies in the store but for its catalog, what is installed, and what is compiled.
fn data(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_data = |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet");
    let files = files(&sandbox.store()).into_iter().filter(is_data);
    files.map(|path| (path.clone(), Sha256::digest(fs::read(path).unwrap()).to_vec())).collect()
}

/// Installs a component; says why it was refused, in one line.
fn refusal(sandbox: &Sandbox, hostile: &Hostile) -> Option<String> {
    let file = sandbox.beside(&format!("{}.wasm", hostile.name));
    fs::write(&file, &hostile.bytes).unwrap();
    let output = sandbox.hyp(["plugin", "install", file.to_str().unwrap(), "--yes"]);
    let told = &output.stderr;
    assert!(!told.contains("panicked at host"), "{}: {output}", hostile.name);
    if output.status == Some(0) {
        return None;
    }
    assert!(matches!(output.status, Some(1..=3)), "{}: {output}", hostile.name);
    let line = told.lines().find_map(|line| line.strip_prefix("error: "));
    let line = line.unwrap_or_else(|| panic!("{}: {output}", hostile.name));
    assert!(!told.contains('\u{1b}'), "{}: it reached the terminal", hostile.name);
    Some(line.to_owned())
}

#[test]
fn a_hundred_hostile_components_change_nothing() {
    let sandbox = Sandbox::with("sample");
    sandbox.write(".hostile/a.jsonl", b"{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    sandbox.import(["claude", "codex"]);
    let (rows, before) = (sandbox.all_rows(), data(&sandbox));
    assert!(!rows.is_empty() && !before.is_empty());

    let all = all();
    assert_eq!(all.len(), 100);
    let (next, refused) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(hostile) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(line) = refusal(&sandbox, hostile) {
                        refused.lock().unwrap().insert(hostile.name.clone(), line);
                    }
                }
            });
        }
    });
    let refused = refused.into_inner().unwrap();

    let output = sandbox.hyp(["backfill", "--json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let report = output.json();
    let mut contained = BTreeMap::new();
    for provider in report["providers"].as_array().unwrap() {
        let name = provider["provider"].as_str().unwrap().to_owned();
        if ["claude", "codex"].contains(&name.as_str()) {
            assert_eq!(provider["status"], "ok", "{provider:#}");
            continue;
        }
        assert_eq!((&provider["status"], &provider["rows_written"]), (&"failed".into(), &0.into()));
        contained.insert(name, provider["error"].as_str().unwrap().to_owned());
    }
    for hostile in &all {
        let name = &hostile.name;
        let told = refused.get(name).or_else(|| contained.get(name));
        let told = told.unwrap_or_else(|| panic!("{name} was neither refused nor stopped"));
        assert!(told.contains(hostile.told), "{name}: `{}` is not in: {told}", hostile.told);
    }
    assert_eq!(refused.len() + contained.len(), 100);
    assert_eq!(sandbox.all_rows(), rows);
    assert_eq!(data(&sandbox), before);
    assert_eq!(sandbox.hyp(["cache", "verify"]).status, Some(0));
}
