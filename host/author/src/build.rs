//! From the folder of a project to its component.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo::{Build, packages};
use crate::error::AuthorError;
use crate::python;
use crate::toolchain::{Machine, Toolchain};
use crate::wrap::wrap;

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    /// Its file, in the project's folder.
    pub path: PathBuf,
    /// Bytes that it has.
    pub size: usize,
    /// The compiler that made it.
    pub compiler: String,
}

/// Makes a component of the project in a folder, and writes it there as `NAME.wasm`.
///
/// # Errors
/// Fails when something is missing, with the command that brings it, or when the project does not compile.
pub fn build(machine: &Machine, folder: &Path) -> Result<Built, AuthorError> {
    let folder = folder.canonicalize().map_err(file(folder))?;
    let (name, component, compiler) = if folder.join("Cargo.toml").is_file() {
        of_rust(machine, &folder)?
    } else if folder.join(python::MODULE).is_file() {
        python::build(&folder)?
    } else {
        return Err(AuthorError::NoProject { path: folder });
    };
    let path = folder.join(format!("{name}.wasm"));
    fs::write(&path, &component).map_err(file(&path))?;
    Ok(Built { path, size: component.len(), compiler })
}

/// A project's name, its component, and what made it.
pub(crate) type Component = (String, Vec<u8>, String);

/// Returns what turns an error of the system into one of a file.
pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> AuthorError {
    let path = path.to_owned();
    move |source| AuthorError::File { path, source }
}

fn of_rust(machine: &Machine, folder: &Path) -> Result<Component, AuthorError> {
    let toolchain = Toolchain::find(machine, folder)?;
    let no_module = || AuthorError::NoModule { path: folder.to_owned() };
    let package = packages(&toolchain, folder)?.into_iter().next().ok_or_else(no_module)?;
    let build = Build {
        root: folder,
        known_as: &package.name,
        toolchain: &toolchain,
        package: None,
        profile: "release",
        examples: Vec::new(),
        is_locked: false,
        target_dir: None,
    };
    let module = build.run()?.pop().ok_or_else(no_module)?;
    let bytes = fs::read(&module.path).map_err(file(&module.path))?;
    let component = wrap(&module.path, &bytes, &package.label)?;
    Ok((package.name, component, toolchain.name()))
}
