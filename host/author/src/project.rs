//! New projects.

use std::fs;
use std::path::Path;

use crate::carried::{
    CASES, CONTRACT, File, LICENSE, MATERIALIZER, PYTHON, PYTHON_SDK, RUST, SDK, SQLITE,
};
use crate::error::AuthorError;
use crate::name::Name;
use crate::standalone::standalone;

/// What a project is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Project {
    /// A provider in Rust, with the SDK.
    RustProvider,
    /// A provider in Python, with a module that reads lines.
    PythonProvider,
    /// A materializer in Rust, with the SDK.
    RustMaterializer,
}

/// Suffix of files that tools would take for their own while they lie in this repository.
const TEMPLATE: &str = ".template";

/// Lays out a project: sources for a made-up client, cases and tests, and all that it takes to build it.
///
/// # Errors
/// Fails when the folder is there and not empty, or cannot be written; nothing is written over.
pub fn create(name: &Name, project: Project, folder: &Path) -> Result<(), AuthorError> {
    refuse_what_is_there(folder)?;
    let files = match project {
        Project::RustProvider => RUST,
        Project::PythonProvider => PYTHON,
        Project::RustMaterializer => MATERIALIZER,
    };
    template(folder, name, files)?;
    if project != Project::RustMaterializer {
        template(&folder.join("cases"), name, CASES)?;
    }
    if project == Project::PythonProvider {
        lay_out(folder, PYTHON_SDK)?;
        return lay_out(&folder.join("wit"), CONTRACT);
    }
    let vendor = folder.join("vendor");
    package(&vendor, "hyp-sdk", SDK)?;
    package(&vendor, "hyp-sqlite", SQLITE)?;
    lay_out(&vendor.join("wit"), CONTRACT)
}

/// Lays out files in which the made-up client's name becomes the provider's.
fn template(folder: &Path, name: &Name, files: &[File]) -> Result<(), AuthorError> {
    files.iter().try_for_each(|(path, text)| {
        let path = filled(path.strip_suffix(TEMPLATE).unwrap_or(path), name);
        write(folder, &path, &filled(text, name))
    })
}

/// Replaces the made-up client's name by the provider's.
fn filled(text: &str, name: &Name) -> String {
    text.replace("Note Book", &name.title())
        .replace("NoteBook", &name.of_type())
        .replace("note-book", &name.to_string())
        .replace("note_book", &name.to_string().replace('-', "_"))
}

fn refuse_what_is_there(folder: &Path) -> Result<(), AuthorError> {
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free { Ok(()) } else { Err(AuthorError::NotEmpty { path: folder.to_owned() }) }
}

/// Lays out a package of this repository so that it stands alone.
fn package(vendor: &Path, name: &'static str, files: &[File]) -> Result<(), AuthorError> {
    let folder = vendor.join(name);
    lay_out(&folder, files)?;
    let manifest = files.iter().find(|(path, _)| *path == "Cargo.toml");
    write(&folder, "Cargo.toml", &standalone(name, manifest.map_or("", |(_, text)| text))?)?;
    write(&folder, "LICENSE", LICENSE)
}

fn lay_out(folder: &Path, files: &[File]) -> Result<(), AuthorError> {
    files.iter().try_for_each(|(path, text)| write(folder, path, text))
}

fn write(folder: &Path, below: &str, text: &str) -> Result<(), AuthorError> {
    let path = folder.join(below);
    let failed = |source| AuthorError::File { path: path.clone(), source };
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
    fs::write(&path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_the_name_and_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let name: Name = "my-client".parse().unwrap();
        create(&name, Project::RustProvider, folder.path()).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        assert!(read("Cargo.toml").contains("name = \"my-client\""));
        assert!(read("src/lib.rs").contains("hyp_sdk::register!(MyClient);"));
        for manifest in ["vendor/hyp-sdk/Cargo.toml", "vendor/hyp-sqlite/Cargo.toml"] {
            assert!(!read(manifest).contains("workspace"), "{}", read(manifest));
        }
        assert!(folder.path().join("vendor/wit/world.wit").is_file(), "where the SDK looks for it");
        let mut files = vec![folder.path().to_owned()];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                let text = fs::read_to_string(&path).unwrap().to_lowercase();
                let left = ["note-book", "notebook ", "note_book", "note book"];
                let is_ours = !path.starts_with(folder.path().join("vendor"));
                assert!(!is_ours || !left.iter().any(|it| text.contains(it)), "{}", path.display());
            }
        }
    }

    #[test]
    fn a_project_in_python_has_all_that_it_takes() {
        let folder = tempfile::tempdir().unwrap();
        create(&"my-client".parse().unwrap(), Project::PythonProvider, folder.path()).unwrap();
        for path in ["provider.py", "hyp_sdk.py", "wit/world.wit", "cases/two_turns/rows.json"] {
            assert!(folder.path().join(path).is_file(), "{path}");
        }
        let project = fs::read_to_string(folder.path().join("pyproject.toml")).unwrap();
        assert!(project.contains("name = \"my-client\""), "{project}");
    }

    #[test]
    fn a_materializer_has_items_of_a_kind_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        create(&"my-client".parse().unwrap(), Project::RustMaterializer, folder.path()).unwrap();
        let items = folder.path().join("cases/two_entries/in/my-client.entry.jsonl");
        assert!(items.is_file() && folder.path().join("vendor/hyp-sdk/src").is_dir());
        let source = fs::read_to_string(folder.path().join("src/lib.rs")).unwrap();
        assert!(source.contains("hyp_sdk::register_materializer!(MyClient);"), "{source}");
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "x").unwrap();
        let name: Name = "mine".parse().unwrap();
        let refused = create(&name, Project::RustProvider, folder.path());
        assert!(matches!(refused, Err(AuthorError::NotEmpty { .. })));
        let refused = create(&name, Project::RustProvider, &folder.path().join("mine"));
        assert!(matches!(refused, Err(AuthorError::NotEmpty { .. })), "a file is in the way");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
