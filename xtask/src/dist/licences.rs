//! The licences of what is linked into `hyp`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How files that hold a licence begin.
const NAMES: [&str; 4] = ["license", "licence", "copying", "notice"];

/// A crate that is linked in.
struct Linked {
    name: String,
    version: String,
    licence: String,
    /// Texts that lie beside its manifest.
    texts: Vec<String>,
}

/// Returns a list of all crates that are linked into `hyp`, and each text of a licence once.
pub(super) fn text(root: &Path) -> Result<String> {
    let linked = linked(root)?;
    Ok(render(&linked))
}

fn linked(root: &Path) -> Result<Vec<Linked>> {
    let metadata: Value =
        serde_json::from_str(&cargo(root, &["metadata", "--format-version=1", "--locked"])?)?;
    let tree =
        ["tree", "--package=hyp", "--edges=normal", "--prefix=none", "--format={p}", "--locked"];
    // A line is `name v1.2.3`, and may go on with where it is from.
    let words = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    let used: BTreeSet<(String, String)> = cargo(root, &tree)?.lines().filter_map(words).collect();
    let mut linked = Vec::new();
    for package in metadata["packages"].as_array().context("cargo lists no packages")? {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (name, version) = (text("name"), text("version"));
        // Our own have no source, and the licence beside this list.
        if package["source"].is_null() || !used.contains(&(name.clone(), version.clone())) {
            continue;
        }
        let texts = texts(Path::new(&text("manifest_path")))?;
        let licence = text("license");
        ensure!(!licence.is_empty() || !texts.is_empty(), "{name} {version} has no licence");
        linked.push(Linked { name, version, licence, texts });
    }
    linked.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(linked)
}

fn texts(manifest: &Path) -> Result<Vec<String>> {
    let folder = manifest.parent().context("a manifest has a folder")?;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && path.is_file() {
            found.insert(name, String::from_utf8_lossy(&fs::read(&path)?).trim().to_owned());
        }
    }
    Ok(found.into_values().collect())
}

fn render(linked: &[Linked]) -> String {
    let mut out = String::from("hyp contains these crates:\n\n");
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for it in linked {
        out.push_str(&format!("{} {}: {}\n", it.name, it.version, it.licence));
        for text in &it.texts {
            users.entry(text).or_default().push(format!("{} {}", it.name, it.version));
        }
    }
    for (text, users) in users {
        out.push_str(&format!("\n{}\n{}\n\n{text}\n", "=".repeat(80), users.join(", ")));
    }
    out
}

fn cargo(root: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("cargo").current_dir(root).args(args).output()?;
    ensure!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_several_share_is_there_once_with_their_names() {
        let linked = |name: &str, texts: &[&str]| Linked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        };
        let text = render(&[linked("a", &["Be kind."]), linked("b", &["Be kind.", "Share."])]);
        assert_eq!(text.matches("Be kind.").count(), 1);
        assert!(text.contains("a 1.0.0, b 1.0.0\n\nBe kind.\n"), "{text}");
        assert!(
            text.contains("b 1.0.0: MIT\n") && text.contains("\nb 1.0.0\n\nShare.\n"),
            "{text}"
        );
    }

    #[test]
    fn everything_that_is_linked_has_a_licence() {
        let linked = linked(&crate::root()).unwrap();
        let names: Vec<&str> = linked.iter().map(|it| it.name.as_str()).collect();
        for name in ["wasmtime", "datafusion", "rusqlite", "maud"] {
            assert!(names.contains(&name), "{name} is linked in");
        }
        assert!(!names.contains(&"hyp-cache") && !names.contains(&"insta"));
    }
}
