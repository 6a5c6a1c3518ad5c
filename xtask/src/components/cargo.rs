//! One build of a package's modules, in a way that gives the same bytes everywhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::toolchain::Toolchain;
use crate::say;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "component";

/// The flags that a component's bytes depend on. Remapped paths are left out: they keep the bytes the same.
pub(super) const FLAGS: &[&str] = &["-Ctarget-feature=+simd128"];

/// A package to build.
pub(super) struct Build<'b> {
    pub(super) root: &'b Path,
    pub(super) toolchain: &'b Toolchain,
    pub(super) package: &'b str,
    /// Examples to build instead of the library.
    pub(super) examples: Vec<&'b str>,
}

impl Build<'_> {
    /// Builds; returns the folder of what was made.
    pub(super) fn run(&self) -> Result<PathBuf> {
        let target = self.root.join("target/components");
        let mut cargo = self.toolchain.cargo();
        cargo
            .current_dir(self.root)
            .arg(if self.examples.is_empty() { "rustc" } else { "build" })
            .args(["--locked", "--profile", PROFILE, "--target", TARGET])
            .args(["--package", self.package])
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join("\u{1f}"))
            // What is set for other builds would change the bytes.
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_INCREMENTAL");
        if self.examples.is_empty() {
            // Without the native kind of library beside it, std is compiled as it is for the examples: once.
            cargo.args(["--lib", "--crate-type", "cdylib"]);
        } else {
            cargo.args(["--features", "component"]);
            cargo.args(self.examples.iter().flat_map(|name| ["--example", name]));
        }
        say(format!("compiling {}", self.package));
        let status = cargo.status().context("cannot start cargo")?;
        if !status.success() {
            bail!("cargo ended with {status}");
        }
        Ok(target.join(TARGET).join(PROFILE))
    }

    /// Paths end up in panic messages and symbols: each is given the same name everywhere. The last that matches wins.
    fn flags(&self) -> Result<Vec<String>> {
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        let mut remap = |from: &Path, to: &str| {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        };
        remap(self.root, "/hyp");
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
    fn registries(&self) -> Result<Vec<PathBuf>> {
        let mut fetch: Command = self.toolchain.cargo();
        let fetched = fetch
            .current_dir(self.root)
            .args(["fetch", "--quiet", "--locked", "--target", TARGET])
            .status()
            .context("cannot start cargo")?;
        if !fetched.success() {
            bail!("cargo cannot fetch the dependencies");
        }
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
        let home = home.context("there is no home folder, and CARGO_HOME is not set")?;
        let Ok(entries) = home.join("registry/src").read_dir() else { return Ok(Vec::new()) };
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    }
}
