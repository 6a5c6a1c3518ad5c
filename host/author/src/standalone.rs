//! Manifests that inherit nothing: what a package of this repository has once it lies somewhere else.

use toml_edit::{DocumentMut, Item, Table, TableLike};

use crate::carried::WORKSPACE;
use crate::error::AuthorError;

/// Sections that name other packages.
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Returns a manifest with all that it inherits written out, and without the lints of this repository.
///
/// Packages of this repository that it needs lie beside it, under their names.
pub(crate) fn standalone(package: &'static str, manifest: &str) -> Result<String, AuthorError> {
    let failed = |reason: String| AuthorError::Manifest { package, reason };
    let parse = |text: &str| text.parse::<DocumentMut>().map_err(|error| failed(error.to_string()));
    let (mut manifest, workspace) = (parse(manifest)?, parse(WORKSPACE)?);
    let shared = |section: &str, key: &str| {
        let found = workspace.get("workspace").and_then(|it| it.get(section)?.get(key)).cloned();
        found.ok_or_else(|| failed(format!("`{key}` is not in `workspace.{section}`")))
    };
    manifest.remove("lints");
    if let Some(head) = manifest.get_mut("package").and_then(Item::as_table_mut) {
        for (key, value) in head.iter_mut() {
            if inherits(value) {
                *value = shared("package", key.get())?;
            }
        }
        // A package that is built by others is nobody's to publish, and its checks are ours.
        head.insert("publish", toml_edit::value(false));
    }
    for section in DEPENDENCIES {
        if let Some(table) = manifest.get_mut(section).and_then(Item::as_table_like_mut) {
            write_out(table, &shared)?;
        }
    }
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_mut) {
        for (_, target) in targets.iter_mut() {
            for section in DEPENDENCIES {
                if let Some(table) = target.get_mut(section).and_then(Item::as_table_like_mut) {
                    write_out(table, &shared)?;
                }
            }
        }
    }
    Ok(manifest.to_string())
}

/// Writes out the dependencies of a section.
fn write_out(
    table: &mut dyn TableLike,
    shared: &dyn Fn(&str, &str) -> Result<Item, AuthorError>,
) -> Result<(), AuthorError> {
    for (key, own) in table.iter_mut() {
        if !inherits(own) {
            continue;
        }
        let mut whole = inline(shared("dependencies", key.get())?);
        if whole.contains_key("path") {
            whole.insert("path", format!("../{}", key.get()).into());
        }
        for (name, value) in own.as_table_like().into_iter().flat_map(TableLike::iter) {
            let Some(value) = value.as_value() else { continue };
            match (name, whole.get_mut("features").and_then(|it| it.as_array_mut())) {
                ("workspace", _) => {}
                ("features", Some(had)) => {
                    had.extend(value.as_array().into_iter().flatten().cloned());
                    had.fmt();
                }
                _ => _ = whole.insert(name, value.clone()),
            }
        }
        whole.fmt();
        *own = Item::Value(whole.into());
    }
    Ok(())
}

/// Returns a dependency as a table, also one that is no more than its version.
fn inline(item: Item) -> toml_edit::InlineTable {
    match item.into_value() {
        Ok(toml_edit::Value::InlineTable(table)) => table,
        Ok(version) => [("version", version)].into_iter().collect(),
        Err(item) => item.into_table().unwrap_or_else(|_| Table::new()).into_inline_table(),
    }
}

fn inherits(item: &Item) -> bool {
    item.get("workspace").and_then(Item::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inherited_is_written_out() {
        let text = standalone(
            "it",
            "[package]\nname = \"it\"\nedition.workspace = true\n\n[lints]\nworkspace = true\n\n\
             [dependencies]\nmemchr.workspace = true\nhyp-sqlite = { workspace = true, optional = true }\n\
             rusqlite = { workspace = true, features = [\"hooks\"] }\n",
        );
        let text = text.unwrap();
        assert!(text.contains("edition = \"2024\""), "{text}");
        assert!(text.contains("memchr = { version = \"2\" }"), "{text}");
        assert!(
            text.contains("hyp-sqlite = { path = \"../hyp-sqlite\", optional = true }"),
            "{text}"
        );
        assert!(text.contains("features = [\"bundled\", \"hooks\"]"), "{text}");
        assert!(!text.contains("workspace"), "{text}");
    }

    #[test]
    fn what_this_repository_does_not_share_is_an_error() {
        assert!(standalone("it", "[dependencies]\nnowhere.workspace = true\n").is_err());
    }
}
