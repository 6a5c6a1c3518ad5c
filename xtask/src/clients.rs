//! The table of supported clients, made of the manifests of the bundled providers.
//!
//! A manifest is `providers/NAME/manifest.json`, and a test of each provider holds it to what its component says.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{root, say};

/// Where the table stands, and what stands around it.
const PAGE: &str = "README.md";
const BEGIN: &str = "<!-- written by `cargo xtask clients` -->\n";
const END: &str = "<!-- end -->";

/// Writes the table into the page.
pub fn write() -> Result<()> {
    let root = root();
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path)?;
    let fresh = with_table(&page, &table(&root)?)?;
    fs::write(&path, fresh).with_context(|| format!("cannot write `{PAGE}`"))?;
    say("the table of clients is written");
    Ok(())
}

/// Returns what is wrong with the table.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>> {
    let page = fs::read_to_string(root.join(PAGE))?;
    let is_fresh = with_table(&page, &table(root)?)? == page;
    let problem =
        || format!("{PAGE}: the table of clients is stale (`cargo xtask clients` writes it)");
    Ok(if is_fresh { Vec::new() } else { vec![problem()] })
}

/// Returns the names of the providers that read a client and have a manifest, sorted.
pub(crate) fn providers(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("providers"))? {
        let path = entry?.path();
        let manifest = path.join("manifest.json");
        if !manifest.is_file() {
            continue;
        }
        let manifest: Value = serde_json::from_str(&fs::read_to_string(&manifest)?)
            .with_context(|| format!("cannot read `{}`", manifest.display()))?;
        // Those of other things than conversations name no client.
        if manifest["clients"].as_array().is_some_and(|clients| !clients.is_empty()) {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn with_table(page: &str, table: &str) -> Result<String> {
    let missing = || format!("`{PAGE}` has no place for the table");
    let (before, rest) = page.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(root: &Path) -> Result<String> {
    let mut lines = vec![
        "| client | provider | versions | checked against | where |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for name in providers(root)? {
        let path = root.join("providers").join(&name).join("manifest.json");
        let manifest: Value = serde_json::from_str(&fs::read_to_string(&path)?)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let places = places(&manifest).join(", ");
        for client in manifest["clients"].as_array().into_iter().flatten() {
            let text = |key: &str| client[key].as_str().unwrap_or_default();
            let checked = client["checked"].as_str().unwrap_or("unverified");
            lines.push(format!(
                "| {} | `{name}` | {} | {checked} | {places} |",
                text("title"),
                text("versions")
            ));
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// Returns where a provider looks for history, each place once.
fn places(manifest: &Value) -> Vec<String> {
    let mut places = Vec::new();
    for root in manifest["roots"].as_array().into_iter().flatten() {
        if root["purpose"] != "history" {
            continue;
        }
        for candidate in root["candidates"].as_array().into_iter().flatten() {
            let place = place(candidate).filter(|place| !places.contains(place));
            places.extend(place);
        }
    }
    places
}

/// Returns a place as people write it; nothing for hyp's own folder.
fn place(candidate: &Value) -> Option<String> {
    let (kind, value) = candidate.as_object()?.iter().next()?;
    let path = value.as_str();
    Some(match kind.as_str() {
        "environment" => {
            let below = value["below"].as_str().filter(|below| !below.is_empty());
            let below = below.map_or(String::new(), |below| format!("/{below}"));
            let list = if value["is_list"] == true { " (a comma-separated list)" } else { "" };
            format!("`${}{below}`{list}", value["variable"].as_str()?)
        }
        "home" => format!("`~/{}`", path?),
        "config_home" => moved("XDG_CONFIG_HOME", "~/.config", path?),
        "data_home" => moved("XDG_DATA_HOME", "~/.local/share", path?),
        "application_support" => format!("`{}` below the application folder", path?),
        _ => return None,
    })
}

/// Returns a place below a folder that a variable may move.
fn moved(variable: &str, default: &str, path: &str) -> String {
    format!("`${variable}/{path}` (where it is not set: `{default}/{path}`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_people_write_them() {
        let manifest = serde_json::json!({ "roots": [
            { "purpose": "history", "candidates": [
                { "environment": { "variable": "PI_DIR", "below": "sessions" } },
                { "home": ".pi/sessions" },
                { "hyp_home": "pi" },
            ]},
            { "purpose": "notice", "candidates": [{ "home": ".pi/log" }] },
            { "purpose": "history", "candidates": [{ "home": ".pi/sessions" }, { "data_home": "pi" }] },
        ]});
        assert_eq!(
            places(&manifest),
            [
                "`$PI_DIR/sessions`",
                "`~/.pi/sessions`",
                "`$XDG_DATA_HOME/pi` (where it is not set: `~/.local/share/pi`)"
            ]
        );
    }

    #[test]
    fn the_table_stands_between_its_marks() {
        let page = format!("a\n{BEGIN}old\n{END}\nb");
        assert_eq!(with_table(&page, "new\n").unwrap(), format!("a\n{BEGIN}new\n{END}\nb"));
        assert!(with_table("nothing", "new\n").is_err());
    }
}
