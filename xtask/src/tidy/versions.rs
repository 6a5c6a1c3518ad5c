//! One version of each heavy crate: two would double what is compiled, and their types would not fit.

use std::fs;
use std::path::Path;

use anyhow::Result;

const HEAVY: [&str; 6] = ["wasmtime", "arrow", "parquet", "datafusion", "iceberg", "rusqlite"];

/// Lists heavy crates that are locked in several versions.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    Ok(doubles(&fs::read_to_string(root.join("Cargo.lock"))?))
}

fn doubles(lock: &str) -> Vec<String> {
    let lines: Vec<&str> = lock.lines().collect();
    let versions = |name: &str| -> Vec<String> {
        let header = format!("name = \"{name}\"");
        let pairs = lines.windows(2).filter(|pair| pair[0] == header);
        pairs.map(|pair| pair[1].replace("version = ", "").replace('"', "")).collect()
    };
    HEAVY
        .iter()
        .map(|name| (name, versions(name)))
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| {
            format!("Cargo.lock: {name} in {} versions: {}", versions.len(), versions.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_crate_in_two_versions_is_told() {
        let one =
            |version: &str| format!("[[package]]\nname = \"arrow\"\nversion = \"{version}\"\n");
        assert!(doubles(&one("58.0.0")).is_empty());
        assert_eq!(
            doubles(&format!("{}\n{}", one("58.0.0"), one("59.0.0"))),
            ["Cargo.lock: arrow in 2 versions: 58.0.0, 59.0.0"]
        );
    }
}
