//! Components of projects in Python, which componentize-py makes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use toml_edit::{DocumentMut, Item};

use crate::build::{Component, file};
use crate::error::AuthorError;
use crate::toolchain::{answer, first_line};
use crate::wrap::{Label, wrap};

/// The module of a project that has its provider.
pub(crate) const MODULE: &str = "provider.py";

const PROGRAM: &str = "componentize-py";
const GET: &str = "pip install \"componentize-py>=0.25,<0.26\"";

/// Makes a component of the project in a folder.
pub(crate) fn build(folder: &Path) -> Result<Component, AuthorError> {
    let (name, label) = project(folder)?;
    let version = first_line(Command::new(PROGRAM).arg("--version"), GET)?;
    let made = folder.join(format!(".{name}.wasm.new"));
    let mut program = Command::new(PROGRAM);
    program
        .current_dir(folder)
        .args(["-d", "wit", "-w", "provider-plugin", "componentize", "provider", "-o"])
        .arg(&made)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let bytes = answer(&mut program, GET).and_then(|_| fs::read(&made).map_err(file(&made)));
    // What is left of a build that failed is of no use.
    let _ = fs::remove_file(&made);
    Ok((name, wrap(&made, &bytes?, &label)?, version))
}

/// Returns the name of a project, and what is said of it.
fn project(folder: &Path) -> Result<(String, Label), AuthorError> {
    let path = folder.join("pyproject.toml");
    let text = fs::read_to_string(&path).map_err(file(&path))?;
    let unreadable =
        |reason: String| AuthorError::Answer { command: path.display().to_string(), reason };
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| unreadable(error.message().to_owned()))?;
    let value = |key: &str| {
        let value = document.get("project").and_then(|it| it.get(key)).and_then(Item::as_str);
        value.map(str::to_owned)
    };
    let name = value("name").ok_or_else(|| unreadable("`project.name` is missing".into()))?;
    let label = Label {
        version: value("version").unwrap_or_default(),
        description: value("description"),
        license: value("license"),
        repository: None,
    };
    Ok((name.parse::<crate::Name>()?.to_string(), label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pyproject.toml");
        fs::write(&path, "[project]\nname = \"note\"\nversion = \"1.2.0\"\n").unwrap();
        let (name, label) = project(folder.path()).unwrap();
        assert_eq!((name.as_str(), label.version.as_str(), label.license), ("note", "1.2.0", None));
        fs::write(&path, "[project]\nname = \"../elsewhere\"\n").unwrap();
        assert!(matches!(project(folder.path()), Err(AuthorError::Name { .. })));
        fs::write(&path, "[project\n").unwrap();
        assert!(matches!(project(folder.path()), Err(AuthorError::Answer { .. })));
    }
}
