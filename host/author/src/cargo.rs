//! One build of a package's modules, in a way that gives the same bytes everywhere.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::error::AuthorError;
use crate::toolchain::{Toolchain, answer, words};

/// The flags that a component's bytes depend on. Remapped paths are left out: they keep the bytes the same.
pub const FLAGS: &[&str] = &["-Ctarget-feature=+simd128"];

const CARGO: &str = "install Rust with rustup";

/// A package to build.
#[derive(Debug)]
pub struct Build<'b> {
    /// Folder of the package, or of its workspace.
    pub root: &'b Path,
    /// Name that stands for that folder in panic messages.
    pub known_as: &'b str,
    /// The compiler.
    pub toolchain: &'b Toolchain,
    /// Package of the workspace; by default the one in the folder.
    pub package: Option<&'b str>,
    /// Profile.
    pub profile: &'b str,
    /// Examples to build instead of the library.
    pub examples: Vec<&'b str>,
    /// Whether versions have to be those of the lock file.
    pub is_locked: bool,
    /// Folder for what is made; by default where cargo would put it.
    pub target_dir: Option<PathBuf>,
}

/// A module that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Name of the library or example.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// What cargo says of a thing that it made, among others.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    target: Made,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Made {
    name: String,
    crate_types: Vec<String>,
    kind: Vec<String>,
}

impl Build<'_> {
    /// Builds; returns the modules. What cargo and the compiler say goes to the person.
    ///
    /// # Errors
    /// Fails when the package does not compile.
    pub fn run(&self) -> Result<Vec<Module>, AuthorError> {
        let mut cargo = self.toolchain.cargo();
        cargo
            .current_dir(self.root)
            .arg(if self.examples.is_empty() { "rustc" } else { "build" })
            .args(["--profile", self.profile, "--target", self.toolchain.target().triple()])
            .args(["--message-format", "json-render-diagnostics"])
            .args(self.is_locked.then_some("--locked"))
            .args(self.package.iter().flat_map(|package| ["--package", package]))
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join("\u{1f}"))
            // What is set for other builds would change the bytes.
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_INCREMENTAL")
            .stderr(Stdio::inherit());
        if let Some(folder) = &self.target_dir {
            cargo.env("CARGO_TARGET_DIR", folder);
        }
        if self.examples.is_empty() {
            // Without the native kind of library beside it, std is compiled as it is for the examples: once.
            cargo.args(["--lib", "--crate-type", "cdylib"]);
        } else {
            cargo.args(["--features", "component"]);
            cargo.args(self.examples.iter().flat_map(|name| ["--example", name]));
        }
        let said = answer(&mut cargo, CARGO)?;
        Ok(modules(&said, if self.examples.is_empty() { "cdylib" } else { "example" }))
    }

    /// Paths end up in panic messages and symbols: each is given the same name everywhere. The last that matches wins.
    fn flags(&self) -> Result<Vec<String>, AuthorError> {
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        let mut remap = |from: &Path, to: &str| {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        };
        remap(self.root, &format!("/{}", self.known_as));
        for registry in self.registries()? {
            remap(&registry, "/cargo");
        }
        if let Some(sources) = self.toolchain.std_sources() {
            remap(&sources, "/rust");
            if let Ok(real) = sources.canonicalize() {
                remap(&real, "/rust");
            }
        }
        Ok(flags)
    }

    /// Returns the folders that registries are unpacked to. They are there only after a fetch.
    fn registries(&self) -> Result<Vec<PathBuf>, AuthorError> {
        let mut fetch = self.toolchain.cargo();
        fetch
            .current_dir(self.root)
            .args(["fetch", "--quiet", "--target", self.toolchain.target().triple()])
            .args(self.is_locked.then_some("--locked"))
            .stderr(Stdio::inherit());
        answer(&mut fetch, CARGO)?;
        let sources = self.toolchain.cargo_home.as_ref().map(|home| home.join("registry/src"));
        let entries = sources.and_then(|sources| sources.read_dir().ok());
        Ok(entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect())
    }
}

/// Returns the modules among what cargo made: those of libraries, or of examples.
fn modules(said: &str, wanted: &str) -> Vec<Module> {
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let made = messages.filter(|it| {
        let kinds = if wanted == "example" { &it.target.kind } else { &it.target.crate_types };
        it.reason == "compiler-artifact" && kinds.iter().any(|kind| kind == wanted)
    });
    let modules = made.filter_map(|it| {
        let is_module = |path: &PathBuf| path.extension().is_some_and(|end| end == "wasm");
        let path = it.filenames.into_iter().find(is_module)?;
        Some(Module { name: it.target.name, path })
    });
    modules.collect()
}

/// What cargo knows of a package.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: PathBuf,
    #[serde(flatten)]
    pub(crate) label: crate::wrap::Label,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Returns what cargo knows of the packages of a folder's workspace; the one in the folder comes first.
pub(crate) fn packages(toolchain: &Toolchain, folder: &Path) -> Result<Vec<Package>, AuthorError> {
    let mut cargo = toolchain.cargo();
    cargo
        .current_dir(folder)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .stderr(Stdio::inherit());
    let said = answer(&mut cargo, CARGO)?;
    let metadata: Metadata = serde_json::from_str(&said).map_err(|error| AuthorError::Answer {
        command: words(&cargo),
        reason: error.to_string(),
    })?;
    let mut packages = metadata.packages;
    let here = folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join("Cargo.toml");
    packages.sort_by_key(|package| package.manifest_path != here);
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_what_cargo_says() {
        let said = r#"{"reason":"compiler-artifact","target":{"name":"dep","kind":["lib"],"crate_types":["lib"]},"filenames":["/t/libdep.rlib"]}
{"reason":"compiler-artifact","target":{"name":"note","kind":["cdylib"],"crate_types":["cdylib"]},"filenames":["/t/note.d","/t/note.wasm"]}
{"reason":"compiler-artifact","target":{"name":"good","kind":["example"],"crate_types":["cdylib"]},"filenames":["/t/examples/good.wasm"]}
{"reason":"build-finished","success":true}
"#;
        let of = |name: &str, path: &str| Module { name: name.into(), path: path.into() };
        assert_eq!(modules(said, "example"), [of("good", "/t/examples/good.wasm")]);
        assert_eq!(modules(said, "cdylib")[0], of("note", "/t/note.wasm"));
    }
}
