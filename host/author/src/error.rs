//! Why there is no project, or no component of it.

use std::io;
use std::path::PathBuf;

use hyp_model::{Exit, Explain};

/// Why there is no project, or no component of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// The name cannot be a provider's.
    #[error("`{name}` cannot be the name of a provider: {reason}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is something where the project would go.
    #[error("`{}` is there already, and not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds no project that a component can be made of.
    #[error("`{}` holds no project of a provider", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// The package makes no module.
    #[error("the package in `{}` makes no WebAssembly module", path.display())]
    NoModule {
        /// The folder.
        path: PathBuf,
    },
    /// A program is missing.
    #[error("cannot start `{program}`")]
    Program {
        /// The program.
        program: String,
        /// The command that brings it.
        get: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The compiler cannot make WebAssembly.
    #[error("the Rust compiler at hand cannot make WebAssembly")]
    NoTarget,
    /// The folder that was named holds no compiler.
    #[error("`{}` holds no `usr/bin/rustc`", path.display())]
    NoToolchain {
        /// The folder.
        path: PathBuf,
    },
    /// A program said what is wrong, and ended.
    #[error("`{command}` ended with {status}")]
    Ended {
        /// What was run.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A program answered with something else than expected.
    #[error("cannot read what `{command}` said: {reason}")]
    Answer {
        /// What was run.
        command: String,
        /// What is wrong with its answer.
        reason: String,
    },
    /// The module is no component of the contract.
    #[error("`{}` cannot become a component: {reason}", module.display())]
    Wrap {
        /// The module.
        module: PathBuf,
        /// Why.
        reason: String,
    },
    /// A manifest that is carried cannot stand alone.
    #[error("the manifest of `{package}` cannot stand alone: {reason}")]
    Manifest {
        /// The package.
        package: &'static str,
        /// Why.
        reason: String,
    },
}

impl Explain for AuthorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } | Self::NotEmpty { .. } | Self::Manifest { .. } => "hyp::author::new",
            Self::File { .. } => "hyp::author::file",
            Self::NoTarget | Self::NoToolchain { .. } | Self::Program { .. } => {
                "hyp::author::missing"
            }
            _ => "hyp::author::build",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "use lower case letters, digits and hyphens, as in `my-client`".into(),
            Self::NotEmpty { .. } => "choose another name, or another folder with `--dir DIR`".into(),
            Self::File { .. } => "see who may read and write it".into(),
            Self::NoProject { .. } => "`hyp plugin new NAME` makes one".into(),
            Self::NoModule { .. } => {
                "its Cargo.toml needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`".into()
            }
            Self::Program { get, .. } => format!("get it: {get}"),
            Self::NoTarget => "get what is missing: rustup target add wasm32-unknown-unknown".into(),
            Self::NoToolchain { .. } => {
                "HYP_WASM_TOOLCHAIN names a folder with a Rust compiler for WebAssembly in it; unset it \
                 to use rustup's"
                    .into()
            }
            Self::Ended { .. } => "see above what is wrong".into(),
            Self::Wrap { .. } => "does its library call `hyp_sdk::register!`?".into(),
            Self::Answer { .. } | Self::Manifest { .. } => return None,
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Name { .. } => Exit::Usage,
            Self::NotEmpty { .. } => Exit::Refused,
            _ => Exit::Failed,
        }
    }
}
