//! Tells stale components from fresh ones, without building anything.

use std::fs;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::lock::Lockfile;
use super::{COMPONENTS, hex, source};

/// Lists the checked in components that are not what their sources say, and why.
pub fn stale(root: &Path) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for component in COMPONENTS {
        let lock = Lockfile::read(&root.join(component.dist).join("components.lock"))?;
        let mut tell = |why: &str| stale.push(format!("{}: {why}", component.name));
        let (Some(locked), Ok(bytes)) = (lock.get(component.name), fs::read(component.path(root)))
        else {
            tell("not built");
            continue;
        };
        if hex(&Sha256::digest(&bytes)) != locked.sha256 {
            tell("the file is not the one that was built");
        } else if source::hash(root, component)? != locked.source {
            tell("its sources, dependencies or flags changed since it was built");
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_components_are_what_their_sources_say() {
        let stale = stale(&crate::root()).unwrap();
        assert!(stale.is_empty(), "run `cargo xtask components`:\n{}", stale.join("\n"));
    }
}
