//! `cargo xtask components`: makes the components that are checked in, and knows when they are stale.
//!
//! A component's bytes depend on its sources, the SDK, the contract, the resolved dependencies, the flags and the
//! compiler, and on nothing else: not on where the tree or the compiler lies.

mod freshness;
mod lock;
mod source;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hyp_author::{Build, Label, Module, Toolchain};
use sha2::{Digest, Sha256};

use crate::{root, say};
use lock::{Locked, Lockfile};

pub use freshness::stale;

/// A component, and what it is made of.
pub(crate) struct Component {
    /// Name of the component: `dist/NAME.wasm`.
    pub(crate) name: &'static str,
    package: &'static str,
    /// Folder of the package.
    folder: &'static str,
    target: Target,
    dist: &'static str,
}

/// What of a package becomes the component.
enum Target {
    Library,
    Example,
}

const PROVIDERS: &str = "providers/dist";
const GUESTS: &str = "tests/guests/dist";

/// Profile of components.
const PROFILE: &str = "component";

#[rustfmt::skip]
pub(crate) const COMPONENTS: &[Component] = &[
    provider("agent-snapshots", "hyp-provider-agent-snapshots", "providers/agent-snapshots"),
    provider("agent-types", "hyp-provider-agent-types", "providers/agent-types"),
    provider("claude", "hyp-provider-claude", "providers/claude"),
    provider("codex", "hyp-provider-codex", "providers/codex"),
    provider("cursor", "hyp-provider-cursor", "providers/cursor"),
    provider("gemini", "hyp-provider-gemini", "providers/gemini"),
    provider("member-agents", "hyp-provider-member-agents", "providers/member-agents"),
    provider("opencode", "hyp-provider-opencode", "providers/opencode"),
    provider("pi", "hyp-provider-pi", "providers/pi"),
    provider("qwen", "hyp-provider-qwen", "providers/qwen"),
    provider("registry-compliance", "hyp-provider-registry-compliance", "providers/registry-compliance"),
    provider("registry-history", "hyp-provider-registry-history", "providers/registry-history"),
    provider("registry-reprobe", "hyp-provider-registry-reprobe", "providers/registry-reprobe"),
    provider("registry-state", "hyp-provider-registry-state", "providers/registry-state"),
    provider("suite-eligibility", "hyp-provider-suite-eligibility", "providers/suite-eligibility"),
    provider("test-suites", "hyp-provider-test-suites", "providers/test-suites"),
    guest("elder"),
    guest("flood"),
    guest("good"),
    guest("hog"),
    guest("ledger"),
    guest("lying-ids"),
    guest("spin"),
    guest("sql"),
    guest("tides"),
    guest("trap"),
    guest("undeclared-kind"),
    guest("wrong-version"),
];

const fn provider(name: &'static str, package: &'static str, folder: &'static str) -> Component {
    Component { name, package, folder, target: Target::Library, dist: PROVIDERS }
}

const fn guest(name: &'static str) -> Component {
    let (package, folder) = ("hyp-guests", "tests/guests");
    Component { name, package, folder, target: Target::Example, dist: GUESTS }
}

impl Component {
    fn path(&self, root: &Path) -> PathBuf {
        root.join(self.dist).join(format!("{}.wasm", self.name))
    }

    /// Returns what cargo calls its library or example.
    fn crate_name(&self) -> String {
        match self.target {
            Target::Library => self.package.replace('-', "_"),
            Target::Example => self.name.to_owned(),
        }
    }
}

/// A component that was built.
struct Built {
    component: &'static Component,
    bytes: Vec<u8>,
    locked: Locked,
}

