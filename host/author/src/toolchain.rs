//! Finds a compiler that can make WebAssembly.
//!
//! Tried in this order: the compiler at hand, if rustup has one of its targets; an unpacked compiler in a folder that
//! somebody names, which builds the standard library from its sources.

use std::env::consts::ARCH;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::AuthorError;

const RUSTUP: &str = "install Rust with rustup";

/// What the caller knows of the machine, so that nothing here asks its environment.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Cargo; by default the one on the path.
    pub cargo: Option<OsString>,
    /// Folder that cargo keeps packages in.
    pub cargo_home: Option<PathBuf>,
    /// Folder that an unpacked compiler lies in.
    pub unpacked: Option<PathBuf>,
}

/// What is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Nothing but what the contract gives.
    Unknown,
    /// The same, and a system interface that hyp leaves empty.
    Wasip2,
}

impl Target {
    /// Returns its name, as cargo knows it.
    pub fn triple(self) -> &'static str {
        match self {
            Self::Unknown => "wasm32-unknown-unknown",
            Self::Wasip2 => "wasm32-wasip2",
        }
    }
}

/// A compiler, and what it takes to use it.
#[derive(Debug)]
pub struct Toolchain {
    cargo: OsString,
    version: String,
    target: Target,
    /// Folder that the compiler was unpacked to.
    unpacked: Option<PathBuf>,
    sysroot: PathBuf,
    pub(crate) cargo_home: Option<PathBuf>,
}

impl Toolchain {
    /// Finds a compiler for a package in a folder, which may ask for one of its own.
    ///
    /// # Errors
    /// Fails when there is none, with the command that brings one.
    pub fn find(machine: &Machine, folder: &Path) -> Result<Self, AuthorError> {
        let rustc = || {
            let mut rustc = Command::new("rustc");
            rustc.current_dir(folder);
            rustc
        };
        let sysroot = PathBuf::from(first_line(rustc().args(["--print", "sysroot"]), RUSTUP)?);
        let has = |target: &Target| {
            sysroot.join("lib/rustlib").join(target.triple()).join("lib").is_dir()
        };
        let target = [Target::Unknown, Target::Wasip2].into_iter().find(has);
        let mut toolchain = Self {
            cargo: machine.cargo.clone().unwrap_or_else(|| "cargo".into()),
            version: String::new(),
            target: target.unwrap_or(Target::Unknown),
            unpacked: None,
            sysroot,
            cargo_home: machine.cargo_home.clone(),
        };
        if target.is_some() {
            toolchain.version = first_line(rustc().arg("--version"), RUSTUP)?;
            return Ok(toolchain);
        }
        let unpacked = machine.unpacked.clone().ok_or(AuthorError::NoTarget)?;
        if !toolchain.is_at(&unpacked) {
            return Err(AuthorError::NoToolchain { path: unpacked });
        }
        toolchain.unpacked = Some(unpacked);
        toolchain.version = first_line(
            toolchain.with_paths(&mut Command::new(toolchain.rustc())).arg("-V"),
            RUSTUP,
        )?;
        Ok(toolchain)
    }

    fn is_at(&self, folder: &Path) -> bool {
        compiler(folder).is_file()
    }

    /// Returns the name of the compiler, and whether it builds std itself: the bytes depend on both.
    pub fn name(&self) -> String {
        match self.unpacked {
            Some(_) => format!("{}, building std", self.version),
            None => self.version.clone(),
        }
    }

    /// Returns what it compiles for.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Returns cargo, told to use this compiler. It reads nothing from the terminal.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.stdin(Stdio::null());
        if self.unpacked.is_none() {
            return cargo;
        }
        let host = format!("{ARCH}-unknown-linux-gnu");
        let lld = self.sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
        self.with_paths(&mut cargo)
            .env("RUSTC", self.rustc())
            // Building std is not stable yet.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", lld);
        cargo
    }

    /// Returns where the sources of std lie, if it is built.
    pub(crate) fn std_sources(&self) -> Option<PathBuf> {
        self.unpacked.as_ref().map(|place| place.join("usr/lib/rustlib/src/rust"))
    }

    fn rustc(&self) -> PathBuf {
        self.unpacked.as_deref().map_or_else(|| "rustc".into(), compiler)
    }

    fn with_paths<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match &self.unpacked {
            Some(folder) => with_libraries(folder, command),
            None => command,
        }
    }
}

/// Returns the compiler in a folder that one was unpacked to.
pub fn compiler(folder: &Path) -> PathBuf {
    folder.join("usr/bin/rustc")
}

/// Tells a command where the libraries of an unpacked compiler are.
pub fn with_libraries<'c>(folder: &Path, command: &'c mut Command) -> &'c mut Command {
    command.env("LD_LIBRARY_PATH", folder.join(format!("usr/lib/{ARCH}-linux-gnu")))
}

/// Runs a command; returns the first line of what it says. What it says of errors is for the person to read.
pub(crate) fn first_line(command: &mut Command, get: &'static str) -> Result<String, AuthorError> {
    let text = answer(command.stderr(Stdio::inherit()), get)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Runs a command; returns what it says.
pub(crate) fn answer(command: &mut Command, get: &'static str) -> Result<String, AuthorError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output = output.map_err(|source| AuthorError::Program { program, get, source })?;
    if !output.status.success() {
        return Err(AuthorError::Ended { command: words(command), status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns a command as a person would type it.
pub(crate) fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_compiler_is_told() {
        let empty = tempfile::tempdir().unwrap();
        let machine = Machine { unpacked: Some(empty.path().to_owned()), ..Machine::default() };
        // Where rustup has a target, nothing else is looked for.
        match Toolchain::find(&machine, empty.path()) {
            Ok(found) => assert!(found.std_sources().is_none()),
            Err(error) => assert!(matches!(error, AuthorError::NoToolchain { .. }), "{error}"),
        }
    }

    #[test]
    fn a_program_that_is_not_there_comes_with_the_way_to_get_it() {
        let missing = answer(&mut Command::new("no-such-program-of-hyp"), "make one");
        assert!(matches!(missing, Err(AuthorError::Program { get: "make one", .. })));
    }
}
