//! The digest of everything that a component is made from, computed without any WebAssembly toolchain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hyp_author::FLAGS;
use sha2::{Digest, Sha256};

use super::{Component, Target, hex};

/// Returns the digest of a component's sources, the SDK, the contract, resolved dependencies and flags.
pub(super) fn hash(root: &Path, component: &Component) -> Result<String> {
    let mut digest = Sha256::new();
    for path in files(root, component)? {
        let bytes = fs::read(root.join(&path))
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        add(&mut digest, &path.to_string_lossy().replace('\\', "/"), &bytes);
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    add(&mut digest, "profiles", sections(&manifest).as_bytes());
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    add(&mut digest, "dependencies", closure(&lock, component.package).join("\n").as_bytes());
    add(&mut digest, "flags", FLAGS.join("\n").as_bytes());
    Ok(hex(&digest.finalize()))
}

/// Adds a name and bytes in a way that no other names and bytes add up to.
fn add(digest: &mut Sha256, name: &str, bytes: &[u8]) {
    digest.update((name.len() as u64).to_le_bytes());
    digest.update(name);
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}

/// Lists what is compiled into a component, relative to the root and sorted.
fn files(root: &Path, component: &Component) -> Result<Vec<PathBuf>> {
    let folder = Path::new(component.folder);
    let mut files = vec![folder.join("Cargo.toml"), PathBuf::from("sdk/Cargo.toml")];
    for place in [folder.join("src"), "sdk/src".into(), "wit".into()] {
        list(root, &place, &mut files)?;
    }
    if let Target::Example = component.target {
        files.push(folder.join("examples").join(format!("{}.rs", component.name)));
    }
    files.sort();
    Ok(files)
}

/// Lists the files below a folder, without what only tests compile.
fn list(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let place = root.join(folder);
    let entries =
        fs::read_dir(&place).with_context(|| format!("cannot list `{}`", place.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let stem = Path::new(&name).file_stem().unwrap_or_default();
        // Beside the contract lie words about it, and released versions of it.
        let is_beside = folder == Path::new("wit") && path.extension() != Some("wit".as_ref());
        if stem == "tests" || stem == "testkit" || is_beside {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns the parts of the root manifest that bear on components: package defaults and the two profiles.
fn sections(manifest: &str) -> String {
    let wanted = ["[workspace.package]", "[profile.release]", "[profile.component]"];
    let mut keep = false;
    let lines = manifest.lines().map(str::trim).filter(|line| {
        if line.starts_with('[') {
            keep = wanted.contains(line);
        }
        keep && !line.is_empty() && !line.starts_with('#')
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Lists the packages that a package needs, with version and checksum, as `Cargo.lock` has them.
fn closure(lock: &str, package: &str) -> Vec<String> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let mut lines = block.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let needs = block.lines().filter_map(|line| line.strip_prefix(" \""));
        let needs = needs.map(|line| line.trim_end_matches([',', '"']).to_owned()).collect();
        let (name, version) = (field("name"), field("version"));
        let listed = format!("{name} {version} {}", field("checksum"));
        packages.insert(format!("{name} {version}"), Package { listed, needs });
    }

    let mut found = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(wanted) = open.pop() {
        // A need names its version only where several are locked.
        let found_one = packages.range(wanted.clone()..).next().filter(|(key, _)| {
            key.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        if let Some((_, package)) = found_one
            && found.insert(package.listed.clone())
        {
            open.extend(package.needs.iter().cloned());
        }
    }
    found.into_iter().collect()
}

struct Package {
    listed: String,
    needs: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closure_follows_names_and_versions() {
        let lock = r#"
version = 4

[[package]]
name = "a"
version = "0.1.0"
dependencies = [
 "b 2.0.0",
 "c",
]

[[package]]
name = "b"
version = "1.0.0"
checksum = "11"

[[package]]
name = "b"
version = "2.0.0"
checksum = "22"
dependencies = [
 "a",
]

[[package]]
name = "c"
version = "3.0.0"
checksum = "33"

[[package]]
name = "c-more"
version = "3.0.0"
checksum = "44"
"#;
        assert_eq!(closure(lock, "a"), ["a 0.1.0 ", "b 2.0.0 22", "c 3.0.0 33"]);
    }

    #[test]
    fn only_what_bears_on_components_is_taken_of_the_manifest() {
        let manifest =
            "[workspace]\nx = 1\n[profile.release]\n# why\nstrip = true\n\n[profile.dist]\ny = 2\n";
        assert_eq!(sections(manifest), "[profile.release]\nstrip = true");
    }
}
