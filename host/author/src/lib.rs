//! What authors of providers begin with and end with: a new project, and a component of it.
//!
//! Read first: [`create`], which lays out a project that builds and passes its tests; [`build`], which makes a
//! component of one; [`Toolchain`], the compiler that does it. This repository builds its own components with the
//! same code.
//!
//! ```
//! use hyp_author::{Name, Project};
//!
//! let folder = tempfile::tempdir()?;
//! let name: Name = "notebook".parse()?;
//! hyp_author::create(&name, Project::RustProvider, &folder.path().join("notebook"))?;
//! assert!(folder.path().join("notebook/vendor/hyp-sdk/Cargo.toml").is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod cargo;
mod carried;
mod error;
mod name;
mod project;
mod python;
mod standalone;
mod toolchain;
mod wrap;

pub use build::{Built, build};
pub use cargo::{Build, FLAGS, Module};
pub use error::AuthorError;
pub use name::Name;
pub use project::{Project, create};
pub use toolchain::{Machine, Target, Toolchain, compiler, with_libraries};
pub use wrap::{Label, wrap};