/// Builds components (all, when no names are given) and writes them beside their lock.
pub fn build(names: &[String]) -> Result<()> {
    let root = root();
    let (built, failed) = build_all(&root, &chosen(names)?, &toolchain::find(&root)?)?;
    for dist in [PROVIDERS, GUESTS] {
        let path = root.join(dist).join("components.lock");
        let mut lock = Lockfile::read(&path)?;
        for built in built.iter().filter(|built| built.component.dist == dist) {
            fs::create_dir_all(root.join(dist))?;
            let place = built.component.path(&root);
            fs::write(&place, &built.bytes)
                .with_context(|| format!("cannot write `{}`", place.display()))?;
            lock.insert(built.component.name, built.locked.clone());
            let size = built.bytes.len().div_ceil(1024);
            say(format!(
                "{}.wasm: {size} KiB, sha256 {}",
                built.component.name, built.locked.sha256
            ));
        }
        lock.retain(|name| COMPONENTS.iter().any(|one| one.name == name && one.dist == dist));
        lock.write(&path)?;
    }
    end(failed)
}

/// Builds components and compares them with what is checked in.
///
/// Bytes are comparable only where the compiler is the one that made the checked in ones.
pub fn check(names: &[String]) -> Result<()> {
    let root = root();
    let toolchain = toolchain::find(&root)?;
    let (built, mut problems) = build_all(&root, &chosen(names)?, &toolchain)?;
    for Built { component, bytes, locked } in built {
        let name = component.name;
        let path = component.path(&root);
        let lock = Lockfile::read(&root.join(component.dist).join("components.lock"))?;
        match lock.get(name) {
            None => problems.push(format!("{name}: not checked in")),
            Some(known) if known.rustc != locked.rustc => say(format!(
                "{name}: builds; not compared, as it was made by {} and this is {}",
                known.rustc, locked.rustc
            )),
            Some(known) if known.source != locked.source => {
                problems.push(format!("{name}: the sources changed"));
            }
            Some(_) if fs::read(&path).ok() == Some(bytes) => say(format!("{name}: same bytes")),
            Some(known) => problems.push(format!(
                "{name}: other bytes from the same sources: {} is checked in, {} was built",
                known.sha256, locked.sha256
            )),
        }
    }
    end(problems)
}

fn end(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}\n`cargo xtask components` builds what is stale", problems.join("\n"))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Component>> {
    if let Some(name) = names.iter().find(|name| COMPONENTS.iter().all(|one| one.name != **name)) {
        bail!("there is no component `{name}`");
    }
    let is_chosen =
        |one: &&Component| names.is_empty() || names.iter().any(|name| name == one.name);
    Ok(COMPONENTS.iter().filter(is_chosen).collect())
}

/// Builds package after package; one that fails is told at the end, and the others are built.
fn build_all(
    root: &Path,
    components: &[&'static Component],
    toolchain: &Toolchain,
) -> Result<(Vec<Built>, Vec<String>)> {
    say(format!("building with {}", toolchain.name()));
    let (mut built, mut failed) = (Vec::new(), Vec::new());
    let mut packages: Vec<&str> = components.iter().map(|one| one.package).collect();
    packages.dedup();
    for package in packages {
        let of_package = || components.iter().filter(|one| one.package == package);
        let examples = of_package().filter(|one| matches!(one.target, Target::Example));
        let examples = examples.map(|one| one.name).collect();
        say(format!("compiling {package}"));
        let build = Build {
            root,
            known_as: "hyp",
            toolchain,
            package: Some(package),
            profile: PROFILE,
            examples,
            is_locked: true,
            target_dir: Some(root.join("target/components")),
        };
        let modules = match build.run().context("cargo failed") {
            Ok(modules) => modules,
            Err(error) => {
                failed.push(format!("{package}: {error:#}"));
                continue;
            }
        };
        for component in of_package() {
            match wrap(component, &modules) {
                Ok(bytes) => {
                    let locked = Locked {
                        sha256: hex(&Sha256::digest(&bytes)),
                        source: source::hash(root, component)?,
                        rustc: toolchain.name(),
                    };
                    built.push(Built { component, bytes, locked });
                }
                Err(error) => failed.push(format!("{}: {error:#}", component.name)),
            }
        }
    }
    Ok((built, failed))
}

/// Makes a component of the module that was built for it.
fn wrap(component: &Component, modules: &[Module]) -> Result<Vec<u8>> {
    let name = component.crate_name();
    let module = modules.iter().find(|module| module.name == name);
    let path = &module.with_context(|| format!("cargo made no `{name}.wasm`"))?.path;
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(hyp_author::wrap(path, &bytes, &Label::default())?)
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
