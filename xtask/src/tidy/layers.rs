//! Who may depend on whom.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Our crates, and which of ours each may use. A name ending in `*` stands for all that begin so.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    ("hyp-model",       &[]),
    ("hyp-sqlite",      &[]),
    ("hyp-plugin",      &["hyp-model", "hyp-sqlite"]),
    ("hyp-materialize", &["hyp-model"]),
    ("hyp-cache",       &["hyp-model"]),
    ("hyp-query",       &["hyp-model", "hyp-cache"]),
    ("hyp-backfill",    &["hyp-model", "hyp-plugin", "hyp-materialize", "hyp-cache"]),
    ("hyp-author",      &["hyp-model"]),
    ("hyp",             &["hyp-author", "hyp-model", "hyp-sqlite", "hyp-plugin", "hyp-materialize", "hyp-cache", "hyp-query", "hyp-backfill"]),
    ("hyp-sdk",         &["hyp-sqlite"]),
    ("hyp-provider-*",  &["hyp-sdk"]),
    ("hyp-guests",      &["hyp-sdk"]),
    ("hyp-tests",       &[]),
    ("hyp-smoke",       &[]),
    ("smoke",           &[]),
    ("xtask",           &["hyp-author"]),
];

/// Heavy crates, and those of ours that name each: one, or two that use it for different things.
const OWNERS: &[(&str, &[&str])] = &[
    ("wasmtime", &["hyp-plugin"]),
    ("wasmtime-wasi", &["hyp-plugin"]),
    ("iceberg", &["hyp-cache"]),
    // The store's own database, and those of other programs; the check that nothing is left in it.
    ("rusqlite", &["hyp-cache", "hyp-sqlite", "hyp-smoke"]),
    ("datafusion", &["hyp-query"]),
    // The only way out to the network.
    ("ureq", &["hyp"]),
    ("wit-component", &["hyp-author"]),
];

/// Lists the dependencies that the tables do not allow.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata ended with {}", output.status);
    Ok(violations(&serde_json::from_slice(&output.stdout)?))
}

fn violations(metadata: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    for package in list(metadata, "packages") {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, may_use)) = MAY_USE.iter().find(|(pattern, _)| matches(pattern, name)) else {
            violations.push(format!("{name} is in no layer: add it to xtask's table"));
            continue;
        };
        for dependency in list(&package, "dependencies") {
            let used = dependency["name"].as_str().unwrap_or_default();
            let is_ours = MAY_USE.iter().any(|(pattern, _)| matches(pattern, used));
            let is_foreign_owned =
                OWNERS.iter().any(|(heavy, owners)| *heavy == used && !owners.contains(&name));
            let is_for_tests = dependency["kind"] == "dev";
            let forbidden = if is_ours { !may_use.contains(&used) } else { is_foreign_owned };
            if forbidden && !is_for_tests {
                violations.push(format!("{name} must not depend on {used}"));
            }
        }
    }
    violations
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_must_not_reach_the_host() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "hyp-provider-claude", "dependencies": [
                { "name": "hyp-sdk", "kind": null },
                { "name": "hyp-cache", "kind": null },
                { "name": "hyp-cache", "kind": "dev" },
            ]},
            { "name": "hyp-backfill", "dependencies": [
                { "name": "hyp-cache", "kind": null },
                { "name": "wasmtime", "kind": null },
                { "name": "anyhow", "kind": null },
            ]},
            { "name": "stray", "dependencies": [] },
        ]});
        assert_eq!(
            violations(&metadata),
            [
                "hyp-provider-claude must not depend on hyp-cache",
                "hyp-backfill must not depend on wasmtime",
                "stray is in no layer: add it to xtask's table",
            ]
        );
    }
}
