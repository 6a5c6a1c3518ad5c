//! The compiler that components are built with, downloaded if need be.
//!
//! Where rustup has none, it is the one in the folder that `HYP_WASM_TOOLCHAIN` names, or else Debian's packages,
//! unpacked below `target` and installed nowhere.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use hyp_author::{AuthorError, Machine, Toolchain, compiler, with_libraries};

use crate::say;

/// Debian's compiler and the sources of std. What it is linked with has a version in its name, and is looked up.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// Finds a compiler, downloading one if need be.
pub(super) fn find(root: &Path) -> Result<Toolchain> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let mut machine = Machine {
        cargo: env::var_os("CARGO"),
        cargo_home: home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))),
        unpacked: None,
    };
    match Toolchain::find(&machine, root) {
        Err(AuthorError::NoTarget) => {}
        found => return found.context("no compiler"),
    }
    // Symbols carry where std's sources lie, relative to the workspace: they always lie here.
    let place = root.join("target/wasm-toolchain");
    if !compiler(&place).is_file() {
        say("rustup has no wasm32-unknown-unknown (`rustup target add` would be quicker)");
        match env::var_os("HYP_WASM_TOOLCHAIN") {
            Some(folder) => copy(Path::new(&folder), &place)?,
            None => download(&place)?,
        }
    }
    machine.unpacked = Some(place);
    Toolchain::find(&machine, root).context("no compiler")
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// Copies an unpacked toolchain, as hard links where that works.
fn copy(from: &Path, to: &Path) -> Result<()> {
    ensure!(compiler(from).is_file(), "`{}` is not there", compiler(from).display());
    say(format!("copying the toolchain in `{}`", from.display()));
    let partial = fresh(to)?;
    let copy = |how: &str| run(Command::new("cp").arg(how).arg(from).arg(&partial));
    if copy("-al").is_err() {
        fresh(to)?;
        copy("-a")?;
    }
    fs::rename(&partial, to).context("cannot put the toolchain in place")
}

/// Downloads Debian's packages and unpacks them; nothing is installed.
fn download(to: &Path) -> Result<()> {
    say("downloading Debian's compiler for WebAssembly; nothing is installed");
    let partial = fresh(to)?;
    let packages = partial.join("packages");
    fs::create_dir_all(&packages)?;
    if run(Command::new("apt-get").args(["update", "-q"])).is_err() {
        say("the package lists could not be refreshed; trying with those that are there");
    }
    let Some(std) = dependency("libstd-rust-web-dev", "libstd-rust-web-")? else {
        bail!(
            "no compiler for WebAssembly: run `rustup target add wasm32-unknown-unknown`, or name an \
             unpacked toolchain in HYP_WASM_TOOLCHAIN"
        );
    };
    let llvm = dependency(&std, "libllvm")?.with_context(|| format!("{std} needs no libllvm"))?;
    let mut apt = Command::new("apt-get");
    run(apt.current_dir(&packages).args(["download", "-q"]).args(PACKAGES).args([std, llvm]))?;
    for package in fs::read_dir(&packages)?.flatten() {
        run(Command::new("dpkg").arg("-x").arg(package.path()).arg(&partial))?;
    }
    fs::remove_dir_all(&packages)?;
    run(with_libraries(&partial, &mut Command::new(compiler(&partial))).arg("-V"))
        .context("the packages do not fit together")?;
    fs::rename(&partial, to).context("cannot put the toolchain in place")
}

/// Returns the package that another depends on and whose name is this and a version.
fn dependency(package: &str, start: &str) -> Result<Option<String>> {
    let depends = Command::new("apt-cache").args(["depends", package]).output();
    let depends = depends.context("cannot start apt-cache")?;
    let text = String::from_utf8_lossy(&depends.stdout);
    let mut names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let is_it = |name: &&str| {
        name.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    Ok(names.find(is_it).map(str::to_owned))
}

/// Returns a place beside the toolchain's that does not exist yet.
fn fresh(to: &Path) -> Result<PathBuf> {
    let partial = to.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    if let Some(parent) = partial.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(partial)
}
