//! Finds a compiler that can make WebAssembly.
//!
//! Tried in this order: the compiler at hand, if rustup has its target; the folder that `HYP_WASM_TOOLCHAIN`
//! names; Debian's packages, unpacked below `target` and installed nowhere. The last two build the standard library
//! from its sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::say;

/// Debian's compiler and the sources of std. What it is linked with has a version in its name, and is looked up.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// A compiler, and what it takes to use it.
pub(super) struct Toolchain {
    version: String,
    /// Folder that Debian's packages were unpacked to.
    unpacked: Option<PathBuf>,
    sysroot: PathBuf,
}

impl Toolchain {
    /// Finds a compiler, downloading one if need be.
    pub(super) fn find(root: &Path) -> Result<Self> {
        let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?);
        if sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir() {
            let version = output(Command::new("rustc").arg("--version"))?;
            return Ok(Self { version, unpacked: None, sysroot });
        }
        // Symbols carry where std's sources lie, relative to the workspace: they always lie here.
        let place = root.join("target/wasm-toolchain");
        if !rustc(&place).is_file() {
            say("rustup has no wasm32-unknown-unknown (`rustup target add` would be quicker)");
            match env::var_os("HYP_WASM_TOOLCHAIN") {
                Some(folder) => copy(Path::new(&folder), &place)?,
                None => download(&place)?,
            }
        }
        let mut toolchain = Self { version: String::new(), unpacked: Some(place), sysroot };
        toolchain.version =
            output(toolchain.with_paths(&mut Command::new(toolchain.rustc())).arg("-V"))?;
        Ok(toolchain)
    }

    /// Returns the name of the compiler, and whether it builds std itself: the bytes depend on both.
    pub(super) fn name(&self) -> String {
        match self.unpacked {
            Some(_) => format!("{}, building std", self.version),
            None => self.version.clone(),
        }
    }

    /// Returns cargo, told to use this compiler.
    pub(super) fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = Command::new(cargo);
        if self.unpacked.is_none() {
            return cargo;
        }
        let lld = self.sysroot.join("lib/rustlib").join(host()).join("bin/rust-lld");
        self.with_paths(&mut cargo)
            .env("RUSTC", self.rustc())
            // Building std is not stable yet.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", lld);
        cargo
    }

    /// Returns where the sources of std lie, if it is built.
    pub(super) fn std_sources(&self) -> Option<PathBuf> {
        self.unpacked.as_ref().map(|place| place.join("usr/lib/rustlib/src/rust"))
    }

    fn rustc(&self) -> PathBuf {
        self.unpacked.as_deref().map_or_else(|| "rustc".into(), rustc)
    }

    fn with_paths<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match &self.unpacked {
            Some(place) => at(place, command),
            None => command,
        }
    }
}

/// Tells a command where the unpacked libraries are.
fn at<'c>(place: &Path, command: &'c mut Command) -> &'c mut Command {
    command.env("LD_LIBRARY_PATH", place.join(format!("usr/lib/{}-linux-gnu", env::consts::ARCH)))
}

fn rustc(place: &Path) -> PathBuf {
    place.join("usr/bin/rustc")
}

fn host() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

/// Runs a command; returns the first line of what it says.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// Copies an unpacked toolchain, as hard links where that works.
fn copy(from: &Path, to: &Path) -> Result<()> {
    ensure!(rustc(from).is_file(), "`{}` is not there", rustc(from).display());
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
    output(at(&partial, &mut Command::new(rustc(&partial))).arg("-V"))
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
